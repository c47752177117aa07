//! `options`, `format`, `think` and the other settings both dialects have, in canonical form. What has no canonical name
//! stays under `vendor.ollama`, in Ollama's spelling.

use serde_json::value::RawValue;

use super::canonical::{Chat, NamedSchema, Own, Reasoning, ResponseFormat, Vendor};
use crate::dialect::object::{Object, Path, decode};
use crate::error::GatewayError;

/// Takes the settings out of `fields`; what is left in it is Ollama's own.
pub(in crate::dialect) fn apply<'a>(mut fields: Object<'a>, chat: &mut Chat<'a>) -> Result<(), GatewayError> {
    let root = Path::Root;
    let options = match fields.take("options", root)? {
        Some(raw) => sampling(Object::read(raw, Path::Field(&root, "options"))?, chat)?,
        None => Object::default(),
    };
    chat.response_format = fields.take("format", root)?.map(format).transpose()?.flatten();
    if let Some(raw) = fields.take("think", root)? {
        think(raw, chat)?;
    }
    chat.logprobs = fields.take_bool("logprobs", root)?.unwrap_or(false);
    // Without `logprobs` Ollama does not look at it, and a provider would refuse it.
    chat.top_logprobs =
        fields.take_number("top_logprobs", root)?.filter(|count| chat.logprobs && count.get() != "0");
    fields.0.retain(|(_, value)| value.get() != "null");
    if !(fields.is_empty() && options.is_empty()) {
        chat.vendor = Some(Vendor { ollama: Own { fields, options } });
    }
    Ok(())
}

/// The options with a canonical name; the others come back.
fn sampling<'a>(mut options: Object<'a>, chat: &mut Chat<'a>) -> Result<Object<'a>, GatewayError> {
    let root = Path::Root;
    let path = Path::Field(&root, "options");
    chat.temperature = options.take_number("temperature", path)?;
    chat.top_p = options.take_number("top_p", path)?;
    chat.presence_penalty = options.take_number("presence_penalty", path)?;
    chat.frequency_penalty = options.take_number("frequency_penalty", path)?;
    chat.stop = options.take("stop", path)?.filter(|raw| !matches!(raw.get(), "[]" | "\"\""));
    if chat.stop.is_some_and(|raw| serde_json::from_str::<Stops>(raw.get()).is_err()) {
        return Err(Path::Field(&path, "stop").wrong("expected a list of strings"));
    }
    // Numbers below these are words of Ollama's (-1: without end, by chance; 0: off), which only Ollama knows.
    for (name, place, least) in [
        ("num_predict", &mut chat.max_completion_tokens, 1),
        ("top_k", &mut chat.top_k, 1),
        ("seed", &mut chat.seed, 0),
    ] {
        let Some(raw) = options.take_number(name, path)? else { continue };
        match serde_json::from_str::<i64>(raw.get()) {
            Ok(number) if number >= least => *place = Some(raw),
            _ => options.0.push((name.into(), raw)),
        }
    }
    options.0.retain(|(_, value)| value.get() != "null");
    Ok(options)
}

/// Only to see that they are strings.
#[derive(serde::Deserialize)]
#[serde(untagged)]
#[expect(dead_code, reason = "read to be checked")]
enum Stops {
    One(String),
    Several(Vec<String>),
}

/// `"json"` or a JSON Schema; an empty string is nothing.
fn format(raw: &RawValue) -> Result<Option<ResponseFormat<'_>>, GatewayError> {
    match raw.get() {
        "\"\"" => Ok(None),
        "\"json\"" => Ok(Some(ResponseFormat::JsonObject)),
        schema if schema.starts_with('{') => {
            let json_schema = NamedSchema { name: "response", schema: raw };
            Ok(Some(ResponseFormat::JsonSchema { json_schema }))
        }
        _ => Err(Path::Field(&Path::Root, "format").wrong("expected \"json\" or a JSON Schema object")),
    }
}

/// On, off, or a level. Ollama shows the thoughts whenever it is told to think.
fn think(raw: &RawValue, chat: &mut Chat<'_>) -> Result<(), GatewayError> {
    let level = match raw.get() {
        "false" => {
            chat.reasoning = Some(Reasoning { mode: Some("disabled"), include: None });
            return Ok(());
        }
        "true" => {
            chat.reasoning = Some(Reasoning { mode: Some("enabled"), include: Some(true) });
            return Ok(());
        }
        _ => decode(raw),
    };
    let known = ["low", "medium", "high", "max"];
    let Some(level) = known.into_iter().find(|known| level.as_deref() == Some(known)) else {
        let path = Path::Root;
        return Err(Path::Field(&path, "think")
            .wrong("expected true, false, \"low\", \"medium\", \"high\" or \"max\""));
    };
    chat.reasoning_effort = Some(level);
    chat.reasoning = Some(Reasoning { mode: None, include: Some(true) });
    Ok(())
}
