//! The one classifier: a failed attempt → whose fault it is.

use crate::domain::Blame;
use crate::error::{GatewayError, Kind, Origin};

/// Whose fault a failed attempt is; `None`: nobody's (the client left).
pub fn blame(error: &GatewayError) -> Option<Blame> {
    Some(match error.kind {
        Kind::ClientGone => return None,
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
