//! Question → the targets to try, in order.
//!
//! `table` finds the model, `filter` says which of its targets may not be asked and why, `plan` has a strategy of `balance`
//! order the rest, and `wish` obeys what the request wishes itself. `explain` shows a plan, `imagined` makes a question of
//! an operator's words, `decisions` remembers the latest plans. `health` knows how each target is doing and `experience`
//! what its answers told, `judge` whose fault a failure was, `retry` what follows from it.

use std::sync::Arc;
use std::time::Instant;

use crate::domain::{Abilities, Price, RequestHead, VirtualKey, Wishes};
use crate::error::{GatewayError, Kind};

mod affinity;
mod auto;
mod decisions;
mod experience;
mod explain;
mod filter;
mod fitness;
mod health;
mod hedge;
mod imagined;
mod judge;
mod last_resort;
mod nobody;
mod plan;
mod retry;
mod table;
mod variant;
mod wish;

pub use affinity::{Affinity, Clues, Conversation, Place};
pub use auto::AUTO;
pub use decisions::{Decision, Decisions};
pub use experience::Experience;
pub use explain::{Told, as_json, as_text};
pub use filter::Why;
pub use fitness::{Facts, Unfit};
pub use health::{
    Breaker, Care, Degrade, Entry, Fleet, Kept, Reason, Resting, Rests, Running, Shown, Standing, TargetState,
};
pub use hedge::{Budget, Hedge};
pub use imagined::Imagined;
pub use judge::{blame, refined};
pub use retry::{Judgement, Retry};
pub use table::{Memories, Model, Reading, Table};

/// What a plan is made from.
#[derive(Clone, Copy)]
pub struct Question<'q> {
    /// Who asks.
    pub key: &'q VirtualKey,
    /// The model's name as the client said it.
    pub asked: &'q str,
    /// What else it said before the body.
    pub head: &'q RequestHead,
    /// When it is asked.
    pub now: Instant,
    /// What tells which conversation it belongs to.
    pub clues: Clues<'q>,
    /// What is known of the rest.
    pub facts: Facts<'q>,
    /// What it wishes of its targets; `None`: nothing, or its key may not.
    pub wishes: Option<&'q Wishes>,
    /// What is drawn follows from this number alone.
    pub seed: u64,
}

/// Whether strategies count this plan as a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turns {
    /// A request is planned.
    Taken,
    /// A plan is only shown: the next request gets the same.
    Untouched,
}

/// One target, resolved for one request.
#[derive(Clone, Debug)]
pub struct Step {
    /// The provider's name in the configuration.
    pub provider: Arc<str>,
    /// The provider's own model name.
    pub model: String,
    /// How it is doing.
    pub state: Arc<TargetState>,
    /// What it costs, for this request to its end; `None`: nobody knows.
    pub price: Option<Arc<Price>>,
    /// Where it stands and why; only in a plan that is shown.
    pub told: Option<Box<Told>>,
    /// How it is asked: as a last resort when it rests and nobody else is left.
    pub entry: Entry,
    /// What it lacks of what is asked; it stands behind those that lack nothing.
    pub lacks: Abilities,
    /// Prompt and answer together, in tokens, as far as that is told.
    pub context: Option<u64>,
}

/// Targets to try, in order.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The model as it is configured.
    pub model: Arc<Model>,
    /// Its name as it is asked for: what `auto` stood for, where that was said.
    pub asked: String,
    /// Best first.
    pub steps: Vec<Step>,
    /// In order, each once, when the steps have failed.
    pub fallback: Vec<Step>,
    /// In order, each once, when one has refused the content.
    pub on_content_policy: Vec<Step>,
    /// In order, each once, when the prompt was too long for one.
    pub on_context_length: Vec<Step>,
    /// Targets that are not asked, and why.
    pub passed_over: Vec<(Step, Why)>,
    /// What came of keeping a conversation in its place; `None`: the model does not.
    pub affinity: Option<Affinity>,
    /// The effort of reasoning that the model's name asked for.
    pub effort: Option<&'static str>,
    /// A target that would lose something of the request is not wished.
    pub strict: bool,
    /// What chance was drawn from.
    pub seed: u64,
}

impl Table {
    /// What a name means for a key that may use it.
    ///
    /// # Errors
    /// [`Kind::ModelNotFound`] naming close ones, [`Kind::Permission`] for a model the key may not use.
    pub fn permitted<'a>(&'a self, key: &VirtualKey, asked: &'a str) -> Result<Reading<'a>, GatewayError> {
        let reading = self.read(asked).ok_or_else(|| self.unknown(key, asked))?;
        if key.may_use(&reading.name) {
            return Ok(reading);
        }
        let name = &reading.name;
        Err(GatewayError {
            param: Some("model".to_owned()),
            ..GatewayError::client(
                Kind::Permission,
                format!("this key may not use the model `{name}`; ask the gateway's operator to add it"),
            )
        })
    }

    fn unknown(&self, key: &VirtualKey, asked: &str) -> GatewayError {
        let close = self.close_to(asked, |name| key.may_use(name));
        let hint = if close.is_empty() {
            "see /v1/models for what there is".to_owned()
        } else {
            format!(
                "did you mean {}?",
                close.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
            )
        };
        GatewayError {
            param: Some("model".to_owned()),
            ..GatewayError::client(Kind::ModelNotFound, format!("the model `{asked}` does not exist; {hint}"))
        }
    }
}

#[cfg(test)]
mod tests;
