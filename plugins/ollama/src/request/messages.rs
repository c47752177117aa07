//! Canonical messages as Ollama's.

use std::borrow::Cow;

use plugin_sdk::chat::{Fields, Json, Message, ReasoningDetail, Role, Text, ToolCall};
use plugin_sdk::{Failure, Losses, failure};
use serde_json::value::RawValue;

use super::content::Said;
use crate::VENDOR;
use crate::wire::{Call, CalledFunction, Turn};

/// The conversation.
pub(super) fn convert<'a>(
    messages: &'a [Message<'a>],
    losses: &mut Losses,
) -> Result<Vec<Turn<'a>>, Failure> {
    let mut conversation =
        Conversation { turns: Vec::with_capacity(messages.len()), ..Conversation::default() };
    for (index, message) in messages.iter().enumerate() {
        if message.role != Role::Tool {
            conversation.show_waiting();
        }
        conversation.take(message, &format!("messages[{index}]"), losses)?;
    }
    conversation.show_waiting();
    Ok(conversation.turns)
}

#[derive(Default)]
struct Conversation<'a> {
    turns: Vec<Turn<'a>>,
    /// Id and function of every call so far.
    calls: Vec<(&'a str, &'a str)>,
    /// Images that may not stand where they stood, each run with a line that says whose they are.
    waiting: Vec<(String, Vec<&'a str>)>,
}

impl<'a> Conversation<'a> {
    fn take(&mut self, message: &'a Message<'a>, path: &str, losses: &mut Losses) -> Result<(), Failure> {
        report_marks(message, path, losses);
        let own = losses.own_fields(&message.rest, VENDOR, path);
        let said = Said::of(message, path, losses)?;
        let turn = match message.role {
            Role::System | Role::Developer => self.plain("system", said),
            Role::User => Turn {
                role: "user",
                images: said.images.clone(),
                content: said.text("\n"),
                ..Turn::default()
            },
            Role::Assistant => self.answer(message, said, path, losses)?,
            Role::Tool | Role::Function => self.result(message, said, path)?,
        };
        self.turns.push(Turn { own, ..turn });
        Ok(())
    }

    /// A message that is text only; its images follow in a user message.
    fn plain(&mut self, role: &'static str, mut said: Said<'a>) -> Turn<'a> {
        let images = std::mem::take(&mut said.images);
        if !images.is_empty() {
            self.waiting.push((format!("The {role}'s message held:"), images));
        }
        Turn { role, content: said.text("\n"), ..Turn::default() }
    }

    fn answer(
        &mut self,
        message: &'a Message<'a>,
        mut said: Said<'a>,
        path: &str,
        losses: &mut Losses,
    ) -> Result<Turn<'a>, Failure> {
        if !message.order.is_empty() {
            losses.add(format!("{path}.order"), "ollama has one order: thinking, content, calls");
        }
        let images = std::mem::take(&mut said.images);
        if !images.is_empty() {
            self.waiting.push(("The assistant's message held:".to_owned(), images));
        }
        let mut content = said.text("");
        if let Some(refusal) = &message.refusal {
            content = Cow::Owned(content.into_owned() + refusal);
        }
        let calls = message.tool_calls.iter().enumerate();
        let tool_calls = calls
            .map(|(index, call)| self.call(call, &format!("{path}.tool_calls[{index}]"), losses))
            .collect::<Result<_, _>>()?;
        let thinking = thinking(message, path, losses);
        Ok(Turn { role: "assistant", content, thinking, tool_calls, ..Turn::default() })
    }

    fn call(&mut self, call: &'a ToolCall<'a>, path: &str, losses: &mut Losses) -> Result<Call<'a>, Failure> {
        if !matches!(&*call.kind, "function" | "") {
            let message = format!("{path}: ollama has no calls of type `{}`", call.kind);
            return Err(failure::unsupported(path, message));
        }
        losses.add_if(&call.cache_control, format!("{path}.cache_control"), "ollama has no cache marks");
        losses.add_state(&call.extra_content, path);
        losses.add_fields(&call.function.rest, &format!("{path}.function"), "ollama has no such field");
        self.calls.push((&call.id, &call.function.name));
        let arguments = arguments(&call.function.arguments).ok_or_else(|| {
            let path = format!("{path}.function.arguments");
            failure::invalid(&path, format!("{path}: not a JSON object"))
        })?;
        let function = CalledFunction {
            index: None,
            name: (&*call.function.name).into(),
            arguments: Some(arguments),
            rest: Fields::default(),
        };
        let id = Some(&*call.id).filter(|id| !id.is_empty()).map(Text::from);
        Ok(Call { id, function, rest: losses.own_fields(&call.rest, VENDOR, path) })
    }

    fn result(
        &mut self,
        message: &'a Message<'a>,
        mut said: Said<'a>,
        path: &str,
    ) -> Result<Turn<'a>, Failure> {
        let id = message.tool_call_id.as_deref().filter(|id| !id.is_empty());
        // Old servers make ids that repeat from turn to turn: the latest call is meant.
        let called = id.and_then(|id| self.calls.iter().rev().find(|(call, _)| *call == id));
        let tool_name = called.map(|(_, name)| *name).or(message.name.as_deref());
        if id.is_none() && tool_name.is_none() {
            let path = format!("{path}.tool_call_id");
            let message = format!("{path}: a tool message needs the id of the call it answers");
            return Err(failure::invalid(path, message));
        }
        let images = std::mem::take(&mut said.images);
        if !images.is_empty() {
            self.waiting.push((format!("Result of {}:", tool_name.or(id).unwrap_or("the tool")), images));
        }
        let mut content = said.text("\n");
        if message.is_error && !says_error(&content) {
            content = format!("Error: {content}").into();
        }
        Ok(Turn { role: "tool", content, tool_name, tool_call_id: id, ..Turn::default() })
    }

    /// Results stand together, so their images come behind all of them.
    fn show_waiting(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let mut turn = Turn { role: "user", ..Turn::default() };
        let mut labels = Vec::with_capacity(self.waiting.len());
        for (label, images) in self.waiting.drain(..) {
            labels.push(label);
            turn.images.extend(images);
        }
        turn.content = labels.join("\n").into();
        self.turns.push(turn);
    }
}

fn says_error(content: &str) -> bool {
    content.trim_start().get(..5).is_some_and(|word| word.eq_ignore_ascii_case("error"))
}

/// What stands on a message and has no place in Ollama's.
fn report_marks(message: &Message<'_>, path: &str, losses: &mut Losses) {
    losses.add_if(&message.cache_control, format!("{path}.cache_control"), "ollama has no cache marks");
    losses.add_state(&message.extra_content, path);
    losses.add_if(&message.audio, format!("{path}.audio"), "ollama takes no audio");
    if message.role != Role::Tool {
        losses.add_if(&message.name, format!("{path}.name"), "ollama knows no names of speakers");
    }
    if !message.annotations.is_empty() {
        losses.add(format!("{path}.annotations"), "ollama takes no annotations");
    }
}

/// Thoughts without another vendor's state.
fn thinking<'a>(message: &'a Message<'a>, path: &str, losses: &mut Losses) -> Cow<'a, str> {
    if message.reasoning_details.is_empty() {
        return message.reasoning_content.as_deref().unwrap_or_default().into();
    }
    let mut kept: Vec<&str> = Vec::new();
    for (index, detail) in message.reasoning_details.iter().enumerate() {
        let here = format!("{path}.reasoning_details[{index}]");
        match detail.readable().filter(|_| detail.belongs_to(VENDOR)) {
            Some(text) => {
                kept.push(text);
                report_detail(detail, &here, losses);
            }
            None => losses.add(here, "state of another vendor"),
        }
    }
    match kept.as_slice() {
        [one] => (*one).into(),
        several => several.concat().into(),
    }
}

fn report_detail(detail: &ReasoningDetail<'_>, path: &str, losses: &mut Losses) {
    let own = losses.own_fields(&detail.rest, VENDOR, path);
    losses.add_fields(&own, &format!("{path}.vendor.{VENDOR}"), "ollama has only the text of a thought");
}

/// Arguments as an object; no text means no arguments.
fn arguments<'a>(arguments: &'a Text<'a>) -> Option<Json<'a>> {
    let text: &'a str = match arguments.trim() {
        "" | "null" => "{}",
        text => text,
    };
    text.starts_with('{').then(|| serde_json::from_str::<&'a RawValue>(text).ok())?.map(Json::Raw)
}
