//! `[usage]`: what was used and what it cost.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::Timespan;

/// The ledger: one row for each request to a provider, and sums over them.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Usage {
    /// How long rows are kept; sums by day are kept for ever. A row takes about a kilobyte. Needs a restart.
    #[schemars(example = "400d", extend("x-restart" = true))]
    pub keep: Timespan,
}

impl Default for Usage {
    fn default() -> Self {
        const DAYS: u64 = 400;
        Self { keep: Timespan::seconds(DAYS * 86_400) }
    }
}
