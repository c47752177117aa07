//! What OpenAI and its imitators send, as structs; fields without a name are kept.

use plugin_sdk::chat::{Absent, Fields, FinishReason, Json, ReasoningDetail, Text, ToolCall};
use plugin_sdk::{Usage, json, object};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

object! {
    /// A whole answer, or an error in a body that should have held one.
    Completion {
        id: Text<'a> = "id",
        object: Text<'a> = "object",
        created: u64 = "created",
        model: Text<'a> = "model",
        choices: Vec<Choice<'a>> = "choices",
        usage: Option<Json<'a>> = "usage",
        error: Option<Json<'a>> = "error",
        x_groq: Option<Groq<'a>> = "x_groq",
    }
}

object! {
    /// One answer.
    Choice {
        index: u64 = "index",
        message: Message<'a> = "message",
        logprobs: Option<Json<'a>> = "logprobs",
        finish_reason: Nullable<Text<'a>> = "finish_reason",
        native_finish_reason: Option<Text<'a>> = "native_finish_reason",
    }
}

object! {
    /// What the model said.
    Message {
        role: Text<'a> = "role",
        content: Nullable<Json<'a>> = "content",
        refusal: Option<Text<'a>> = "refusal",
        reasoning_content: Option<Text<'a>> = "reasoning_content",
        reasoning: Option<Json<'a>> = "reasoning",
        reasoning_details: Vec<ReasoningDetail<'a>> = "reasoning_details",
        tool_calls: Vec<ToolCall<'a>> = "tool_calls",
        function_call: Option<CallPiece<'a>> = "function_call",
        annotations: Vec<Json<'a>> = "annotations",
        images: Vec<Json<'a>> = "images",
    }
}

object! {
    /// One event of a stream.
    Chunk {
        id: Text<'a> = "id",
        object: Text<'a> = "object",
        created: u64 = "created",
        model: Text<'a> = "model",
        choices: Vec<ChunkChoice<'a>> = "choices",
        usage: Option<Json<'a>> = "usage",
        error: Option<Json<'a>> = "error",
        x_groq: Option<Groq<'a>> = "x_groq",
        obfuscation: Option<Json<'a>> = "obfuscation",
    }
}

object! {
    /// A piece of one answer.
    ChunkChoice {
        index: u64 = "index",
        delta: Delta<'a> = "delta",
        logprobs: Option<Json<'a>> = "logprobs",
        finish_reason: Nullable<Text<'a>> = "finish_reason",
        native_finish_reason: Option<Text<'a>> = "native_finish_reason",
    }
}

object! {
    /// What is new.
    Delta {
        role: Option<Text<'a>> = "role",
        content: Option<Json<'a>> = "content",
        refusal: Option<Text<'a>> = "refusal",
        reasoning_content: Option<Text<'a>> = "reasoning_content",
        reasoning: Option<Json<'a>> = "reasoning",
        reasoning_details: Vec<ReasoningDetail<'a>> = "reasoning_details",
        tool_calls: Vec<CallDelta<'a>> = "tool_calls",
        function_call: Option<CallPiece<'a>> = "function_call",
        annotations: Vec<Json<'a>> = "annotations",
        images: Vec<Json<'a>> = "images",
    }
}

object! {
    /// A piece of a call.
    CallDelta {
        index: Option<u64> = "index",
        id: Option<Text<'a>> = "id",
        kind: Option<Text<'a>> = "type",
        function: CallPiece<'a> = "function",
        extra_content: Option<Json<'a>> = "extra_content",
    }
}

object! {
    /// A piece of a function and its arguments.
    CallPiece {
        name: Option<Text<'a>> = "name",
        arguments: Option<Text<'a>> = "arguments",
    }
}

object! {
    /// Groq's place for usage.
    Groq {
        id: Option<Text<'a>> = "id",
        usage: Option<Json<'a>> = "usage",
        error: Option<Json<'a>> = "error",
    }
}

/// A field that is written as `null` when it is empty, because OpenAI does so and clients look for the key.
#[derive(Clone, Debug)]
pub struct Nullable<T>(pub Option<T>);

impl<T> Default for Nullable<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Absent for Nullable<T> {}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Nullable<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Self)
    }
}

impl<T: Serialize> Serialize for Nullable<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// The one of four words that canonical chat has. `None`: the provider broke off.
pub(crate) fn finish_reason(word: &str, calls: bool) -> Option<FinishReason> {
    Some(match word {
        "error" | "insufficient_system_resource" => return None,
        "length" | "model_length" | "max_tokens" => FinishReason::Length,
        "tool_calls" | "function_call" => FinishReason::ToolCalls,
        "content_filter" | "safety" => FinishReason::ContentFilter,
        // Some servers say `stop`, nothing or a word of their own when the model wants a call answered.
        _ if calls => FinishReason::ToolCalls,
        _ => FinishReason::Stop,
    })
}

/// The word as JSON has it.
pub(crate) fn word_of(reason: FinishReason) -> &'static str {
    match reason {
        FinishReason::Stop => "stop",
        FinishReason::Length => "length",
        FinishReason::ToolCalls => "tool_calls",
        FinishReason::ContentFilter => "content_filter",
    }
}

/// Content as a list: Mistral's `text`, `thinking` and other chunks, with OpenRouter's `images` behind them.
#[derive(Default)]
pub(crate) struct Mixed {
    pub(crate) text: String,
    pub(crate) thinking: String,
    pub(crate) others: Vec<Value>,
}

/// Sorts such a list. `None`: there is neither a list nor an image, so the content is what it is.
pub(crate) fn unmix(content: Option<&Json<'_>>, images: Vec<Json<'_>>) -> Option<Mixed> {
    let is_list = content.is_some_and(|content| content.text().starts_with('['));
    if !is_list && images.is_empty() {
        return None;
    }
    let mut mixed = Mixed::default();
    let chunks = match content.map(Json::to_value) {
        Some(Value::Array(chunks)) => chunks,
        Some(Value::String(text)) => {
            mixed.text = text;
            Vec::new()
        }
        _ => Vec::new(),
    };
    for chunk in chunks.into_iter().chain(images.iter().map(Json::to_value)) {
        // A text with more than its text (state, citations) must stay a part.
        let plain = chunk.as_object().is_some_and(|members| members.len() == 2);
        match (json::text_at(&chunk, "type"), json::text_at(&chunk, "text"), json::at(&chunk, "thinking")) {
            (Some("text"), Some(text), _) if plain => mixed.text.push_str(text),
            (Some("thinking"), _, Some(Value::Array(pieces))) => {
                mixed.thinking.extend(pieces.iter().filter_map(|piece| json::text_at(piece, "text")));
            }
            _ => mixed.others.push(chunk),
        }
    }
    Some(mixed)
}

/// What `usage` says, and the object as canonical chat has it.
pub(crate) struct Told<'a> {
    pub(crate) usage: Usage,
    pub(crate) report: Json<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Report {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    total_tokens: Option<u64>,
    prompt_cache_hit_tokens: Option<u64>,
    cached_tokens: Option<u64>,
    prompt_tokens_details: Option<Details>,
    completion_tokens_details: Option<Details>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Details {
    cached_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
    cache_write_long_tokens: Option<u64>,
    reasoning_tokens: Option<u64>,
    audio_tokens: Option<u64>,
    image_tokens: Option<u64>,
}

/// Reads usage and evens out those who count differently under OpenAI's names. `excludes`: the operator says that this
/// server leaves reasoning out of `completion_tokens`.
pub(crate) fn told(raw: Json<'_>, excludes: bool) -> Option<Told<'_>> {
    let report: Report = raw.read()?;
    let prompt = report.prompt_tokens_details.unwrap_or_default();
    let completion = report.completion_tokens_details.unwrap_or_default();
    let mut usage = Usage {
        input: report.prompt_tokens,
        output: report.completion_tokens,
        cache_read: prompt.cached_tokens,
        cache_write: prompt.cache_write_tokens,
        cache_write_long: prompt.cache_write_long_tokens,
        reasoning: completion.reasoning_tokens,
        audio_input: prompt.audio_tokens,
        audio_output: completion.audio_tokens,
        image_input: prompt.image_tokens,
        image_output: completion.image_tokens,
    };
    let mut corrections = Vec::new();
    if let Some(reasoning) = left_out(&usage, report.total_tokens, excludes) {
        let output = usage.output.unwrap_or(0).saturating_add(reasoning);
        usage.output = Some(output);
        let mut correction = serde_json::json!({ "completion_tokens": output });
        if usage.reasoning.is_none() {
            usage.reasoning = Some(reasoning);
            let details =
                serde_json::json!({ "completion_tokens_details": { "reasoning_tokens": reasoning } });
            json::merge(&mut correction, details);
        }
        corrections.push(correction);
    }
    // DeepSeek; Moonshot.
    let hits = report.prompt_cache_hit_tokens.or(report.cached_tokens);
    if let (None, Some(hits)) = (usage.cache_read, hits) {
        usage.cache_read = Some(hits);
        corrections.push(serde_json::json!({ "prompt_tokens_details": { "cached_tokens": hits } }));
    }
    let mut report = raw;
    if !corrections.is_empty() {
        let mut tree = report.to_value();
        for correction in corrections {
            json::merge(&mut tree, correction);
        }
        report = Json::Value(tree);
    }
    Some(Told { usage, report })
}

/// Reasoning that `completion_tokens` lacks. xAI's total gives it away; Google's compatible endpoint has it in the total alone.
fn left_out(usage: &Usage, total: Option<u64>, excludes: bool) -> Option<u64> {
    let counted = usage.input?.checked_add(usage.output?)?;
    let beyond = total.map(|total| total.saturating_sub(counted));
    let reasoning = match (usage.reasoning, beyond) {
        (Some(reasoning), Some(beyond)) if reasoning == beyond => reasoning,
        (Some(reasoning), None) if excludes => reasoning,
        (None, Some(beyond)) if excludes => beyond,
        _ => 0,
    };
    (reasoning > 0).then_some(reasoning)
}

/// Fields of an object that say something, for one loss each.
pub(crate) fn names<'f>(fields: &'f Fields<'_>) -> impl Iterator<Item = &'f str> {
    fields.present().map(|(name, _)| name)
}
