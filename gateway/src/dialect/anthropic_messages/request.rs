//! Anthropic's request as canonical chat: the fields of the body; messages and tools are neighbours' work.

use super::canonical::{Chat, JsonSchema, OwnFields, Reasoning, ResponseFormat};
use super::object::{self, Object, Path};
use super::wire::Request;
use super::{messages, tools};
use crate::domain::Envelope;
use crate::error::{GatewayError, Kind};

/// The request as canonical chat.
pub(super) fn canonical(envelope: &Envelope) -> Result<Vec<u8>, GatewayError> {
    let request = Request::read(&envelope.body)?;
    let mut chat = Chat { model: &envelope.model, ..Chat::default() };
    if let Some(content) = request.system {
        chat.messages.push(messages::system(content, Object::default(), Path::Field(&Path::Root, "system"))?);
    }
    messages::turns(request.messages, &mut chat.messages)?;
    chat.tools = tools::tools(request.tools.unwrap_or_default())?;
    let mut rest = request.rest;
    let mut own = OwnFields::default();
    refuse_threads(&mut rest)?;
    settings(&mut rest, &mut chat)?;
    tools::choice(&mut rest, &mut chat, &mut own)?;
    thinking(&mut rest, &mut chat, &mut own)?;
    output(&mut rest, &mut chat, &mut own)?;
    chat.vendor = own.with(rest);
    let mut body = Vec::with_capacity(envelope.body.len() + envelope.body.len() / 8 + 256);
    serde_json::to_writer(&mut body, &chat).map_err(|error| {
        GatewayError::gateway(Kind::Internal, "the request could not be written").context(error)
    })?;
    Ok(body)
}

/// A conversation that only Anthropic holds: its next request would bring nothing but the newest turn. Anthropic's SDK
/// knows this refusal by its code and goes on with the whole conversation in each request.
fn refuse_threads(rest: &mut Object<'_>) -> Result<(), GatewayError> {
    if rest.take("thread", Path::Root)?.is_none() {
        return Ok(());
    }
    let message = "conversations are not kept here; send the whole conversation as `messages`";
    let refused = GatewayError::client(Kind::Unsupported, message);
    let code = Some("thread_unsupported_request".to_owned());
    Err(GatewayError { param: Some("thread".to_owned()), code, ..refused })
}

/// Fields that have one canonical counterpart.
fn settings<'a>(rest: &mut Object<'a>, chat: &mut Chat<'a>) -> Result<(), GatewayError> {
    let root = Path::Root;
    rest.take("model", root)?;
    chat.stream = rest.take_bool("stream", root)?.filter(|stream| *stream);
    chat.max_completion_tokens = rest.take_number("max_tokens", root)?;
    chat.temperature = rest.take_number("temperature", root)?;
    chat.top_p = rest.take_number("top_p", root)?;
    chat.top_k = rest.take_number("top_k", root)?;
    chat.stop = rest.take("stop_sequences", root)?;
    if chat.stop.is_some_and(|stop| serde_json::from_str::<Vec<object::Name<'_>>>(stop.get()).is_err()) {
        return Err(Path::Field(&root, "stop_sequences").wrong("expected a list of strings"));
    }
    chat.cache_control = rest.take("cache_control", root)?;
    let tier = match rest.get("service_tier").map(|tier| tier.get()) {
        Some("\"auto\"") => Some("auto"),
        Some("\"standard_only\"") => Some("default"),
        _ => None,
    };
    if tier.is_some() {
        rest.take("service_tier", root)?;
    }
    chat.service_tier = tier;
    Ok(())
}

/// `thinking` → `reasoning`.
fn thinking<'a>(
    rest: &mut Object<'a>,
    chat: &mut Chat<'a>,
    own: &mut OwnFields<'a>,
) -> Result<(), GatewayError> {
    let path = Path::Field(&Path::Root, "thinking");
    let Some(raw) = rest.take("thinking", Path::Root)? else {
        return Ok(());
    };
    let mut thinking = Object::read(raw, path)?;
    let mode = thinking.need_text("type", path)?;
    if !matches!(mode.as_ref(), "enabled" | "adaptive" | "disabled") {
        return Err(Path::Field(&path, "type").wrong("expected enabled, adaptive or disabled"));
    }
    let display = thinking.take_string("display", path)?;
    // Who thinks aloud here is shown what was thought unless he says otherwise; elsewhere that must be asked for.
    let include = match display.map(|display| display.get()) {
        _ if mode == "disabled" => None,
        Some("\"omitted\"") => Some(false),
        _ => Some(true),
    };
    let max_tokens = thinking.take_number("budget_tokens", path)?;
    chat.reasoning = Some(Reasoning { mode, max_tokens, include, display });
    own.keep("thinking", thinking);
    Ok(())
}

/// `output_config`, its older spelling `output_format`, and `metadata`.
fn output<'a>(
    rest: &mut Object<'a>,
    chat: &mut Chat<'a>,
    own: &mut OwnFields<'a>,
) -> Result<(), GatewayError> {
    let root = Path::Root;
    if let Some(raw) = rest.take("output_config", root)? {
        let path = Path::Field(&root, "output_config");
        let mut config = Object::read(raw, path)?;
        chat.reasoning_effort = config.take_string("effort", path)?;
        chat.response_format = format(&mut config, "format", path)?;
        own.keep("output_config", config);
    }
    if chat.response_format.is_none() {
        chat.response_format = format(rest, "output_format", root)?;
    }
    if let Some(raw) = rest.take("metadata", root)? {
        let path = Path::Field(&root, "metadata");
        let mut metadata = Object::read(raw, path)?;
        chat.user = metadata.take_string("user_id", path)?;
        own.keep("metadata", metadata);
    }
    Ok(())
}

/// A schema for the answer. A format of another kind stays where it is and travels as Anthropic's own.
fn format<'a>(
    parent: &mut Object<'a>,
    name: &'static str,
    path: Path<'_>,
) -> Result<Option<ResponseFormat<'a>>, GatewayError> {
    let Some(raw) = parent.get(name) else {
        return Ok(None);
    };
    let here = Path::Field(&path, name);
    let mut format = Object::read(raw, here)?;
    let kind = format.need_text("type", here)?;
    let schema = format.take("schema", here)?;
    let Some(schema) = schema.filter(|_| kind == "json_schema" && format.is_empty()) else {
        return Ok(None);
    };
    parent.take(name, path)?;
    let json_schema = JsonSchema { name: "answer", schema, strict: true };
    Ok(Some(ResponseFormat { r#type: "json_schema", json_schema }))
}
