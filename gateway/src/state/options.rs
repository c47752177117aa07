//! A provider's `options` against its adapter's schema, and the URL that follows from them.

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

/// The adapter's default URL with options filled in: `{location}` is the option of that name, or what the schema's
/// `x-in-url` of that option says for its value (`*`: for every other).
pub(super) fn url(
    default_url: &str,
    schema: &str,
    options: &BTreeMap<String, Value>,
) -> Result<String, String> {
    let mut url = String::new();
    let mut rest = default_url;
    if rest.is_empty() {
        return Err("has no default url; give one".to_owned());
    }
    let schema: Value = serde_json::from_str(schema).unwrap_or_default();
    while let Some((before, after)) = rest.split_once('{') {
        let (name, behind) = after.split_once('}').ok_or("has a default url with an open brace")?;
        let property = schema.get("properties").and_then(|properties| properties.get(name));
        let default = property.and_then(|property| property.get("default"));
        let value = options.get(name).or(default).and_then(Value::as_str);
        let value = value.ok_or_else(|| format!("needs a `url`, or `options.{name}`"))?;
        let legal = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
        if value.is_empty() || !value.chars().all(legal) {
            return Err(format!("cannot make a url of `options.{name}`"));
        }
        let words = property.and_then(|property| property.get("x-in-url"));
        let word =
            words.and_then(|words| words.get(value).or_else(|| words.get("*"))).and_then(Value::as_str);
        url.push_str(before);
        url.push_str(&word.unwrap_or("*").replace('*', value));
        rest = behind;
    }
    url.push_str(rest);
    Ok(url)
}

#[cfg(test)]
mod tests;
