//! What one client request came to, over everybody that was asked for it.

use super::Cost;

/// Tokens and money of all upstream requests that were made for one client request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Charge {
    /// Prompts and answers together; `None`: it is not known.
    pub tokens: Option<u64>,
    /// What they cost; `None`: it is not known. Never zero for that.
    pub cost: Option<Cost>,
}

impl Charge {
    /// Nobody was asked.
    pub const NOTHING: Self = Self { tokens: Some(0), cost: Some(Cost(0)) };

    /// Both together. What is not known of one is not known of both.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let tokens = self.tokens.zip(other.tokens).map(|(one, two)| one.saturating_add(two));
        let cost = self.cost.zip(other.cost).map(|(one, two)| one.plus(two));
        Self { tokens, cost }
    }
}
