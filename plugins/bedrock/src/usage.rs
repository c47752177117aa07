//! Bedrock's token counts. Its `inputTokens` leave out what went through the cache; ours do not.

use plugin_sdk::Usage;
use plugin_sdk::chat::{Fields, Json, UsageReport};
use serde_json::{Map, Value};

use crate::VENDOR;

/// What was told.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) usage: Usage,
    own: Map<String, Value>,
}

/// What was written to the cache, by how long it is kept.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct CacheDetail {
    #[serde(default)]
    ttl: Option<String>,
    #[serde(default)]
    input_tokens: u64,
}

impl Tally {
    /// Reads `usage`.
    pub(crate) fn of(report: &Fields<'_>) -> Self {
        let mut tally = Self::default();
        let usage = &mut tally.usage;
        let mut fresh = None;
        for (name, value) in report.present() {
            match name {
                "inputTokens" => fresh = value.read::<u64>(),
                "outputTokens" => usage.output = value.read(),
                // Each has two names; the older one stands beside it.
                "cacheReadInputTokens" | "cacheReadInputTokenCount" => {
                    usage.cache_read = value.read().or(usage.cache_read);
                }
                "cacheWriteInputTokens" | "cacheWriteInputTokenCount" => {
                    usage.cache_write = value.read().or(usage.cache_write);
                }
                "cacheDetails" => usage.cache_write_long = long(value),
                "totalTokens" => {}
                _ => {
                    tally.own.insert(name.to_owned(), value.to_value());
                }
            }
        }
        let cached = [usage.cache_read, usage.cache_write].into_iter().flatten();
        usage.input = fresh.map(|fresh| cached.fold(fresh, u64::saturating_add));
        tally
    }

    /// The same as canonical chat writes it.
    pub(crate) fn report(&self) -> UsageReport<'static> {
        let report = UsageReport::from(&self.usage);
        if self.own.is_empty() {
            return report;
        }
        report.with_vendor(VENDOR, Value::Object(self.own.clone()))
    }
}

fn long(details: &Json<'_>) -> Option<u64> {
    let details: Vec<CacheDetail> = details.read()?;
    let long = details.iter().filter(|detail| detail.ttl.as_deref() == Some("1h"));
    Some(long.map(|detail| detail.input_tokens).fold(0, u64::saturating_add))
}
