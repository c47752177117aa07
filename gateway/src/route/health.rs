//! How every target is doing: what runs there now, how soon its first token comes.
//!
//! A [`Fleet`] outlives configurations: what is known of `provider/model` stays known over a reload.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};

use super::hedge::Budget;
use super::judge::blame;
use crate::error::GatewayError;

/// Patterns pass any name on, so that clients decide how many targets there are; more than this share one state.
const MOST: usize = 10_000;

/// Share of the newest first token in the mean.
const NEWEST: f64 = 0.2;

/// So many first tokens are kept for their percentile.
const RECENT: usize = 256;

/// Fewer say nothing.
const FEWEST: usize = 20;

/// What is known of every target.
#[derive(Debug, Default)]
pub struct Fleet {
    /// What each configured model may spend on hedges.
    budgets: Mutex<HashMap<Arc<str>, Arc<Budget>>>,
    targets: RwLock<HashMap<(Arc<str>, String), Arc<TargetState>>>,
}

impl Fleet {
    /// What is known of one target; a new one is healthy.
    pub fn target(&self, provider: &Arc<str>, model: &str) -> Arc<TargetState> {
        let key = (Arc::clone(provider), model.to_owned());
        if let Some(state) = self.targets.read().get(&key) {
            return Arc::clone(state);
        }
        let mut targets = self.targets.write();
        let key = if targets.len() < MOST { key } else { (Arc::clone(provider), "*".to_owned()) };
        Arc::clone(targets.entry(key).or_default())
    }

    /// What one model may spend on hedges; `model` is its name or pattern as configured.
    pub fn hedges(&self, model: &Arc<str>) -> Arc<Budget> {
        Arc::clone(self.budgets.lock().entry(Arc::clone(model)).or_default())
    }
}

/// What is known of one target.
#[derive(Debug, Default)]
pub struct TargetState {
    in_flight: AtomicU32,
    /// Mean time to the first token in microseconds, weighted towards now; 0: none yet.
    first_token: AtomicU64,
    /// The latest first tokens in microseconds.
    recent: Mutex<VecDeque<u64>>,
}

impl TargetState {
    /// A request is sent there.
    pub fn begin(self: &Arc<Self>) -> Running {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        Running { state: Arc::clone(self) }
    }

    /// Requests it is answering now.
    pub fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// A request was given up after so long without a first token, because another target answered it.
    pub fn outlasted(&self, took: Duration) {
        if self.first_token().is_some_and(|mean| took > mean) {
            self.took(took);
        }
    }

    /// The 95th percentile of its latest first tokens; `None`: there are too few to say.
    pub fn first_token_p95(&self) -> Option<Duration> {
        let recent = self.recent.lock();
        if recent.len() < FEWEST {
            return None;
        }
        let mut sorted: Vec<u64> = recent.iter().copied().collect();
        sorted.sort_unstable();
        sorted.get(sorted.len() * 95 / 100).map(|micros| Duration::from_micros(*micros))
    }

    fn took(&self, took: Duration) {
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(1);
        let before = self.first_token.load(Ordering::Relaxed);
        let mean =
            if before == 0 { took } else { (before as f64 * (1.0 - NEWEST) + took as f64 * NEWEST) as u64 };
        // Two that end at once may lose one sample; the mean does not mind.
        self.first_token.store(mean, Ordering::Relaxed);
        let mut recent = self.recent.lock();
        if recent.len() == RECENT {
            recent.pop_front();
        }
        recent.push_back(took);
    }

    /// How long its first token took of late.
    pub fn first_token(&self) -> Option<Duration> {
        let mean = self.first_token.load(Ordering::Relaxed);
        (mean > 0).then(|| Duration::from_micros(mean))
    }
}

/// A request a target is answering; it counts until this is dropped.
#[derive(Debug)]
pub struct Running {
    state: Arc<TargetState>,
}

impl Running {
    /// The first event, or the whole answer, is there.
    pub fn answered(&self, took: Duration) {
        self.state.took(took);
    }

    /// The attempt failed before there was an answer.
    pub fn failed(&self, error: &GatewayError) {
        let _ = blame(error);
    }

    /// The answer has ended, well or not.
    pub fn ended(self, error: Option<&GatewayError>) {
        let _ = error.map(blame);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.state.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
