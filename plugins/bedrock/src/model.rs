//! What differs between the families of models behind Converse, judged by the model's id.

/// Who made the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// Claude; major and minor version, newest when the id tells none.
    Claude(u32, u32),
    Nova,
    /// Models of OpenAI's with open weights.
    OpenAi,
    Mistral,
    Cohere,
    DeepSeek,
    /// An ARN tells no family, and most others take nothing beyond Converse's own fields.
    Other,
    Unknown,
}

impl Family {
    /// `us.anthropic.claude-sonnet-4-5-20250929-v1:0`, `amazon.nova-pro-v1:0`, `arn:aws:bedrock:…`
    pub(crate) fn of(model: &str) -> Self {
        if let Some((_, after)) = model.split_once("claude-") {
            return Self::claude(after);
        }
        let has = |word: &str| model.contains(word);
        if has("amazon.nova") {
            Self::Nova
        } else if has("openai.") {
            Self::OpenAi
        } else if has("mistral.") {
            Self::Mistral
        } else if has("cohere.") {
            Self::Cohere
        } else if has("deepseek.") {
            Self::DeepSeek
        } else if model.starts_with("arn:") {
            Self::Unknown
        } else {
            Self::Other
        }
    }

    fn claude(after: &str) -> Self {
        let mut version = after.split(['-', '.', '@', ':']).map(|word| match word.len() {
            // Longer numbers are dates.
            1 | 2 => word.parse::<u32>().ok(),
            _ => None,
        });
        // The family's name stands before the version (`sonnet-4-5`) or behind it (`3-5-sonnet`).
        let first = version.next().flatten();
        match first.or_else(|| version.next().flatten()) {
            Some(major) => Self::Claude(major, version.next().flatten().unwrap_or(0)),
            None => Self::Claude(u32::MAX, 0),
        }
    }

    /// It is a Claude of at least this version.
    pub(crate) fn is_claude_since(self, major: u32, minor: u32) -> bool {
        matches!(self, Self::Claude(own, minor_own) if (own, minor_own) >= (major, minor))
    }

    /// Any Claude.
    pub(crate) fn is_claude(self) -> bool {
        matches!(self, Self::Claude(..))
    }

    /// It takes `cachePoint`; others refuse the request over it.
    pub(crate) fn takes_cache_points(self) -> bool {
        matches!(self, Self::Claude(..) | Self::Nova | Self::Unknown)
    }

    /// It takes `status` in a result.
    pub(crate) fn takes_status(self) -> bool {
        matches!(self, Self::Claude(..) | Self::Nova | Self::Unknown)
    }

    /// It takes thoughts without a signature back. Claude refuses those, DeepSeek any.
    pub(crate) fn takes_unsigned_thoughts(self) -> bool {
        !matches!(self, Self::Claude(..) | Self::DeepSeek)
    }

    /// Whose state a signature is. Anthropic's are good at Anthropic too.
    pub(crate) fn signature_format(self) -> &'static str {
        if self.is_claude() { "anthropic" } else { crate::VENDOR }
    }
}

#[cfg(test)]
mod tests;
