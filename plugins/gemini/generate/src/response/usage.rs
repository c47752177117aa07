//! Tokens: Gemini counts thoughts beside the answer, and what its tools put into the prompt beside the prompt.

use plugin_sdk::Usage;
use plugin_sdk::chat::{Fields, UsageReport};
use serde_json::Value;

use crate::VENDOR;
use crate::wire::{Modality, UsageMetadata};

/// As the contract counts.
pub(crate) fn usage(given: &UsageMetadata<'_>) -> Usage {
    Usage {
        input: sum(given.prompt, given.tool_use),
        output: sum(given.candidates, given.thoughts),
        cache_read: given.cached,
        reasoning: given.thoughts,
        audio_input: of_kind(&given.prompt_details, "AUDIO"),
        audio_output: of_kind(&given.candidates_details, "AUDIO"),
        image_input: of_kind(&given.prompt_details, "IMAGE"),
        image_output: of_kind(&given.candidates_details, "IMAGE"),
        ..Usage::default()
    }
}

/// As canonical chat writes it; what has no name there is kept under the vendor's.
pub(crate) fn report<'a>(given: &UsageMetadata<'_>) -> UsageReport<'a> {
    let report = UsageReport::from(&usage(given));
    let mut own = Fields::default();
    if let Some(tool_use) = given.tool_use {
        own.push("toolUsePromptTokenCount", Value::from(tool_use));
    }
    own.0.extend(given.rest.0.iter().cloned());
    match super::vendor_fields(own) {
        Some(own) => report.with_vendor(VENDOR, own.to_value()),
        None => report,
    }
}

fn sum(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    match (one, other) {
        (None, None) => None,
        (one, other) => Some(one.unwrap_or(0).saturating_add(other.unwrap_or(0))),
    }
}

fn of_kind(details: &[Modality<'_>], kind: &str) -> Option<u64> {
    details.iter().find(|detail| detail.modality == kind)?.count
}
