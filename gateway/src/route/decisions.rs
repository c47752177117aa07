//! The latest plans and what became of them, so that an operator can ask why a request went where it did. No prompt is kept.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use serde::{Serialize, Serializer};

use super::explain::name;
use super::{Plan, Step};
use crate::domain::{Record, rfc3339};

/// So many are remembered.
const MOST: usize = 1_000;

/// So many targets of one plan, and so many characters of a name that a client may choose.
const LONGEST: usize = 64;
const WIDEST: usize = 200;

/// One plan and what became of it.
#[derive(Clone, Debug, Serialize)]
pub struct Decision {
    request: String,
    /// Unix time in seconds.
    #[serde(serialize_with = "moment")]
    at: u64,
    key: String,
    asked: String,
    model: String,
    balance: &'static str,
    /// As text: JSON's readers know no whole numbers as large as this.
    #[serde(serialize_with = "digits")]
    seed: u64,
    targets: Vec<String>,
    fallback: Vec<String>,
    passed_over: Vec<Passed>,
    attempts: Vec<Tried>,
    status: u16,
}

#[derive(Clone, Debug, Serialize)]
struct Passed {
    target: String,
    why: String,
}

#[derive(Clone, Debug, Serialize)]
struct Tried {
    target: String,
    outcome: &'static str,
    took_ms: u64,
}

impl Decision {
    /// A plan, and the record of the request it was made for. `at` is Unix time in seconds.
    pub fn of(plan: &Plan, record: &Record, at: u64) -> Self {
        let names = |steps: &[Step]| steps.iter().take(LONGEST).map(|step| short(&name(step))).collect();
        let passed = plan.passed_over.iter().take(LONGEST);
        let tried = record.attempts.iter().take(LONGEST).map(|attempt| Tried {
            target: short(&format!("{}/{}", attempt.provider, attempt.model)),
            outcome: attempt.outcome,
            took_ms: u64::try_from(attempt.took.as_millis()).unwrap_or(u64::MAX),
        });
        Self {
            request: record.request_id.clone(),
            at,
            key: record.key.as_ref().to_owned(),
            asked: short(&record.asked),
            model: plan.model.name.as_ref().to_owned(),
            balance: plan.model.balance.name(),
            seed: plan.seed,
            targets: names(&plan.steps),
            fallback: names(&plan.fallback),
            passed_over: passed
                .map(|(step, why)| Passed { target: short(&name(step)), why: why.to_string() })
                .collect(),
            attempts: tried.collect(),
            status: record.status,
        }
    }
}

fn short(text: &str) -> String {
    let end = text.char_indices().nth(WIDEST).map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or(text).to_owned()
}

fn moment<S: Serializer>(at: &u64, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&rfc3339(*at))
}

fn digits<S: Serializer>(seed: &u64, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(seed)
}

/// The latest decisions, the newest last.
#[derive(Debug, Default)]
pub struct Decisions(Mutex<VecDeque<Arc<Decision>>>);

impl Decisions {
    /// Remembers one; the oldest is forgotten for it.
    pub fn add(&self, decision: Decision) {
        let mut kept = self.0.lock();
        if kept.len() == MOST {
            kept.pop_front();
        }
        kept.push_back(Arc::new(decision));
    }

    /// So many of the latest, the newest first.
    pub fn latest(&self, most: usize) -> Vec<Arc<Decision>> {
        self.0.lock().iter().rev().take(most).cloned().collect()
    }

    /// The latest one for a request. Clients may choose ids, so there can be several.
    pub fn of_request(&self, id: &str) -> Option<Arc<Decision>> {
        self.0.lock().iter().rev().find(|decision| decision.request == id).cloned()
    }
}
