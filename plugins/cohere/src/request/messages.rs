//! Canonical messages as Cohere's. Beside calls stands a plan and nothing else, results are text and documents, and
//! documents that shall be cited stand beside the conversation.

use plugin_sdk::chat::{self, Json, Message, ReasoningDetail, Role, ToolCall};
use plugin_sdk::{Failure, Losses, failure};
use serde_json::value::RawValue;

use super::parts::{self, Piece};
use crate::VENDOR;
use crate::wire::{Block, Call, Content, Document, Function, Image, Turn};

/// The conversation, and what it may cite.
#[derive(Default)]
pub(super) struct Conversation<'a> {
    pub(super) turns: Vec<Turn<'a>>,
    pub(super) documents: Vec<Document<'a>>,
    /// Images that may not stand where they stood, and lines that say whose they are.
    waiting: Vec<Block<'a>>,
}

/// Takes the conversation apart.
pub(super) fn convert<'a>(
    messages: &'a [Message<'a>],
    losses: &mut Losses,
) -> Result<Conversation<'a>, Failure> {
    let mut conversation = Conversation::default();
    let last = messages.len().saturating_sub(1);
    for (index, message) in messages.iter().enumerate() {
        let path = format!("messages[{index}]");
        // Results stand together, so their images come behind all of them.
        if message.role != Role::Tool {
            conversation.show_waiting();
        }
        if message.role == Role::Assistant && (message.prefix || index == last) {
            losses.add(format!("{path}.prefix"), "cohere does not continue an answer");
        }
        conversation.take(message, &path, losses)?;
    }
    conversation.show_waiting();
    Ok(conversation)
}

impl<'a> Conversation<'a> {
    fn take(&mut self, message: &'a Message<'a>, path: &str, losses: &mut Losses) -> Result<(), Failure> {
        report_marks(message, path, losses);
        let own = losses.own_fields(&message.rest, VENDOR, path);
        let turn = match message.role {
            Role::System | Role::Developer => {
                let content = self.text_only(message, "The instructions held:", path, losses)?;
                Turn { role: "system", content: Some(content), ..Turn::default() }
            }
            Role::User => {
                let blocks = self.blocks(message, path, losses)?;
                Turn { role: "user", content: Some(simplest(blocks)), ..Turn::default() }
            }
            Role::Assistant => self.answer(message, path, losses)?,
            Role::Tool | Role::Function => self.result(message, path, losses)?,
        };
        self.turns.push(Turn { own, ..turn });
        Ok(())
    }

    /// A question's blocks, images among them.
    fn blocks(
        &mut self,
        message: &'a Message<'a>,
        path: &str,
        losses: &mut Losses,
    ) -> Result<Vec<Block<'a>>, Failure> {
        let pieces = pieces(message, path, losses)?;
        let blocks = pieces.into_iter().filter_map(|piece| match piece {
            Piece::Block(block) => Some(block),
            Piece::Image(image_url) => Some(Block::ImageUrl { image_url }),
            Piece::Document(document) => {
                self.documents.push(document);
                None
            }
        });
        Ok(blocks.collect())
    }

    /// Content without images; they follow in a user message behind `label`.
    fn text_only(
        &mut self,
        message: &'a Message<'a>,
        label: &str,
        path: &str,
        losses: &mut Losses,
    ) -> Result<Content<'a>, Failure> {
        let in_result = message.role == Role::Tool;
        let mut blocks = Vec::new();
        let mut images = Vec::new();
        for piece in pieces(message, path, losses)? {
            match piece {
                Piece::Block(block) => blocks.push(block),
                Piece::Image(image) => images.push(image),
                Piece::Document(document) if in_result => blocks.push(Block::Document { document }),
                Piece::Document(document) => self.documents.push(document),
            }
        }
        if blocks.is_empty() && !images.is_empty() {
            blocks.push(parts::text("The content is in the next user message."));
        }
        self.wait(label, images);
        Ok(simplest(blocks))
    }

    fn wait(&mut self, label: &str, images: Vec<Image<'a>>) {
        if images.is_empty() {
            return;
        }
        self.waiting.push(Block::Text { text: label.to_owned().into() });
        self.waiting.extend(images.into_iter().map(|image_url| Block::ImageUrl { image_url }));
    }

    fn show_waiting(&mut self) {
        if !self.waiting.is_empty() {
            let content = Some(Content::Blocks(std::mem::take(&mut self.waiting)));
            self.turns.push(Turn { role: "user", content, ..Turn::default() });
        }
    }

    fn answer(
        &mut self,
        message: &'a Message<'a>,
        path: &str,
        losses: &mut Losses,
    ) -> Result<Turn<'a>, Failure> {
        let has_calls = !message.tool_calls.is_empty();
        let mut turn = Turn { role: "assistant", ..Turn::default() };
        let mut blocks = Vec::new();
        let mut images = Vec::new();
        for block in message.ordered() {
            let here = format!("{path}.{}", block.path());
            if !turn.tool_calls.is_empty() && !matches!(block, chat::Block::ToolCall(..)) {
                losses.add(format!("{path}.order"), "cohere has calls behind everything else");
            }
            match block {
                chat::Block::Reasoning(_, detail) => match thought(detail, &here, has_calls, losses) {
                    Some(Thought::Plan(plan)) => turn.tool_plan.push_str(plan),
                    Some(Thought::Thinking(thinking)) => blocks.push(Block::Thinking { thinking }),
                    None => {}
                },
                chat::Block::ReasoningText(text) | chat::Block::Text(text) | chat::Block::Refusal(text)
                    if has_calls =>
                {
                    turn.tool_plan.push_str(text);
                }
                chat::Block::ReasoningText(thinking) => blocks.push(Block::Thinking { thinking }),
                chat::Block::Text(text) | chat::Block::Refusal(text) => blocks.push(parts::text(text)),
                chat::Block::Part(_, part) => match parts::piece(part, &here, false, losses)? {
                    Some(Piece::Block(Block::Text { text })) if has_calls => turn.tool_plan.push_str(&text),
                    Some(Piece::Block(block)) => blocks.push(block),
                    Some(Piece::Image(image)) => images.push(image),
                    Some(Piece::Document(document)) => self.documents.push(document),
                    None => {}
                },
                chat::Block::ToolCall(_, call) => turn.tool_calls.push(convert_call(call, &here, losses)?),
            }
        }
        self.wait("The assistant's message held:", images);
        let content = Some(simplest(blocks));
        let says = |content: &Content<'_>| !matches!(content, Content::Text(text) if text.is_empty());
        turn.content = content.filter(|content| !has_calls || says(content));
        turn.citations = citations(message, path, losses);
        Ok(turn)
    }

    fn result(
        &mut self,
        message: &'a Message<'a>,
        path: &str,
        losses: &mut Losses,
    ) -> Result<Turn<'a>, Failure> {
        let Some(id) = message.tool_call_id.as_deref().filter(|id| !id.is_empty()) else {
            let path = format!("{path}.tool_call_id");
            let message = format!("{path}: a tool message needs the id of the call it answers");
            return Err(failure::invalid(path, message));
        };
        let mut content = self.text_only(message, &format!("Result of tool call {id}:"), path, losses)?;
        if message.is_error {
            content = marked(content);
        }
        Ok(Turn { role: "tool", content: Some(content), tool_call_id: Some(id), ..Turn::default() })
    }
}

fn pieces<'a>(message: &'a Message<'a>, path: &str, losses: &mut Losses) -> Result<Vec<Piece<'a>>, Failure> {
    match &message.content {
        None => Ok(Vec::new()),
        Some(chat::Content::Text(text)) => Ok(vec![Piece::Block(parts::text(text))]),
        Some(chat::Content::Parts(list)) => {
            let in_result = message.role == Role::Tool;
            let mut pieces = Vec::with_capacity(list.len());
            for (index, part) in list.iter().enumerate() {
                pieces.extend(parts::piece(part, &format!("{path}.content[{index}]"), in_result, losses)?);
            }
            Ok(pieces)
        }
    }
}

/// One text is a string; nothing is an empty one.
fn simplest(mut blocks: Vec<Block<'_>>) -> Content<'_> {
    blocks.retain(|block| !matches!(block, Block::Text { text } if text.is_empty()));
    match blocks.pop() {
        Some(Block::Text { text }) if blocks.is_empty() => Content::Text(text),
        Some(last) => {
            blocks.push(last);
            Content::Blocks(blocks)
        }
        None => Content::Text("".into()),
    }
}

/// Cohere's tool messages cannot say that the tool failed but in words.
fn marked(content: Content<'_>) -> Content<'_> {
    match content {
        Content::Text(text)
            if text.trim_start().get(..5).is_some_and(|word| word.eq_ignore_ascii_case("error")) =>
        {
            Content::Text(text)
        }
        Content::Text(text) => Content::Text(format!("Error: {text}").into()),
        Content::Blocks(mut blocks) => {
            blocks.insert(0, parts::text("Error:"));
            Content::Blocks(blocks)
        }
    }
}

fn convert_call<'a>(call: &'a ToolCall<'a>, path: &str, losses: &mut Losses) -> Result<Call<'a>, Failure> {
    if !matches!(&*call.kind, "function" | "") {
        let message = format!("{path}: cohere has no calls of type `{}`", call.kind);
        return Err(failure::unsupported(path, message));
    }
    losses.add_if(&call.cache_control, format!("{path}.cache_control"), "cohere has no cache marks");
    losses.add_state(&call.extra_content, path);
    losses.add_fields(&call.function.rest, &format!("{path}.function"), "cohere has no such field");
    let arguments: &'a str = match call.function.arguments.trim() {
        "" | "null" => "{}",
        text => text,
    };
    if !arguments.starts_with('{') || serde_json::from_str::<&RawValue>(arguments).is_err() {
        let path = format!("{path}.function.arguments");
        let message = format!("{path}: not a JSON object");
        return Err(failure::invalid(path, message));
    }
    let own = losses.own_fields(&call.rest, VENDOR, path);
    let function = Function { name: &call.function.name, arguments };
    Ok(Call { id: &call.id, kind: "function", function, own })
}

enum Thought<'a> {
    /// What the model meant to do with its calls.
    Plan(&'a str),
    Thinking(&'a str),
}

/// A thought without another vendor's state. Cohere's own plans are summaries; thoughts of nobody become the plan of calls.
fn thought<'a>(
    detail: &'a ReasoningDetail<'a>,
    path: &str,
    has_calls: bool,
    losses: &mut Losses,
) -> Option<Thought<'a>> {
    let Some(text) = detail.readable().filter(|_| detail.belongs_to(VENDOR)) else {
        losses.add(path, "state of another vendor");
        return None;
    };
    let own = losses.own_fields(&detail.rest, VENDOR, path);
    losses.add_fields(&own, &format!("{path}.vendor.{VENDOR}"), "cohere takes only the text of a thought");
    let thinking = detail.format.is_some() && detail.kind != "reasoning.summary";
    if text.is_empty() {
        None
    } else if has_calls && !thinking {
        Some(Thought::Plan(text))
    } else {
        Some(Thought::Thinking(text))
    }
}

/// Cohere's own citations go back as they came.
fn citations<'a>(message: &'a Message<'a>, path: &str, losses: &mut Losses) -> Vec<Json<'a>> {
    let mut own = Vec::new();
    for (index, annotation) in message.annotations.iter().enumerate() {
        let tree = annotation.to_value();
        match (tree.get("vendor").and_then(|vendor| vendor.as_str()), tree.get("value")) {
            (Some(VENDOR), Some(citation)) => own.push(Json::Value(citation.clone())),
            _ => {
                losses.add(format!("{path}.annotations[{index}]"), "cohere takes back its own citations only")
            }
        }
    }
    own
}

/// What stands on a message and has no place in Cohere's.
fn report_marks(message: &Message<'_>, path: &str, losses: &mut Losses) {
    losses.add_if(&message.cache_control, format!("{path}.cache_control"), "cohere has no cache marks");
    losses.add_state(&message.extra_content, path);
    losses.add_if(&message.audio, format!("{path}.audio"), "cohere takes no audio");
    if message.role != Role::Tool {
        losses.add_if(&message.name, format!("{path}.name"), "cohere knows no names of speakers");
    }
}
