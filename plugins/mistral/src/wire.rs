//! Mistral's own JSON.

use std::borrow::Cow;

use plugin_sdk::chat::{Absent as _, Fields, FunctionDefinition, Json, ResponseFormat, StopSequences, Text};
use plugin_sdk::object;
use serde::Serialize;
use serde_json::Number;

/// A request.
#[derive(Debug, Serialize)]
pub(crate) struct Request<'a> {
    pub(crate) model: &'a str,
    pub(crate) messages: Vec<Turn<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) temperature: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) top_p: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_tokens: Option<u64>,
    #[serde(skip_serializing_if = "StopSequences::absent")]
    pub(crate) stop: StopSequences<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) random_seed: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) presence_penalty: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) frequency_penalty: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) n: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) response_format: Option<ResponseFormat<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tool_choice: Option<Choose<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) parallel_tool_calls: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reasoning_effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) prediction: Option<Json<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metadata: Option<Json<'a>>,
    /// Usage needs not be asked for.
    pub(crate) stream: bool,
}

/// One message.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Turn<'a> {
    pub(crate) role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content: Option<Content<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) tool_calls: Vec<Call<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tool_call_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) prefix: bool,
    #[serde(flatten)]
    pub(crate) own: Fields<'a>,
}

/// A string, or a list.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Content<'a> {
    Text(Cow<'a, str>),
    Chunks(Vec<Chunk<'a>>),
}

/// One entry of such a list.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Chunk<'a> {
    Text {
        text: Cow<'a, str>,
    },
    Thinking {
        thinking: [Thought<'a>; 1],
    },
    ImageUrl {
        image_url: Image<'a>,
    },
    DocumentUrl {
        document_url: Cow<'a, str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        document_name: Option<&'a str>,
    },
    File {
        file_id: &'a str,
    },
    InputAudio {
        /// Base64; Mistral finds out the format.
        input_audio: &'a str,
    },
    #[serde(untagged)]
    Own(Json<'a>),
}

/// The text of a thought.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename = "text")]
pub(crate) struct Thought<'a> {
    pub(crate) text: &'a str,
}

/// A link or a data URL.
#[derive(Debug, Serialize)]
pub(crate) struct Image<'a> {
    pub(crate) url: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) detail: Option<&'a str>,
}

/// A call in the history.
#[derive(Debug, Serialize)]
pub(crate) struct Call<'a> {
    pub(crate) id: String,
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

/// A tool: a function, or something of Mistral's own.
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

/// A word, or the one function that must be called.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Choose<'a> {
    Word(&'static str),
    Named {
        #[serde(rename = "type")]
        kind: &'static str,
        function: Named<'a>,
    },
}

/// The function's name.
#[derive(Debug, Serialize)]
pub(crate) struct Named<'a> {
    pub(crate) name: Cow<'a, str>,
}

object! {
    /// A whole answer, or one event of a stream.
    Answer {
        id: Text<'a> = "id",
        object: Text<'a> = "object",
        created: u64 = "created",
        model: Text<'a> = "model",
        choices: Vec<Choice<'a>> = "choices",
        usage: Option<Counted<'a>> = "usage",
        /// An error in spite of the status; others are known by `object`.
        error: Option<Json<'a>> = "error",
        detail: Option<Json<'a>> = "detail",
        /// Padding against guesses by size.
        padding: Option<Json<'a>> = "p",
    }
}

object! {
    /// One answer among `n`.
    Choice {
        index: u64 = "index",
        message: Option<Message<'a>> = "message",
        delta: Option<Message<'a>> = "delta",
        finish_reason: Option<Text<'a>> = "finish_reason",
        logprobs: Option<Json<'a>> = "logprobs",
    }
}

object! {
    /// What the model said, or what is new of it.
    Message {
        role: Option<Text<'a>> = "role",
        /// A string, or a list of chunks.
        content: Option<Json<'a>> = "content",
        tool_calls: Vec<AnswerCall<'a>> = "tool_calls",
        prefix: Option<bool> = "prefix",
    }
}

object! {
    /// One entry of such a list; its fields beside these are in `rest`.
    AnswerChunk {
        kind: Text<'a> = "type",
        text: Option<Text<'a>> = "text",
        /// A list of texts; once it was a string.
        thinking: Option<Json<'a>> = "thinking",
        /// The thought is whole.
        closed: Option<bool> = "closed",
    }
}

object! {
    /// A call.
    AnswerCall {
        index: Option<u64> = "index",
        id: Option<Text<'a>> = "id",
        kind: Option<Text<'a>> = "type",
        function: AnswerFunction<'a> = "function",
    }
}

object! {
    /// A function and its arguments.
    AnswerFunction {
        name: Text<'a> = "name",
        /// A string; the schema allows an object.
        arguments: Option<Json<'a>> = "arguments",
    }
}

object! {
    /// Tokens.
    Counted {
        prompt: Option<u64> = "prompt_tokens",
        completion: Option<u64> = "completion_tokens",
        total: Option<u64> = "total_tokens",
        details: Option<Details<'a>> = "prompt_tokens_details",
        cached: Option<u64> = "num_cached_tokens",
    }
}

object! {
    /// The prompt by kind.
    Details {
        cached: Option<u64> = "cached_tokens",
    }
}
