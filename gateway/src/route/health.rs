//! How every target is doing: what runs there now, how soon its first token comes, whether it may be asked.
//!
//! A [`Fleet`] outlives configurations: what is known of `provider/model` stays known over a reload, and `kept` is the
//! form in which it outlives the process. `circuit` is the state machine of one target, `share` counts its failures,
//! `first_tokens` its speed; `target` puts the three behind locks, and `care` says what a model wants done.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;

use super::hedge::Budget;

mod care;
mod circuit;
mod first_tokens;
mod kept;
mod reason;
mod share;
mod target;

pub use care::{Breaker, Care, Degrade, Rests};
pub use circuit::Entry;
pub use kept::Kept;
pub use reason::{Reason, Resting};
pub use target::{Running, Shown, Standing, TargetState};

/// Patterns pass any name on, so that clients decide how many targets there are; more than this share one state.
const MOST: usize = 10_000;

/// How often room is made for new ones.
const SWEPT_EVERY: Duration = Duration::from_secs(10);

/// The name that stands for all models of a provider that are not known one by one.
const MANY: &str = "*";

/// The provider's name in the configuration, and its own name of the model.
type Name = (Arc<str>, String);

/// What is known of every target.
#[derive(Debug, Default)]
pub struct Fleet {
    /// What each configured model may spend on hedges.
    budgets: Mutex<HashMap<Arc<str>, Arc<Budget>>>,
    targets: RwLock<HashMap<Name, Arc<TargetState>>>,
    /// When room was made among them.
    swept: Mutex<Option<Instant>>,
    shared: Arc<Shared>,
}

/// What all targets tell.
#[derive(Debug, Default)]
struct Shared {
    /// Somewhere something has changed that should be kept.
    changed: Notify,
    /// Rests so far, by provider and reason.
    rests: Mutex<BTreeMap<(Arc<str>, &'static str), u64>>,
}

impl Shared {
    fn count(&self, provider: &Arc<str>, reason: Reason) {
        *self.rests.lock().entry((Arc::clone(provider), reason.as_str())).or_default() += 1;
    }
}

impl Fleet {
    /// What is known of one target; a new one is healthy.
    pub fn target(&self, provider: &Arc<str>, model: &str) -> Arc<TargetState> {
        let key = (Arc::clone(provider), model.to_owned());
        if let Some(state) = self.targets.read().get(&key) {
            return Arc::clone(state);
        }
        let mut targets = self.targets.write();
        if targets.len() >= MOST {
            self.make_room(&mut targets, Instant::now());
        }
        let full = targets.len() >= MOST;
        let key = if full { (Arc::clone(provider), MANY.to_owned()) } else { key };
        let (provider, model) = key.clone();
        let new = || Arc::new(TargetState::new(provider, model, full, Arc::clone(&self.shared)));
        Arc::clone(targets.entry(key).or_insert_with(new))
    }

    fn make_room(&self, targets: &mut HashMap<Name, Arc<TargetState>>, now: Instant) {
        let mut swept = self.swept.lock();
        if swept.is_none_or(|swept| now.saturating_duration_since(swept) >= SWEPT_EVERY) {
            *swept = Some(now);
            targets.retain(|_, state| Arc::strong_count(state) > 1 || !state.is_plain(now));
        }
    }

    /// A target that is known already.
    pub fn known(&self, provider: &str, model: &str) -> Option<Arc<TargetState>> {
        self.targets.read().get(&(Arc::from(provider), model.to_owned())).cloned()
    }

    /// Every known target, by name.
    pub fn all(&self) -> Vec<Arc<TargetState>> {
        let mut all: Vec<_> =
            self.targets.read().iter().map(|(key, state)| (key.clone(), Arc::clone(state))).collect();
        all.sort_by(|(one, _), (other, _)| one.cmp(other));
        all.into_iter().map(|(_, state)| state).collect()
    }

    /// How often targets began to rest, by provider and reason.
    pub fn rests(&self) -> BTreeMap<(Arc<str>, &'static str), u64> {
        self.shared.rests.lock().clone()
    }

    /// Comes back when something has changed that should be kept.
    pub async fn changed(&self) {
        self.shared.changed.notified().await;
    }

    /// What the store shall hold that it does not hold yet. `unix`: milliseconds since 1970, at the moment of `now`.
    pub fn to_keep(&self, now: Instant, unix: u64) -> Vec<(Name, Kept)> {
        let all: Vec<_> = {
            let targets = self.targets.read();
            targets.iter().map(|(key, state)| (key.clone(), Arc::clone(state))).collect()
        };
        all.into_iter().filter_map(|(key, state)| Some((key, state.to_keep(now, unix)?))).collect()
    }

    /// What the store held when the process began.
    pub fn restore(&self, provider: &str, model: &str, kept: Kept, (now, unix): (Instant, u64)) {
        self.target(&Arc::from(provider), model).restore(kept, now, unix);
    }

    /// What one model may spend on hedges; `model` is its name or pattern as configured.
    pub fn hedges(&self, model: &Arc<str>) -> Arc<Budget> {
        Arc::clone(self.budgets.lock().entry(Arc::clone(model)).or_default())
    }
}

#[cfg(test)]
mod tests;
