//! What an answer took, told to whoever counts it when the answer has ended.

use super::answer::Answer;
use super::attempt::Request;
use super::exchange::Exchange;
use super::provider_key::InHand;
use super::{counted, room};
use crate::domain::Operation;
use crate::error::{GatewayError, Kind};

/// Who wants to know what an answer took.
pub(super) struct Spent {
    in_hand: Option<InHand>,
    target: String,
}

impl Spent {
    /// Of an answer that is about to be sent.
    pub(super) fn of(exchange: &mut Exchange, answer: &Answer) -> Self {
        let affinity = exchange.plan.as_ref().and_then(|plan| plan.affinity.as_ref());
        exchange.record.affinity = affinity.map(|affinity| affinity.outcome(&answer.target));
        Self { in_hand: answer.in_hand.clone(), target: answer.target.clone() }
    }

    /// Counts it, sent or not: what its provider did not count is estimated.
    pub(super) fn tell(self, exchange: &mut Exchange, request: &Request<'_>) {
        if request.dialect.operation() == Operation::Chat {
            counted::complete(exchange, &request.envelope.body);
        }
        if let Some(key) = self.in_hand {
            key.spent(exchange.record.usage);
        }
        room::spent(request.ground, &self.target, exchange.record.usage);
    }
}

/// There was no answer. When the client left, a provider may have been at work all the same.
pub(super) fn nothing(exchange: &mut Exchange, request: &Request<'_>, error: &GatewayError) {
    if error.kind == Kind::ClientGone && request.dialect.operation() == Operation::Chat {
        counted::left(exchange, &request.envelope.body);
    }
}
