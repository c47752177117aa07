//! One message, and its blocks in the order the model saw them.

use serde::{Deserialize, Serialize};

use super::{Absent, CacheControl, Content, FunctionCall, Json, Part, Text, ToolCall};

/// Who speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Instructions.
    System,
    /// Instructions; the same as `system`.
    Developer,
    /// The client.
    #[default]
    User,
    /// The model.
    Assistant,
    /// The result of a call.
    Tool,
    /// The deprecated form of `tool`; [`super::ChatRequest::parse`] turns it into one.
    Function,
}

impl Absent for Role {}

impl Role {
    /// `system` or `developer`.
    pub fn instructs(self) -> bool {
        matches!(self, Self::System | Self::Developer)
    }
}

crate::object! {
    /// One message, of a request or of an answer.
    Message {
        /// Who speaks.
        role: Role = "role",
        /// What is said.
        content: Option<Content<'a>> = "content",
        /// The speaker's name; on a tool message the function's.
        name: Option<Text<'a>> = "name",
        /// What the model refused with.
        refusal: Option<Text<'a>> = "refusal",
        /// The reasoning as one string; [`Message::reasoning_details`] counts when both stand.
        reasoning_content: Option<Text<'a>> = "reasoning_content",
        /// The reasoning in order, with its state.
        reasoning_details: Vec<ReasoningDetail<'a>> = "reasoning_details",
        /// The calls the model made.
        tool_calls: Vec<ToolCall<'a>> = "tool_calls",
        /// Which call a tool message answers.
        tool_call_id: Option<Text<'a>> = "tool_call_id",
        /// The tool failed.
        is_error: bool = "is_error",
        /// Spoken output, or a reference to it.
        audio: Option<Json<'a>> = "audio",
        /// Deprecated; [`super::ChatRequest::parse`] turns it into a tool call.
        function_call: Option<FunctionCall<'a>> = "function_call",
        /// Opaque state bound to the whole message.
        extra_content: Option<Json<'a>> = "extra_content",
        /// Citations.
        annotations: Vec<Json<'a>> = "annotations",
        /// The order of the blocks when it is not the default; see [`Message::ordered`].
        order: Vec<Text<'a>> = "order",
        /// The model shall continue this message.
        prefix: bool = "prefix",
        /// A prompt-cache mark on a tool message.
        cache_control: Option<CacheControl<'a>> = "cache_control",
    }
}

crate::object! {
    /// One piece of reasoning.
    ReasoningDetail {
        /// `reasoning.text`, `reasoning.summary` or `reasoning.encrypted`.
        kind: Text<'a> = "type",
        /// Its position, in streams.
        index: Option<u64> = "index",
        /// Of `reasoning.text`.
        text: Option<Text<'a>> = "text",
        /// Of `reasoning.summary`.
        summary: Option<Text<'a>> = "summary",
        /// Proof that the text is the vendor's own.
        signature: Option<Text<'a>> = "signature",
        /// Of `reasoning.encrypted`.
        data: Option<Text<'a>> = "data",
        /// The vendor whose state this is.
        format: Option<Text<'a>> = "format",
    }
}

impl ReasoningDetail<'_> {
    /// It may be sent to `vendor`: it is that vendor's, or plain text without state.
    pub fn belongs_to(&self, vendor: &str) -> bool {
        match &self.format {
            Some(format) => *format == vendor,
            None => self.signature.is_none() && self.data.is_none(),
        }
    }

    /// What can be read of it.
    pub fn readable(&self) -> Option<&str> {
        self.text.as_deref().or(self.summary.as_deref())
    }
}

/// One block of a message.
#[derive(Clone, Copy, Debug)]
pub enum Block<'m, 'a> {
    /// `reasoning_details[i]`
    Reasoning(usize, &'m ReasoningDetail<'a>),
    /// `reasoning_content`, when there are no details.
    ReasoningText(&'m Text<'a>),
    /// A string `content`.
    Text(&'m Text<'a>),
    /// `content[i]`
    Part(usize, &'m Part<'a>),
    /// `refusal` of the message.
    Refusal(&'m Text<'a>),
    /// `tool_calls[i]`
    ToolCall(usize, &'m ToolCall<'a>),
}

impl Block<'_, '_> {
    /// Where it stands, as a path below the message.
    pub fn path(&self) -> String {
        match self {
            Self::Reasoning(index, _) => format!("reasoning_details[{index}]"),
            Self::ReasoningText(_) => "reasoning_content".to_owned(),
            Self::Text(_) => "content".to_owned(),
            Self::Part(index, _) => format!("content[{index}]"),
            Self::Refusal(_) => "refusal".to_owned(),
            Self::ToolCall(index, _) => format!("tool_calls[{index}]"),
        }
    }

    fn order_name(&self) -> Option<String> {
        match self {
            Self::Reasoning(index, _) => Some(format!("reasoning:{index}")),
            Self::Text(_) => Some("content:0".to_owned()),
            Self::Part(index, _) => Some(format!("content:{index}")),
            Self::ToolCall(index, _) => Some(format!("tool_call:{index}")),
            Self::ReasoningText(_) | Self::Refusal(_) => None,
        }
    }
}

impl<'a> Message<'a> {
    /// All blocks: as `order` says, then those it does not name in the default order
    /// *reasoning, content, refusal, tool calls*. Each block comes once.
    pub fn ordered<'m>(&'m self) -> impl Iterator<Item = Block<'m, 'a>> {
        let mut blocks = self.in_default_order();
        if !self.order.is_empty() {
            let place = |block: &Block<'_, '_>| {
                let name = block.order_name();
                self.order.iter().position(|entry| Some(&**entry) == name.as_deref()).unwrap_or(usize::MAX)
            };
            blocks.sort_by_cached_key(place);
        }
        blocks.into_iter()
    }

    fn in_default_order<'m>(&'m self) -> Vec<Block<'m, 'a>> {
        let mut blocks: Vec<Block<'m, 'a>> = self
            .reasoning_details
            .iter()
            .enumerate()
            .map(|(index, detail)| Block::Reasoning(index, detail))
            .collect();
        if blocks.is_empty() {
            blocks.extend(
                self.reasoning_content.as_ref().filter(|text| !text.is_empty()).map(Block::ReasoningText),
            );
        }
        match &self.content {
            Some(Content::Text(text)) => blocks.push(Block::Text(text)),
            Some(Content::Parts(parts)) => {
                blocks.extend(parts.iter().enumerate().map(|(index, part)| Block::Part(index, part)));
            }
            None => {}
        }
        blocks.extend(self.refusal.as_ref().map(Block::Refusal));
        blocks.extend(self.tool_calls.iter().enumerate().map(|(index, call)| Block::ToolCall(index, call)));
        blocks
    }

    /// The text of the content, parts joined; empty when there is none.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        self.content.as_ref().map(Content::text).unwrap_or_default()
    }
}
