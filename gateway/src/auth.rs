//! Request head → virtual key, or a refusal. No body is read before this.

use std::collections::HashMap;
use std::sync::Arc;

use crate::domain::{RequestHead, Secret, VirtualKey};
use crate::error::{GatewayError, Kind};

/// All keys of one configuration, found by a keyed hash of their secret.
#[derive(Debug)]
pub struct Keyring {
    /// Keys the hash, so that nobody can choose secrets whose hashes begin alike.
    seed: [u8; 32],
    by_hash: HashMap<[u8; 32], Arc<VirtualKey>>,
}

impl Keyring {
    /// Takes keys with their secrets; only the hashes stay.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn new(keys: impl IntoIterator<Item = (Secret, VirtualKey)>) -> Result<Self, GatewayError> {
        let mut seed = [0; 32];
        random(&mut seed)?;
        let by_hash =
            keys.into_iter().map(|(secret, key)| (hash(&seed, secret.expose()), Arc::new(key))).collect();
        Ok(Self { seed, by_hash })
    }

    /// A key by its name.
    pub fn named(&self, id: &str) -> Option<Arc<VirtualKey>> {
        self.by_hash.values().find(|key| key.id.as_ref() == id).cloned()
    }

    /// Who asks.
    ///
    /// # Errors
    /// [`Kind::Authentication`] when there is no key or not a known one.
    pub fn authenticate(&self, head: &RequestHead) -> Result<Arc<VirtualKey>, GatewayError> {
        let refuse = |message: &str| GatewayError::client(Kind::Authentication, message);
        let Some(secret) = presented(head) else {
            if head.header("authorization").is_some_and(|value| value.starts_with("AWS4-")) {
                return Err(refuse(
                    "a signature of AWS (SigV4) cannot be checked here: give the client a key of this gateway as its \
                     Bedrock API key, in the environment variable AWS_BEARER_TOKEN_BEDROCK",
                ));
            }
            return Err(refuse(
                "no api key: send it as `authorization: Bearer <key>`, `x-api-key`, `x-goog-api-key`, `api-key` or `?key=`",
            ));
        };
        self.by_hash
            .get(&hash(&self.seed, &secret))
            .cloned()
            .ok_or_else(|| refuse("the api key is not known"))
    }
}

/// The first key a client presents; empty values count as absent (Claude Code sends them).
fn presented(head: &RequestHead) -> Option<String> {
    let bearer = head.header("authorization").and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    let named = ["x-api-key", "x-goog-api-key", "api-key"].map(|name| head.header(name).map(str::trim));
    [bearer]
        .into_iter()
        .chain(named)
        .flatten()
        .find(|value| !value.is_empty())
        .map(str::to_owned)
        .or_else(|| head.query_value("key").filter(|value| !value.is_empty()))
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

fn hash(seed: &[u8; 32], secret: &str) -> [u8; 32] {
    blake3::keyed_hash(seed, secret.as_bytes()).into()
}

fn random(bytes: &mut [u8]) -> Result<(), GatewayError> {
    getrandom::fill(bytes).map_err(|error| {
        GatewayError::gateway(Kind::Internal, format!("the system gives no randomness: {error}"))
    })
}

#[cfg(test)]
mod tests;
