//! Names with `*` in them: `claude-*`, `openai/*`.

/// A name, or a pattern in which each `*` stands for any run of characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern(String);

impl Pattern {
    /// Takes a pattern as written.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// It has no `*`: one name and no other.
    pub fn is_name(&self) -> bool {
        !self.0.contains('*')
    }

    /// How many characters are fixed: of two patterns that match, the one with more is meant.
    pub fn weight(&self) -> usize {
        self.0.bytes().filter(|byte| *byte != b'*').count()
    }

    /// Whether a name fits.
    pub fn matches(&self, name: &str) -> bool {
        let Some((front, rest)) = self.0.split_once('*') else { return self.0 == name };
        let Some(mut left) = name.strip_prefix(front) else { return false };
        let (middle, back) = rest.rsplit_once('*').unwrap_or(("", rest));
        for piece in middle.split('*').filter(|piece| !piece.is_empty()) {
            let Some(at) = left.find(piece) else { return false };
            left = left.get(at + piece.len()..).unwrap_or("");
        }
        left.ends_with(back)
    }
}

#[cfg(test)]
mod tests;
