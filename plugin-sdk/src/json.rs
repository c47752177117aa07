//! Reading JSON with an explanation when it is not what was expected, and merging trees.

use serde::Deserialize;
use serde_json::Value;

use crate::{Failure, failure};

/// What is wrong, and where.
struct Fault {
    path: String,
    message: String,
}

/// Everything is read from `str`: one kind of reader keeps components small (each adds a copy of all that is read).
/// A path tracker beside the reader would double them again, so the path is found afterwards, from the place of the error.
fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Fault> {
    let text = std::str::from_utf8(bytes).map_err(|error| Fault {
        path: String::new(),
        message: format!("not valid JSON: not UTF-8 at byte {}", error.valid_up_to()),
    })?;
    serde_json::from_str(text).map_err(|error| explain(text, &error))
}

/// For data errors the path says more than line and column of a body the client never saw. Where the text is no JSON
/// there is no path.
fn explain(text: &str, error: &serde_json::Error) -> Fault {
    let message = error.to_string();
    if !error.is_data() {
        return Fault { path: String::new(), message: format!("not valid JSON: {message}") };
    }
    let lines_before: usize =
        text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let path = path_at(text.as_bytes(), lines_before + error.column());
    let message =
        message.rfind(" at line ").and_then(|end| message.get(..end)).unwrap_or(&message).to_owned();
    Fault { path, message }
}

/// A container that is open, and where in it we are.
enum Open<'t> {
    Object { key: Option<&'t [u8]>, awaits_key: bool },
    Array(usize),
}

/// The path of the value that stands or ends at an offset of valid JSON: `messages[2].role`.
fn path_at(text: &[u8], offset: usize) -> String {
    let mut open: Vec<Open<'_>> = Vec::new();
    let mut at = 0;
    while let Some(byte) = text.get(at).filter(|_| at < offset) {
        let start = at + 1;
        at = start;
        match (byte, open.last_mut()) {
            (b'{', _) => open.push(Open::Object { key: None, awaits_key: true }),
            (b'[', _) => open.push(Open::Array(0)),
            (b'}' | b']', _) => {
                open.pop();
            }
            (b',', Some(Open::Array(index))) => *index += 1,
            (b',', Some(Open::Object { awaits_key, .. })) => *awaits_key = true,
            (b'"', innermost) => {
                at = string_end(text, start);
                if let Some(Open::Object { key, awaits_key: awaits_key @ true }) = innermost {
                    *key = text.get(start..at.saturating_sub(1));
                    *awaits_key = false;
                }
            }
            _ => {}
        }
    }
    let mut path = String::new();
    for container in &open {
        match container {
            Open::Array(index) => path.push_str(&format!("[{index}]")),
            Open::Object { key: Some(key), .. } => {
                path.push_str(if path.is_empty() { "" } else { "." });
                path.push_str(&String::from_utf8_lossy(key));
            }
            Open::Object { key: None, .. } => {}
        }
    }
    path
}

/// Behind the closing quote of a string whose first byte is at `from`.
fn string_end(text: &[u8], mut from: usize) -> usize {
    while let Some(length) = memchr::memchr2(b'"', b'\\', text.get(from..).unwrap_or_default()) {
        from += length + 1;
        if text.get(from - 1) == Some(&b'"') {
            return from;
        }
        from += 1;
    }
    text.len()
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
