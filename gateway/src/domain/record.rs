//! The finished facts of one request, for log and metrics.

use std::sync::Arc;
use std::time::Duration;

use super::http::Loss;
use super::ledger_row::Cost;
use super::price::Price;
use super::usage::Usage;

/// One try at one target.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Which provider.
    pub provider: Arc<str>,
    /// The provider's own model name.
    pub model: String,
    /// The provider's status, when there was one.
    pub status: Option<u16>,
    /// `ok`, or the kind of the failure.
    pub outcome: &'static str,
    /// For the operator: what went wrong.
    pub error: Option<String>,
    /// From its start to its head, first event or failure.
    pub took: Duration,
    /// An adapter translated it; otherwise bytes passed through.
    pub translated: bool,
    /// The id of the provider key it was sent with, never the key itself.
    pub key: Option<String>,
    /// Tokens of the prompt, as estimated, where its provider may bill them and will not count them: it was cancelled.
    pub spent: Option<u64>,
    /// What its target asked when the request was planned; `None`: nobody knows.
    pub price: Option<Arc<Price>>,
}

impl Attempt {
    /// The outcome of an attempt that was cancelled because another one answered.
    pub const HEDGED_AWAY: &str = "hedged_away";
}

/// One way to an answer that was made for another request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replay {
    /// `cache`, `flight` or `idempotency`.
    pub kind: &'static str,
    /// `hit`, `miss`, `bypass` or `join`.
    pub outcome: &'static str,
}

/// Everything about one finished request. Never a prompt, never a secret.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// Our id for it.
    pub request_id: String,
    /// The client dialect; empty when the path was not known.
    pub dialect: &'static str,
    /// The virtual key's name; empty before it was known.
    pub key: Arc<str>,
    /// The key's team.
    pub team: Option<Arc<str>>,
    /// The model the client asked for, as it is configured; `other` when it is not.
    pub model: Arc<str>,
    /// The model name exactly as the client said it.
    pub asked: String,
    /// Method and path, without the query.
    pub path: String,
    /// The status the client got.
    pub status: u16,
    /// The client asked for a stream.
    pub stream: bool,
    /// The strategy that ordered the model's targets; empty: no plan was made.
    pub balance: &'static str,
    /// Targets that stood in the plan.
    pub planned: usize,
    /// Targets that did not; the explanation of the request says why.
    pub passed_over: usize,
    /// All tries, in the order of their beginning.
    pub attempts: Vec<Attempt>,
    /// The conversation stayed where it is at home (`kept`), did not (`moved`), or is not known (`unknown`); `None`: the
    /// model does not mind.
    pub affinity: Option<&'static str>,
    /// A second attempt beside a slow one answered (`won`), was of no use (`lost`), or was not made (`denied`).
    pub hedge: Option<&'static str>,
    /// From the request's head to the end of the answer.
    pub took: Duration,
    /// From the request's head to the first event or the whole answer.
    pub first_token: Option<Duration>,
    /// Time spent in the gateway itself, before the answer began.
    pub overhead: Duration,
    /// Tokens as the provider counted them; what it did not say is estimated, and marked so.
    pub usage: Option<Usage>,
    /// The rule the provider's counts break; they are recorded as they came.
    pub usage_fault: Option<&'static str>,
    /// What was looked up or joined to answer it without a call of its own, and how that went.
    pub replays: Vec<Replay>,
    /// The request whose call upstream this answer came from: `usage` was spent there and is only told here.
    pub reused_from: Option<String>,
    /// What could not be carried across.
    pub losses: Vec<Loss>,
    /// The kind of the error the request ended with; empty: none.
    pub error_kind: &'static str,
    /// For the operator: what went wrong.
    pub error: Option<String>,
    /// Adapter calls and how they went: function, outcome, time.
    pub plugin_calls: Vec<PluginCall>,
}

/// Calls of one function of an adapter during one request.
#[derive(Clone, Debug)]
pub struct PluginCall {
    /// The adapter's name.
    pub plugin: Arc<str>,
    /// `translate-request`, `push`, …
    pub function: &'static str,
    /// `ok`, `err` (the adapter refused) or `failed` (it trapped, looped or talked nonsense).
    pub outcome: &'static str,
    /// How many calls.
    pub calls: u64,
    /// How long they took together.
    pub took: Duration,
}

impl Record {
    /// The attempt that stands for the request: the one that answered, else the last.
    pub fn decisive(&self) -> Option<&Attempt> {
        let answered = self.attempts.iter().rev().find(|attempt| attempt.outcome == "ok");
        answered.or_else(|| self.attempts.last())
    }

    /// What all of it cost; `None`: of a part of it nobody knows. An answer that was made for another request cost nothing.
    pub fn cost(&self) -> Option<Cost> {
        let mut sum = Cost::default();
        if self.reused_from.is_some() {
            return Some(sum);
        }
        for attempt in self.attempts.iter().filter(|attempt| attempt.spent.is_some()) {
            let usage = Usage { input: attempt.spent, ..Usage::default() };
            sum = sum.plus(attempt.price.as_ref()?.cost(&usage)?);
        }
        let Some(decisive) = self.decisive() else { return Some(sum) };
        match self.usage {
            Some(usage) => Some(sum.plus(decisive.price.as_ref()?.cost(&usage)?)),
            // A refusal costs nothing; what a good answer took that nobody counted is not known.
            None if decisive.outcome == "ok" => {
                Some(sum.plus(decisive.price.as_ref()?.cost(&Usage::default())?))
            }
            None => Some(sum),
        }
    }

    /// Notes what could not be carried across, each field once.
    pub fn lose(&mut self, found: Vec<Loss>) {
        for loss in found {
            if self.losses.iter().all(|known| known.field != loss.field) {
                self.losses.push(loss);
            }
        }
    }

    /// Takes over what one attempt found out: its losses and its usage stand for those of the attempts before it.
    pub fn absorb(&mut self, attempt: Self) {
        self.losses = attempt.losses;
        self.usage = attempt.usage;
        for call in attempt.plugin_calls {
            self.add_plugin_calls(call);
        }
    }

    /// Counts one call into an adapter.
    pub fn count_plugin_call(
        &mut self,
        plugin: &Arc<str>,
        function: &'static str,
        outcome: &'static str,
        took: Duration,
    ) {
        self.add_plugin_calls(PluginCall { plugin: Arc::clone(plugin), function, outcome, calls: 1, took });
    }

    fn add_plugin_calls(&mut self, added: PluginCall) {
        let same = |call: &&mut PluginCall| {
            call.function == added.function && call.outcome == added.outcome && call.plugin == added.plugin
        };
        match self.plugin_calls.iter_mut().find(same) {
            Some(call) => {
                call.calls += added.calls;
                call.took += added.took;
            }
            None => self.plugin_calls.push(added),
        }
    }
}
