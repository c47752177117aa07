//! A provider's `options` against its adapter's schema.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::adapter::Passage;
use crate::domain::http::CredentialKind;

/// Every option that does not fit, in one line.
pub(super) fn check(schema: &str, options: &BTreeMap<String, Value>) -> Result<(), String> {
    let schema: Value = match schema.trim() {
        "" => return Ok(()),
        text => serde_json::from_str(text)
            .map_err(|error| format!("the adapter's options schema is not JSON: {error}"))?,
    };
    let validator = jsonschema::validator_for(&schema)
        .map_err(|error| format!("the adapter's options schema is not a JSON Schema: {error}"))?;
    let options = Value::Object(options.iter().map(|(name, value)| (name.clone(), value.clone())).collect());
    let problems: Vec<_> = validator
        .iter_errors(&options)
        .map(|error| {
            let place = error.instance_path().to_string().replace('/', ".");
            format!("options{place}: {error}")
        })
        .collect();
    if problems.is_empty() { Ok(()) } else { Err(problems.join("; ")) }
}

/// The passages that are left under these options. What passes through untouched is not seen by the adapter, so its schema
/// says what an option means there, in the keyword `x-passage`: `never` when it asks for more than untouched bytes can
/// say, `credential` when its value is the kind of credential they go out with.
pub(super) fn passages(schema: &str, options: &BTreeMap<String, Value>, told: &[Passage]) -> Vec<Passage> {
    let schema: Value = serde_json::from_str(schema).unwrap_or_default();
    let mut passages = told.to_vec();
    for (name, value) in options {
        let meaning = schema.get("properties").and_then(|known| known.get(name)?.get("x-passage")?.as_str());
        match (meaning, value.as_str()) {
            (Some("never"), _) => passages.clear(),
            (Some("credential"), Some("bearer")) => {
                passages.iter_mut().for_each(|passage| passage.credential = CredentialKind::Bearer);
            }
            _ => {}
        }
    }
    passages
}

#[cfg(test)]
mod tests;
