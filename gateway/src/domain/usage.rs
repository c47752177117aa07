//! Tokens of one answer. `None` means the provider did not say; zero means it said zero.

/// `input` includes cache reads and writes; `output` includes reasoning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
pub struct Usage {
    /// All prompt tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<u64>,
    /// All generated tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<u64>,
    /// Prompt tokens read from the provider's cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_read: Option<u64>,
    /// Prompt tokens written to the provider's cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write: Option<u64>,
    /// The part of `cache_write` kept for an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write_long: Option<u64>,
    /// Generated tokens that were reasoning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<u64>,
    /// Prompt tokens that were audio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio_input: Option<u64>,
    /// Generated tokens that were audio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio_output: Option<u64>,
    /// Prompt tokens that were images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_input: Option<u64>,
    /// Generated tokens that were images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_output: Option<u64>,
    /// Pictures made, where they are counted and not only weighed in tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images: Option<u64>,
    /// Characters spoken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub characters: Option<u64>,
    /// Seconds of sound heard, the last one begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
    /// Searches that a ranking is billed as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub searches: Option<u64>,
    /// The provider did not say all of it: some counts are the gateway's estimate.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub estimated: bool,
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
        self.images = later.images.or(self.images);
        self.characters = later.characters.or(self.characters);
        self.seconds = later.seconds.or(self.seconds);
        self.searches = later.searches.or(self.searches);
        self.estimated |= later.estimated;
    }

    /// True when a count of tokens is told, a zero too.
    pub fn counts_tokens(&self) -> bool {
        let prompt = [self.input, self.cache_read, self.cache_write, self.audio_input, self.image_input];
        let answer = [self.output, self.reasoning, self.audio_output, self.image_output];
        prompt.iter().chain(&answer).any(Option::is_some)
    }

    /// The rule these counts break, as a word: a part is larger than the whole. Then one of them is not what it is
    /// called, and a bill made of them would be wrong.
    pub fn broken_rule(&self) -> Option<&'static str> {
        let count = |part: Option<u64>| part.unwrap_or(0);
        let over = |parts: &[Option<u64>], whole: Option<u64>| {
            let parts = parts.iter().fold(0_u64, |sum, part| sum.saturating_add(count(*part)));
            whole.is_some_and(|whole| parts > whole)
        };
        if over(&[self.cache_read, self.cache_write], self.input) {
            Some("cache_over_input")
        } else if over(&[self.cache_write_long], self.cache_write) {
            Some("long_cache_over_cache_write")
        } else if over(&[self.reasoning], self.output) {
            Some("reasoning_over_output")
        } else if over(&[self.audio_input, self.image_input], self.input) {
            Some("media_over_input")
        } else if over(&[self.audio_output, self.image_output], self.output) {
            Some("media_over_output")
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Usage;

    #[test]
    fn a_part_is_never_larger_than_the_whole() {
        let whole = Usage { input: Some(10), output: Some(5), ..Usage::default() };
        let part = |change: fn(&mut Usage)| {
            let mut usage = whole;
            change(&mut usage);
            usage.broken_rule()
        };
        assert_eq!(part(|usage| (usage.cache_read, usage.cache_write) = (Some(6), Some(4))), None);
        assert_eq!(
            part(|usage| (usage.cache_read, usage.cache_write) = (Some(7), Some(4))),
            Some("cache_over_input")
        );
        assert_eq!(part(|usage| usage.cache_write_long = Some(4)), None, "nothing to compare it with");
        assert_eq!(
            part(|usage| (usage.cache_write, usage.cache_write_long) = (Some(0), Some(4))),
            Some("long_cache_over_cache_write")
        );
        assert_eq!(part(|usage| usage.reasoning = Some(6)), Some("reasoning_over_output"));
        assert_eq!(part(|usage| usage.image_input = Some(11)), Some("media_over_input"));
        assert_eq!(part(|usage| usage.audio_output = Some(u64::MAX)), Some("media_over_output"));
    }

    #[test]
    fn a_later_report_replaces_only_what_it_says_and_zero_is_something() {
        let mut usage = Usage { input: Some(3), output: Some(1), ..Usage::default() };
        usage.update(Usage { output: Some(0), estimated: true, ..Usage::default() });
        assert_eq!(usage, Usage { input: Some(3), output: Some(0), estimated: true, ..Usage::default() });
    }
}
