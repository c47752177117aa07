//! Cohere's own JSON.

use std::borrow::Cow;

use plugin_sdk::chat::{Fields, FunctionDefinition, Json, Text};
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
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) strict_tools: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tool_choice: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) documents: Vec<Document<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) response_format: Option<ResponseFormat<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) stop_sequences: Vec<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) temperature: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seed: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) frequency_penalty: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) presence_penalty: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) k: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) p: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) logprobs: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thinking: Option<Thinking>,
    /// Always said: Cohere requires it.
    pub(crate) stream: bool,
}

/// JSON, perhaps by a schema.
#[derive(Debug, Serialize)]
pub(crate) struct ResponseFormat<'a> {
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) json_schema: Option<Json<'a>>,
}

/// Whether to think, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Thinking {
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token_budget: Option<u64>,
}

/// One message.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Turn<'a> {
    pub(crate) role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content: Option<Content<'a>>,
    /// What the model meant to do with its calls.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) tool_plan: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) tool_calls: Vec<Call<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) citations: Vec<Json<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tool_call_id: Option<&'a str>,
    #[serde(flatten)]
    pub(crate) own: Fields<'a>,
}

/// A string, or a list.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Content<'a> {
    Text(Cow<'a, str>),
    Blocks(Vec<Block<'a>>),
}

/// One entry of such a list.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Block<'a> {
    Text {
        text: Cow<'a, str>,
    },
    Thinking {
        thinking: &'a str,
    },
    ImageUrl {
        image_url: Image<'a>,
    },
    /// Only in results.
    Document {
        document: Document<'a>,
    },
    #[serde(untagged)]
    Own(Json<'a>),
}

/// A link or a data URL.
#[derive(Debug, Serialize)]
pub(crate) struct Image<'a> {
    pub(crate) url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) detail: Option<&'a str>,
}

/// A text that can be cited.
#[derive(Debug, Serialize)]
pub(crate) struct Document<'a> {
    pub(crate) data: DocumentData<'a>,
}

/// All keys are shown to the model.
#[derive(Debug, Serialize)]
pub(crate) struct DocumentData<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) context: Option<&'a str>,
    pub(crate) snippet: String,
}

/// A call in the history.
#[derive(Debug, Serialize)]
pub(crate) struct Call<'a> {
    pub(crate) id: &'a str,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) function: Function<'a>,
    #[serde(flatten)]
    pub(crate) own: Fields<'a>,
}

/// A function and its arguments.
#[derive(Debug, Serialize)]
pub(crate) struct Function<'a> {
    pub(crate) name: &'a str,
    pub(crate) arguments: &'a str,
}

/// A tool: a function, or something of Cohere's own.
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
    /// A whole answer.
    Answer {
        id: Text<'a> = "id",
        finish_reason: Option<Text<'a>> = "finish_reason",
        /// An object; in an error a string.
        message: Option<Json<'a>> = "message",
        usage: Option<Counted<'a>> = "usage",
        logprobs: Vec<Logprob<'a>> = "logprobs",
    }
}

object! {
    /// What the model said.
    Message {
        role: Option<Text<'a>> = "role",
        /// A list of blocks.
        content: Option<Json<'a>> = "content",
        tool_plan: Option<Text<'a>> = "tool_plan",
        tool_calls: Vec<AnswerCall<'a>> = "tool_calls",
        citations: Vec<Json<'a>> = "citations",
    }
}

object! {
    /// One block of an answer, or what is new of it.
    AnswerBlock {
        kind: Option<Text<'a>> = "type",
        text: Option<Text<'a>> = "text",
        thinking: Option<Text<'a>> = "thinking",
    }
}

object! {
    /// A call, or what is new of it.
    AnswerCall {
        id: Option<Text<'a>> = "id",
        kind: Option<Text<'a>> = "type",
        function: AnswerFunction<'a> = "function",
    }
}

object! {
    /// A function and its arguments.
    AnswerFunction {
        name: Text<'a> = "name",
        /// A string that holds an object, or the word `null`.
        arguments: Option<Text<'a>> = "arguments",
    }
}

object! {
    /// What was counted, and what was billed.
    Counted {
        tokens: Option<Tokens<'a>> = "tokens",
        billed: Option<Tokens<'a>> = "billed_units",
        cached: Option<f64> = "cached_tokens",
    }
}

object! {
    /// Tokens; Cohere writes them as floating point.
    Tokens {
        input: Option<f64> = "input_tokens",
        output: Option<f64> = "output_tokens",
    }
}

object! {
    /// The probabilities of a piece of text, token by token.
    Logprob {
        text: Text<'a> = "text",
        token_ids: Option<Json<'a>> = "token_ids",
        logprobs: Vec<f64> = "logprobs",
    }
}

object! {
    /// One event of a stream.
    Event {
        kind: Text<'a> = "type",
        id: Option<Text<'a>> = "id",
        index: Option<u64> = "index",
        delta: Option<EventDelta<'a>> = "delta",
        logprobs: Option<Logprob<'a>> = "logprobs",
        /// Of an error.
        message: Option<Json<'a>> = "message",
    }
}

object! {
    /// What an event brings.
    EventDelta {
        message: Option<EventMessage<'a>> = "message",
        finish_reason: Option<Text<'a>> = "finish_reason",
        usage: Option<Counted<'a>> = "usage",
        error: Option<Json<'a>> = "error",
    }
}

object! {
    /// What is new of the message. The first event has empty lists where later ones have objects.
    EventMessage {
        role: Option<Text<'a>> = "role",
        content: Option<Json<'a>> = "content",
        tool_plan: Option<Text<'a>> = "tool_plan",
        tool_calls: Option<Json<'a>> = "tool_calls",
        citations: Option<Json<'a>> = "citations",
    }
}
