//! Bytes of streams: what a vendor's fixture says, worse forms of the same, and a client's stream read back.

use base64::Engine as _;
use serde_json::Value;

use super::fixture::Answered;

/// A vendor's stream.
pub(super) struct Sent {
    pub(super) bytes: Vec<u8>,
    /// It is text, line by line.
    is_text: bool,
}

impl Sent {
    pub(super) fn of(answered: &Answered) -> Result<Option<Self>, String> {
        if let Some(events) = &answered.stream_base64 {
            let mut bytes = Vec::new();
            for event in events {
                let decoded = base64::engine::general_purpose::STANDARD.decode(event);
                bytes.extend(decoded.map_err(|error| format!("stream_base64: {error}"))?);
            }
            return Ok(Some(Self { bytes, is_text: false }));
        }
        let line = |line: &String| format!("{line}\n");
        Ok(answered.stream.as_ref().map(|lines| Self {
            bytes: lines.iter().map(line).collect::<String>().into_bytes(),
            is_text: true,
        }))
    }

    /// The same stream as another server, proxy or network might send it, each with a name.
    pub(super) fn variants(&self) -> Vec<(&'static str, Vec<u8>)> {
        let Ok(text) = std::str::from_utf8(&self.bytes) else { return Vec::new() };
        if !self.is_text {
            return Vec::new();
        }
        let mut variants = vec![("CRLF line ends", text.replace('\n', "\r\n"))];
        if text.contains("data:") {
            variants.push(("no space after the colon", text.replace("data: ", "data:")));
            variants.push(("a byte order mark", format!("\u{feff}{text}")));
            variants
                .push(("comments", format!(": hello\n\n{}", text.replace("\n\n", "\n\n: still here\n\n"))));
            variants.push(("padding behind the data", padded(text)));
            variants.push(("no blank line at the end", text.trim_end().to_owned()));
        } else {
            variants.push(("blank lines", text.replace('\n', "\n\n")));
            variants.push(("no line feed at the end", text.trim_end().to_owned()));
        }
        variants.into_iter().map(|(name, text)| (name, text.into_bytes())).collect()
    }
}

/// Blanks inside the JSON of every data line, as Anthropic sends them.
fn padded(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for line in text.split_inclusive('\n') {
        match line.strip_suffix("}\n").filter(|line| line.starts_with("data:")) {
            Some(front) => out.push_str(&format!("{front}        }}\n")),
            None => out.push_str(line),
        }
    }
    out
}

/// A client's stream as the list of its events; `None`: it is not what its content type says.
pub(super) fn events(content_type: &str, bytes: &[u8]) -> Option<Value> {
    if content_type.starts_with("application/vnd.amazon.eventstream") {
        return frames(bytes);
    }
    let text = std::str::from_utf8(bytes).ok()?;
    if content_type.starts_with("text/event-stream") {
        // Gemini's frames end in CRLF.
        return text
            .replace("\r\n", "\n")
            .split("\n\n")
            .filter_map(event)
            .collect::<Option<Vec<_>>>()
            .map(Value::from);
    }
    if content_type.starts_with("application/json") {
        return serde_json::from_str(text).ok();
    }
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| serde_json::from_str(line).ok()).collect::<Option<Vec<Value>>>().map(Value::from)
}

/// One event: its data as JSON; `None` for comments and blanks, `Some(None)` for nonsense.
fn event(event: &str) -> Option<Option<Value>> {
    let data: Vec<&str> = event.lines().filter_map(|line| line.strip_prefix("data:")).collect();
    match data.join("\n").trim() {
        "" => None,
        "[DONE]" => Some(Some(Value::from("[DONE]"))),
        data => Some(serde_json::from_str(data).ok()),
    }
}

/// AWS's event stream: every payload, under the name of its event.
fn frames(bytes: &[u8]) -> Option<Value> {
    let mut events = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let total = usize::try_from(u32::from_be_bytes(rest.get(..4)?.try_into().ok()?)).ok()?;
        let headers = usize::try_from(u32::from_be_bytes(rest.get(4..8)?.try_into().ok()?)).ok()?;
        let payload = rest.get(12 + headers..total.checked_sub(4)?)?;
        let kind = event_type(rest.get(12..12 + headers)?)?;
        let payload: Value = serde_json::from_slice(payload).ok()?;
        events.push(serde_json::json!({ kind: payload }));
        rest = rest.get(total..)?;
    }
    Some(Value::from(events))
}

/// `:event-type` or `:exception-type` among the headers of a frame; all of them are texts (type 7).
fn event_type(headers: &[u8]) -> Option<String> {
    let mut rest = headers;
    let mut found = None;
    while let Some((length, after)) = rest.split_first() {
        let (name, after) = after.split_at_checked(usize::from(*length))?;
        let after = after.strip_prefix(&[7])?;
        let (length, after) = after.split_at_checked(2)?;
        let length = usize::from(u16::from_be_bytes(length.try_into().ok()?));
        let (value, after) = after.split_at_checked(length)?;
        if matches!(name, b":event-type" | b":exception-type") {
            found = Some(String::from_utf8_lossy(value).into_owned());
        }
        rest = after;
    }
    found
}
