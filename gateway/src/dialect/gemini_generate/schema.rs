//! Gemini's OpenAPI schemas as JSON Schema, in the order they were written.

use serde_json::value::RawValue;

use super::wire::{Object, Text};
use crate::error::GatewayError;

/// Deeper schemas are refused: the walk recurses.
const MAX_DEPTH: usize = 64;

/// `STRING` becomes `string`, `nullable` a type, numbers in strings numbers; everything else stays.
pub(super) fn json_schema(schema: &RawValue, path: &str) -> Result<Box<RawValue>, GatewayError> {
    let mut text = String::with_capacity(schema.get().len());
    let written = write(schema.get(), &mut text, MAX_DEPTH).map(|()| RawValue::from_string(text));
    match written {
        Ok(Ok(schema)) => Ok(schema),
        Err(Fault::TooDeep) => {
            Err(GatewayError::invalid(path, format!("the schema is nested deeper than {MAX_DEPTH} levels")))
        }
        Ok(Err(_)) | Err(Fault::NotAnObject) => {
            Err(GatewayError::invalid(path, "a schema must be an object"))
        }
    }
}

enum Fault {
    TooDeep,
    NotAnObject,
}

fn write(schema: &str, out: &mut String, depth: usize) -> Result<(), Fault> {
    if depth == 0 {
        return Err(Fault::TooDeep);
    }
    // JSON Schema also knows `true` and `false`.
    if matches!(schema, "true" | "false") {
        out.push_str(schema);
        return Ok(());
    }
    let fields = serde_json::from_str::<Object<'_>>(schema).map_err(|_| Fault::NotAnObject)?.rest;
    let nullable = fields.iter().any(|(name, value)| name.as_str() == "nullable" && value.get() == "true");
    out.push('{');
    let mut first = true;
    for (name, value) in &fields {
        let name = known(name.as_str());
        if name == "nullable" {
            continue;
        }
        separate(out, &mut first);
        push_string(out, name);
        out.push(':');
        match name {
            "type" => write_type(value.get(), nullable, out),
            "properties" | "$defs" | "definitions" | "patternProperties" => {
                each_field(value.get(), out, depth)?
            }
            "items" | "additionalProperties" | "not" => write(value.get(), out, depth - 1)?,
            "anyOf" | "oneOf" | "allOf" | "prefixItems" => each_element(value.get(), out, depth)?,
            "minItems" | "maxItems" | "minLength" | "maxLength" | "minProperties" | "maxProperties" => {
                out.push_str(number(value.get()));
            }
            _ => out.push_str(value.get()),
        }
    }
    out.push('}');
    Ok(())
}

/// Google reads both spellings of the names of its schema.
fn known(name: &str) -> &str {
    match name {
        "any_of" => "anyOf",
        "one_of" => "oneOf",
        "all_of" => "allOf",
        "min_items" => "minItems",
        "max_items" => "maxItems",
        "min_length" => "minLength",
        "max_length" => "maxLength",
        "min_properties" => "minProperties",
        "max_properties" => "maxProperties",
        "prefix_items" => "prefixItems",
        "additional_properties" => "additionalProperties",
        "property_ordering" => "propertyOrdering",
        "defs" => "$defs",
        "ref" => "$ref",
        other => other,
    }
}

fn write_type(kind: &str, nullable: bool, out: &mut String) {
    let lower = match serde_json::from_str::<Text<'_>>(kind) {
        Ok(word) => word.as_str().to_ascii_lowercase(),
        // A list of types is JSON Schema already.
        Err(_) => return out.push_str(kind),
    };
    if nullable && lower != "null" {
        out.push('[');
        push_string(out, &lower);
        out.push_str(r#","null"]"#);
    } else {
        push_string(out, &lower);
    }
}

/// Google's JSON writes 64-bit numbers as strings.
fn number(value: &str) -> &str {
    let bare = value.trim_matches('"');
    if !bare.is_empty() && bare.bytes().all(|byte| byte.is_ascii_digit()) { bare } else { value }
}

fn each_field(value: &str, out: &mut String, depth: usize) -> Result<(), Fault> {
    let fields = serde_json::from_str::<Object<'_>>(value).map_err(|_| Fault::NotAnObject)?.rest;
    out.push('{');
    let mut first = true;
    for (name, value) in &fields {
        separate(out, &mut first);
        push_string(out, name.as_str());
        out.push(':');
        write(value.get(), out, depth - 1)?;
    }
    out.push('}');
    Ok(())
}

fn each_element(value: &str, out: &mut String, depth: usize) -> Result<(), Fault> {
    let list = serde_json::from_str::<Vec<&RawValue>>(value).map_err(|_| Fault::NotAnObject)?;
    out.push('[');
    let mut first = true;
    for value in list {
        separate(out, &mut first);
        write(value.get(), out, depth - 1)?;
    }
    out.push(']');
    Ok(())
}

fn separate(out: &mut String, first: &mut bool) {
    if !std::mem::take(first) {
        out.push(',');
    }
}

fn push_string(out: &mut String, text: &str) {
    out.push_str(&serde_json::Value::from(text).to_string());
}
