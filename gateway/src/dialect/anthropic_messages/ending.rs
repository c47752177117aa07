//! Why an answer ended, in Anthropic's words.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

use super::answered::{Choice, word};

/// What a client is told about the end.
#[derive(Default)]
pub(super) struct Ending {
    pub(super) reason: String,
    pub(super) sequence: Option<Box<RawValue>>,
    /// Fields of Anthropic's own: `stop_details`, `container`, …
    pub(super) own: Vec<(String, Box<RawValue>)>,
}

impl Ending {
    /// Reads it from the choice that ended. What was said counts too: vendors say `stop` after a call as well.
    pub(super) fn of(choice: &Choice<'_>, called: bool, refused: bool) -> Self {
        let own = choice.vendor.as_ref().and_then(|vendor| vendor.anthropic.as_ref());
        Self {
            reason: reason(choice, called, refused).to_owned(),
            sequence: choice.stop_sequence.map(ToOwned::to_owned),
            own: own
                .map(|own| {
                    own.0.iter().map(|(name, value)| (name.to_string(), (*value).to_owned())).collect()
                })
                .unwrap_or_default(),
        }
    }

    /// The end of an answer that told no reason.
    pub(super) fn unknown(called: bool) -> Self {
        Self { reason: if called { "tool_use" } else { "end_turn" }.to_owned(), ..Self::default() }
    }
}

impl Ending {
    /// The one field of Anthropic's own that stands beside `delta` in a stream.
    pub(super) fn beside(&self) -> Option<&RawValue> {
        self.own.iter().find(|(name, _)| name == BESIDE).map(|(_, value)| value.as_ref())
    }
}

const BESIDE: &str = "context_management";

/// The `delta` of `message_delta`.
impl Serialize for Ending {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("stop_reason", &self.reason)?;
        map.serialize_entry("stop_sequence", &self.sequence)?;
        for (name, value) in self.own.iter().filter(|(name, _)| name != BESIDE) {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

fn reason<'c>(choice: &'c Choice<'_>, called: bool, refused: bool) -> &'c str {
    let native = word(&choice.native_finish_reason);
    if is_own(native) {
        return native;
    }
    match word(&choice.finish_reason) {
        "length" => "max_tokens",
        "content_filter" => "refusal",
        _ if refused => "refusal",
        "tool_calls" | "function_call" => "tool_use",
        _ if called => "tool_use",
        _ if choice.stop_sequence.is_some() => "stop_sequence",
        _ => "end_turn",
    }
}

/// Whether a word is one of Anthropic's.
fn is_own(word: &str) -> bool {
    matches!(
        word,
        "end_turn"
            | "max_tokens"
            | "stop_sequence"
            | "tool_use"
            | "pause_turn"
            | "refusal"
            | "compaction"
            | "model_context_window_exceeded"
    )
}
