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

/// US dollars per million tokens. A part without a price of its own costs what the whole does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ModelPrice {
    /// Prompt tokens.
    pub input: Micros,
    /// Generated tokens.
    pub output: Micros,
    /// Prompt tokens read from a cache.
    pub cache_read: Option<Micros>,
    /// Prompt tokens written to a cache.
    pub cache_write: Option<Micros>,
    /// Prompt tokens written to a cache that keeps them for an hour. Without a price of its own: as `cache_write`.
    pub cache_write_long: Option<Micros>,
    /// Generated tokens that are reasoning.
    pub reasoning: Option<Micros>,
    /// Prompt tokens that are audio.
    pub audio_input: Option<Micros>,
    /// Generated tokens that are audio.
    pub audio_output: Option<Micros>,
    /// Prompt tokens that are images.
    pub image_input: Option<Micros>,
    /// Generated tokens that are images.
    pub image_output: Option<Micros>,
}

impl ModelPrice {
    /// The dearer of two, part by part.
    #[must_use]
    pub fn ceiling(self, other: Self) -> Self {
        let dearer = |one: Option<Micros>, another: Option<Micros>, whole: fn(&Self) -> Micros| {
            let known = one.is_some() || another.is_some();
            known.then(|| one.unwrap_or(whole(&self)).max(another.unwrap_or(whole(&other))))
        };
        let input = |one, another| dearer(one, another, |price| price.input);
        let output = |one, another| dearer(one, another, |price| price.output);
        Self {
            input: self.input.max(other.input),
            output: self.output.max(other.output),
            cache_read: input(self.cache_read, other.cache_read),
            cache_write: input(self.cache_write, other.cache_write),
            cache_write_long: dearer(self.cache_write_long, other.cache_write_long, |price| {
                price.cache_write.unwrap_or(price.input)
            }),
            reasoning: output(self.reasoning, other.reasoning),
            audio_input: input(self.audio_input, other.audio_input),
            audio_output: output(self.audio_output, other.audio_output),
            image_input: input(self.image_input, other.image_input),
            image_output: output(self.image_output, other.image_output),
        }
    }

    /// All of them, in the order of the fields.
    pub fn rates(&self) -> [Option<Micros>; 10] {
        [
            Some(self.input),
            Some(self.output),
            self.cache_read,
            self.cache_write,
            self.cache_write_long,
            self.reasoning,
            self.audio_input,
            self.audio_output,
            self.image_input,
            self.image_output,
        ]
    }
}
