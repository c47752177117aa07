//! `gpt-5<high>`, `claude-sonnet-4-5:high`: a model with an effort of reasoning in its name.
//!
//! A name that is configured as it stands is never read this way. Behind a colon vendors write versions and sizes
//! (`phi3:medium`), so that form counts only behind a name that is configured in full; `<…>` also fits patterns.

/// The efforts, as canonical chat's `reasoning_effort` spells them.
const EFFORTS: [&str; 7] = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];

/// A name read as a model and an effort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Variant<'a> {
    pub(super) model: &'a str,
    pub(super) effort: &'static str,
    /// Patterns may stand for the model.
    pub(super) with_patterns: bool,
}

pub(super) fn split(asked: &str) -> Option<Variant<'_>> {
    let (model, word, with_patterns) = match asked.strip_suffix('>').and_then(|front| front.rsplit_once('<'))
    {
        Some((model, word)) => (model, word, true),
        None => asked.rsplit_once(':').map(|(model, word)| (model, word, false))?,
    };
    let effort = EFFORTS.into_iter().find(|effort| effort.eq_ignore_ascii_case(word))?;
    (!model.is_empty()).then_some(Variant { model, effort, with_patterns })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_effort_is_read_from_a_name() {
        let read = |name| split(name).map(|variant| (variant.model, variant.effort, variant.with_patterns));
        assert_eq!(read("gpt-5<high>"), Some(("gpt-5", "high", true)));
        assert_eq!(read("lab/qwen3:30b<LOW>"), Some(("lab/qwen3:30b", "low", true)));
        assert_eq!(read("claude-sonnet-4-5:max"), Some(("claude-sonnet-4-5", "max", false)));
        for name in ["gpt-5", "gpt-5<>", "gpt-5<huge>", "<high>", ":high", "qwen3:30b", "gpt-5<high", "high>"]
        {
            assert_eq!(read(name), None, "{name}");
        }
    }
}
