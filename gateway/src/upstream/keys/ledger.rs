//! Rests outlive the process: each long one is a record in the store, which ends by itself.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::rest::Cause;
use super::state::Begun;
use super::{Millis, Pool, read_id, shown};
use crate::store::{Batch, Scan, Space, Store, StoreError};

/// Shorter rests are over before a restart is.
const WORTH_KEEPING: Millis = 20_000;
/// A record stays a little longer than its rest, for the number of rests in a row.
const LONGER: Duration = Duration::from_secs(3600);
/// Records read at once.
const PAGE: usize = 1000;
/// What these records are about, beside other things that rest.
const KIND: &str = "provider-key";

/// Where the rests of a provider's keys are kept.
#[derive(Clone)]
pub struct Ledger {
    store: Arc<dyn Store>,
    provider: Arc<str>,
}

impl fmt::Debug for Ledger {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Ledger({})", self.provider)
    }
}

impl Ledger {
    /// The ledger of the provider of this name.
    pub fn new(store: Arc<dyn Store>, provider: &str) -> Self {
        Self { store, provider: provider.into() }
    }

    fn key(&self, digest: u64, model: &str) -> crate::store::Key {
        Space::Rest.key(&[KIND, &self.provider, &shown(digest), model])
    }

    /// What cannot be kept is only forgotten at a restart, and not known to other nodes.
    fn note(&self, batch: Batch) {
        if let Err(error) = self.store.note(batch.announce(Space::Rest)) {
            tracing::debug!(%error, provider = %self.provider, "the rest of a provider key is not kept");
        }
    }
}

/// A rest as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept<'a> {
    #[serde(borrow)]
    place: std::borrow::Cow<'a, str>,
    cause: Cause,
    until: Millis,
    level: u32,
}

impl Pool {
    /// From now on rests are kept there.
    pub fn keep_in(&self, ledger: Ledger) {
        // Once set it stays: a pool has one provider for all its life.
        let _ = self.ledger.set(ledger);
    }

    /// Reads the rests of an earlier process; tells how many go on.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn resume(&self, now: Millis) -> Result<usize, StoreError> {
        let Some(ledger) = self.ledger.get() else { return Ok(0) };
        let prefix = Space::Rest.key(&[KIND, &ledger.provider]);
        let mut after = None;
        let mut resumed = 0;
        loop {
            let scan = Scan { prefix: prefix.clone(), after, limit: PAGE };
            let page = ledger.store.scan(scan).await?;
            let mut gone = Batch::default();
            let mut any = false;
            for (key, value) in page.entries {
                let found = key.parts().and_then(|parts| match parts.as_slice() {
                    [_, _, id, model] => Some((self.circle.index(read_id(id)?)?, (*model).to_owned())),
                    _ => None,
                });
                let kept = serde_json::from_slice::<Kept<'_>>(&value).ok();
                match (found, kept.filter(|kept| kept.place == self.place)) {
                    (Some((index, model)), Some(kept)) => {
                        let begun = Begun {
                            cause: kept.cause,
                            until: kept.until,
                            level: kept.level,
                            model: (!model.is_empty()).then_some(model),
                            why: kept.cause.as_str(),
                        };
                        self.state.lock().resume(&self.settings, index, &begun, now);
                        resumed += usize::from(kept.until > now);
                    }
                    // The key is no longer there, or it is sent elsewhere.
                    _ => {
                        gone = gone.delete(key);
                        any = true;
                    }
                }
            }
            if any {
                ledger.note(gone);
            }
            after = page.next;
            if after.is_none() {
                return Ok(resumed);
            }
        }
    }

    pub(super) fn keep(&self, digest: u64, begun: &Begun, now: Millis) {
        let Some(ledger) = self.ledger.get() else { return };
        let left = begun.until.saturating_sub(now);
        let kept = Kept {
            place: self.place.as_str().into(),
            cause: begun.cause,
            until: begun.until,
            level: begun.level,
        };
        let Ok(value) = serde_json::to_vec(&kept) else { return };
        if left >= WORTH_KEEPING {
            let key = ledger.key(digest, begun.model.as_deref().unwrap_or_default());
            let life = Duration::from_millis(left).saturating_add(LONGER);
            ledger.note(Batch::default().put(key, value, Some(life)));
        }
    }

    /// A rest is over before its time, at all models and at these.
    pub(super) fn forget<'m>(&self, digest: u64, models: impl IntoIterator<Item = &'m str>) {
        let Some(ledger) = self.ledger.get() else { return };
        let mut batch = Batch::default().delete(ledger.key(digest, ""));
        for model in models {
            batch = batch.delete(ledger.key(digest, model));
        }
        ledger.note(batch);
    }

    /// Keys that are no longer there need no record.
    pub(super) fn forget_gone(&self, before: &Pool, same_place: bool) {
        let gone: Vec<_> = {
            let state = before.state.lock();
            let resting = state.rests.keys().map(|key| (*key, ""));
            let limited = state
                .models
                .iter()
                .flat_map(|(model, line)| line.rests.keys().map(|key| (*key, model.as_ref())));
            let digest = |key: u32| before.keys.get(key as usize).map(|key| key.digest);
            resting
                .chain(limited)
                .filter_map(|(key, model)| Some((digest(key)?, model.to_owned())))
                .filter(|(digest, _)| !same_place || self.circle.index(*digest).is_none())
                .collect()
        };
        for (digest, model) in gone {
            self.forget(digest, [model.as_str()]);
        }
    }
}
