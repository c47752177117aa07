//! What a client is told of its own limits: the tightest window of requests and of tokens, in its vendor's names. They
//! stand instead of the provider's, which are the gateway's own affair then.

use std::time::Duration;

use http::{HeaderName, HeaderValue};

use super::exchange::Exchange;
use super::rate_headers;
use crate::limit;
use crate::store::holds::{Standing, Unit};

const DOWNGRADED: HeaderName = HeaderName::from_static("x-causeway-downgraded");

/// Puts these limits into the head of the answer.
pub(super) fn tell(exchange: &mut Exchange, standings: &[Standing]) {
    for unit in [Unit::Requests, Unit::Tokens] {
        if let Some(standing) = limit::tightest(standings, unit) {
            window(exchange, unit == Unit::Requests, standing);
        }
    }
}

fn window(exchange: &mut Exchange, of_requests: bool, standing: &Standing) {
    let (dialect, now) = (exchange.record.dialect, exchange.created);
    let reset = standing.reset.unwrap_or(Duration::ZERO);
    for (name, value) in rate_headers::own(dialect, of_requests, (standing, reset), now) {
        exchange.told.insert(name, value);
    }
}

/// Says that a cheaper model answers.
pub(super) fn tell_downgrade(exchange: &mut Exchange, model: &str) {
    if let Ok(model) = HeaderValue::try_from(model) {
        exchange.told.insert(DOWNGRADED, model);
    }
}
