//! What an answer took, told to whoever counts it when the answer has ended.

use super::answer::Answer;
use super::attempt::Request;
use super::exchange::Exchange;
use super::provider_key::InHand;
use super::service::Ground;
use super::{counted, room};
use crate::domain::{Operation, Usage};
use crate::error::{GatewayError, Kind};

/// Who wants to know what an answer took.
pub(super) struct Spent(Option<Counting>);

/// Who counts what a target's answer takes.
pub(super) struct Counting {
    in_hand: Option<InHand>,
    target: String,
}

impl Counting {
    /// For an answer that a target makes now.
    pub(super) fn of(answer: &Answer) -> Self {
        Self { in_hand: answer.in_hand.clone(), target: answer.target.clone() }
    }

    /// Counts it against the limits of the provider and its key.
    pub(super) fn tell(&self, ground: &Ground, usage: Option<Usage>) {
        if let Some(key) = &self.in_hand {
            key.spent(usage);
        }
        room::spent(ground, &self.target, usage);
    }
}

impl Spent {
    /// Of an answer that is about to be sent.
    pub(super) fn of(exchange: &mut Exchange, answer: &Answer) -> Self {
        let affinity = exchange.plan.as_ref().and_then(|plan| plan.affinity.as_ref());
        exchange.record.affinity = affinity.map(|affinity| affinity.outcome(&answer.target));
        // An answer that serves several requests is counted once, by whoever makes it; a kept one took nothing.
        Self(answer.running.is_some().then(|| Counting::of(answer)))
    }

    /// Counts it, sent or not: what its provider did not count is estimated.
    pub(super) fn tell(self, exchange: &mut Exchange, request: &Request<'_>) {
        if request.dialect.operation() == Operation::Chat {
            counted::complete(exchange, &request.envelope.body);
        }
        if let Some(counting) = self.0 {
            counting.tell(request.ground, exchange.record.usage);
        }
    }
}

/// There was no answer. When the client left, a provider may have been at work all the same.
pub(super) fn nothing(exchange: &mut Exchange, request: &Request<'_>, error: &GatewayError) {
    if matches!(error.kind, Kind::ClientGone | Kind::Cancelled)
        && request.dialect.operation() == Operation::Chat
    {
        counted::left(exchange, &request.envelope.body);
    }
}
