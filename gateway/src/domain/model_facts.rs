//! What a list of models tells about one of them. What nobody knows is absent, never zero.

use super::Micros;

/// Facts of one public model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelFacts {
    /// Prompt and answer together, in tokens.
    pub context: Option<u64>,
    /// The longest answer, in tokens.
    pub max_output: Option<u64>,
    /// What every target takes: `text`, `image`, `file`, `audio`.
    pub input: Vec<&'static str>,
    /// What every target gives: `text`, `audio`.
    pub output: Vec<&'static str>,
    /// What a request costs at most, whichever target answers.
    pub price: Option<ModelPrice>,
}

/// US dollars per million tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelPrice {
    /// Prompt tokens.
    pub input: Micros,
    /// Generated tokens.
    pub output: Micros,
    /// Prompt tokens read from a cache.
    pub cache_read: Option<Micros>,
    /// Prompt tokens written to a cache.
    pub cache_write: Option<Micros>,
}

impl ModelPrice {
    /// The dearer of two, part by part.
    #[must_use]
    pub fn ceiling(self, other: Self) -> Self {
        let dearer = |one: Option<Micros>, another: Option<Micros>| Some(one?.max(another?));
        Self {
            input: self.input.max(other.input),
            output: self.output.max(other.output),
            cache_read: dearer(self.cache_read, other.cache_read),
            cache_write: dearer(self.cache_write, other.cache_write),
        }
    }
}
