//! What the mock needs to know about a vendor, and the complaints a vendor can have.

use std::collections::HashSet;

use bytes::Bytes;
use hyper::HeaderMap;
use parking_lot::Mutex;
use serde_json::Value;

use super::prompt::Prompt;
use super::reply::Reply;
use super::tree::Tree;

/// One vendor's API.
pub(super) trait Vendor: Send + Sync {
    /// The environment variable a newcomer puts his key into.
    fn variable(&self) -> &'static str;

    /// The key a request came with.
    fn key(&self, headers: &HeaderMap, query: &str) -> Option<String>;

    /// What a missing or a wrong key is answered with.
    fn wrong_key(&self, key: Option<&str>) -> Complaint;

    /// The model a body asks for, where the path does not say it.
    fn model(&self, body: &Value) -> Option<String> {
        body.get("model").and_then(Value::as_str).map(str::to_owned)
    }

    /// What an unknown model is answered with.
    fn unknown_model(&self, model: &str) -> Complaint;

    /// What a body that is not JSON is answered with.
    fn not_json(&self, reason: &str) -> Complaint;

    /// Refuses what the vendor would refuse.
    fn check(&self, headers: &HeaderMap, body: &Value, model: &str) -> Result<(), Complaint>;

    /// Understands a request.
    fn read(&self, body: &Value, target: &Target, memory: &Memory) -> Prompt;

    /// A whole answer.
    fn whole(&self, prompt: &Prompt, reply: &Reply) -> Vec<u8>;

    /// The frames of a stream.
    fn stream(&self, prompt: &Prompt, reply: &Reply) -> Vec<Bytes>;

    /// The content type of a whole answer and of a stream.
    fn content_type(&self, prompt: Option<&Prompt>) -> &'static str;

    /// An error.
    fn error(&self, complaint: &Complaint, serial: u64) -> Vec<u8>;

    /// An error inside a stream; `first` when nothing was sent before it.
    fn error_frame(&self, complaint: &Complaint, prompt: &Prompt, first: bool) -> Bytes;

    /// Headers every answer has.
    fn headers(&self, serial: u64, now: u64) -> Vec<(&'static str, String)>;

    /// Headers of an error.
    fn error_headers(&self, complaint: &Complaint) -> Vec<(&'static str, String)> {
        if complaint.passes() { vec![("retry-after", "1".to_owned())] } else { Vec::new() }
    }

    /// The list of models.
    fn models(&self) -> Tree;

    /// One model.
    fn one_model(&self, name: &str) -> Tree;

    /// The number of tokens in a prompt.
    fn count(&self, tokens: u64) -> Tree;
}

/// What the path says about a request for an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Target {
    /// The model, decoded, where the path names it.
    pub(super) model: String,
    /// The path asks for a stream.
    pub(super) stream: bool,
    /// The query asks for events (`alt=sse`).
    pub(super) events: bool,
}

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Complaint {
    pub(super) status: u16,
    pub(super) message: String,
    pub(super) param: Option<String>,
    pub(super) code: Option<&'static str>,
}

impl Complaint {
    pub(super) fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), param: None, code: None }
    }

    /// Status 400.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, message)
    }

    pub(super) fn at(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    pub(super) fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// What a fault on purpose says.
    pub(super) fn on_purpose(status: u16) -> Self {
        let message = match status {
            429 => "Rate limit reached on purpose.",
            503 | 529 => "Overloaded on purpose.",
            _ => "An error on purpose.",
        };
        Self::new(status, message)
    }

    /// Waiting helps.
    pub(super) fn passes(&self) -> bool {
        matches!(self.status, 429 | 503 | 529)
    }
}

/// The prompts whose beginning a vendor has cached.
#[derive(Default)]
pub(super) struct Memory(Mutex<HashSet<u64>>);

impl Memory {
    /// Beyond this, everything is forgotten.
    const MOST: usize = 65_536;

    pub(super) fn knows(&self, prefix: u64) -> bool {
        self.0.lock().contains(&prefix)
    }

    pub(super) fn learn(&self, prefix: u64) {
        let mut known = self.0.lock();
        if known.len() >= Self::MOST {
            known.clear();
        }
        known.insert(prefix);
    }
}

/// The list at `name`, empty when there is none.
pub(super) fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The text at `name`, empty when there is none.
pub(super) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The yes or no at `name`.
pub(super) fn flag(value: &Value, name: &str) -> bool {
    value.get(name).and_then(Value::as_bool).unwrap_or_default()
}

/// The value at `name`, `None` when it is `null`.
pub(super) fn given<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.get(name).filter(|value| !value.is_null())
}

/// The key behind `Bearer`.
pub(super) fn bearer(headers: &HeaderMap) -> Option<String> {
    let value = headers.get("authorization")?.to_str().ok()?;
    let (scheme, key) = value.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !key.trim().is_empty()).then(|| key.trim().to_owned())
}

/// A header with something in it.
pub(super) fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().filter(|value| !value.is_empty()).map(str::to_owned)
}

/// A picture or file in a few words: its type and size, or where it lies.
pub(super) fn described(url: &str) -> String {
    match url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,")) {
        Some((mime, data)) => inline(mime, data),
        None => url.chars().take(120).collect(),
    }
}

/// Base64 in a few words.
pub(super) fn inline(mime: &str, data: &str) -> String {
    let padding = data.bytes().rev().take_while(|byte| *byte == b'=').count();
    format!("{mime} of {} bytes", (data.len() / 4 * 3).saturating_sub(padding))
}

/// The models every vendor lists: an ordinary one, and one that reasons.
pub(super) const MODELS: [&str; 2] = ["mock", "mock-think"];
