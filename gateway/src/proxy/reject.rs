//! A `GatewayError` in the client's own dialect and status code.

use std::time::Duration;

use super::exchange::Exchange;
use super::receive::Client;
use super::{answer, deliver};
use crate::config::Headers;
use crate::dialect;
use crate::error::{GatewayError, Kind, Origin};

/// The longest wait that the SDKs of OpenAI and Anthropic make when they are told to.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Tells the client, unless it has gone or has already got a part of an answer.
pub(super) async fn send(
    told: Headers,
    client: &mut Client<'_>,
    exchange: &mut Exchange,
    error: &GatewayError,
) -> Result<(), GatewayError> {
    if error.kind == Kind::ClientGone || client.session.response_written().is_some() {
        return Ok(());
    }
    let dialect = dialect::speaker(&exchange.head);
    let status = dialect.error_status(error);
    let mut head = deliver::head(status, exchange, dialect.id(), told)?;
    if let Some(after) = error.retry_after {
        // Whole seconds, rounded up (RFC 9110 §10.2.3); SDKs prefer the exact form beside it.
        let _ = head.insert_header("retry-after", after.as_millis().div_ceil(1000).to_string());
        let _ = head.insert_header("retry-after-ms", after.as_millis().to_string());
    }
    if error.upstream_status.is_some() {
        let limits = exchange.refused_with.iter().filter(|(name, _)| {
            !name.as_str().starts_with("retry-after") && !exchange.told.contains_key(*name)
        });
        for (name, value) in limits {
            let _ = head.append_header(name.clone(), value.clone());
        }
    }
    if let Some(worth) = worth_another(error, exchange.record.attempts.len()) {
        let _ = head.insert_header("x-should-retry", if worth { "true" } else { "false" });
    }
    for (name, value) in dialect.error_headers(error) {
        let _ = head.insert_header(name, value);
    }
    if error.kind == Kind::MethodNotAllowed {
        let _ = head.insert_header("allow", "GET, HEAD, POST");
    }
    let body = dialect.error(error, &exchange.record.request_id);
    // A body that was not read would be taken for the next request.
    if !client.session.downstream_session.is_body_done() {
        client.session.downstream_session.set_keepalive(None);
    }
    deliver::whole(client, exchange, head, answer::JSON, body.into()).await
}

/// Whether a client should ask again, for those whose SDKs repeat 408, 409, 429 and 5xx by themselves. `None`: as they
/// like. They wait as long as they are told up to a minute; a longer wait they replace by one of their own, which is too
/// short. What we have repeated ourselves is not repeated again: retries of retries make storms.
fn worth_another(error: &GatewayError, attempts: usize) -> Option<bool> {
    if !matches!(error.kind.status(), 408 | 409 | 429 | 500..) {
        return None;
    }
    match error.retry_after {
        Some(wait) => Some(wait <= LONGEST_WAIT),
        None if error.origin == Origin::Upstream && attempts > 1 => Some(false),
        // The provider refused the gateway's own key or account.
        None if error.kind == Kind::Provider && matches!(error.upstream_status, Some(400..500)) => {
            Some(false)
        }
        None => None,
    }
}
