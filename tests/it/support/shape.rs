//! The three vendors' forms: paths, requests, and what an answer says in any of them.

use serde_json::{Value, json};

use super::said::{self, Said};
use super::sse::Event;

/// A vendor's form, as a client's dialect or as a provider's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    OpenAi,
    Anthropic,
    Gemini,
}

impl Shape {
    pub(crate) const ALL: [Self; 3] = [Self::OpenAi, Self::Anthropic, Self::Gemini];

    /// Every dialect with every provider.
    pub(crate) fn pairs() -> impl Iterator<Item = (Self, Self)> {
        Self::ALL.into_iter().flat_map(|dialect| Self::ALL.into_iter().map(move |provider| (dialect, provider)))
    }

    /// The adapter's name.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
        }
    }

    /// Where a conversation is asked for.
    pub(crate) fn path(self, model: &str, stream: bool) -> String {
        match (self, stream) {
            (Self::OpenAi, _) => "/v1/chat/completions".to_owned(),
            (Self::Anthropic, _) => "/v1/messages".to_owned(),
            (Self::Gemini, false) => format!("/v1beta/models/{}:generateContent", in_path(model)),
            (Self::Gemini, true) => {
                format!("/v1beta/models/{}:streamGenerateContent?alt=sse", in_path(model))
            }
        }
    }

    /// A request with the name of its model, whole or streamed, where this form puts them into the body.
    pub(crate) fn named(self, body: &Value, model: &str, stream: bool) -> Value {
        let mut body = body.clone();
        if self != Self::Gemini {
            body["model"] = json!(model);
            if stream {
                body["stream"] = json!(true);
            }
        }
        if self == Self::OpenAi && stream && body.get("stream_options").is_none() {
            body["stream_options"] = json!({ "include_usage": true });
        }
        body
    }

    /// What a whole answer says.
    #[track_caller]
    pub(crate) fn whole(self, answer: &Value) -> Said {
        match self {
            Self::OpenAi => said::openai(answer),
            Self::Anthropic => said::anthropic(answer),
            Self::Gemini => said::gemini(answer),
        }
    }

    /// What a stream says, after its grammar was checked.
    #[track_caller]
    pub(crate) fn streamed(self, events: &[Event]) -> Said {
        match self {
            Self::OpenAi => said::openai_stream(events),
            Self::Anthropic => said::anthropic_stream(events),
            Self::Gemini => said::gemini_stream(events),
        }
    }

    /// True when a stream says that it came to its end.
    pub(crate) fn is_ended(self, events: &[Event]) -> bool {
        events.iter().any(|event| match self {
            Self::OpenAi => event.data == "[DONE]",
            Self::Anthropic => event.name == "message_stop" || event.json()["type"] == "message_stop",
            Self::Gemini => !event.json()["candidates"][0]["finishReason"].is_null(),
        })
    }

    /// The error of a body or of a stream's last event, after its form was checked: kind and message.
    #[track_caller]
    pub(crate) fn error(self, body: &Value) -> (String, String) {
        let error = &body["error"];
        let kind = match self {
            Self::OpenAi => {
                assert!(error["type"].is_string() && error.get("param").is_some(), "{body}");
                &error["code"]
            }
            Self::Anthropic => {
                assert_eq!(body["type"], "error", "{body}");
                &error["type"]
            }
            Self::Gemini => {
                assert!(error["code"].is_u64(), "{body}");
                &error["status"]
            }
        };
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{body}")).to_owned();
        (text(kind), text(&error["message"]))
    }

    /// The request id an error body holds.
    pub(crate) fn request_id(self, body: &Value) -> String {
        let id = match self {
            Self::OpenAi => &body["error"]["request_id"],
            Self::Anthropic => &body["request_id"],
            Self::Gemini => {
                let details = body["error"]["details"].as_array().map(Vec::as_slice).unwrap_or_default();
                details
                    .iter()
                    .map(|detail| &detail["requestId"])
                    .find(|id| id.is_string())
                    .unwrap_or(&Value::Null)
            }
        };
        id.as_str().unwrap_or_default().to_owned()
    }
}

/// A model's name in a path, with everything escaped that means something there.
pub(crate) fn in_path(model: &str) -> String {
    let mut path = String::new();
    for byte in model.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte) {
            path.push(char::from(byte));
        } else {
            path.push_str(&format!("%{byte:02X}"));
        }
    }
    path
}
