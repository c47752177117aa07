//! Canonical messages as Gemini's turns.

use plugin_sdk::chat::{Block, Content as Said, Json, Message, Part, ReasoningDetail, Role, ToolCall};
use plugin_sdk::{Failure, Losses, failure};
use serde_json::json;
use serde_json::value::RawValue;

use super::model::Model;
use super::parts;
use crate::VENDOR;
use crate::wire::{Content, FunctionCall, FunctionResponse, Part as Piece};

/// Google's documented way to say that a call has no signature: `skip_thought_signature_validator` in base64.
const NO_SIGNATURE: &str = "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=";

/// Instructions and turns.
#[derive(Default)]
pub(super) struct Conversation<'a> {
    pub(super) system: Option<Content<'a>>,
    pub(super) contents: Vec<Content<'a>>,
}

/// All messages.
pub(super) fn conversation<'a>(
    messages: &'a [Message<'a>],
    model: &Model<'_>,
    losses: &mut Losses,
) -> Result<Conversation<'a>, Failure> {
    let mut turns = Turns {
        model,
        losses,
        system: Vec::new(),
        contents: Vec::new(),
        turn: 0,
        calls: Vec::new(),
        unsigned: Vec::new(),
    };
    let mut index = 0;
    while let Some(message) = messages.get(index) {
        turns.report(message, index);
        match message.role {
            Role::System | Role::Developer => turns.system(message, index)?,
            Role::User => turns.user(message, index)?,
            Role::Assistant => turns.model(message, index)?,
            Role::Tool | Role::Function => {
                let results = messages.get(index..).unwrap_or_default();
                let count = results.iter().take_while(|message| message.role == Role::Tool).count().max(1);
                let results = results.get(..count).unwrap_or_default();
                for (place, message) in results.iter().enumerate().skip(1) {
                    turns.report(message, index + place);
                }
                turns.results(results, index)?;
                index += count - 1;
            }
        }
        index += 1;
    }
    turns.sign_open_calls();
    Ok(turns.finish())
}

struct Turns<'a, 't> {
    model: &'t Model<'t>,
    losses: &'t mut Losses,
    system: Vec<Piece<'a>>,
    contents: Vec<Content<'a>>,
    /// Where the current turn begins: behind the last thing the user said.
    turn: usize,
    /// Calls of the last model turn.
    calls: Vec<Call<'a>>,
    /// For each turn with calls: its place among the contents and the path of its first call.
    unsigned: Vec<(usize, String)>,
}

struct Call<'a> {
    id: &'a str,
    name: &'a str,
    answered: bool,
}

impl<'a> Turns<'a, '_> {
    /// Fields of a message that Gemini has no place for.
    fn report(&mut self, message: &Message<'a>, index: usize) {
        let path = format!("messages[{index}]");
        if message.role != Role::Tool {
            self.losses.add_if(&message.name, format!("{path}.name"), "gemini has no names of speakers");
        }
        self.losses.add_if(&message.audio, format!("{path}.audio"), "gemini keeps no spoken answers");
        let marks = "gemini has no cache marks";
        self.losses.add_if(&message.cache_control, format!("{path}.cache_control"), marks);
        if !message.annotations.is_empty() {
            self.losses.add(format!("{path}.annotations"), "gemini takes no citations");
        }
        self.losses.add_fields(&message.rest, &path, "gemini has no such field");
    }

    /// Instructions may stand anywhere; Gemini wants them first.
    fn system(&mut self, message: &'a Message<'a>, index: usize) -> Result<(), Failure> {
        let mut pieces = self.content(message.content.as_ref(), index)?;
        self.system.append(&mut pieces);
        Ok(())
    }

    fn user(&mut self, message: &'a Message<'a>, index: usize) -> Result<(), Failure> {
        let pieces = self.content(message.content.as_ref(), index)?;
        self.calls.clear();
        if !pieces.is_empty() {
            let results = self.contents.last().is_some_and(answers_calls);
            self.say("user", pieces, results);
            self.turn = self.contents.len();
        }
        Ok(())
    }

    fn content(&mut self, content: Option<&'a Said<'a>>, index: usize) -> Result<Vec<Piece<'a>>, Failure> {
        match content {
            None => Ok(Vec::new()),
            Some(Said::Text(text)) if text.trim().is_empty() => Ok(Vec::new()),
            Some(Said::Text(text)) => Ok(vec![parts::text(text)]),
            Some(Said::Parts(list)) => self.parts(list, index),
        }
    }

    fn parts(&mut self, list: &'a [Part<'a>], index: usize) -> Result<Vec<Piece<'a>>, Failure> {
        let mut pieces = Vec::with_capacity(list.len());
        for (place, part) in list.iter().enumerate() {
            pieces.extend(parts::piece(part, &format!("messages[{index}].content[{place}]"), self.losses)?);
        }
        Ok(pieces)
    }

    fn model(&mut self, message: &'a Message<'a>, index: usize) -> Result<(), Failure> {
        if self.contents.last().is_none_or(|last| last.role.as_deref() != Some("model")) {
            self.calls.clear();
        }
        let mut pieces = Vec::new();
        for block in message.ordered() {
            let path = format!("messages[{index}].{}", block.path());
            match block {
                Block::Reasoning(_, detail) => pieces.extend(self.thought(detail, &path)),
                Block::ReasoningText(_) => {
                    self.losses.add(path, "reasoning without gemini's signature is not sent");
                }
                Block::Text(text) | Block::Refusal(text) if text.trim().is_empty() => {}
                Block::Text(text) | Block::Refusal(text) => pieces.push(parts::text(text)),
                Block::Part(_, part) => pieces.extend(parts::piece(part, &path, self.losses)?),
                Block::ToolCall(_, call) => pieces.push(self.call(call, &path)?),
            }
        }
        self.sign_message(message, &mut pieces, &format!("messages[{index}]"));
        if !pieces.is_empty() {
            self.say("model", pieces, false);
        }
        if !message.tool_calls.is_empty() {
            let place = self.contents.len().saturating_sub(1);
            self.unsigned.push((place, format!("messages[{index}].tool_calls[0]")));
        }
        Ok(())
    }

    /// A message's own signature stands on its last text; without one on a part that holds nothing else.
    fn sign_message(&mut self, message: &'a Message<'a>, pieces: &mut Vec<Piece<'a>>, path: &str) {
        let mut bare = parts::text("");
        parts::marks(&mut bare, message.extra_content.as_ref(), path, self.losses);
        if bare.thought_signature.is_none() {
            return;
        }
        let said = |piece: &&mut Piece<'a>| {
            !piece.thought && piece.text.is_some() && piece.thought_signature.is_none()
        };
        match pieces.iter_mut().rev().find(said) {
            Some(piece) => piece.thought_signature = bare.thought_signature,
            None => pieces.push(bare),
        }
    }

    fn thought(&mut self, detail: &'a ReasoningDetail<'a>, path: &str) -> Option<Piece<'a>> {
        if detail.format.as_deref() != Some(VENDOR) {
            let whose = detail.format.as_deref().unwrap_or("unknown");
            self.losses.add(path, format!("reasoning of {whose} origin is not sent to gemini"));
            return None;
        }
        let thought_signature = detail.signature.as_deref().or(detail.data.as_deref()).map(Into::into);
        let text = detail.readable().unwrap_or_default();
        if text.is_empty() && thought_signature.is_none() {
            return None;
        }
        Some(Piece { thought: true, thought_signature, ..parts::text(text) })
    }

    fn call(&mut self, call: &'a ToolCall<'a>, path: &str) -> Result<Piece<'a>, Failure> {
        let name = &*call.function.name;
        if name.is_empty() {
            let path = format!("{path}.function.name");
            return Err(failure::invalid(&path, format!("{path}: a call needs the function's name")));
        }
        self.calls.push(Call { id: &call.id, name, answered: false });
        let marks = "gemini has no cache marks";
        self.losses.add_if(&call.cache_control, format!("{path}.cache_control"), marks);
        self.losses.add_fields(&call.rest, path, "gemini has no such field");
        let args = arguments(&call.function.arguments, path)?;
        let id = Some(&*call.id).filter(|id| !id.is_empty()).map(Into::into);
        let function_call =
            FunctionCall { id, name: name.into(), args: Some(args), ..FunctionCall::default() };
        let mut piece = Piece { function_call: Some(function_call), ..Piece::default() };
        parts::marks(&mut piece, call.extra_content.as_ref(), path, self.losses);
        Ok(piece)
    }

    /// Results of one turn, in the order of the calls: without ids Gemini goes by place.
    fn results(&mut self, messages: &'a [Message<'a>], first: usize) -> Result<(), Failure> {
        let mut answers: Vec<(usize, Piece<'a>)> = Vec::with_capacity(messages.len());
        let mut media = Vec::new();
        for (place, message) in messages.iter().enumerate() {
            let path = format!("messages[{}]", first + place);
            let id = message.tool_call_id.as_deref().unwrap_or_default();
            let called = self.calls.iter().position(|call| !call.answered && call.id == id);
            let Some((order, call)) = called.and_then(|at| Some((at, self.calls.get_mut(at)?))) else {
                let message = format!("{path}.tool_call_id: `{id}` answers no call of the turn before it");
                return Err(failure::invalid(format!("{path}.tool_call_id"), message));
            };
            call.answered = true;
            let (id, name) = (call.id, call.name);
            let (response, pieces) = self.result(message, first + place)?;
            let mut answer = FunctionResponse {
                id: Some(id).filter(|id| !id.is_empty()).map(Into::into),
                name: name.into(),
                response: Some(response),
                ..FunctionResponse::default()
            };
            for piece in pieces {
                // Only the third generation reads media inside a response, and only bytes.
                let inside = self.model.is_third_or_later() && piece.inline_data.is_some();
                if inside { answer.parts.push(piece) } else { media.push(piece) }
            }
            let mut piece = Piece { function_response: Some(answer), ..Piece::default() };
            parts::marks(&mut piece, message.extra_content.as_ref(), &path, self.losses);
            answers.push((order, piece));
        }
        answers.sort_by_key(|(order, _)| *order);
        let mut pieces: Vec<Piece<'a>> = answers.into_iter().map(|(_, piece)| piece).collect();
        pieces.append(&mut media);
        self.say("user", pieces, true);
        Ok(())
    }

    /// What a tool said, as an object, and its media.
    fn result(
        &mut self,
        message: &'a Message<'a>,
        index: usize,
    ) -> Result<(Json<'a>, Vec<Piece<'a>>), Failure> {
        let (texts, media): (Vec<Piece<'a>>, Vec<Piece<'a>>) = match &message.content {
            Some(Said::Text(text)) => return Ok((response(text, message.is_error), Vec::new())),
            None => return Ok((response("", message.is_error), Vec::new())),
            Some(Said::Parts(list)) => {
                self.parts(list, index)?.into_iter().partition(|piece| piece.text.is_some())
            }
        };
        // One text may be an object; several are never one.
        if let ([_], Some(Said::Parts(list))) = (texts.as_slice(), &message.content)
            && let Some(text) = list.iter().filter_map(Part::text).find(|text| !text.trim().is_empty())
        {
            return Ok((response(text, message.is_error), media));
        }
        let texts: Vec<&str> = texts.iter().filter_map(|piece| piece.text.as_deref()).collect();
        let text = texts.join("\n");
        Ok((wrapped(&text, message.is_error), media))
    }

    /// Turns of one speaker are one turn, except that results stand alone.
    fn say(&mut self, role: &'static str, mut pieces: Vec<Piece<'a>>, apart: bool) {
        if let Some(last) = self.contents.last_mut()
            && last.role.as_deref() == Some(role)
            && !apart
        {
            last.parts.append(&mut pieces);
            return;
        }
        self.contents.push(Content { role: Some(role.into()), parts: pieces, ..Content::default() });
    }

    /// The third generation refuses calls of the current turn without a signature; of parallel ones the first has it.
    fn sign_open_calls(&mut self) {
        if !self.model.is_third_or_later() {
            return;
        }
        for (place, path) in &self.unsigned {
            let content = self.contents.get_mut(*place).filter(|_| *place >= self.turn);
            let Some(content) = content else { continue };
            let mut calls = content.parts.iter_mut().filter(|piece| piece.function_call.is_some());
            let Some(first) = calls.next().filter(|first| first.thought_signature.is_none()) else {
                continue;
            };
            if calls.any(|piece| piece.thought_signature.is_some()) {
                continue;
            }
            first.thought_signature = Some(NO_SIGNATURE.into());
            self.losses.add(
                format!("{path}.extra_content.google.thought_signature"),
                "it is missing; gemini's validator is told to skip it",
            );
        }
    }

    /// Gemini wants something said; instructions alone become the question.
    fn finish(self) -> Conversation<'a> {
        let Self { system, mut contents, .. } = self;
        if contents.is_empty() && !system.is_empty() {
            contents.push(Content { role: Some("user".into()), parts: system, ..Content::default() });
            return Conversation { system: None, contents };
        }
        let system = (!system.is_empty()).then(|| Content { parts: system, ..Content::default() });
        Conversation { system, contents }
    }
}

fn answers_calls(content: &Content<'_>) -> bool {
    content.parts.iter().any(|piece| piece.function_response.is_some())
}

/// Arguments as the object they hold.
fn arguments<'a>(text: &'a str, path: &str) -> Result<Json<'a>, Failure> {
    if text.trim().is_empty() {
        return Ok(Json::Value(json!({})));
    }
    let Some(object) = object(text) else {
        let path = format!("{path}.function.arguments");
        return Err(failure::invalid(&path, format!("{path}: must be a string that holds a JSON object")));
    };
    Ok(Json::Raw(object))
}

fn object(text: &str) -> Option<&RawValue> {
    serde_json::from_str::<&RawValue>(text).ok().filter(|raw| raw.get().starts_with('{'))
}

/// An object stays what it is; any other text is wrapped as Google's SDKs do it.
fn response(text: &str, is_error: bool) -> Json<'_> {
    match object(text) {
        Some(object) if !is_error => Json::Raw(object),
        _ => wrapped(text, is_error),
    }
}

fn wrapped<'a>(text: &str, is_error: bool) -> Json<'a> {
    Json::Value(if is_error { json!({ "error": text }) } else { json!({ "result": text }) })
}
