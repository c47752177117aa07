//! Server-sent events, read as the standard says.

use serde_json::Value;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// The `event:` line; empty when there is none.
    pub(crate) name: String,
    /// The `data:` lines.
    pub(crate) data: String,
}

impl Event {
    /// The data as JSON; `null` when it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap_or_default()
    }
}

/// Lines may end in CR, LF or both.
pub(crate) fn with_plain_lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// The first block of a text with plain lines, and what stands behind it; a block of comments is no event.
pub(crate) fn first(text: &str) -> Option<(Option<Event>, &str)> {
    let (block, rest) = text.split_once("\n\n")?;
    let (mut name, mut data) = (String::new(), Vec::new());
    for line in block.lines() {
        match line.split_once(':') {
            Some(("event", value)) => value.trim_start().clone_into(&mut name),
            Some(("data", value)) => data.push(value.strip_prefix(' ').unwrap_or(value)),
            _ => {}
        }
    }
    let event = (!data.is_empty()).then(|| Event { name, data: data.join("\n") });
    Some((event, rest))
}

/// All events of a text. What stands behind the last blank line is no event.
pub(crate) fn events(text: &str) -> Vec<Event> {
    let text = with_plain_lines(text);
    let mut rest = text.as_str();
    let mut events = Vec::new();
    while let Some((event, after)) = first(rest) {
        events.extend(event);
        rest = after;
    }
    events
}
