//! What one request of a client took upstream, all its attempts together.

use super::Cost;

/// What is charged for a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Charge {
    /// Tokens of prompts and answers.
    pub tokens: u64,
    /// What they cost; `None`: some of it has no known price.
    pub cost: Option<Cost>,
}
