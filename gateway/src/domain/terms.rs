//! On which terms a target is asked: its condition, what it can do, how much it takes.

use std::sync::Arc;

use super::asks::{Abilities, Asks};
use super::condition::Condition;

/// The terms of one target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// It is asked only when this holds.
    pub when: Option<Condition>,
    /// What it can do: its adapter's word, corrected by the operator's.
    pub can: Abilities,
    /// What it cannot do, by the operator's word alone.
    pub cannot: Abilities,
    /// What its provider offers.
    pub offers: Arc<Offers>,
    /// Prompt and answer together, in tokens.
    pub context: Option<u64>,
    /// Largest body, in bytes.
    pub max_body: Option<u64>,
}

/// What a provider offers, whichever of its models is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offers {
    /// Client dialects it speaks itself.
    pub dialects: Vec<String>,
    /// Operations its adapter translates.
    pub operations: Vec<String>,
}

impl Terms {
    /// What is asked in a dialect and cannot be done here. An adapter says what it can translate: a provider that speaks
    /// the client's own dialect is only held to what the operator says.
    pub fn lacks(&self, asks: &Asks, dialect: &str) -> Abilities {
        let asked = asks.abilities();
        if self.speaks(dialect) { asked.and(self.cannot) } else { asked.without(self.can) }
    }

    /// Whether the operation itself can be done here.
    pub fn does(&self, asks: &Asks, dialect: &str) -> bool {
        self.speaks(dialect) || self.offers.operations.iter().any(|word| word == asks.operation.as_str())
    }

    /// Whether it could ever lack something.
    pub fn may_lack(&self) -> bool {
        !self.cannot.is_empty() || !Abilities::ALL.without(self.can).is_empty()
    }

    fn speaks(&self, dialect: &str) -> bool {
        self.offers.dialects.iter().any(|own| own == dialect)
    }
}
