//! Tokens of one answer. `None` means the provider did not say; zero means it said zero.

/// `input` includes cache reads and writes; `output` includes reasoning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Usage {
    /// All prompt tokens.
    pub input: Option<u64>,
    /// All generated tokens.
    pub output: Option<u64>,
    /// Prompt tokens read from the provider's cache.
    pub cache_read: Option<u64>,
    /// Prompt tokens written to the provider's cache.
    pub cache_write: Option<u64>,
    /// The part of `cache_write` kept for an hour.
    pub cache_write_long: Option<u64>,
    /// Generated tokens that were reasoning.
    pub reasoning: Option<u64>,
    /// Prompt tokens that were audio.
    pub audio_input: Option<u64>,
    /// Generated tokens that were audio.
    pub audio_output: Option<u64>,
    /// Prompt tokens that were images.
    pub image_input: Option<u64>,
    /// Generated tokens that were images.
    pub image_output: Option<u64>,
}

impl Usage {
    /// Takes over what a later report says; what it does not say stays.
    pub fn update(&mut self, later: Self) {
        self.input = later.input.or(self.input);
        self.output = later.output.or(self.output);
        self.cache_read = later.cache_read.or(self.cache_read);
        self.cache_write = later.cache_write.or(self.cache_write);
        self.cache_write_long = later.cache_write_long.or(self.cache_write_long);
        self.reasoning = later.reasoning.or(self.reasoning);
        self.audio_input = later.audio_input.or(self.audio_input);
        self.audio_output = later.audio_output.or(self.audio_output);
        self.image_input = later.image_input.or(self.image_input);
        self.image_output = later.image_output.or(self.image_output);
    }
}
