//! Whole answers and chunks, to be written. Field order matters: the host splices `id` and `created` near the front.

use serde::{Serialize, Serializer};

use super::{Content, Fields, Json, Part, ReasoningDetail, Text, ToolCall};
use crate::{Ending, Failure, Loss, Step, Usage, failure};

/// Why the model stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// It was done, or met a stop sequence.
    Stop,
    /// The output cap or the context was full.
    Length,
    /// It wants calls answered.
    ToolCalls,
    /// Refused, by the model or a filter.
    ContentFilter,
}

/// A whole answer.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Completion<'a> {
    /// The provider's id; empty when it gave none.
    pub id: Text<'a>,
    /// Constant.
    pub object: Whole,
    /// 0 unless the provider said: an adapter has no clock.
    pub created: u64,
    /// The model the provider says it used.
    pub model: Text<'a>,
    /// The answers.
    pub choices: Vec<Choice<'a>>,
    /// What it cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<UsageReport<'a>>,
    /// Other fields of OpenAI's (`service_tier`, `system_fingerprint`).
    #[serde(flatten)]
    pub rest: Fields<'a>,
}

impl Completion<'_> {
    /// As JSON.
    ///
    /// # Errors
    /// A failure of the adapter when a value cannot be written.
    pub fn to_vec(&self) -> Result<Vec<u8>, Failure> {
        serde_json::to_vec(self).map_err(|error| failure::adapter(format!("answer not written: {error}")))
    }
}

/// One answer among `n`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Choice<'a> {
    /// Its number.
    pub index: u64,
    /// What the model said.
    pub message: AnswerMessage<'a>,
    /// Token probabilities.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logprobs: Option<Json<'a>>,
    /// Why it stopped.
    pub finish_reason: Option<FinishReason>,
    /// What the vendor said about the end.
    #[serde(flatten)]
    pub end: End<'a>,
}

/// What a vendor says about the end of a choice.
#[derive(Clone, Debug, Default, Serialize)]
pub struct End<'a> {
    /// The vendor's own word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub native_finish_reason: Option<Text<'a>>,
    /// The stop sequence that was met.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_sequence: Option<Text<'a>>,
    /// `{ "<vendor>": { … } }`: fields without a name here.
    #[serde(skip_serializing_if = "Fields::is_empty")]
    pub vendor: Fields<'a>,
}

/// A message of the model.
#[derive(Clone, Debug, Default, Serialize)]
pub struct AnswerMessage<'a> {
    /// Constant.
    pub role: Assistant,
    /// A string; parts when they cannot be one string; `null` when there is none.
    pub content: Option<Content<'a>>,
    /// What the model refused with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Text<'a>>,
    /// The readable reasoning as one string.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_content: Option<Text<'a>>,
    /// The reasoning in order, with its state.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasoning_details: Vec<ReasoningDetail<'a>>,
    /// The calls the model makes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCall<'a>>,
    /// Citations.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub annotations: Vec<Json<'a>>,
    /// Opaque state bound to the whole message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra_content: Option<Json<'a>>,
    /// Only when the blocks do not stand in the default order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub order: Vec<Text<'a>>,
}

/// What a chunk needs to say of its stream.
#[derive(Clone, Debug, Default)]
pub struct Head {
    /// The provider's id; empty when it gave none.
    pub id: String,
    /// The model the provider says it used.
    pub model: String,
}

/// One chunk of a stream.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Chunk<'a> {
    /// The same in every chunk.
    pub id: Text<'a>,
    /// Constant.
    pub object: Piece,
    /// 0: an adapter has no clock.
    pub created: u64,
    /// The same in every chunk.
    pub model: Text<'a>,
    /// Empty in the chunk with `usage`.
    pub choices: Vec<ChunkChoice<'a>>,
    /// Only in the last chunk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<UsageReport<'a>>,
    /// Other fields of OpenAI's.
    #[serde(flatten)]
    pub rest: Fields<'a>,
}

impl<'a> Chunk<'a> {
    /// A piece of a choice.
    pub fn delta(head: &'a Head, index: u64, delta: Delta<'a>) -> Self {
        Self::choice(head, ChunkChoice { index, delta, ..ChunkChoice::default() })
    }

    /// The end of a choice.
    pub fn finish(head: &'a Head, index: u64, reason: FinishReason, end: End<'a>) -> Self {
        Self::choice(head, ChunkChoice { index, finish_reason: Some(reason), end, ..ChunkChoice::default() })
    }

    /// The last chunk.
    pub fn usage(head: &'a Head, usage: UsageReport<'a>) -> Self {
        Self { id: (&*head.id).into(), model: (&*head.model).into(), usage: Some(usage), ..Self::default() }
    }

    fn choice(head: &'a Head, choice: ChunkChoice<'a>) -> Self {
        Self {
            id: (&*head.id).into(),
            model: (&*head.model).into(),
            choices: vec![choice],
            ..Self::default()
        }
    }
}

/// A piece of one choice.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ChunkChoice<'a> {
    /// Its number.
    pub index: u64,
    /// What is new.
    pub delta: Delta<'a>,
    /// Token probabilities.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logprobs: Option<Json<'a>>,
    /// Why it stopped; `null` until then.
    pub finish_reason: Option<FinishReason>,
    /// What the vendor said about the end.
    #[serde(flatten)]
    pub end: End<'a>,
}

/// What is new in a choice.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Delta<'a> {
    /// In a choice's first chunk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Assistant>,
    /// Text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<Text<'a>>,
    /// Text of a refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Text<'a>>,
    /// Text of the reasoning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_content: Option<Text<'a>>,
    /// Pieces of the reasoning; `index` says of which entry.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasoning_details: Vec<ReasoningDetail<'a>>,
    /// Pieces of calls.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCallDelta<'a>>,
    /// Whole parts that are not plain text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub content_parts: Vec<Part<'a>>,
    /// Whole annotations.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub annotations: Vec<Json<'a>>,
    /// Opaque state bound to the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra_content: Option<Json<'a>>,
}

/// A piece of a call.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ToolCallDelta<'a> {
    /// Which call, counted from 0 in order of appearance.
    pub index: u64,
    /// In a call's first piece.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Text<'a>>,
    /// In a call's first piece.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'static str>,
    /// What is called.
    pub function: FunctionDelta<'a>,
    /// Opaque state bound to this call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra_content: Option<Json<'a>>,
}

/// A piece of a function call.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FunctionDelta<'a> {
    /// In a call's first piece.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Text<'a>>,
    /// A piece of the arguments.
    pub arguments: Text<'a>,
}

impl<'a> ToolCallDelta<'a> {
    /// The first piece of a call.
    pub fn first(
        index: u64,
        id: impl Into<Text<'a>>,
        name: impl Into<Text<'a>>,
        arguments: impl Into<Text<'a>>,
    ) -> Self {
        let function = FunctionDelta { name: Some(name.into()), arguments: arguments.into() };
        Self { index, id: Some(id.into()), kind: Some("function"), function, extra_content: None }
    }

    /// A later piece of a call.
    pub fn more(index: u64, arguments: impl Into<Text<'a>>) -> Self {
        Self { index, function: FunctionDelta { name: None, arguments: arguments.into() }, ..Self::default() }
    }
}

/// `usage` as canonical chat writes it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct UsageReport<'a> {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    #[serde(skip_serializing_if = "PromptDetails::is_empty")]
    prompt_tokens_details: PromptDetails,
    #[serde(skip_serializing_if = "CompletionDetails::is_empty")]
    completion_tokens_details: CompletionDetails,
    #[serde(skip_serializing_if = "Fields::is_empty")]
    vendor: Fields<'a>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
struct PromptDetails {
    #[serde(skip_serializing_if = "Option::is_none")]
    cached_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_write_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_write_long_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audio_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_tokens: Option<u64>,
}

impl PromptDetails {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
struct CompletionDetails {
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audio_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_tokens: Option<u64>,
}

impl CompletionDetails {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl<'a> UsageReport<'a> {
    /// Adds `usage.vendor.<vendor>`.
    #[must_use]
    pub fn with_vendor(mut self, vendor: &'a str, fields: impl Into<Json<'a>>) -> Self {
        self.vendor.push(vendor, fields);
        self
    }
}

impl From<&Usage> for UsageReport<'_> {
    fn from(usage: &Usage) -> Self {
        let (input, output) = (usage.input.unwrap_or(0), usage.output.unwrap_or(0));
        Self {
            prompt_tokens: input,
            completion_tokens: output,
            total_tokens: input.saturating_add(output),
            prompt_tokens_details: PromptDetails {
                cached_tokens: usage.cache_read,
                cache_write_tokens: usage.cache_write,
                cache_write_long_tokens: usage.cache_write_long,
                audio_tokens: usage.audio_input,
                image_tokens: usage.image_input,
            },
            completion_tokens_details: CompletionDetails {
                reasoning_tokens: usage.reasoning,
                audio_tokens: usage.audio_output,
                image_tokens: usage.image_output,
            },
            vendor: Fields::default(),
        }
    }
}

/// The lines of a [`Step`].
#[derive(Debug, Default)]
pub struct Lines(Vec<u8>);

impl Lines {
    /// Adds one chunk.
    pub fn push(&mut self, chunk: &Chunk<'_>) {
        // Writing into memory fails only for maps with keys that are not strings; a chunk has none.
        if serde_json::to_writer(&mut self.0, chunk).is_ok() {
            self.0.push(b'\n');
        }
    }

    /// Adds one chunk that is already compact JSON without a raw line feed.
    pub fn push_raw(&mut self, chunk: &[u8]) {
        self.0.extend_from_slice(chunk);
        self.0.push(b'\n');
    }

    /// Adds the last chunk of a stream.
    pub fn push_usage(&mut self, head: &Head, usage: &Usage) {
        self.push(&Chunk::usage(head, usage.into()));
    }

    /// Nothing was added.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// A step of these lines and the rest of what a push found.
    pub fn into_step(self, usage: Option<Usage>, losses: Vec<Loss>, ending: Option<Ending>) -> Step {
        Step { chunks: self.0, usage, losses, ending }
    }
}

macro_rules! constant {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        $($(#[$doc])*
        #[derive(Clone, Copy, Debug, Default)]
        pub struct $name;

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str($word)
            }
        })*
    };
}

constant! {
    /// Writes `"chat.completion"`.
    Whole = "chat.completion",
    /// Writes `"chat.completion.chunk"`.
    Piece = "chat.completion.chunk",
    /// Writes `"assistant"`.
    Assistant = "assistant",
}
