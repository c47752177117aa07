//! What a request asks for, in no vendor's words.

use serde_json::Value;

/// One request, as far as the mock needs to understand it.
#[derive(Debug, Default)]
pub(super) struct Prompt {
    /// As the client wrote it, with the settings behind the name.
    pub(super) model: String,
    pub(super) stream: bool,
    pub(super) system: String,
    /// The text of the last turn, if it is the user's.
    pub(super) said: String,
    /// The tool results of the last turn.
    pub(super) results: Vec<ToolResult>,
    /// Pictures, files and sounds, each in a few words.
    pub(super) images: Vec<String>,
    pub(super) files: Vec<String>,
    pub(super) sounds: Vec<String>,
    pub(super) tools: Vec<Tool>,
    pub(super) choice: Choice,
    /// The client wants one tool call at most.
    pub(super) one_call: bool,
    pub(super) reasoning: Reasoning,
    pub(super) stops: Vec<String>,
    /// The most tokens of the answer.
    pub(super) limit: Option<u64>,
    pub(super) candidates: usize,
    pub(super) format: Format,
    /// Bytes of text in the request; tokens are counted from them.
    pub(super) bytes: usize,
    pub(super) cached: Cached,
    pub(super) extras: Extras,
}

/// What only one vendor has.
#[derive(Debug, Default)]
pub(super) struct Extras {
    /// OpenAI: `stream_options.include_usage`.
    pub(super) include_usage: bool,
    /// OpenAI: no padding field in the events.
    pub(super) plain_events: bool,
    /// OpenAI, Ollama: log probabilities.
    pub(super) log_probabilities: bool,
    /// OpenAI's completions: the prompt, which stands before the answer.
    pub(super) echo: Option<String>,
    /// OpenAI: the tools came as `functions`.
    pub(super) functions: bool,
    /// Gemini: events, not one JSON array.
    pub(super) events: bool,
    /// Gemini: calls have ids and signatures.
    pub(super) signed_calls: bool,
}

#[derive(Debug, Default)]
pub(super) struct Cached {
    pub(super) read: u64,
    pub(super) written: u64,
    /// What was written is kept for an hour.
    pub(super) long: bool,
}

#[derive(Debug)]
pub(super) struct ToolResult {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) failed: bool,
}

#[derive(Debug)]
pub(super) struct Tool {
    pub(super) name: String,
    pub(super) schema: Value,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Choice {
    #[default]
    Auto,
    None,
    Required,
    /// One of these.
    Among(Vec<String>),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Reasoning {
    #[default]
    Off,
    /// It happens, is billed, and its text is not shown.
    Hidden,
    Shown,
    /// Anthropic's encrypted block instead of text.
    Encrypted,
}

#[derive(Debug, Default)]
pub(super) enum Format {
    #[default]
    Text,
    Json,
    Schema(Value),
}

impl Prompt {
    /// Counts a text.
    pub(super) fn count(&mut self, text: &str) {
        self.bytes += text.len();
    }

    /// A tool, and its weight.
    pub(super) fn tool(&mut self, name: &str, schema: &Value) {
        self.bytes += name.len() + schema.to_string().len();
        self.tools.push(Tool { name: name.to_owned(), schema: schema.clone() });
    }

    /// Adds to the system prompt.
    pub(super) fn instruct(&mut self, text: &str) {
        if !self.system.is_empty() {
            self.system.push(' ');
        }
        self.system.push_str(text);
        self.bytes += text.len();
    }

    /// Starts a new turn: what was said before it is history.
    pub(super) fn next_turn(&mut self) {
        self.said.clear();
        self.results.clear();
    }

    /// Adds to what the user says in the last turn.
    pub(super) fn say(&mut self, text: &str) {
        if !self.said.is_empty() {
            self.said.push(' ');
        }
        self.said.push_str(text);
        self.bytes += text.len();
    }

    /// Tokens of the request, cached ones included.
    pub(super) fn tokens(&self) -> u64 {
        /// What a picture costs, about.
        const MEDIUM: u64 = 100;
        let media = self.images.len() + self.files.len() + self.sounds.len();
        tokens_of(self.bytes) + MEDIUM * u64::try_from(media).unwrap_or_default()
    }
}

/// Four bytes are a token.
pub(super) fn tokens_of(bytes: usize) -> u64 {
    u64::try_from(bytes.div_ceil(4)).unwrap_or(u64::MAX)
}
