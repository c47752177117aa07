//! What was spent of each counter of money, and how counters that forgot it are told.

use std::collections::BTreeMap;
use std::time::Duration;

use super::enter::Spent;
use super::{Ledger, place};
use crate::domain::Cost;
use crate::store::holds::{Part, Rule, Unit};
use crate::store::{Holds, Page, Scan, Space, StoreError};

/// A period of the calendar is over so long after something was booked in it: none is longer than a month.
const LONGEST_PERIOD: Duration = Duration::from_secs(33 * 86_400);

impl Ledger {
    /// What the ledger knows of each counter of money, in millionths of a micro-dollar: of those that roll what is in their
    /// window, of the others all. Counters of periods that are long over are left out.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn spent(&self, now: u64) -> Result<BTreeMap<String, i128>, StoreError> {
        let mut found: BTreeMap<String, i128> = BTreeMap::new();
        let mut after = None;
        loop {
            let scan = Scan { prefix: Space::Budget.key(&[]), after, limit: 512 };
            let Page { entries, next } = self.store.scan(scan).await?;
            for (key, value) in &entries {
                let (Some(parts), Ok(spent)) = (key.parts(), serde_json::from_slice::<Spent>(value)) else {
                    tracing::error!(%key, "what was spent is not what was written");
                    continue;
                };
                if counts(&parts, spent.at, now)
                    && let Some(place) = parts.first()
                {
                    *found.entry((*place).to_owned()).or_default() += spent.cost;
                }
            }
            after = next;
            if after.is_none() {
                return Ok(found);
            }
        }
    }

    /// Tells counters of money what the ledger knows: they say at least that much from now on. Returns how many.
    ///
    /// # Errors
    /// When the store cannot be read, or a counter cannot be told.
    pub async fn prime(&self, holds: &dyn Holds, now: u64) -> Result<usize, StoreError> {
        let spent = self.spent(now).await?;
        let many = spent.len();
        for (place, cost) in spent {
            let rolling = place::rolling(&place).map(Duration::from_millis);
            let total = place.ends_with("/total");
            let life = rolling.map(|window| window + Duration::from_secs(86_400)).unwrap_or(LONGEST_PERIOD);
            let rule = Rule::Money { limit: 0, rolling, life: (!total).then_some(life) };
            let part = Part { place: place.into(), unit: Unit::Money, rule, amount: 0 };
            let cost = Cost(u64::try_from(cost.max(0)).unwrap_or(u64::MAX));
            holds.raise(part, cost).await?;
        }
        Ok(many)
    }
}

fn counts(parts: &[&str], at: u64, now: u64) -> bool {
    let Some(place) = parts.first() else { return false };
    if let Some(window) = place::rolling(place) {
        let number = parts.get(2).and_then(|number| number.parse().ok());
        return number.is_some_and(|number| place::is_in_window(window, number, now));
    }
    let over = u64::try_from(LONGEST_PERIOD.as_millis()).unwrap_or(u64::MAX);
    place.ends_with("/total") || at.saturating_add(over) > now
}
