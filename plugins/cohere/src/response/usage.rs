//! Tokens: what the model read and wrote counts; what was billed is kept beside.

use plugin_sdk::Usage;
use plugin_sdk::chat::UsageReport;
use serde_json::Value;

use super::pieces;
use crate::VENDOR;
use crate::wire::{Counted, Tokens};

/// What was counted.
pub(crate) fn usage(given: &Counted<'_>) -> Usage {
    let of = |side: fn(&Tokens<'_>) -> Option<f64>| {
        let counted = given.tokens.as_ref().and_then(side);
        counted.or_else(|| given.billed.as_ref().and_then(side)).and_then(whole)
    };
    Usage {
        input: of(|tokens| tokens.input),
        output: of(|tokens| tokens.output),
        cache_read: given.cached.and_then(whole),
        ..Usage::default()
    }
}

/// As canonical chat writes it; `billed_units` and what has no name there are kept under the vendor's.
pub(crate) fn report<'a>(given: &Counted<'_>) -> UsageReport<'a> {
    let report = UsageReport::from(&usage(given));
    let mut own = Value::Null;
    pieces::gather(&given.rest, &mut own);
    if let Some(tokens) = &given.tokens {
        pieces::gather(&tokens.rest, &mut own);
    }
    if let Some(billed) = &given.billed {
        let billed = serde_json::to_value(billed).unwrap_or_default();
        plugin_sdk::json::merge(&mut own, serde_json::json!({ "billed_units": billed }));
    }
    if own.is_null() { report } else { report.with_vendor(VENDOR, own) }
}

/// Cohere writes counts as floating point.
fn whole(count: f64) -> Option<u64> {
    (count >= 0.0).then_some(count as u64)
}
