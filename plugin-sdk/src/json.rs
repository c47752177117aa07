//! Reading JSON with an explanation when it is not what was expected, and merging trees.

use serde::Deserialize;
use serde_json::Value;

use crate::{Failure, failure};

/// What is wrong, and where.
struct Fault {
    path: String,
    message: String,
}

/// Reads fast; only when that fails, reads again with a tracker that knows the path.
fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Fault> {
    let first = match serde_json::from_slice(bytes) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let tracked: Result<T, _> = serde_path_to_error::deserialize(&mut deserializer);
    match tracked {
        Err(error) => {
            // Where the text is not JSON the tracker is lost too; line and column are in the message.
            let path = if error.inner().is_data() { error.path().to_string() } else { String::new() };
            let path = path.trim_end_matches(['.', '?']).to_owned();
            Err(Fault { path, message: describe(error.inner()) })
        }
        // Trailing bytes: the tracker does not look behind the value.
        Ok(_) => Err(Fault { path: String::new(), message: describe(&first) }),
    }
}

/// For data errors the path says more than line and column of a body the client never saw.
fn describe(error: &serde_json::Error) -> String {
    let text = error.to_string();
    if !error.is_data() {
        return format!("not valid JSON: {text}");
    }
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

/// Reads a canonical request body.
///
/// # Errors
/// [`crate::FailureKind::InvalidRequest`] with the path of the field in `param`.
pub fn request<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Failure> {
    read(body).map_err(|fault| {
        if fault.path.is_empty() {
            return failure::new(crate::FailureKind::InvalidRequest, fault.message);
        }
        let message = format!("{}: {}", fault.path, fault.message);
        failure::invalid(fault.path, message)
    })
}

/// Reads what a provider sent; `what` names it in the message ("answer", "event").
///
/// # Errors
/// [`crate::FailureKind::Malformed`] with the path in the message.
pub fn answer<'a, T: Deserialize<'a>>(what: &str, bytes: &'a [u8]) -> Result<T, Failure> {
    read(bytes).map_err(|fault| {
        let place = if fault.path.is_empty() { String::new() } else { format!(" at `{}`", fault.path) };
        failure::malformed(format!("the provider's {what} makes no sense{place}: {}", fault.message))
    })
}

/// Writes a request body.
///
/// # Errors
/// A failure of the adapter when a value cannot be written.
pub fn to_vec(value: &impl serde::Serialize) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(value).map_err(|error| failure::adapter(format!("body not written: {error}")))
}

/// The value at a dotted path (`error.details.0.reason`); `null` is absent.
pub fn at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    let found = path.split('.').try_fold(value, |value, step| match value {
        Value::Array(list) => list.get(step.parse::<usize>().ok()?),
        _ => value.get(step),
    })?;
    (!found.is_null()).then_some(found)
}

/// The string at a dotted path.
pub fn text_at<'v>(value: &'v Value, path: &str) -> Option<&'v str> {
    at(value, path)?.as_str()
}

/// The whole number at a dotted path.
pub fn number_at(value: &Value, path: &str) -> Option<u64> {
    at(value, path)?.as_u64()
}

/// Merges `from` into `into`: objects field by field, everything else is replaced.
pub fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

#[cfg(test)]
mod tests;
