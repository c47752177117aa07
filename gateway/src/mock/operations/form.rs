//! A form as the mock sees it, read without regard to speed: split at the boundary, and again at the blank line.

use bytes::Bytes;
use memchr::memmem;
use serde_json::{Map, Value, json};

use crate::mock::vendor::Complaint;

/// The fields; a file is `{ filename, size }`.
pub(super) fn read(content_type: &str, body: &Bytes) -> Result<Value, Complaint> {
    let broken = || Complaint::invalid("Could not parse multipart form");
    let boundary = content_type.split("boundary=").nth(1).ok_or_else(broken)?.trim_matches('"');
    let delimiter = format!("--{boundary}");
    let starts: Vec<usize> = memmem::find_iter(body, delimiter.as_bytes()).collect();
    let mut fields = Map::new();
    for pair in starts.windows(2) {
        let [start, end] = pair else { return Err(broken()) };
        let part = body.get(start + delimiter.len() + 2..end.saturating_sub(2)).ok_or_else(broken)?;
        let blank = memmem::find(part, b"\r\n\r\n").ok_or_else(broken)?;
        let (head, value) = part.split_at(blank);
        let value = value.get(4..).unwrap_or_default();
        let head = String::from_utf8_lossy(head);
        let quoted =
            |name: &str| head.split(&format!("{name}=\"")).nth(1)?.split('"').next().map(str::to_owned);
        let name = quoted(" name").ok_or_else(broken)?;
        let value = match quoted("filename") {
            Some(filename) => json!({ "filename": filename, "size": value.len() }),
            None => Value::from(std::str::from_utf8(value).map_err(|_| broken())?),
        };
        fields.insert(name.trim_end_matches("[]").to_owned(), value);
    }
    if starts.len() < 2 || !body.ends_with(format!("{delimiter}--\r\n").as_bytes()) {
        return Err(broken());
    }
    Ok(Value::Object(fields))
}
