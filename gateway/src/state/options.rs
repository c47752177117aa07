//! A provider's `options` against its adapter's schema.

use std::collections::BTreeMap;

use serde_json::Value;

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
