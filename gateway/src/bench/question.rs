//! What is asked: a conversation of a given size, in the words of one API.

use std::fmt;
use std::str::FromStr;

use serde_json::{Value, json};

/// A client API that can be asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Api {
    /// Chat completions.
    #[default]
    OpenAi,
    /// Messages.
    Anthropic,
    /// `generateContent`.
    Gemini,
}

impl FromStr for Api {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "openai" => Ok(Self::OpenAi),
            "anthropic" => Ok(Self::Anthropic),
            "gemini" => Ok(Self::Gemini),
            _ => Err(format!("`{text}` is none of openai, anthropic, gemini")),
        }
    }
}

impl fmt::Display for Api {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
        })
    }
}

impl Api {
    /// Where it is asked.
    pub fn path(self, model: &str, stream: bool) -> String {
        match self {
            Self::OpenAi => "/v1/chat/completions".to_owned(),
            Self::Anthropic => "/v1/messages".to_owned(),
            Self::Gemini if stream => format!("/v1beta/models/{model}:streamGenerateContent?alt=sse"),
            Self::Gemini => format!("/v1beta/models/{model}:generateContent"),
        }
    }

    /// The headers that carry a key, and what else the API wants.
    pub fn headers(self, key: &str) -> Vec<(String, String)> {
        let own = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        match self {
            Self::OpenAi => own(&[("authorization", &format!("Bearer {key}"))]),
            Self::Anthropic => own(&[("x-api-key", key), ("anthropic-version", "2023-06-01")]),
            Self::Gemini => own(&[("x-goog-api-key", key)]),
        }
    }
}

/// One question.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    pub api: Api,
    pub model: &'a str,
    pub stream: bool,
    /// About so long is its body.
    pub bytes: usize,
}

const SYSTEM: &str =
    "You are a careful assistant. Answer in plain words, cite what you use, and say so when you do not know.";
const TASK: &str = "Summarise the following incident note in three sentences and name the next step: ";
const NOTE: &str = "the queue grew while the worker was restarting; ";
const REPLY: &str = "Noted. Go on.";
/// A turn of a long conversation is not longer than this.
const TURN: usize = 2048;

impl Question<'_> {
    /// Its body.
    pub fn body(&self) -> Vec<u8> {
        let body = match self.api {
            Api::OpenAi => json!({
                "model": self.model, "messages": self.messages(true), "temperature": 0.2, "max_tokens": 512,
            }),
            Api::Anthropic => json!({
                "model": self.model, "system": SYSTEM, "messages": self.messages(false), "temperature": 0.2,
                "max_tokens": 512,
            }),
            Api::Gemini => json!({
                "systemInstruction": { "parts": [{ "text": SYSTEM }] },
                "contents": self.contents(),
                "generationConfig": { "temperature": 0.2, "maxOutputTokens": 512 },
            }),
        };
        let mut body = body;
        if let (true, Some(fields)) = (self.stream && self.api != Api::Gemini, body.as_object_mut()) {
            fields.insert("stream".to_owned(), Value::Bool(true));
        }
        body.to_string().into_bytes()
    }

    /// The user's turns; between two of them the model said [`REPLY`].
    fn turns(&self) -> Vec<String> {
        let mut left = self.bytes.saturating_sub(SYSTEM.len() + TASK.len() + 150);
        let mut turns = Vec::new();
        loop {
            let text = left.min(TURN);
            let task = if turns.is_empty() { TASK } else { "" };
            turns.push(format!("{task}{}", NOTE.repeat(text.div_ceil(NOTE.len()))));
            left = left.saturating_sub(text + 100);
            if left < NOTE.len() {
                return turns;
            }
        }
    }

    fn messages(&self, with_system: bool) -> Vec<Value> {
        let mut messages = Vec::new();
        if with_system {
            messages.push(json!({ "role": "system", "content": SYSTEM }));
        }
        for (index, turn) in self.turns().iter().enumerate() {
            if index > 0 {
                messages.push(json!({ "role": "assistant", "content": REPLY }));
            }
            messages.push(json!({ "role": "user", "content": turn }));
        }
        messages
    }

    fn contents(&self) -> Vec<Value> {
        let mut contents = Vec::new();
        for (index, turn) in self.turns().iter().enumerate() {
            if index > 0 {
                contents.push(json!({ "role": "model", "parts": [{ "text": REPLY }] }));
            }
            contents.push(json!({ "role": "user", "parts": [{ "text": turn }] }));
        }
        contents
    }
}
