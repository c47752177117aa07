//! Tokens.

use plugin_sdk::Usage;
use plugin_sdk::chat::UsageReport;
use serde_json::Value;

use super::said;
use crate::VENDOR;
use crate::wire::Counted;

/// What was counted; the prompt includes what came from the cache.
pub(crate) fn usage(given: &Counted<'_>) -> Usage {
    let in_details = given.details.as_ref().and_then(|details| details.cached);
    Usage {
        input: given.prompt,
        output: given.completion,
        cache_read: in_details.or(given.cached),
        ..Usage::default()
    }
}

/// As canonical chat writes it; what has no name there is kept under the vendor's.
pub(crate) fn report<'a>(given: &Counted<'_>) -> UsageReport<'a> {
    let report = UsageReport::from(&usage(given));
    let mut own = Value::Null;
    said::gather(&given.rest, &mut own);
    if let Some(details) = &given.details {
        said::gather(&details.rest, &mut own);
    }
    if own.is_null() { report } else { report.with_vendor(VENDOR, own) }
}
