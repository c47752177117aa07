//! Who asks, and whether they may come in: a key of the configuration, else one of the store.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::exchange::Exchange;
use super::receive::Client;
use super::service::Ground;
use crate::auth;
use crate::domain::VirtualKey;
use crate::error::GatewayError;
use crate::state::Snapshot;

/// The key of a request that may be used now and from where it comes.
///
/// # Errors
/// Why the request is not let in.
pub(super) fn admit(
    ground: &Ground,
    snapshot: &Snapshot,
    client: &Client<'_>,
    exchange: &Exchange,
) -> Result<Arc<VirtualKey>, GatewayError> {
    let secret = auth::presented(&exchange.head)?;
    let address = || auth::client_address(client.peer(), &exchange.head, &snapshot.trusted_proxies);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    if let Some(key) = snapshot.keyring.find(&secret) {
        let key = ground.people.with_owner(key);
        auth::admit(&key, address(), now)?;
        return Ok(key);
    }
    let found = ground.people.find(&secret).ok_or_else(auth::unknown)?;
    auth::admit(&found.key, address(), now)?;
    ground.people.used(&found, now);
    Ok(found.key)
}
