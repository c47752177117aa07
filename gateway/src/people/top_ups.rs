//! What users pay: a ledger of top-ups whose sum is the credit side of their balance.
//!
//! An entry is added and never changed; what was entered wrongly is corrected by another one. The balance is what the
//! entries come to, less what the ledger of requests says was spent against it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::records::{TierPlan, TopUpRecord};
use super::shelf::{Shelf, read};
use super::users::{missing, new_id};
use super::{People, Refusal, fields};
use crate::domain::{Micros, rfc3339};
use crate::store::{Key, Page, Scan, Space, StoreError};

/// An entry to be made.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NewTopUp {
    /// The payment's own id. The same id for the same amount again is the same entry: telling it twice counts once.
    /// None: one is made.
    pub id: Option<String>,
    /// US dollars. Below zero it corrects earlier entries, and wants a reason.
    #[schema(value_type = f64, required)]
    pub usd: Micros,
    /// Why.
    pub reason: String,
}

/// An entry as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct TopUpView {
    /// Its id.
    pub id: String,
    /// Whose balance it is.
    pub user: String,
    /// US dollars.
    #[schema(value_type = f64)]
    pub usd: Micros,
    /// Why.
    pub reason: String,
    /// Who entered it.
    pub by: String,
    /// When.
    pub at: String,
}

/// Some entries, and where to go on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TopUpPage {
    /// In order of their ids.
    pub top_ups: Vec<TopUpView>,
    /// The id to go on behind; none: these were the last.
    pub next: Option<String>,
}

/// A user's balance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct BalanceView {
    /// What the entries come to, in US dollars.
    #[schema(value_type = f64)]
    pub topped_up_usd: Micros,
    /// What was spent against it.
    #[schema(value_type = f64)]
    pub spent_usd: Micros,
    /// The first less the second.
    #[schema(value_type = f64)]
    pub balance_usd: Micros,
    /// How low it may go.
    #[schema(value_type = f64)]
    pub floor_usd: Micros,
}

impl People {
    /// Adds an entry to a user's top-ups. It counts from the next request on.
    ///
    /// # Errors
    /// When the amount is nothing, the entries would come to less than nothing or more than can be counted, the id was
    /// used for another amount, or there is no such user.
    pub async fn top_up(&self, user: &str, new: NewTopUp, by: &str) -> Result<TopUpView, Refusal> {
        let _one = self.changing.lock().await;
        let record = self.drafted_top_up(user, new, by)?;
        let key = at(user, &record.id);
        if let Some((_, entered)) = self.shelf.get::<TopUpRecord>(key.clone()).await? {
            return same(entered, &record);
        }
        let before = self.known.read().topped_up.get(user).copied().unwrap_or(0);
        let after = match before.checked_add(record.amount_micros) {
            None => return Err(Refusal::invalid("usd", "the balance would be too large")),
            Some(..0) => return Err(Refusal::invalid("usd", "it takes away more than was ever topped up")),
            Some(after) => after,
        };
        self.shelf.put(key, None, &record).await?;
        self.known.write().topped_up.insert(user.to_owned(), after);
        self.recompile_of_users(|known| known.id == user);
        self.tell().await;
        Ok(view(record))
    }

    /// A user's entries, a page at a time, behind the one with this id.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn top_ups(&self, user: &str, after: Option<&str>, limit: usize) -> Result<TopUpPage, Refusal> {
        let after = after.map(|id| at(user, id));
        let limit = limit.clamp(1, 1_000);
        let scan = Scan { prefix: Space::TopUp.key(&[user]), after, limit };
        let Page { entries, next } = self.shelf.store.scan(scan).await?;
        let mut top_ups = Vec::with_capacity(entries.len());
        for (key, bytes) in &entries {
            top_ups.push(view(read(key, bytes)?));
        }
        let next = next.and_then(|key| key.parts()?.last().map(|id| (*id).to_owned()));
        Ok(TopUpPage { top_ups, next })
    }

    /// A user's balance; `spent` is what was spent against it, of which others keep count. None: their tier has no balance.
    ///
    /// # Errors
    /// When there is no such user.
    pub fn balance(&self, user: &str, spent: Micros) -> Result<Option<BalanceView>, Refusal> {
        let known = self.known.read();
        let tier = known.users.get(user).ok_or_else(|| missing(user))?.tier.as_deref();
        let Some(TierPlan::PayAsYouGo { floor_micros }) =
            tier.and_then(|tier| known.tiers.get(tier)).map(|tier| &tier.plan)
        else {
            return Ok(None);
        };
        let topped_up = known.topped_up.get(user).copied().unwrap_or(0);
        Ok(Some(BalanceView {
            topped_up_usd: Micros(topped_up),
            spent_usd: spent,
            balance_usd: Micros(topped_up.saturating_sub(spent.get())),
            floor_usd: Micros(*floor_micros),
        }))
    }

    fn drafted_top_up(&self, user: &str, new: NewTopUp, by: &str) -> Result<TopUpRecord, Refusal> {
        if !self.known.read().users.contains_key(user) {
            return Err(missing(user));
        }
        let reason = fields::text("reason", &new.reason)?;
        match new.usd.get() {
            0 => return Err(Refusal::invalid("usd", "it is zero")),
            ..0 if reason.trim().is_empty() => {
                return Err(Refusal::invalid("reason", "a correction wants a reason"));
            }
            _ => {}
        }
        let id = match &new.id {
            Some(id) => fields::name("id", id)?,
            None => new_id("top-up"),
        };
        let (user, by) = (user.to_owned(), by.to_owned());
        Ok(TopUpRecord { id, user, amount_micros: new.usd.get(), reason, by, at: self.now() })
    }
}

impl Shelf {
    /// What each user's entries come to. One that cannot be read stops it: a balance must not be guessed.
    pub(super) async fn topped_up(&self) -> Result<BTreeMap<String, i64>, StoreError> {
        // Wider than the sum: in the order of their ids a part of them may come to more than all.
        let mut sums = BTreeMap::<String, i128>::new();
        let mut after = None;
        loop {
            let scan = Scan { prefix: Space::TopUp.key(&[]), after, limit: 512 };
            let page = self.store.scan(scan).await?;
            for (key, bytes) in &page.entries {
                let entry: TopUpRecord = read(key, bytes)?;
                let sum = sums.entry(entry.user).or_default();
                *sum = sum.saturating_add(i128::from(entry.amount_micros));
            }
            after = page.next;
            if after.is_none() {
                let bounded = |sum: i128| i64::try_from(sum.max(0)).unwrap_or(i64::MAX);
                return Ok(sums.into_iter().map(|(user, sum)| (user, bounded(sum))).collect());
            }
        }
    }
}

/// An entry that was made before under the same id.
fn same(entered: TopUpRecord, again: &TopUpRecord) -> Result<TopUpView, Refusal> {
    if entered.amount_micros == again.amount_micros {
        return Ok(view(entered));
    }
    let amount = Micros(entered.amount_micros);
    Err(Refusal::Conflict(format!(
        "the top-up `{}` was entered before, over {amount} US dollars",
        entered.id
    )))
}

fn at(user: &str, id: &str) -> Key {
    Space::TopUp.key(&[user, id])
}

fn view(record: TopUpRecord) -> TopUpView {
    let TopUpRecord { id, user, amount_micros, reason, by, at } = record;
    TopUpView { id, user, usd: Micros(amount_micros), reason, by, at: rfc3339(at) }
}
