//! JSON by a schema for models without `output_config.format`: a tool whose input is the answer, and whose call is taken
//! apart again. An answer does not know its request, so the tool's name says what was done.

use plugin_sdk::chat::{Fields, Json, Text};
use serde_json::{Value, json};

use crate::wire::{Schema, Tool};

/// The tool's input is the answer.
const PLAIN: &str = "json_answer";
/// The answer stands in `value` of the input: a tool's input is always an object, and its schema no choice of several.
const WRAPPED: &str = "json_answer_value";

const DESCRIPTION: &str = "Gives your final answer to the user. Call it once, with the whole answer as its input, and say nothing beside it.";

/// How the answer stands in the call of this name, if it is the tool's.
pub(crate) fn form_of(name: &str) -> Option<Form> {
    match name {
        PLAIN => Some(Form::Plain),
        WRAPPED => Some(Form::Wrapped),
        _ => None,
    }
}

/// How the answer stands in the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// It is the input.
    Plain,
    /// It is the field `value`.
    Wrapped,
}

/// The answer out of a call's whole input; the input itself where it is not what was asked.
pub(crate) fn answer_in(form: Form, input: &str) -> String {
    let wrapped = || {
        serde_json::from_str::<Fields<'_>>(input).ok()?.get("value").map(|value| value.text().into_owned())
    };
    match form {
        Form::Plain => None,
        Form::Wrapped => wrapped(),
    }
    .unwrap_or_else(|| input.to_owned())
}

/// The tool's name for this schema.
pub(crate) fn name_for(schema: &Json<'_>) -> &'static str {
    if is_plain_object(schema) { PLAIN } else { WRAPPED }
}

/// The tool for this schema.
pub(crate) fn tool<'a>(schema: &Json<'a>) -> Tool<'a> {
    let name = name_for(schema);
    Tool::Function {
        name,
        description: Some(DESCRIPTION),
        input_schema: if name == PLAIN { Schema::Whole(schema.clone()) } else { wrap(schema) },
        strict: false,
        cache_control: None,
        own: Fields::default(),
    }
}

/// Anthropic takes this schema for a tool's input as it is.
fn is_plain_object(schema: &Json<'_>) -> bool {
    let Some(fields) = schema.read::<Fields<'_>>() else { return false };
    let chooses = ["anyOf", "oneOf", "allOf", "$ref"].iter().any(|word| fields.get(word).is_some());
    let kind = fields.get("type").and_then(Json::read::<Text<'_>>);
    !chooses && kind.is_some_and(|kind| kind == "object")
}

/// Definitions stay at the root, where references look for them.
fn wrap<'a>(schema: &Json<'a>) -> Schema<'a> {
    let mut fields = Fields::default();
    fields.push("type", Value::from("object"));
    fields.push("properties", json!({ "value": schema.to_value() }));
    fields.push("required", json!(["value"]));
    let own: Fields<'a> = schema.read().unwrap_or_default();
    for name in ["$defs", "definitions"] {
        if let Some(definitions) = own.get(name) {
            fields.push(name, definitions.clone());
        }
    }
    Schema::Typed(fields)
}
