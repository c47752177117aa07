//! Hedging: when a target is slower than it usually is, a second one is asked beside it, for a small share of requests.
//!
//! This is the arithmetic: which requests, after how long, and how many. `proxy` runs the two attempts.

use std::time::Duration;

use parking_lot::Mutex;

use super::health::TargetState;
use crate::config;
use crate::domain::Operation;

/// The most hedges that are saved up while none is needed.
const SAVED: f64 = 10.0;

/// When a model's requests are hedged.
#[derive(Clone, Debug, PartialEq)]
pub struct Hedge {
    /// The wait before a second attempt; `None`: the 95th percentile of the first target's own first tokens.
    pub after: Option<Duration>,
    /// Hedges per request, 0 to 1.
    pub share: f64,
    /// The shortest wait that a percentile may give.
    pub floor: Duration,
    /// A conversation that is at home is not hedged with more estimated input tokens than these.
    pub warm: u64,
    /// Pictures are made twice if need be.
    pub images: bool,
    /// Sound is made or read twice if need be.
    pub audio: bool,
}

impl Hedge {
    /// As it is configured.
    pub fn new(configured: &config::Hedge) -> Self {
        Self {
            after: configured.after.fixed(),
            share: configured.share,
            floor: configured.floor.get(),
            warm: configured.warm,
            images: configured.also.contains(&config::HedgeAlso::Images),
            audio: configured.also.contains(&config::HedgeAlso::Audio),
        }
    }

    /// Whether requests of this kind may be asked twice. How long a whole answer takes depends on what is asked, so
    /// that a percentile says nothing of it.
    pub fn covers(&self, operation: Operation, stream: bool) -> bool {
        match operation {
            Operation::Chat => stream || self.after.is_some(),
            Operation::CountTokens | Operation::Embeddings | Operation::Rerank | Operation::Moderation => {
                true
            }
            Operation::ImageGeneration | Operation::ImageEdit | Operation::ImageVariation => self.images,
            Operation::Speech | Operation::Transcription | Operation::Translation => self.audio,
        }
    }

    /// How long a target has to show its first token; `None`: too little is known of it.
    pub fn patience(&self, first: &TargetState) -> Option<Duration> {
        self.after.or_else(|| Some(first.first_token_p95()?.max(self.floor)))
    }
}

/// What one model may still spend on hedges. Requests earn it, hedges spend it, and nothing is lent: there never were
/// more hedges than the share of all requests until then.
#[derive(Debug, Default)]
pub struct Budget {
    saved: Mutex<f64>,
}

impl Budget {
    /// A request that may be hedged has begun.
    pub fn earn(&self, share: f64) {
        let mut saved = self.saved.lock();
        *saved = (*saved + share).min(SAVED);
    }

    /// Takes one hedge out, if there is one.
    pub fn spend(&self) -> bool {
        let mut saved = self.saved.lock();
        // Twenty times 0.05 is a little less than 1 in binary.
        let enough = *saved > 1.0 - 1e-9;
        if enough {
            *saved = (*saved - 1.0).max(0.0);
        }
        enough
    }
}

#[cfg(test)]
mod tests;
