//! A request as it came: raw bytes plus the few facts that routing and accounting need.

use std::borrow::Cow;
use std::ops::Range;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue};

/// Headers by which clients name a conversation, most exact first.
pub const SESSION_HEADERS: [&str; 8] = [
    "x-claude-code-session-id",
    "session-id",
    "session_id",
    "thread-id",
    "conversation_id",
    "x-openwebui-chat-id",
    "x-session-id",
    "x-conversation-id",
];

/// What a request says before its body.
#[derive(Clone, Debug)]
pub struct RequestHead {
    /// Upper-case method.
    pub method: http::Method,
    /// Path as routed: one leading slash, no trailing one, no duplicate version segment.
    pub path: String,
    /// Query without the question mark. It may hold `key=`: never log it.
    pub query: Option<String>,
    /// Headers as they came.
    pub headers: HeaderMap,
}

impl RequestHead {
    /// The first value of a query parameter, percent-decoded.
    pub fn query_value(&self, name: &str) -> Option<String> {
        let query = self.query.as_deref()?;
        query.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (key == name).then(|| percent_decode(value).into_owned())
        })
    }

    /// The conversation, where a header names it.
    pub fn session(&self) -> Option<&str> {
        SESSION_HEADERS.iter().filter_map(|name| self.header(name)).find(|value| !value.trim().is_empty())
    }

    /// A header as text; not found and not text are the same.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Undoes `%XX`; what is not valid stays as it is.
pub fn percent_decode(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let pair = bytes.get(at + 1..at + 3).and_then(|pair| std::str::from_utf8(pair).ok());
        match pair.filter(|_| bytes[at] == b'%').and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(decoded).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// How the client wants a stream framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// `text/event-stream`.
    Sse,
    /// One JSON array, one element per event (Gemini without `alt=sse`).
    JsonArray,
    /// One JSON object a line (Ollama).
    Ndjson,
    /// AWS's binary frames (`application/vnd.amazon.eventstream`).
    EventStream,
}

/// One request: bytes and facts. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Envelope {
    /// The body, untouched.
    pub body: Bytes,
    /// The public model name the client asked for.
    pub model: String,
    /// Where the model name stands in `body`, the quotes of JSON included; empty: it was left out and belongs
    /// there. `None`: it is in the path.
    pub model_span: Option<Range<usize>>,
    /// The client wants a stream.
    pub stream: bool,
    /// How that stream is framed.
    pub framing: Framing,
    /// The client asked to be told usage in the stream.
    pub include_usage: bool,
    /// The client's own output cap, in tokens.
    pub max_output: Option<u64>,
    /// A provider that speaks the client's dialect may get the body as it is. Not so when it is written in one dialect
    /// and was sent to another's path.
    pub passable: bool,
    /// The body's own type, boundary and all, when it is no JSON (a multipart form).
    pub content_type: Option<HeaderValue>,
    /// The answer is bytes of a type of the provider's choice (sound, subtitles, events nobody here reads): they pass as
    /// they come.
    pub raw: bool,
}

/// Bytes of a body, and what stands there instead.
pub type Edit = (Range<usize>, Cow<'static, str>);

impl Envelope {
    /// A JSON body that asks for a whole JSON answer, and everything else at its plainest.
    pub fn whole(body: Bytes, model: String, model_span: Option<Range<usize>>) -> Self {
        Self {
            body,
            model,
            model_span,
            stream: false,
            framing: Framing::Sse,
            include_usage: false,
            max_output: None,
            passable: true,
            content_type: None,
            raw: false,
        }
    }

    /// The body with another model name in place; the same bytes when it is the same name or stands in the path.
    pub fn body_for(&self, model: &str) -> Bytes {
        self.body_with(model, None)
    }

    /// The same with one more edit, which does not touch the model's name. Every other byte stays.
    pub fn body_with(&self, model: &str, edit: Option<Edit>) -> Bytes {
        let span = self.model_span.clone().filter(|_| model != self.model);
        let name = span.map(|span| match self.content_type {
            Some(_) => (span, model.to_owned().into()),
            None if span.is_empty() => {
                (span, format!("\"model\":{},", serde_json::Value::from(model)).into())
            }
            None => (span, serde_json::Value::from(model).to_string().into()),
        });
        let mut edits: Vec<Edit> = name.into_iter().chain(edit).collect();
        if edits.is_empty() {
            return self.body.clone();
        }
        edits.sort_by_key(|(span, _)| span.start);
        let more: usize = edits.iter().map(|(_, text)| text.len()).sum();
        let mut spliced = BytesMut::with_capacity(self.body.len() + more);
        let mut from = 0;
        for (span, text) in edits {
            spliced.extend_from_slice(self.body.get(from..span.start).unwrap_or_default());
            spliced.extend_from_slice(text.as_bytes());
            from = span.end;
        }
        spliced.extend_from_slice(self.body.get(from..).unwrap_or_default());
        spliced.freeze()
    }
}
