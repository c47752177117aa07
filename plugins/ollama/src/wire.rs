//! Ollama's own JSON.

use std::borrow::Cow;

use plugin_sdk::chat::{Fields, FunctionDefinition, Json, StopSequences, Text};
use plugin_sdk::object;
use serde::Serialize;
use serde_json::Number;

/// A request.
#[derive(Debug, Serialize)]
pub(crate) struct Request<'a> {
    pub(crate) model: &'a str,
    pub(crate) messages: Vec<Turn<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) format: Option<Json<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) think: Option<Think>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) logprobs: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) top_logprobs: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) options: Option<Sampling<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) keep_alive: Option<&'a serde_json::Value>,
    /// Always said: Ollama streams unless told otherwise.
    pub(crate) stream: bool,
}

/// On, off, or a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum Think {
    Switch(bool),
    Level(&'static str),
}

/// One message.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Turn<'a> {
    pub(crate) role: &'static str,
    pub(crate) content: Cow<'a, str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) thinking: Cow<'a, str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) images: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) tool_calls: Vec<Call<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tool_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tool_call_id: Option<&'a str>,
    #[serde(flatten)]
    pub(crate) own: Fields<'a>,
}

/// A tool: a function, or something of Ollama's own.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Tool<'a> {
    Function {
        #[serde(rename = "type")]
        kind: &'static str,
        function: FunctionDefinition<'a>,
        #[serde(flatten)]
        own: Fields<'a>,
    },
    Own(Json<'a>),
}

object! {
    /// Sampling, and the context.
    Sampling {
        /// Context length.
        num_ctx: Option<u64> = "num_ctx",
        /// Output cap.
        num_predict: Option<u64> = "num_predict",
        temperature: Option<Number> = "temperature",
        top_k: Option<u64> = "top_k",
        top_p: Option<Number> = "top_p",
        stop: StopSequences<'a> = "stop",
        seed: Option<Number> = "seed",
        frequency_penalty: Option<Number> = "frequency_penalty",
        presence_penalty: Option<Number> = "presence_penalty",
    }
}

object! {
    /// A whole answer, or one line of a stream.
    Answer {
        model: Text<'a> = "model",
        created_at: Option<Text<'a>> = "created_at",
        message: Option<Message<'a>> = "message",
        done: bool = "done",
        done_reason: Option<Text<'a>> = "done_reason",
        /// Absent when the whole prompt was still in the cache.
        prompt_eval_count: Option<u64> = "prompt_eval_count",
        eval_count: Option<u64> = "eval_count",
        logprobs: Option<Json<'a>> = "logprobs",
        error: Option<Json<'a>> = "error",
    }
}

object! {
    /// What the model said.
    Message {
        role: Option<Text<'a>> = "role",
        content: Option<Text<'a>> = "content",
        thinking: Option<Text<'a>> = "thinking",
        tool_calls: Vec<Call<'a>> = "tool_calls",
    }
}

object! {
    /// A call.
    Call {
        /// Newer servers give one.
        id: Option<Text<'a>> = "id",
        function: CalledFunction<'a> = "function",
    }
}

object! {
    /// A function and its arguments.
    CalledFunction {
        index: Option<u64> = "index",
        name: Text<'a> = "name",
        /// An object, not a string.
        arguments: Option<Json<'a>> = "arguments",
    }
}
