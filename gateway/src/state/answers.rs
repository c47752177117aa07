//! What decides whether an answer may serve another request: which configuration made it, and what clients say beside
//! their bodies.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use http::HeaderName;

use super::Provider;
use crate::config::{Config, Idempotency};

/// What is the same for all requests.
pub struct Answers {
    /// A digest of all models, providers and adapters: what was answered under another one is not given again.
    pub digest: [u8; 32],
    /// Headers of clients that some adapter or passage passes on, by name.
    pub headers: Vec<HeaderName>,
    /// How many bytes all kept answers may take together.
    pub room: u64,
    /// What an `Idempotency-Key` is good for; `None`: nothing.
    pub idempotency: Option<Idempotency>,
}

impl Answers {
    /// As the configuration says.
    pub(super) fn of(config: &Config, providers: &HashMap<Arc<str>, Arc<Provider>>) -> Self {
        // Secrets are masked in here, which is right: another key to the same account answers the same.
        let written = serde_json::to_vec(&(&config.models, &config.providers)).unwrap_or_default();
        let mut hasher = blake3::Hasher::new();
        hasher.update(&written);
        let adapters: BTreeSet<_> =
            providers.values().map(|provider| (&provider.plugin, provider.adapter.digest())).collect();
        for (name, digest) in adapters {
            hasher.update(name.as_bytes()).update(digest.as_bytes());
        }
        let wanted = providers.values().flat_map(|provider| &provider.adapter.manifest().client_headers);
        let headers: BTreeSet<&str> = wanted.map(String::as_str).collect();
        Self {
            digest: *hasher.finalize().as_bytes(),
            headers: headers.into_iter().filter_map(|name| HeaderName::try_from(name).ok()).collect(),
            room: config.routing.reuse_size.get(),
            idempotency: Some(config.routing.idempotency).filter(|idempotency| idempotency.enabled),
        }
    }
}
