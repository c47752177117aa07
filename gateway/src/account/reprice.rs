//! Costs reckoned again from tokens, when a price was wrong.

use std::collections::BTreeMap;

use super::Ledger;
use super::enter::{Spent, json};
use super::place::{self, Moment};
use super::query::Filter;
use super::rows::read;
use super::sums::{self, Sums};
use crate::domain::{Cost, LedgerRow};
use crate::store::{Batch, Class, Key, Page, Scan, Space, StoreError};

/// Records of one batch.
const AT_ONCE: usize = 32;

/// What is reckoned again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repricing {
    /// From this moment, Unix time in milliseconds.
    pub from: u64,
    /// Until before this moment.
    pub to: u64,
    /// Which rows.
    pub filter: Filter,
    /// Only tell what would change.
    pub dry_run: bool,
    /// Also change what was spent of budgets; else they stay as they were charged.
    pub budgets: bool,
}

/// A corrected cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Corrected {
    /// What names the price.
    pub price: String,
    /// What it costs by that price.
    pub cost: Cost,
}

/// What changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repriced {
    /// Rows that were looked at.
    pub rows: u64,
    /// Rows whose cost is another one now.
    pub changed: u64,
    /// Rows that had no price and have one now.
    pub newly_priced: u64,
    /// Rows that have no price still.
    pub unpriced: u64,
    /// What they cost before, in millionths of a micro-dollar.
    pub before: i128,
    /// What they cost now.
    pub after: i128,
    /// The differences, by `provider/target`.
    pub differences: BTreeMap<String, i128>,
}

impl Ledger {
    /// Reckons costs again. `price` says what a row costs; `None`: it is not known, and the row stays as it is. Each batch
    /// changes its rows and their sums together; when it stops in the middle, doing it again goes on.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn reprice(
        &self,
        what: &Repricing,
        price: &(dyn Fn(&LedgerRow) -> Option<Corrected> + Sync),
    ) -> Result<Repriced, StoreError> {
        let mut report = Repriced::default();
        let mut after = Some(place::minute(&Moment::of(what.from)));
        let end = place::minute(&Moment::of(what.to.saturating_add(60_000)));
        loop {
            // Held over reading and writing: rows that come in meanwhile change the same sums.
            let _one = self.writing.lock().await;
            let scan = Scan { prefix: Space::Usage.key(&[]), after, limit: AT_ONCE };
            let Page { entries, next } = self.store.scan(scan).await?;
            let over = entries.last().is_some_and(|(key, _)| *key >= end);
            let wanted = |row: &LedgerRow| {
                (what.from..what.to).contains(&row.at) && row.usage.is_some() && what.filter.takes_row(row)
            };
            let mut changes = Changes::default();
            for (key, value) in entries.iter().filter(|(key, _)| *key < end) {
                let mut rows = read(key, value);
                let mut changed = false;
                for row in rows.iter_mut().filter(|row| wanted(row)) {
                    changed |= changes.look(self, row, price, &mut report);
                }
                if changed {
                    changes.records.push((key.clone(), rows));
                }
            }
            if !what.dry_run {
                self.change(changes, what.budgets).await?;
            }
            after = next.filter(|_| !over);
            if after.is_none() {
                return Ok(report);
            }
        }
    }

    async fn change(&self, changes: Changes, budgets: bool) -> Result<(), StoreError> {
        if changes.records.is_empty() {
            return Ok(());
        }
        let mut batch = Batch::default();
        for (key, rows) in changes.records {
            batch = batch.put(key, json(&rows)?, None);
        }
        batch = self.add_sums(batch, changes.sums).await?;
        if budgets {
            batch = self.add_spent(batch, changes.spent).await?;
        }
        self.store.write(batch, Class::Durable).await
    }
}

/// What a batch changes.
#[derive(Default)]
struct Changes {
    /// Records with at least one changed row.
    records: Vec<(Key, Vec<LedgerRow>)>,
    sums: BTreeMap<Key, Sums>,
    spent: BTreeMap<Key, Spent>,
}

impl Changes {
    /// Looks at a row and gives it its new cost; true: it is another one.
    fn look(
        &mut self,
        ledger: &Ledger,
        row: &mut LedgerRow,
        price: &(dyn Fn(&LedgerRow) -> Option<Corrected> + Sync),
        report: &mut Repriced,
    ) -> bool {
        report.rows += 1;
        let before = sums::cost(row.cost);
        report.before += before;
        let Some(Corrected { price, cost }) = price(row) else {
            report.unpriced += u64::from(row.cost.is_none());
            report.after += before;
            return false;
        };
        let after = i128::from(cost.0);
        report.after += after;
        if row.cost == Some(cost) {
            return false;
        }
        report.changed += 1;
        let newly = row.cost.is_none();
        report.newly_priced += u64::from(newly);
        let difference = after - before;
        *report.differences.entry(format!("{}/{}", row.provider, row.target)).or_default() += difference;
        let changed = Sums { cost: difference, unpriced: -i64::from(newly), ..Sums::default() };
        for key in place::sums(row, &ledger.node) {
            self.sums.entry(key).or_default().add(&changed);
        }
        for place in &row.places {
            let spent = self.spent.entry(place::budget(place, &ledger.node, row.at)).or_default();
            spent.cost += difference;
            spent.at = spent.at.max(row.at);
        }
        (row.price, row.cost) = (Some(price), Some(cost));
        true
    }
}
