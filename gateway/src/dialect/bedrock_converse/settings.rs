//! Sampling, thinking and the form of the answer.

use serde_json::value::RawValue;

use crate::dialect::chat::{Chat, Json, JsonSchema, Own, Reasoning, ResponseFormat};
use crate::dialect::object::{self, Object, Path, text};
use crate::error::GatewayError;

/// Takes out of `rest` what canonical chat has a name for.
pub(super) fn apply<'a>(
    rest: &mut Object<'a>,
    chat: &mut Chat<'a>,
    own: &mut Own<'a>,
) -> Result<(), GatewayError> {
    inference(rest, chat, own)?;
    output(rest, chat, own)?;
    service_tier(rest, chat)?;
    models_own(rest, chat, own)
}

/// `inferenceConfig`
fn inference<'a>(rest: &mut Object<'a>, chat: &mut Chat<'a>, own: &mut Own<'a>) -> Result<(), GatewayError> {
    let path = Path::Field(&Path::Root, "inferenceConfig");
    let Some(raw) = rest.take("inferenceConfig", Path::Root)? else { return Ok(()) };
    let mut config = Object::read(raw, path)?;
    chat.max_completion_tokens = config.take_number("maxTokens", path)?;
    chat.temperature = config.take_number("temperature", path)?;
    chat.top_p = config.take_number("topP", path)?;
    chat.stop = config.take("stopSequences", path)?.filter(|stop| stop.get() != "[]");
    if chat.stop.is_some_and(|stop| serde_json::from_str::<Vec<object::Name<'_>>>(stop.get()).is_err()) {
        return Err(Path::Field(&path, "stopSequences").wrong("expected a list of strings"));
    }
    own.keep("inferenceConfig", config);
    Ok(())
}

/// `outputConfig`: a schema, which stands there as a string, and an effort.
fn output<'a>(rest: &mut Object<'a>, chat: &mut Chat<'a>, own: &mut Own<'a>) -> Result<(), GatewayError> {
    let path = Path::Field(&Path::Root, "outputConfig");
    let Some(raw) = rest.take("outputConfig", Path::Root)? else { return Ok(()) };
    let mut config = Object::read(raw, path)?;
    chat.reasoning_effort = config.take_string("effort", path)?.map(Json::Raw);
    let here = Path::Field(&path, "textFormat");
    if let Some(raw) = config.take("textFormat", path)? {
        let mut format = Object::read(raw, here)?;
        if format.need_text("type", here)? != "json_schema" {
            return Err(Path::Field(&here, "type").wrong("expected json_schema"));
        }
        let inside = Path::Field(&here, "structure");
        let structure = format.take("structure", here)?.ok_or_else(|| inside.wrong("field required"))?;
        let mut structure = Object::read(structure, inside)?;
        let deeper = Path::Field(&inside, "jsonSchema");
        let schema = structure.take("jsonSchema", inside)?.ok_or_else(|| deeper.wrong("field required"))?;
        chat.response_format = Some(schema_of(Object::read(schema, deeper)?, deeper)?);
    }
    own.keep("outputConfig", config);
    Ok(())
}

fn schema_of<'a>(mut given: Object<'a>, path: Path<'_>) -> Result<ResponseFormat<'a>, GatewayError> {
    let schema = given.need_text("schema", path)?;
    let schema = RawValue::from_string(schema.trim().to_owned())
        .ok()
        .filter(|schema| schema.get().starts_with('{'))
        .ok_or_else(|| Path::Field(&path, "schema").wrong("expected a JSON Schema written as a string"))?;
    let json_schema = JsonSchema {
        // OpenAI wants a name, AWS does not.
        name: given.take_string("name", path)?.map_or_else(|| "response".into(), Json::Raw),
        description: given.take_string("description", path)?,
        schema: Json::Made(schema),
        strict: true,
    };
    Ok(ResponseFormat { r#type: "json_schema", json_schema: Some(json_schema) })
}

/// `serviceTier`; a reserved one is AWS's alone.
fn service_tier<'a>(rest: &mut Object<'a>, chat: &mut Chat<'a>) -> Result<(), GatewayError> {
    let path = Path::Field(&Path::Root, "serviceTier");
    let Some(raw) = rest.get("serviceTier") else { return Ok(()) };
    let kind = Object::read(raw, path)?.need_text("type", path)?;
    if matches!(kind.as_ref(), "default" | "flex" | "priority") {
        rest.take("serviceTier", Path::Root)?;
        chat.service_tier = Some(kind.into());
    }
    Ok(())
}

/// `additionalModelRequestFields`: what the makers of models call things that canonical chat knows.
fn models_own<'a>(rest: &mut Object<'a>, chat: &mut Chat<'a>, own: &mut Own<'a>) -> Result<(), GatewayError> {
    const NAME: &str = "additionalModelRequestFields";
    let path = Path::Field(&Path::Root, NAME);
    let Some(raw) = rest.take(NAME, Path::Root)? else { return Ok(()) };
    if !raw.get().starts_with('{') {
        return Err(path.wrong("expected an object"));
    }
    let mut fields = Object::read(raw, path)?;
    thinking(&mut fields, chat, path)?;
    // Claude and Mistral; Cohere; Nova.
    for name in ["top_k", "k"] {
        if is_number(fields.get(name)) {
            chat.top_k = fields.take_number(name, path)?.or(chat.top_k);
        }
    }
    if let Some(effort) = fields.get("reasoning_effort").filter(|effort| is_string(effort)) {
        fields.take("reasoning_effort", path)?;
        chat.reasoning_effort = Some(effort.into());
    }
    lift(&mut fields, "output_config", "effort", path, &mut |effort| {
        is_string(effort) && chat.reasoning_effort.replace(effort.into()).is_none()
    })?;
    lift(&mut fields, "inferenceConfig", "topK", path, &mut |top_k| {
        is_number(Some(top_k)) && chat.top_k.replace(top_k).is_none()
    })?;
    nova(&mut fields, chat, path)?;
    own.keep(NAME, fields);
    Ok(())
}

/// Takes an object with one field out when that field could be placed; anything else stays as it is.
fn lift<'a>(
    fields: &mut Object<'a>,
    name: &'static str,
    inner: &str,
    path: Path<'_>,
    place: &mut dyn FnMut(&'a RawValue) -> bool,
) -> Result<(), GatewayError> {
    let Some(raw) = fields.get(name).filter(|raw| raw.get().starts_with('{')) else { return Ok(()) };
    let object = Object::read(raw, Path::Field(&path, name))?;
    if object.0.len() == 1 && object.get(inner).is_some_and(place) {
        fields.take(name, path)?;
    }
    Ok(())
}

/// Claude's `thinking`.
fn thinking<'a>(fields: &mut Object<'a>, chat: &mut Chat<'a>, path: Path<'_>) -> Result<(), GatewayError> {
    let here = Path::Field(&path, "thinking");
    let Some(raw) = fields.get("thinking").filter(|raw| raw.get().starts_with('{')) else { return Ok(()) };
    let mut thinking = Object::read(raw, here)?;
    let mode = thinking.take_text("type", here)?.unwrap_or_default();
    if !matches!(mode.as_ref(), "enabled" | "adaptive" | "disabled") {
        return Err(Path::Field(&here, "type").wrong("expected enabled, adaptive or disabled"));
    }
    let max_tokens = thinking.take_number("budget_tokens", here)?;
    let display = thinking.take_string("display", here)?;
    // Who thinks aloud here is shown what was thought unless he says otherwise; elsewhere that must be asked for.
    let include = match display.map(|display| display.get()) {
        _ if mode == "disabled" => None,
        Some("\"omitted\"") => Some(false),
        _ => Some(true),
    };
    // What has no name stays Bedrock's, and then all of it must.
    if thinking.is_empty() {
        fields.take("thinking", path)?;
    }
    chat.reasoning = Some(Reasoning { mode, max_tokens, include, display });
    Ok(())
}

/// Nova's `reasoningConfig`.
fn nova<'a>(fields: &mut Object<'a>, chat: &mut Chat<'a>, path: Path<'_>) -> Result<(), GatewayError> {
    const NAME: &str = "reasoningConfig";
    let here = Path::Field(&path, NAME);
    let Some(raw) = fields.get(NAME).filter(|raw| raw.get().starts_with('{')) else { return Ok(()) };
    let mut config = Object::read(raw, here)?;
    let mode = config.take_text("type", here)?.unwrap_or_default();
    if !matches!(mode.as_ref(), "enabled" | "disabled") {
        return Ok(());
    }
    let effort = config.take_string("maxReasoningEffort", here)?;
    if !config.is_empty() {
        return Ok(());
    }
    fields.take(NAME, path)?;
    chat.reasoning_effort = match (mode.as_ref(), effort) {
        ("disabled", _) => Some("none".into()),
        (_, Some(effort)) => Some(text(effort, here)?.into()),
        (_, None) => Some("medium".into()),
    };
    Ok(())
}

fn is_string(raw: &RawValue) -> bool {
    raw.get().starts_with('"')
}

fn is_number(raw: Option<&RawValue>) -> bool {
    raw.is_some_and(|raw| raw.get().starts_with(|first: char| first == '-' || first.is_ascii_digit()))
}
