//! What a plan is made from: everything that is known of a request, gathered where it stands.

use std::time::Instant;

use super::exchange::Exchange;
use super::service::Ground;
use crate::dialect::Dialect;
use crate::domain::{Envelope, LazyAsks, Operation, VirtualKey, Wishes};
use crate::error::GatewayError;
use crate::route::{AUTO, Clues, Facts, Plan, Question, Turns};
use crate::state::Snapshot;

/// One request, before it has a plan.
pub(super) struct Asked<'a> {
    pub(super) key: &'a VirtualKey,
    pub(super) dialect: &'static dyn Dialect,
    pub(super) envelope: &'a Envelope,
    /// The first answer of its conversation, where that is kept here.
    pub(super) first_answer: Option<String>,
    /// What it wishes of its targets.
    pub(super) wishes: Option<&'a Wishes>,
    /// The model that answers instead of the one it names.
    pub(super) instead: Option<&'a str>,
}

impl Asked<'_> {
    /// Which targets are tried, in order.
    ///
    /// # Errors
    /// As [`Table::plan`](crate::route::Table::plan).
    pub(super) fn plan(
        &self,
        ground: &Ground,
        snapshot: &Snapshot,
        exchange: &mut Exchange,
    ) -> Result<Plan, GatewayError> {
        let Self { key, dialect, envelope, wishes, .. } = *self;
        let talks = dialect.operation() == Operation::Chat;
        let clues = Clues {
            body: if talks { &envelope.body } else { &[] },
            first_answer: self.first_answer.as_deref(),
            headers: &snapshot.session_headers,
        };
        // Looked for only when the plan wants to know.
        let asks: LazyAsks<'_> = LazyAsks::new(Box::new(|| dialect.asks(envelope)));
        let (session, since) = (exchange.head.session(), exchange.created);
        let facts = Facts { asks: &asks, dialect: dialect.id(), session, now: since };
        let asked = self.instead.unwrap_or(&envelope.model);
        let (head, now, seed) = (&exchange.head, Instant::now(), fastrand::u64(..));
        let question = Question { key, asked, head, now, facts, clues, wishes, seed };
        let plan = snapshot.routes.plan(&question, &ground.fleet, Turns::Taken)?;
        exchange.record.model = plan.model.name.clone();
        exchange.chosen = (asked == AUTO && *plan.asked != *AUTO).then(|| plan.asked.clone());
        exchange.keep_alive = plan.model.keep_alive;
        Ok(plan)
    }
}
