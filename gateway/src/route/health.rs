//! How every target is doing: what runs there now, how soon its first token comes.
//!
//! A [`Fleet`] outlives configurations: what is known of `provider/model` stays known over a reload.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::RwLock;

use super::judge::blame;
use crate::error::GatewayError;

/// Patterns pass any name on, so that clients decide how many targets there are; more than this share one state.
const MOST: usize = 10_000;

/// Share of the newest first token in the mean.
const NEWEST: f64 = 0.2;

/// What is known of every target.
#[derive(Debug, Default)]
pub struct Fleet {
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
}

/// What is known of one target.
#[derive(Debug, Default)]
pub struct TargetState {
    in_flight: AtomicU32,
    /// Mean time to the first token in microseconds, weighted towards now; 0: none yet.
    first_token: AtomicU64,
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
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(1);
        let before = self.state.first_token.load(Ordering::Relaxed);
        let mean =
            if before == 0 { took } else { (before as f64 * (1.0 - NEWEST) + took as f64 * NEWEST) as u64 };
        // Two that end at once may lose one sample; the mean does not mind.
        self.state.first_token.store(mean, Ordering::Relaxed);
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
