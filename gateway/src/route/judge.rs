//! The one classifier: what a provider said about its failure → what kind of failure it is, and whose fault.
//!
//! Adapters and dialects read a vendor's own form and give a kind by its status and its words for programs. Many servers
//! say less than they know, or say it elsewhere: an empty account as 400, a daily quota as 429, an overload as 500. So
//! what they say in plain text is looked at here, in the same way for every vendor.

use crate::config::Statuses;
use crate::domain::Blame;
use crate::domain::trigger::plain;
use crate::error::{GatewayError, Kind, Origin};

mod phrases;

/// What is looked at of an error's body.
const LOOKED_AT: usize = 16 << 10;

/// Whose fault a failed attempt is; `None`: nobody's (the client left, or every provider key rests and nothing was sent).
pub fn blame(error: &GatewayError) -> Option<Blame> {
    if error.keys_rest() {
        return None;
    }
    Some(match error.kind {
        Kind::ClientGone | Kind::Cancelled => return None,
        Kind::InvalidRequest | Kind::ContextLength | Kind::ContentPolicy | Kind::Unsupported => Blame::Client,
        Kind::PathNotFound | Kind::MethodNotAllowed | Kind::KeyReused | Kind::TooLarge => Blame::Client,
        Kind::Authentication | Kind::Permission => Blame::Key,
        Kind::Quota => Blame::Quota,
        Kind::RateLimited => Blame::Rate,
        Kind::Overloaded => Blame::Overload,
        Kind::ModelNotFound => Blame::Route,
        Kind::Unreachable | Kind::Timeout => Blame::Network,
        Kind::Adapter => Blame::Plugin,
        Kind::Provider | Kind::Malformed => Blame::Provider,
        Kind::Internal if error.origin == Origin::Upstream => Blame::Provider,
        Kind::Internal => Blame::Client,
    })
}

/// An error of a provider with the kind that its status, its code and its text together mean. `body` is what the
/// provider sent, where there is more than the message. `blame_key` are the statuses that the operator calls the key's.
#[must_use]
pub fn refined(error: GatewayError, body: &[u8], blame_key: Option<&Statuses>) -> GatewayError {
    let told = error.origin == Origin::Upstream || error.upstream_status.is_some();
    if !told || matches!(error.kind, Kind::ClientGone | Kind::Internal | Kind::Adapter | Kind::Unreachable) {
        return error;
    }
    let body = body.get(..LOOKED_AT).unwrap_or(body);
    let said = phrases::Said {
        code: plain(error.code.as_deref().unwrap_or_default().as_bytes()),
        message: plain(error.message.as_bytes()),
        body: plain(body),
    };
    let kind = phrases::kind(&said, error.kind, error.upstream_status);
    let kind = kind.unwrap_or_else(|| by_status(error.kind, error.upstream_status));
    let kind = by_operator(kind, error.upstream_status, blame_key);
    GatewayError { kind, ..error }
}

/// A general word must not hide what the status says: 503 is worth another try soon, 502 may not be.
fn by_status(kind: Kind, status: Option<u16>) -> Kind {
    match (kind, status) {
        (Kind::Provider, Some(503 | 529)) => Kind::Overloaded,
        (Kind::Provider, Some(408 | 504 | 524)) => Kind::Timeout,
        (Kind::Provider | Kind::InvalidRequest, Some(401)) => Kind::Authentication,
        (Kind::Provider | Kind::InvalidRequest, Some(402)) => Kind::Quota,
        (Kind::Provider | Kind::InvalidRequest, Some(403)) => Kind::Permission,
        (Kind::Provider | Kind::InvalidRequest, Some(404)) => Kind::ModelNotFound,
        (Kind::Provider | Kind::InvalidRequest, Some(429)) => Kind::RateLimited,
        // Who blames the client with such a status means itself.
        (Kind::InvalidRequest, Some(500..)) => Kind::Provider,
        (kind, _) => kind,
    }
}

/// The operator knows which statuses this server gives for a bad key.
fn by_operator(kind: Kind, status: Option<u16>, blame_key: Option<&Statuses>) -> Kind {
    let (Some(statuses), Some(status)) = (blame_key, status) else { return kind };
    let keys = matches!(kind, Kind::Authentication | Kind::Permission);
    match (statuses.hold(status), kind) {
        // It rests for these too, and knows better for how long.
        (true, Kind::Quota | Kind::RateLimited) => kind,
        (true, _) if !keys => Kind::Authentication,
        (false, _) if keys => Kind::Provider,
        _ => kind,
    }
}

#[cfg(test)]
mod tests;
