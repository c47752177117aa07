//! The clients' dialects: how each asks, and what it may be told.

use serde_json::{Value, json};

use crate::support::client::Reply;

/// What a client got, after its form was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Got {
    Answer,
    /// An error instead of an answer, with this status.
    Error(u16),
    /// An error behind the beginning of an answer.
    Broken,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tongue {
    Chat,
    Responses,
    Anthropic,
    Gemini,
    Ollama,
}

impl Tongue {
    pub(super) const ALL: [Self; 5] =
        [Self::Chat, Self::Responses, Self::Anthropic, Self::Gemini, Self::Ollama];

    /// Path and body of a request.
    pub(super) fn asks(self, model: &str, text: &str, stream: bool) -> (String, Value) {
        let messages = json!([{ "role": "user", "content": text }]);
        match self {
            Self::Chat => {
                let body = json!({ "model": model, "messages": messages, "stream": stream });
                ("/v1/chat/completions".to_owned(), body)
            }
            Self::Responses => {
                let body = json!({ "model": model, "input": text, "stream": stream, "store": false });
                ("/v1/responses".to_owned(), body)
            }
            Self::Anthropic => {
                let body =
                    json!({ "model": model, "max_tokens": 100, "messages": messages, "stream": stream });
                ("/v1/messages".to_owned(), body)
            }
            Self::Gemini => {
                let call = if stream { "streamGenerateContent?alt=sse" } else { "generateContent" };
                let body = json!({ "contents": [{ "role": "user", "parts": [{ "text": text }] }] });
                (format!("/v1beta/models/{model}:{call}"), body)
            }
            Self::Ollama => {
                ("/api/chat".to_owned(), json!({ "model": model, "messages": messages, "stream": stream }))
            }
        }
    }

    /// What came, if it is one of the things that may come.
    #[track_caller]
    pub(super) fn got(self, stream: bool, reply: &Reply, case: &str) -> Got {
        let text = reply.text();
        if reply.status != 200 {
            assert!(reply.status >= 400 && reply.complete, "{case}: {} {text}", reply.status);
            let body = json_of(&text, case);
            assert!(self.is_error(&body), "{case}: {text}");
            assert!(text.len() < 16_384, "{case}: an error of {} bytes", text.len());
            return Got::Error(reply.status);
        }
        if !stream {
            assert!(reply.complete && self.is_answer(&json_of(&text, case)), "{case}: {text}");
            return Got::Answer;
        }
        let data = self.data(&text, case);
        let (failed, ended) = (data.iter().any(|data| self.is_failure(data)), self.is_ended(&data, &text));
        match (reply.complete, failed, ended) {
            (true, false, true) => Got::Answer,
            (false, true, false) if data.last().is_some_and(|last| self.is_failure(last)) => Got::Broken,
            _ => panic!("{case}: complete {}, failed {failed}, ended {ended}: {text}", reply.complete),
        }
    }

    fn is_answer(self, body: &Value) -> bool {
        match self {
            Self::Chat => body["choices"][0]["message"].is_object(),
            Self::Responses => body["object"] == "response" && body["status"] == "completed",
            Self::Anthropic => body["type"] == "message" && body["content"].is_array(),
            Self::Gemini => body["candidates"][0].is_object(),
            Self::Ollama => body["done"] == true && body["message"].is_object(),
        }
    }

    fn is_error(self, body: &Value) -> bool {
        let error = &body["error"];
        match self {
            Self::Chat | Self::Responses => {
                error["message"].is_string() && error["type"].is_string() && error.get("param").is_some()
            }
            Self::Anthropic => {
                body["type"] == "error" && error["type"].is_string() && error["message"].is_string()
            }
            Self::Gemini => {
                error["code"].is_u64() && error["status"].is_string() && error["message"].is_string()
            }
            Self::Ollama => error.is_string(),
        }
    }

    /// What the events of a stream hold.
    #[track_caller]
    fn data(self, text: &str, case: &str) -> Vec<Value> {
        if self == Self::Ollama {
            return text.lines().map(|line| json_of(line, case)).collect();
        }
        let data = text.split(['\n', '\r']).filter_map(|line| line.strip_prefix("data:")).map(str::trim);
        data.filter(|data| *data != "[DONE]").map(|data| json_of(data, case)).collect()
    }

    fn is_failure(self, data: &Value) -> bool {
        match self {
            Self::Responses => data["type"] == "error" || data["type"] == "response.failed",
            Self::Chat | Self::Anthropic | Self::Gemini | Self::Ollama => {
                data.get("error").is_some() && self.is_error(data)
            }
        }
    }

    fn is_ended(self, data: &[Value], text: &str) -> bool {
        match self {
            Self::Chat => text.contains("data: [DONE]"),
            Self::Responses => data.iter().any(|data| data["type"] == "response.completed"),
            Self::Anthropic => data.iter().any(|data| data["type"] == "message_stop"),
            Self::Gemini => data.iter().any(|data| data["candidates"][0]["finishReason"].is_string()),
            Self::Ollama => data.iter().any(|data| data["done"] == true),
        }
    }
}

#[track_caller]
fn json_of(text: &str, case: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{case}: {error}: {text}"))
}
