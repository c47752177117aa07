//! Ollama's messages in canonical form. A tool's result may name its call by id, by the function's name or by its place
//! alone, so calls without an id get one and results are matched to them.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::dialect::object::{Object, Path, decode, text};
use crate::dialect::ollama::canonical::{Called, Content, Message, Part, ToolCall, Vendor};
use crate::dialect::ollama::image;
use crate::error::GatewayError;

/// The conversation.
pub(super) fn read(messages: Option<&RawValue>) -> Result<Vec<Message<'_>>, GatewayError> {
    let root = Path::Root;
    let path = Path::Field(&root, "messages");
    let Some(raw) = messages else { return Ok(Vec::new()) };
    let list = Object::read_list(raw, path)?;
    let mut conversation = Conversation { messages: Vec::with_capacity(list.len()), calls: Vec::new() };
    for (index, fields) in list.into_iter().enumerate() {
        conversation.add(fields, Path::Item(&path, index), index)?;
    }
    Ok(conversation.messages)
}

struct Conversation<'a> {
    messages: Vec<Message<'a>>,
    /// Calls without a result.
    calls: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> Conversation<'a> {
    fn add(&mut self, mut fields: Object<'a>, path: Path<'_>, index: usize) -> Result<(), GatewayError> {
        let role = role(&fields.need_text("role", path)?, Path::Field(&path, "role"))?;
        let said = fields.take_string("content", path)?;
        let images = image::parts(fields.take("images", path)?, Path::Field(&path, "images"))?;
        let mut message = Message { role, content: content(said, images), ..Message::default() };
        match role {
            "assistant" => self.answer(&mut message, &mut fields, path, index)?,
            "tool" => self.result(&mut message, &mut fields, path)?,
            _ => {}
        }
        fields.0.retain(|(_, value)| value.get() != "null");
        message.vendor = (!fields.is_empty()).then_some(Vendor { ollama: fields });
        self.messages.push(message);
        Ok(())
    }

    fn answer(
        &mut self,
        message: &mut Message<'a>,
        fields: &mut Object<'a>,
        path: Path<'_>,
        index: usize,
    ) -> Result<(), GatewayError> {
        message.reasoning_content = fields.take_string("thinking", path)?.filter(|raw| raw.get() != "\"\"");
        message.reasoning_details = fields.take("reasoning_details", path)?;
        message.extra_content = fields.take("extra_content", path)?;
        if let Some(raw) = fields.take("tool_calls", path)? {
            let path = Path::Field(&path, "tool_calls");
            for (place, call) in Object::read_list(raw, path)?.into_iter().enumerate() {
                let call = call_of(call, Path::Item(&path, place), || format!("call_{index}_{place}"))?;
                self.calls.push((call.id.clone(), call.function.name.clone()));
                message.tool_calls.push(call);
            }
        }
        // Whoever only calls says nothing.
        if !message.tool_calls.is_empty()
            && matches!(&message.content, Some(Content::Text(said)) if said.get() == "\"\"")
        {
            message.content = None;
        }
        Ok(())
    }

    fn result(
        &mut self,
        message: &mut Message<'a>,
        fields: &mut Object<'a>,
        path: Path<'_>,
    ) -> Result<(), GatewayError> {
        let id = fields.take_text("tool_call_id", path)?.filter(|id| !id.is_empty());
        let tool = fields.take_text("tool_name", path)?.filter(|name| !name.is_empty());
        // Clients from before `tool_name`.
        let name = match tool {
            None => fields.take_text("name", path)?.filter(|name| !name.is_empty()),
            tool => tool,
        };
        let place = match (&id, &name) {
            (Some(id), _) => self.calls.iter().position(|call| call.0 == *id),
            (None, Some(name)) => self.calls.iter().position(|call| call.1 == *name),
            (None, None) => (!self.calls.is_empty()).then_some(0),
        };
        let call = place.map(|place| self.calls.remove(place));
        let (called, function) = call.unzip();
        let Some(id) = id.or(called) else {
            let message = "the result of a tool answers no call that stands before it";
            let field = if name.is_some() { "tool_name" } else { "tool_call_id" };
            return Err(Path::Field(&path, field).wrong(message));
        };
        message.tool_call_id = Some(id);
        message.name = name.or(function);
        message.content.get_or_insert_with(|| Content::Parts(Vec::new()));
        Ok(())
    }
}

/// Ollama reads roles in any case.
fn role(word: &str, path: Path<'_>) -> Result<&'static str, GatewayError> {
    let roles = ["system", "developer", "user", "assistant", "tool"];
    roles
        .into_iter()
        .find(|role| role.eq_ignore_ascii_case(word))
        .ok_or_else(|| path.wrong(format!("`{word}` is not a role; use system, user, assistant or tool")))
}

/// Ollama shows the images of a message before its text.
fn content<'a>(said: Option<&'a RawValue>, mut images: Vec<Part<'a>>) -> Option<Content<'a>> {
    if images.is_empty() {
        return said.map(Content::Text);
    }
    let text = said.filter(|raw| raw.get() != "\"\"");
    images.extend(text.map(|text| Part::Text { text }));
    Some(Content::Parts(images))
}

fn call_of<'a>(
    mut fields: Object<'a>,
    path: Path<'_>,
    made: impl FnOnce() -> String,
) -> Result<ToolCall<'a>, GatewayError> {
    let id = fields.take_text("id", path)?.filter(|id| !id.is_empty());
    fields.take_text("type", path)?;
    let extra_content = fields.take("extra_content", path)?;
    let raw = fields.take("function", path)?;
    let path = Path::Field(&path, "function");
    let mut function = Object::read(raw.ok_or_else(|| path.wrong("field required"))?, path)?;
    // The place in the list says the same.
    function.take("index", path)?;
    let name = function.need_text("name", path)?;
    let arguments = arguments(function.take("arguments", path)?, Path::Field(&path, "arguments"))?;
    fields.0.extend(function.0);
    fields.0.retain(|(_, value)| value.get() != "null");
    Ok(ToolCall {
        id: id.unwrap_or_else(|| made().into()),
        kind: "function",
        function: Called { name, arguments },
        extra_content,
        vendor: (!fields.is_empty()).then_some(Vendor { ollama: fields }),
    })
}

/// An object; some clients keep it as text.
fn arguments<'a>(raw: Option<&'a RawValue>, path: Path<'_>) -> Result<Cow<'a, str>, GatewayError> {
    match raw {
        None => Ok(Cow::Borrowed("{}")),
        Some(raw) if raw.get().starts_with('{') => Ok(Cow::Borrowed(raw.get())),
        Some(raw) if decode(raw).is_some() => text(raw, path),
        Some(_) => Err(path.wrong("expected an object")),
    }
}
