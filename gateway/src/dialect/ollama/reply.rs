//! One object of an answer in Ollama's words: the whole of it, or a line of a stream.

use std::borrow::Cow;
use std::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;

use super::Shape;
use super::said::Usage;
use crate::error::{GatewayError, Kind};

/// One object. Which of its fields stand there is the dialect's.
#[derive(Serialize)]
pub(super) struct Reply<'a> {
    pub(super) model: &'a str,
    pub(super) created_at: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    thinking: Cow<'a, str>,
    done: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    done_reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_duration: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_eval_count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_eval_duration: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    eval_count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    eval_duration: Option<u64>,
}

/// `message` of a chat.
#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: Cow<'a, str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    thinking: Cow<'a, str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    images: Vec<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<Call>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_details: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extra_content: Option<&'a RawValue>,
}

/// What is said in one object.
#[derive(Default)]
pub(super) struct Words<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) thinking: Cow<'a, str>,
    /// Bare base64.
    pub(super) images: Vec<Cow<'a, str>>,
    pub(super) calls: Vec<Call>,
    /// State of thoughts, to be given back.
    pub(super) reasoning_details: Option<&'a RawValue>,
    /// State of the message, to be given back.
    pub(super) extra_content: Option<&'a RawValue>,
    pub(super) logprobs: Option<&'a RawValue>,
}

impl Words<'_> {
    /// Nothing worth a line.
    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
            && self.thinking.is_empty()
            && self.images.is_empty()
            && self.calls.is_empty()
            && self.extra_content.is_none()
            && self.logprobs.is_none()
    }
}

/// A whole call.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Call {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) id: String,
    pub(super) function: Called,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) extra_content: Option<Box<RawValue>>,
}

/// Which function, with which arguments.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Called {
    pub(super) index: u64,
    pub(super) name: String,
    pub(super) arguments: Box<RawValue>,
}

/// How an answer ended and what it took.
#[derive(Clone, Copy)]
pub(super) struct End<'a> {
    pub(super) reason: &'a str,
    pub(super) usage: Usage,
    pub(super) total: Duration,
    /// Until the first piece, and from then on; only a stream knows.
    pub(super) parts: Option<(Duration, Duration)>,
}

impl<'a> Reply<'a> {
    /// An object of an answer that goes on, or its last one.
    pub(super) fn new(
        shape: Shape,
        (model, created_at): (&'a str, &'a str),
        words: Words<'a>,
        end: Option<End<'a>>,
    ) -> Self {
        let mut reply = Self {
            model,
            created_at,
            message: None,
            response: None,
            thinking: Cow::Borrowed(""),
            done: end.is_some(),
            done_reason: end.map(|end| end.reason),
            logprobs: words.logprobs,
            total_duration: end.map(|end| nanoseconds(end.total)),
            prompt_eval_count: end.and_then(|end| end.usage.prompt_tokens),
            prompt_eval_duration: end.and_then(|end| end.parts).map(|(before, _)| nanoseconds(before)),
            eval_count: end.and_then(|end| end.usage.completion_tokens),
            eval_duration: end.and_then(|end| end.parts).map(|(_, after)| nanoseconds(after)),
        };
        match shape {
            Shape::Chat => {
                reply.message = Some(Message {
                    role: "assistant",
                    content: words.text,
                    thinking: words.thinking,
                    images: words.images,
                    tool_calls: words.calls,
                    reasoning_details: words.reasoning_details,
                    extra_content: words.extra_content,
                });
            }
            Shape::Generate => {
                reply.response = Some(words.text);
                reply.thinking = words.thinking;
            }
        }
        reply
    }

    /// As JSON.
    pub(super) fn written(&self) -> Result<Vec<u8>, GatewayError> {
        // What was read from JSON can be written.
        serde_json::to_vec(self)
            .map_err(|error| GatewayError::gateway(Kind::Internal, format!("answer not written: {error}")))
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
