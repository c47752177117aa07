//! Request head → virtual key, or a refusal. No body is read before this.
//!
//! [`presented`] finds the secret, [`Keyring::find`] the key of the configuration it belongs to, and [`admit`] says
//! whether that key may be used now and from there. Keys of the store are found between the two by whoever asks.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use crate::domain::{RequestHead, Secret, VirtualKey, rfc3339};
use crate::error::{GatewayError, Kind};

mod client_address;

pub use client_address::client_address;

/// All keys of one configuration, found by a keyed hash of their secret.
#[derive(Debug)]
pub struct Keyring {
    /// Keys the hash, so that nobody can choose secrets whose hashes begin alike.
    seed: [u8; 32],
    by_hash: HashMap<[u8; 16], Held>,
}

/// A key, and the whole hash of its secret.
#[derive(Debug)]
struct Held {
    hash: blake3::Hash,
    key: Arc<VirtualKey>,
}

impl Keyring {
    /// Takes keys with their secrets; only the hashes stay.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn new(keys: impl IntoIterator<Item = (Secret, VirtualKey)>) -> Result<Self, GatewayError> {
        let mut seed = [0; 32];
        random(&mut seed)?;
        let held = |(secret, key): (Secret, VirtualKey)| {
            let hash = blake3::keyed_hash(&seed, secret.expose().as_bytes());
            (beginning(&hash), Held { hash, key: Arc::new(key) })
        };
        let by_hash = keys.into_iter().map(held).collect();
        Ok(Self { seed, by_hash })
    }

    /// A key by its name.
    pub fn named(&self, id: &str) -> Option<Arc<VirtualKey>> {
        self.by_hash.values().map(|held| &held.key).find(|key| key.id.as_ref() == id).cloned()
    }

    /// The key of a secret. What is looked up is a hash that nobody outside can foresee, and it is compared in constant time.
    pub fn find(&self, secret: &Secret) -> Option<Arc<VirtualKey>> {
        let hash = blake3::keyed_hash(&self.seed, secret.expose().as_bytes());
        let held = self.by_hash.get(&beginning(&hash))?;
        (held.hash == hash).then(|| Arc::clone(&held.key))
    }
}

/// What a hash is found by.
fn beginning(hash: &blake3::Hash) -> [u8; 16] {
    let [beginning @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = hash.as_bytes();
    *beginning
}

/// The first key a client presents; empty values count as absent (Claude Code sends them).
///
/// # Errors
/// [`Kind::Authentication`] when there is none.
pub fn presented(head: &RequestHead) -> Result<Secret, GatewayError> {
    let bearer = head.header("authorization").and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    let named = ["x-api-key", "x-goog-api-key", "api-key"].map(|name| head.header(name).map(str::trim));
    let found = [bearer]
        .into_iter()
        .chain(named)
        .flatten()
        .find(|value| !value.is_empty())
        .map(str::to_owned)
        .or_else(|| head.query_value("key").filter(|value| !value.is_empty()));
    if let Some(secret) = found {
        return Ok(Secret::new(secret));
    }
    if head.header("authorization").is_some_and(|value| value.starts_with("AWS4-")) {
        return Err(refuse(
            "a signature of AWS (SigV4) cannot be checked here: give the client a key of this gateway as its \
             Bedrock API key, in the environment variable AWS_BEARER_TOKEN_BEDROCK",
        ));
    }
    Err(refuse(
        "no api key: send it as `authorization: Bearer <key>`, `x-api-key`, `x-goog-api-key`, `api-key` or `?key=`",
    ))
}

/// What a client is told whose key nobody knows.
pub fn unknown() -> GatewayError {
    refuse("the api key is not known")
}

/// Whether a known key may be used at this time (Unix seconds) and from this address.
///
/// # Errors
/// [`Kind::Authentication`] when it is disabled or has ended, [`Kind::Permission`] when it may not come from there.
pub fn admit(key: &VirtualKey, address: Option<IpAddr>, now: u64) -> Result<(), GatewayError> {
    if let Some(why) = &key.closed {
        return Err(refuse(why.as_ref()));
    }
    if let Some(ended) = key.expires.filter(|expires| *expires <= now) {
        let why = if key.replaced { "was replaced by a new one and ended at" } else { "expired at" };
        return Err(refuse(format!("the api key {why} {}", rfc3339(ended))));
    }
    if !key.may_come_from(address) {
        let from = address.map_or_else(|| "an unknown address".to_owned(), |address| address.to_string());
        let message = format!("the api key may not be used from {from}");
        return Err(GatewayError::client(Kind::Permission, message));
    }
    Ok(())
}

fn refuse(message: impl Into<String>) -> GatewayError {
    GatewayError::client(Kind::Authentication, message)
}

/// A new client key: `cw-` and 43 letters that hold 256 random bits.
///
/// # Errors
/// When the system gives no randomness.
pub fn new_secret() -> Result<Secret, GatewayError> {
    use base64::Engine as _;
    let mut bits = [0; 32];
    random(&mut bits)?;
    Ok(Secret::new(format!("cw-{}", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bits))))
}

fn random(bytes: &mut [u8]) -> Result<(), GatewayError> {
    getrandom::fill(bytes).map_err(|error| {
        GatewayError::gateway(Kind::Internal, format!("the system gives no randomness: {error}"))
    })
}

#[cfg(test)]
mod tests;
