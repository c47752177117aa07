//! The HTTP side towards a provider: send a plain request, get a head and a body to pull.
//!
//! The credential is put in here, after translation, and nowhere else.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::config::TimeoutOverrides;
use crate::domain::http::CredentialKind;
use crate::domain::{Secret, Timespan};
use crate::error::{GatewayError, Kind};

mod body;
mod client;
mod credential;
mod gate;
mod guard;
mod idle;
pub mod keys;
mod lines;
mod network;
mod peer;
mod proxy;
mod tls;
mod wire;

pub use body::Body;
pub use client::{Client, Response};
pub use credential::{AzureAd, Credential};
pub use gate::{Caps, Doors, Full, Gate, Gates, Passes, first};
pub use guard::{Guard, Lookup};
pub use keys::ChosenKey;
pub use lines::NO_AUTHORITIES;
pub use network::Network;
pub use peer::BaseUrl;
pub use tls::{Authorities, Tls};

pub(crate) use credential::escape;

use credential::Grant;
use network::Line;

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
    /// The vendor's keys. Empty: nothing is sent.
    pub keys: Arc<keys::Pool>,
    /// Instead of the keys.
    directory: Option<Grant>,
    /// Instead of the kind the adapter names.
    fixed: Option<CredentialKind>,
    /// What the operator adds to every request; it wins over the adapter's own.
    headers: Vec<(HeaderName, HeaderValue)>,
    /// Where the vendor signs by region (AWS): the operator's word.
    region: Option<String>,
    resolved: peer::Resolved,
    /// How connections are made.
    line: Line,
}

/// What proves one request.
enum Proof<'p> {
    /// A key, sent or signed with by this kind.
    Key(&'p CredentialKind, Option<&'p Secret>),
    /// A token, for this scope.
    Token(&'p Grant, String),
}

impl Provider {
    /// A provider at a URL, with its keys.
    ///
    /// # Errors
    /// When the URL is not `http(s)://host[:port][/path]`, or a key is a key file that cannot be used.
    pub fn new(name: &str, url: &str, keys: Vec<Secret>) -> Result<Self, GatewayError> {
        let given = keys.into_iter().map(|secret| keys::Given { secret, note: None });
        let keys = keys::Pool::new((name, url), given, keys::Settings::default())?;
        Ok(Self {
            name: name.to_owned(),
            url: BaseUrl::parse(url)?,
            keys: Arc::new(keys),
            directory: None,
            fixed: None,
            headers: Vec::new(),
            region: None,
            resolved: peer::Resolved::default(),
            line: Line::default(),
        })
    }

    /// There is no key to change when one has been used too much.
    pub fn is_keyless(&self) -> bool {
        self.keys.is_empty()
    }

    /// With these keys, chosen and rested in this way.
    #[must_use]
    pub fn with_keys(self, keys: keys::Pool) -> Self {
        Self { keys: Arc::new(keys), ..self }
    }

    /// Sets how the keys are sent, or what is sent instead of them.
    ///
    /// # Errors
    /// When the directory's address is none.
    pub fn with_credential(self, credential: Credential) -> Result<Self, GatewayError> {
        match credential {
            Credential::Adapter => Ok(self),
            Credential::Fixed(kind) => Ok(Self { fixed: Some(kind), ..self }),
            Credential::AzureAd(client) => Ok(Self { directory: Some(Grant::of_azure_ad(client)?), ..self }),
        }
    }

    /// Adds headers to every request; they are never shown.
    ///
    /// # Errors
    /// When a name or a value is not legal in a header.
    pub fn with_headers<'h>(
        mut self,
        headers: impl IntoIterator<Item = (&'h str, &'h Secret)>,
    ) -> Result<Self, GatewayError> {
        for (name, value) in headers {
            let wrong =
                || GatewayError::gateway(Kind::Internal, format!("header `{name}` is not a legal header"));
            let header = HeaderName::try_from(name).map_err(|_| wrong())?;
            let mut value = HeaderValue::try_from(value.expose()).map_err(|_| wrong())?;
            value.set_sensitive(true);
            self.headers.push((header, value));
        }
        Ok(self)
    }

    /// Sets the region for signatures; without it the host name tells.
    #[must_use]
    pub fn in_region(self, region: Option<&str>) -> Self {
        Self { region: region.map(str::to_owned), ..self }
    }

    /// Sets how connections are made, also those to a token endpoint.
    ///
    /// # Errors
    /// When it does not fit the URL.
    pub fn over(mut self, network: &Network) -> Result<Self, GatewayError> {
        self.line = network.line(&self.url)?;
        let elsewhere = network.elsewhere();
        let own = Arc::get_mut(&mut self.keys).map(keys::Pool::grants_mut).into_iter().flatten();
        for grant in own.chain(&mut self.directory) {
            grant.endpoint.line = elsewhere.line(&grant.endpoint.url)?;
        }
        Ok(self)
    }

    /// Overwrites the provider's secrets in what it said: some vendors repeat the key they refuse.
    pub fn scrub(&self, text: &mut String) {
        self.keys.scrub(text);
        self.directory.iter().for_each(|grant| grant.scrub(text));
        // Short ones are words, not secrets: `true`, `eu-west-1`.
        let values = self.headers.iter().filter_map(|(_, value)| value.to_str().ok());
        values.filter(|value| value.len() >= 16).for_each(|value| overwrite(text, value));
    }

    /// The operator's headers on top of the request's own.
    fn add_headers(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.headers {
            headers.insert(name.clone(), value.clone());
        }
    }

    /// This key, or the directory's token, for a request whose adapter named this kind.
    fn proof<'p>(&'p self, chosen: Option<ChosenKey>, named: &'p CredentialKind) -> Proof<'p> {
        let kind = self.fixed.as_ref().unwrap_or(named);
        let scopes = match kind {
            CredentialKind::GoogleOauth { scopes } => scopes.as_slice(),
            _ => &[],
        };
        if let Some(directory) = &self.directory {
            return Proof::Token(directory, directory.scope(scopes));
        }
        let key = chosen.and_then(|chosen| self.keys.key(chosen));
        match (kind, key.and_then(|key| key.grant.as_deref())) {
            (CredentialKind::GoogleOauth { .. }, Some(grant)) => Proof::Token(grant, grant.scope(scopes)),
            _ => Proof::Key(kind, key.map(|key| &key.secret)),
        }
    }
}

/// Puts `***` in the place of a secret.
fn overwrite(text: &mut String, secret: &str) {
    if text.contains(secret) {
        *text = text.replace(secret, "***");
    }
}
