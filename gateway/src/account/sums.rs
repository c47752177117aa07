//! What rows add up to.

use serde::{Deserialize, Serialize};

use crate::domain::{Cost, LedgerRow, Usage};

/// Sums over rows. Costs are millionths of a micro-dollar, as in the rows; a correction may make one smaller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sums {
    /// Rows: upstream requests.
    pub requests: i64,
    /// Those that did not end well.
    pub errors: i64,
    /// Those with counts that are estimates.
    pub estimated: i64,
    /// Those of which nobody knows a price; their tokens are in here, their cost is not.
    pub unpriced: i64,
    /// Tokens of prompts.
    pub input: i64,
    /// Tokens of answers.
    pub output: i64,
    /// Prompt tokens read from a provider's cache.
    pub cache_read: i64,
    /// Prompt tokens written to a provider's cache.
    pub cache_write: i64,
    /// Tokens of answers that were reasoning.
    pub reasoning: i64,
    /// What it all cost, as far as it is known.
    pub cost: i128,
}

impl Sums {
    /// Of one row.
    pub fn of(row: &LedgerRow) -> Self {
        let usage = row.usage.unwrap_or_default();
        let Usage { input, output, cache_read, cache_write, reasoning, .. } = usage;
        let count = |count: Option<u64>| i64::try_from(count.unwrap_or(0)).unwrap_or(i64::MAX);
        Self {
            requests: 1,
            errors: i64::from(row.outcome != "ok"),
            estimated: i64::from(usage.estimated),
            unpriced: i64::from(row.cost.is_none()),
            input: count(input),
            output: count(output),
            cache_read: count(cache_read),
            cache_write: count(cache_write),
            reasoning: count(reasoning),
            cost: cost(row.cost),
        }
    }

    /// Adds others.
    pub fn add(&mut self, other: &Self) {
        for (own, other) in [
            (&mut self.requests, other.requests),
            (&mut self.errors, other.errors),
            (&mut self.estimated, other.estimated),
            (&mut self.unpriced, other.unpriced),
            (&mut self.input, other.input),
            (&mut self.output, other.output),
            (&mut self.cache_read, other.cache_read),
            (&mut self.cache_write, other.cache_write),
            (&mut self.reasoning, other.reasoning),
        ] {
            *own = own.saturating_add(other);
        }
        self.cost = self.cost.saturating_add(other.cost);
    }
}

/// A cost as a number that can be added up.
pub(super) fn cost(cost: Option<Cost>) -> i128 {
    i128::from(cost.unwrap_or_default().0)
}
