//! Why an answer ended, in AWS's words, and what Bedrock itself says beside it.

use serde_json::value::RawValue;

use super::answer::own_fields;
use crate::dialect::object::Object;
use crate::dialect::said::{Choice, json, word};

/// What a client is told about the end.
pub(super) struct Ending<'a> {
    pub(super) reason: &'static str,
    sequence: Option<&'a RawValue>,
    /// Fields of Bedrock's own: `trace`, `metrics`, …
    own: Object<'a>,
}

const MODELS_OWN: &str = "additionalModelResponseFields";
const METRICS: &str = "metrics";

impl<'a> Ending<'a> {
    /// Reads it from the choice that ended. What was said counts too: vendors say `stop` after a call as well.
    pub(super) fn of(choice: &Choice<'a>, called: bool, refused: bool) -> Self {
        Self {
            reason: reason(choice, called, refused),
            sequence: choice.stop_sequence,
            own: own_fields(&choice.vendor),
        }
    }

    /// How long it took, where Bedrock tells.
    pub(super) fn metrics(&self) -> Option<&'a RawValue> {
        self.own.get(METRICS)
    }

    /// What the model's maker says, with the stop sequence among it, as Claude tells it.
    pub(super) fn models_own(&self) -> Option<Box<RawValue>> {
        let told = self.own.get(MODELS_OWN);
        let Some(sequence) = self.sequence else { return told.map(ToOwned::to_owned) };
        let mut fields: Object<'_> =
            told.and_then(|told| serde_json::from_str(told.get()).ok()).unwrap_or_default();
        fields.0.retain(|(name, _)| name != "stop_sequence");
        fields.0.push(("stop_sequence".into(), sequence));
        RawValue::from_string(String::from_utf8(json(&fields)).unwrap_or_default()).ok()
    }

    /// The other fields.
    pub(super) fn beside(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        let known = |name: &str| matches!(name, MODELS_OWN | METRICS | "output" | "stopReason" | "usage");
        self.own.0.iter().filter(move |(name, _)| !known(name)).map(|(name, value)| (name.as_ref(), *value))
    }
}

fn reason(choice: &Choice<'_>, called: bool, refused: bool) -> &'static str {
    if let Some(own) = own_word(word(&choice.native_finish_reason)) {
        return own;
    }
    match word(&choice.finish_reason) {
        "length" => "max_tokens",
        "content_filter" => "content_filtered",
        _ if refused => "content_filtered",
        "tool_calls" | "function_call" => "tool_use",
        _ => otherwise(called, choice.stop_sequence.is_some()),
    }
}

fn otherwise(called: bool, met_sequence: bool) -> &'static str {
    match (called, met_sequence) {
        (true, _) => "tool_use",
        (false, true) => "stop_sequence",
        (false, false) => "end_turn",
    }
}

/// The end of an answer that told no reason.
pub(super) fn unknown(called: bool) -> &'static str {
    otherwise(called, false)
}

/// A vendor's word that is one of AWS's too.
fn own_word(word: &str) -> Option<&'static str> {
    [
        "end_turn",
        "tool_use",
        "max_tokens",
        "stop_sequence",
        "guardrail_intervened",
        "content_filtered",
        "malformed_model_output",
        "malformed_tool_use",
        "model_context_window_exceeded",
    ]
    .into_iter()
    .find(|own| *own == word)
}
