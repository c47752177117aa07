//! The HTTP side towards a provider: send a plain request, get a head and a body to pull.
//!
//! The credential is put in here, after translation, and nowhere else.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::config::TimeoutOverrides;
use crate::domain::{Secret, Timespan};
use crate::error::GatewayError;

mod body;
mod client;
mod credential;
mod peer;

pub use body::Body;
pub use client::{Client, Response};
pub use peer::BaseUrl;

/// How long the parts of one upstream request may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// TCP and TLS.
    pub connect: Duration,
    /// From the sent request to the first event of a stream.
    pub first_token: Duration,
    /// Silence between two reads of a stream.
    pub idle: Duration,
    /// The whole request, over all attempts.
    pub total: Duration,
}

impl Timeouts {
    /// These, but for what a model says otherwise.
    #[must_use]
    pub fn with(self, model: &TimeoutOverrides) -> Self {
        let chosen = |own: Option<Timespan>, otherwise| own.map_or(otherwise, Duration::from);
        Self {
            connect: chosen(model.connect, self.connect),
            first_token: chosen(model.first_token, self.first_token),
            idle: chosen(model.idle, self.idle),
            total: chosen(model.total, self.total),
        }
    }
}

/// One provider as the network sees it.
#[derive(Debug)]
pub struct Provider {
    /// Its name in the configuration.
    pub name: String,
    /// Where it is.
    pub url: BaseUrl,
    /// The vendor's keys, used in turn. Empty: nothing is sent.
    keys: Vec<Secret>,
    /// Where the vendor signs by region (AWS): the operator's word.
    region: Option<String>,
    next_key: AtomicUsize,
    resolved: peer::Resolved,
}

impl Provider {
    /// A provider at a URL, with its keys.
    ///
    /// # Errors
    /// When the URL is not `http(s)://host[:port][/path]`.
    pub fn new(name: &str, url: &str, keys: Vec<Secret>) -> Result<Self, GatewayError> {
        Ok(Self {
            name: name.to_owned(),
            url: BaseUrl::parse(url)?,
            keys,
            region: None,
            next_key: AtomicUsize::new(0),
            resolved: peer::Resolved::default(),
        })
    }

    /// Sets the region for signatures; without it the host name tells.
    #[must_use]
    pub fn in_region(self, region: Option<&str>) -> Self {
        Self { region: region.map(str::to_owned), ..self }
    }

    /// Overwrites the provider's keys in what it said: some vendors repeat the key they refuse.
    pub fn scrub(&self, text: &mut String) {
        for key in self.keys.iter().map(Secret::expose).filter(|key| key.len() >= 4) {
            // AWS's are several in one, and it repeats the session token where a signature is wrong.
            let parts = key.split(':').filter(|part| part.len() >= 16);
            for secret in std::iter::once(key).chain(parts) {
                if text.contains(secret) {
                    *text = text.replace(secret, "***");
                }
            }
        }
    }

    fn key(&self) -> Option<&Secret> {
        let turn = self.next_key.fetch_add(1, Ordering::Relaxed);
        self.keys.get(turn.checked_rem(self.keys.len())?)
    }
}
