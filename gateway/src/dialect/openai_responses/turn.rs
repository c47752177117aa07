//! The assistant's turn: all items between two of the client's become one message.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::canonical::{
    FunctionCall, Message, OwnFields, Ownership, Part, Place, ReasoningDetail, Text, ToolCall, Value,
};
use super::names::Names;
use super::object::{Object, Path, decode, text};
use super::parts;
use super::state::{self, Bound, Owner, Sealed, State};
use crate::error::GatewayError;

/// A turn while it is put together.
#[derive(Default)]
pub(super) struct Turn<'a> {
    reasoning: Vec<ReasoningDetail<'a>>,
    parts: Vec<Part<'a>>,
    calls: Vec<ToolCall<'a>>,
    annotations: Vec<Box<RawValue>>,
    order: Vec<Place>,
    bound: Vec<Bound>,
    vendor: Option<OwnFields<'a>>,
}

impl<'a> Turn<'a> {
    /// An item of type `message`.
    pub(super) fn message(&mut self, mut item: Object<'a>, path: Path<'_>) -> Result<(), GatewayError> {
        let here = Path::Field(&path, "content");
        let Some(raw) = item.take("content", path)? else { return Err(here.wrong("field required")) };
        if raw.get().starts_with('"') {
            self.part(parts::text(raw));
        } else {
            for (index, mut object) in Object::read_list(raw, here)?.into_iter().enumerate() {
                let path = Path::Item(&here, index);
                self.annotations(&mut object, path)?;
                // Probabilities of what was said are of no use to anyone who reads it again.
                object.take("logprobs", path)?;
                self.part(parts::part(object, path)?);
            }
        }
        if let Some(own) = OwnFields::of(item) {
            self.vendor = Some(own);
        }
        Ok(())
    }

    /// A content part.
    pub(super) fn part(&mut self, part: Part<'a>) {
        self.order.push(Place::Content(self.parts.len()));
        self.parts.push(part);
    }

    /// Canonical chat keeps annotations beside the message, and a `url_citation` one level deeper.
    fn annotations(&mut self, object: &mut Object<'a>, path: Path<'_>) -> Result<(), GatewayError> {
        let Some(raw) = object.take("annotations", path)? else { return Ok(()) };
        for mut note in Object::read_list(raw, Path::Field(&path, "annotations"))? {
            let kind = note.get("type").map(RawValue::get);
            let written = match kind {
                Some("\"url_citation\"") => {
                    note.take("type", path)?;
                    let inner = serde_json::to_string(&note).unwrap_or_default();
                    format!(r#"{{"type":"url_citation","url_citation":{inner}}}"#)
                }
                Some("\"vendor\"") => serde_json::to_string(&note).unwrap_or_default(),
                _ => {
                    let own = serde_json::to_string(&note).unwrap_or_default();
                    format!(r#"{{"type":"vendor","vendor":"{}","value":{own}}}"#, super::VENDOR)
                }
            };
            self.annotations.extend(RawValue::from_string(written).ok());
        }
        Ok(())
    }

    /// An item of type `function_call`.
    pub(super) fn call(
        &mut self,
        mut item: Object<'a>,
        path: Path<'_>,
        names: &Names,
    ) -> Result<(), GatewayError> {
        let arguments = Text::Raw(item.need_string("arguments", path)?);
        self.called(item, path, names, arguments)
    }

    /// An item of type `custom_tool_call`.
    pub(super) fn custom_call(
        &mut self,
        mut item: Object<'a>,
        path: Path<'_>,
        names: &Names,
    ) -> Result<(), GatewayError> {
        let input = item.need_string("input", path)?;
        let arguments = Text::Plain(Cow::Owned(format!("{{\"input\":{}}}", input.get())));
        self.called(item, path, names, arguments)
    }

    fn called(
        &mut self,
        mut item: Object<'a>,
        path: Path<'_>,
        names: &Names,
        arguments: Text<'a>,
    ) -> Result<(), GatewayError> {
        let id = item.need_text("call_id", path)?;
        let name = item.need_text("name", path)?;
        let name = match item.take_text("namespace", path)? {
            None => name,
            Some(namespace) => Cow::Owned(names.flat(Some(&namespace), &name).into_owned()),
        };
        self.order.push(Place::ToolCall(self.calls.len()));
        self.calls.push(ToolCall {
            id,
            r#type: "function",
            function: FunctionCall { name: Text::Plain(name), arguments },
            extra_content: None,
            vendor: OwnFields::of(item),
        });
        Ok(())
    }

    /// An item of type `reasoning`. One without text and without state says nothing: its text was kept at OpenAI.
    pub(super) fn reasoning(&mut self, mut item: Object<'a>, path: Path<'_>) -> Result<(), GatewayError> {
        let here = Path::Field(&path, "encrypted_content");
        let encrypted = item.take_text("encrypted_content", path)?.filter(|content| !content.is_empty());
        let summary = joined(&mut item, "summary", path)?;
        let content = joined(&mut item, "content", path)?;
        let Some(encrypted) = encrypted else {
            let (r#type, text, summary) = match content {
                Some(content) => ("reasoning.text".into(), Some(content), None),
                None => ("reasoning.summary".into(), None, summary),
            };
            if text.is_some() || summary.is_some() {
                let vendor = own(item);
                self.thought(ReasoningDetail { r#type, text, summary, vendor, ..ReasoningDetail::default() });
            }
            return Ok(());
        };
        let shown = content.or(summary);
        let before = self.reasoning.len();
        match state::unseal(&encrypted) {
            State::Ours(Sealed::Detail(detail)) => self.sealed(detail, shown),
            State::Ours(Sealed::Bound(bound)) => self.bound.push(bound),
            State::Ours(Sealed::Part(part)) => self.part(Part {
                r#type: "vendor",
                vendor: Some(Ownership::Whole(Cow::Owned(part.vendor))),
                value: Some(Value::Kept(part.value)),
                ..Part::default()
            }),
            State::Ours(Sealed::Summary(_)) | State::Broken => {
                return Err(here.wrong("this state was altered on its way"));
            }
            State::Theirs => {
                let format = || Some(Cow::Borrowed(state::OWNER));
                if let Some(summary) = shown {
                    let (r#type, summary) = ("reasoning.summary".into(), Some(summary));
                    let detail = ReasoningDetail { r#type, summary, format: format(), ..Default::default() };
                    self.thought(detail);
                }
                let (r#type, data) = ("reasoning.encrypted".into(), Some(encrypted));
                self.thought(ReasoningDetail { r#type, data, format: format(), ..Default::default() });
            }
        }
        if let Some(detail) = self.reasoning.get_mut(before) {
            detail.vendor = detail.vendor.take().or_else(|| own(item));
        }
        Ok(())
    }

    fn sealed(&mut self, detail: state::Detail, shown: Option<Cow<'a, str>>) {
        let (text, summary) = match detail.r#type.as_str() {
            "reasoning.summary" => (None, shown),
            "reasoning.encrypted" => (None, None),
            // The text is part of what the signature proves, also when it is empty.
            _ => (Some(shown.unwrap_or_default()), None),
        };
        self.thought(ReasoningDetail {
            r#type: detail.r#type.into(),
            id: detail.id,
            text,
            summary,
            signature: detail.signature,
            data: detail.data.map(Cow::Owned),
            format: detail.format.map(Cow::Owned),
            vendor: detail.vendor,
        });
    }

    fn thought(&mut self, detail: ReasoningDetail<'a>) {
        self.order.push(Place::Reasoning(self.reasoning.len()));
        self.reasoning.push(detail);
    }

    /// Ends the turn, if there is one. The order is told only where it is not the usual one.
    pub(super) fn end(&mut self, messages: &mut Vec<Message<'a>>) {
        let mut turn = std::mem::take(self);
        let mut message = Message { role: "assistant", ..Message::default() };
        for bound in std::mem::take(&mut turn.bound) {
            turn.bind(bound, &mut message);
        }
        if turn.order.is_empty() {
            return;
        }
        if !turn.order.is_sorted() {
            message.order = turn.order;
        }
        message.content = (!turn.parts.is_empty()).then(|| parts::simplest(turn.parts));
        message.reasoning_details = turn.reasoning;
        message.tool_calls = turn.calls;
        message.annotations = turn.annotations;
        message.vendor = turn.vendor;
        messages.push(message);
    }

    fn bind(&mut self, bound: Bound, message: &mut Message<'a>) {
        match bound.to {
            Owner::Message => message.extra_content = bound.extra_content,
            Owner::Content(index) => {
                if let Some(part) = self.parts.get_mut(index) {
                    part.extra_content = bound.extra_content;
                    part.citations = bound.citations;
                }
            }
            Owner::Call(id) => {
                if let Some(call) = self.calls.iter_mut().find(|call| call.id == id) {
                    call.extra_content = bound.extra_content;
                }
            }
        }
    }
}

/// What is left of an item.
fn own(item: Object<'_>) -> Option<Box<RawValue>> {
    serde_json::value::to_raw_value(&OwnFields::of(item)?).ok()
}

/// The texts of a reasoning item's summary or content; ours has one, others' are paragraphs.
fn joined<'a>(
    item: &mut Object<'a>,
    name: &'static str,
    path: Path<'_>,
) -> Result<Option<Cow<'a, str>>, GatewayError> {
    let here = Path::Field(&path, name);
    let Some(raw) = item.take(name, path)? else { return Ok(None) };
    let mut all: Option<Cow<'a, str>> = None;
    for (index, mut entry) in Object::read_list(raw, here)?.into_iter().enumerate() {
        let here = Path::Item(&here, index);
        let next = entry.need_text("text", here)?;
        all = Some(match all {
            None => next,
            Some(before) => Cow::Owned(format!("{before}\n\n{next}")),
        });
    }
    Ok(all.filter(|all| !all.is_empty()))
}

/// An item of type `image_generation_call`: the picture.
pub(super) fn picture<'a>(mut item: Object<'a>, path: Path<'_>) -> Result<Option<Part<'a>>, GatewayError> {
    let here = Path::Field(&path, "result");
    let Some(raw) = item.take_string("result", path)? else { return Ok(None) };
    let data = text(raw, here)?;
    let format = item.take_string("output_format", path)?.and_then(decode);
    let format = format.as_deref().unwrap_or("png");
    let url = Text::Plain(Cow::Owned(format!("data:image/{format};base64,{data}")));
    let image_url = Some(super::canonical::ImageUrl { url, detail: None });
    let vendor = OwnFields::of(item).map(Ownership::Fields);
    Ok(Some(Part { r#type: "image_url", image_url, vendor, ..Part::default() }))
}
