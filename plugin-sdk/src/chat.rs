//! Canonical chat for adapter authors: requests to read, answers and chunks to write (`wit/canonical-chat.md`).
//!
//! Everything borrows from the body: text unless it has escapes, and [`Json`] for what is only carried along.
//! Fields that have no name here are in `rest`; an adapter sends them or reports them as losses.

mod answer;
mod check;
mod legacy;
mod message;
mod object;
mod part;
mod tool;
mod value;

pub use answer::{
    AnswerMessage, Assistant, Choice, Chunk, ChunkChoice, Completion, Delta, End, FinishReason,
    FunctionDelta, Head, Lines, Piece, ToolCallDelta, UsageReport, Whole,
};
pub use check::{check, check_content};
pub use message::{Block, Message, ReasoningDetail, Role};
pub use part::{CacheControl, Content, File, ImageUrl, InputAudio, Part, PartBody, data_url};
pub use tool::{AllowedTools, ChoiceObject, FunctionCall, FunctionDefinition, Tool, ToolCall, ToolChoice};
pub use value::{Absent, Fields, Json, StopSequences, Text};

use serde::{Deserialize, Serialize};
use serde_json::Number;

use crate::Failure;

crate::object! {
    /// A request.
    ChatRequest {
        /// The public model name. Send `route.model`, never this.
        model: Text<'a> = "model",
        /// The conversation.
        messages: Vec<Message<'a>> = "messages",
        /// The client wants a stream; `route.streaming` says the same.
        stream: bool = "stream",
        /// How it wants the stream.
        stream_options: Option<StreamOptions<'a>> = "stream_options",
        /// Output cap; read through [`ChatRequest::max_output`].
        max_completion_tokens: Option<u64> = "max_completion_tokens",
        /// Output cap, deprecated name.
        max_tokens: Option<u64> = "max_tokens",
        /// 0 to 2.
        temperature: Option<Number> = "temperature",
        /// Nucleus sampling.
        top_p: Option<Number> = "top_p",
        /// Sample among the k likeliest.
        top_k: Option<u64> = "top_k",
        /// Where to stop.
        stop: StopSequences<'a> = "stop",
        /// How many answers.
        n: Option<u64> = "n",
        /// For repeatable sampling.
        seed: Option<Number> = "seed",
        /// -2 to 2.
        frequency_penalty: Option<Number> = "frequency_penalty",
        /// -2 to 2.
        presence_penalty: Option<Number> = "presence_penalty",
        /// Token id to bias.
        logit_bias: Option<Json<'a>> = "logit_bias",
        /// Tell token probabilities.
        logprobs: Option<bool> = "logprobs",
        /// Of how many tokens at each place.
        top_logprobs: Option<u64> = "top_logprobs",
        /// Text, JSON, or JSON by a schema.
        response_format: Option<ResponseFormat<'a>> = "response_format",
        /// What may be called. The deprecated `functions` are lifted into it.
        tools: Vec<Tool<'a>> = "tools",
        /// What must be called. The deprecated `function_call` is lifted into it.
        tool_choice: Option<ToolChoice<'a>> = "tool_choice",
        /// `false` forbids more than one call a turn.
        parallel_tool_calls: Option<bool> = "parallel_tool_calls",
        /// Deprecated.
        functions: Vec<FunctionDefinition<'a>> = "functions",
        /// Deprecated.
        function_call: Option<ToolChoice<'a>> = "function_call",
        /// `none minimal low medium high xhigh max`
        reasoning_effort: Option<Text<'a>> = "reasoning_effort",
        /// Thinking, in more detail than an effort.
        reasoning: Option<Reasoning<'a>> = "reasoning",
        /// How talkative.
        verbosity: Option<Text<'a>> = "verbosity",
        /// Who asks, deprecated name.
        user: Option<Text<'a>> = "user",
        /// Who asks.
        safety_identifier: Option<Text<'a>> = "safety_identifier",
        /// Labels kept with the answer.
        metadata: Option<Json<'a>> = "metadata",
        /// Keep the answer at the provider.
        store: Option<bool> = "store",
        /// Price and speed class.
        service_tier: Option<Text<'a>> = "service_tier",
        /// `text`, `audio`.
        modalities: Vec<Text<'a>> = "modalities",
        /// Spoken output.
        audio: Option<Json<'a>> = "audio",
        /// Predicted output.
        prediction: Option<Json<'a>> = "prediction",
        /// OpenAI's web search.
        web_search_options: Option<Json<'a>> = "web_search_options",
        /// Routing hint for the prompt cache.
        prompt_cache_key: Option<Text<'a>> = "prompt_cache_key",
        /// How long the prompt cache keeps it.
        prompt_cache_retention: Option<Text<'a>> = "prompt_cache_retention",
        /// More about the prompt cache.
        prompt_cache_options: Option<Json<'a>> = "prompt_cache_options",
        /// Moderation settings.
        moderation: Option<Json<'a>> = "moderation",
        /// Automatic prompt-cache mark.
        cache_control: Option<CacheControl<'a>> = "cache_control",
        /// `{ "<vendor>": { … } }`: request fields of a vendor's own API.
        vendor: Fields<'a> = "vendor",
    }
}

crate::object! {
    /// How the client wants the stream.
    StreamOptions {
        /// Tell usage at the end.
        include_usage: Option<bool> = "include_usage",
        /// Pad events against size attacks.
        include_obfuscation: Option<bool> = "include_obfuscation",
    }
}

crate::object! {
    /// Text, JSON, or JSON by a schema.
    ResponseFormat {
        /// `text`, `json_object`, `json_schema`.
        kind: Text<'a> = "type",
        /// Of `json_schema`.
        json_schema: Option<JsonSchemaFormat<'a>> = "json_schema",
    }
}

crate::object! {
    /// A schema for the answer.
    JsonSchemaFormat {
        /// Its name.
        name: Text<'a> = "name",
        /// What it is for.
        description: Option<Text<'a>> = "description",
        /// JSON Schema, untouched.
        schema: Option<Json<'a>> = "schema",
        /// The answer must follow it exactly.
        strict: Option<bool> = "strict",
    }
}

crate::object! {
    /// Thinking, in more detail than an effort.
    Reasoning {
        /// Whether to think.
        mode: Option<ReasoningMode> = "mode",
        /// Thinking budget in tokens.
        max_tokens: Option<u64> = "max_tokens",
        /// Ask for the reasoning text.
        include: Option<bool> = "include",
        /// `summarized` or `omitted`.
        display: Option<Text<'a>> = "display",
    }
}

/// Whether to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ReasoningMode {
    /// Yes.
    Enabled,
    /// The model decides.
    Adaptive,
    /// No.
    Disabled,
}

impl<'a> ChatRequest<'a> {
    /// Reads a canonical body, lifts the deprecated forms (`functions`, role `function`) into the present ones, and
    /// checks it ([`check`]).
    ///
    /// # Errors
    /// [`crate::FailureKind::InvalidRequest`] with the path of the field in `param`.
    pub fn parse(body: &'a [u8]) -> Result<Self, Failure> {
        let mut request: Self = crate::json::request(body)?;
        legacy::lift(&mut request);
        check(&request)?;
        Ok(request)
    }

    /// The output cap in tokens.
    pub fn max_output(&self) -> Option<u64> {
        self.max_completion_tokens.or(self.max_tokens)
    }
}

#[cfg(test)]
mod tests;
