//! Anthropic's token counts. Its `input_tokens` leave out what went through the cache; ours do not.

use plugin_sdk::Usage;
use plugin_sdk::chat::{Fields, Json, UsageReport};
use serde_json::{Map, Value};

use crate::VENDOR;

/// What was told so far, by all reports of one answer.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    usage: Usage,
    told: bool,
    /// Fields without a name in canonical chat; later reports replace earlier ones.
    own: Map<String, Value>,
}

/// A step inside one answer. Those that are no messages (compaction, advice) are billed and not in the sums.
#[derive(serde::Deserialize)]
struct Iteration {
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    input_tokens: Option<u64>,
    #[serde(default)]
    output_tokens: Option<u64>,
    #[serde(default)]
    cache_read_input_tokens: Option<u64>,
    #[serde(default)]
    cache_creation_input_tokens: Option<u64>,
}

impl Iteration {
    fn is_beside(&self) -> bool {
        self.kind.as_deref().is_some_and(|kind| kind != "message")
    }

    fn prompt(&self) -> u64 {
        let parts = [self.input_tokens, self.cache_read_input_tokens, self.cache_creation_input_tokens];
        parts.into_iter().flatten().fold(0, u64::saturating_add)
    }
}

impl Tally {
    /// Takes one report. A later one may tell `input_tokens` again without the cache fields, so the sum is made
    /// with those told before.
    pub(crate) fn take(&mut self, report: &Fields<'_>) {
        self.told = true;
        let mut steps: Vec<Iteration> = Vec::new();
        let (mut input, mut output) = (None, None);
        for (name, value) in report.present() {
            match name {
                "input_tokens" => input = value.read::<u64>(),
                "output_tokens" => output = value.read::<u64>(),
                "cache_read_input_tokens" => self.usage.cache_read = value.read::<u64>(),
                "cache_creation_input_tokens" => self.usage.cache_write = value.read::<u64>(),
                "cache_creation" => self.usage.cache_write_long = number(value, "ephemeral_1h_input_tokens"),
                "output_tokens_details" => self.usage.reasoning = number(value, "thinking_tokens"),
                _ => {
                    if name == "iterations" {
                        steps = value.read().unwrap_or_default();
                    }
                    self.own.insert(name.to_owned(), value.to_value());
                }
            }
        }
        let beside = || steps.iter().filter(|step| step.is_beside());
        if let Some(fresh) = input {
            let cached = [self.usage.cache_read, self.usage.cache_write].into_iter().flatten();
            let all = cached.chain(beside().map(Iteration::prompt));
            self.usage.input = Some(all.fold(fresh, u64::saturating_add));
        }
        if let Some(answer) = output {
            let all = beside().filter_map(|step| step.output_tokens);
            self.usage.output = Some(all.fold(answer, u64::saturating_add));
        }
    }

    /// The totals, when there were any.
    pub(crate) fn usage(&self) -> Option<Usage> {
        self.told.then_some(self.usage)
    }

    /// The same as canonical chat writes it.
    pub(crate) fn report(&self) -> Option<UsageReport<'static>> {
        let report = UsageReport::from(&self.usage()?);
        let own = (!self.own.is_empty()).then(|| Value::Object(self.own.clone()));
        Some(match own {
            Some(own) => report.with_vendor(VENDOR, own),
            None => report,
        })
    }
}

fn number(details: &Json<'_>, name: &str) -> Option<u64> {
    details.read::<Fields<'_>>()?.get(name)?.read()
}
