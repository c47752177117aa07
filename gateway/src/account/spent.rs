//! What was spent of each counter of money.

use std::collections::BTreeMap;

use super::Ledger;
use super::enter::Spent;
use crate::store::{Page, Scan, Space, StoreError};

impl Ledger {
    /// What the ledger knows of each counter of money, in millionths of a micro-dollar.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn spent(&self) -> Result<BTreeMap<String, i128>, StoreError> {
        let mut found: BTreeMap<String, i128> = BTreeMap::new();
        let mut after = None;
        loop {
            let scan = Scan { prefix: Space::Budget.key(&[]), after, limit: 512 };
            let Page { entries, next } = self.store.scan(scan).await?;
            for (key, value) in &entries {
                let place = key.parts().and_then(|parts| parts.first().map(|place| (*place).to_owned()));
                let (Some(place), Ok(spent)) = (place, serde_json::from_slice::<Spent>(value)) else {
                    tracing::error!(%key, "what was spent is not what was written");
                    continue;
                };
                *found.entry(place).or_default() += spent.cost;
            }
            after = next;
            if after.is_none() {
                return Ok(found);
            }
        }
    }
}
