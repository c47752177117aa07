//! The issuer, asked: its document (OpenID Connect Discovery, 4), its keys, and a token for a code.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderValue, Method, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use tokio::sync::Mutex;

use super::token::Keys;
use crate::admin::refusal::Refusal;
use crate::config;
use crate::domain::Secret;
use crate::domain::http::{CredentialKind, UpstreamRequest};
use crate::domain::service_account::is_loopback;
use crate::error::{GatewayError, Kind};
use crate::upstream::{self, Client, Network, Provider, Timeouts};

/// Its document and its keys are asked for again after this.
const FRESH: Duration = Duration::from_secs(60 * 60);
/// A key that nobody knows makes us ask for the keys again, this often at most.
const AGAIN: Duration = Duration::from_secs(30);
/// An issuer that did not answer is left alone this long.
const PAUSE: Duration = Duration::from_secs(2);
/// One question.
const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(5),
    first_token: Duration::from_secs(10),
    idle: Duration::from_secs(10),
    total: Duration::from_secs(10),
};
/// Largest answer.
const MOST: usize = 256 << 10;

/// The issuer.
pub(super) struct Issuer {
    url: String,
    client: Client,
    way_out: Network,
    /// Held while the issuer is asked: who comes meanwhile waits for what that brings.
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    document: Option<(Instant, Arc<Document>)>,
    keys: Option<(Instant, Arc<Keys>)>,
    /// When the keys were asked for again because of one that was not known.
    asked_again: Option<Instant>,
    failed: Option<(Instant, Refusal)>,
}

/// What the issuer says of itself.
#[derive(Debug, Deserialize)]
pub(super) struct Document {
    issuer: String,
    pub(super) authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(rename = "token_endpoint_auth_methods_supported")]
    ways: Option<Vec<String>>,
    /// Its answers name it (RFC 9207).
    #[serde(default, rename = "authorization_response_iss_parameter_supported")]
    pub(super) tells_issuer: bool,
}

/// What is worth an ID token.
pub(super) struct Grant<'a> {
    pub(super) code: &'a str,
    /// Where the browser was sent back to.
    pub(super) back: &'a str,
    pub(super) verifier: &'a Secret,
    pub(super) settings: &'a config::Oidc,
}

impl Issuer {
    pub(super) fn new(url: String, client: Client, way_out: Network) -> Self {
        Self { url, client, way_out, known: Mutex::default() }
    }

    /// What it says of itself.
    pub(super) async fn document(&self, now: Instant) -> Result<Arc<Document>, Refusal> {
        let mut known = self.known.lock().await;
        if let Some((at, document)) = &known.document
            && now.saturating_duration_since(*at) < FRESH
        {
            return Ok(Arc::clone(document));
        }
        known.may_ask(now)?;
        let document = match self.read_document().await {
            Ok(document) => Arc::new(document),
            Err(refusal) => return known.failed(refusal),
        };
        known.document = Some((now, Arc::clone(&document)));
        Ok(document)
    }

    /// Its keys.
    pub(super) async fn keys(&self, document: &Document, now: Instant) -> Result<Arc<Keys>, Refusal> {
        let mut known = self.known.lock().await;
        match &known.keys {
            Some((at, keys)) if now.saturating_duration_since(*at) < FRESH => Ok(Arc::clone(keys)),
            _ => {
                known.may_ask(now)?;
                self.fetch_keys(&mut known, document, now).await
            }
        }
    }

    /// Its keys of now, because one was not among those we had. `None`: they were asked for just before.
    pub(super) async fn newer_keys(
        &self,
        document: &Document,
        now: Instant,
    ) -> Result<Option<Arc<Keys>>, Refusal> {
        let mut known = self.known.lock().await;
        if known.asked_again.is_some_and(|at| now.saturating_duration_since(at) < AGAIN) {
            return Ok(None);
        }
        known.asked_again = Some(now);
        self.fetch_keys(&mut known, document, now).await.map(Some)
    }

    /// The ID token for a code.
    pub(super) async fn exchange(&self, document: &Document, grant: &Grant<'_>) -> Result<Secret, Refusal> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Answer {
            id_token: Option<String>,
            error: Option<String>,
        }
        let (headers, form) = document.proof(grant)?;
        let (status, body) = self.ask(&document.token_endpoint, headers, Some(form)).await?;
        let answer: Answer = serde_json::from_slice(&body).unwrap_or_default();
        let error = answer.error.as_deref().map(word).unwrap_or_default();
        match answer.id_token {
            Some(token) if status == 200 => Ok(Secret::new(token)),
            _ if error == "invalid_grant" => {
                Err(Refusal::unauthenticated("the issuer does not take the code it gave; begin again"))
            }
            _ => Err(self.faulty(&format!("gave no ID token for a code (status {status}) {error}"))),
        }
    }

    async fn read_document(&self) -> Result<Document, Refusal> {
        let url = format!("{}/.well-known/openid-configuration", self.url.trim_end_matches('/'));
        let (status, body) = self.ask(&url, HeaderMap::new(), None).await?;
        let document = serde_json::from_slice::<Document>(&body).ok().filter(|_| status == 200);
        let Some(document) = document else {
            return Err(self.faulty(&format!("has no discovery document (status {status})")));
        };
        if document.issuer != self.url {
            let other: String =
                document.issuer.chars().filter(|letter| !letter.is_control()).take(200).collect();
            return Err(self.faulty(&format!("names itself otherwise in its document: `{other}`")));
        }
        let endpoints = [&document.authorization_endpoint, &document.token_endpoint, &document.jwks_uri];
        if !endpoints.into_iter().all(|url| self.is_endpoint(url)) {
            return Err(self.faulty("names an endpoint that is no https URL"));
        }
        Ok(document)
    }

    /// Secrets go there. Only an issuer of this machine has endpoints on it.
    fn is_endpoint(&self, url: &str) -> bool {
        let Ok(uri) = url.parse::<http::Uri>() else { return false };
        let plain = uri.scheme_str() == Some("http") && is_loopback(&self.url) && is_loopback(url);
        let named = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
        named && !url.contains('#') && (plain || uri.scheme_str() == Some("https"))
    }

    async fn fetch_keys(
        &self,
        known: &mut Known,
        document: &Document,
        now: Instant,
    ) -> Result<Arc<Keys>, Refusal> {
        let keys = match self.ask(&document.jwks_uri, HeaderMap::new(), None).await {
            Ok((200, body)) => {
                Keys::read(&body).ok_or_else(|| self.faulty("has no keys where they should be"))
            }
            Ok((status, _)) => Err(self.faulty(&format!("does not tell its keys (status {status})"))),
            Err(refusal) => Err(refusal),
        };
        match keys {
            Ok(keys) => {
                let keys = Arc::new(keys);
                known.keys = Some((now, Arc::clone(&keys)));
                Ok(keys)
            }
            Err(refusal) => known.failed(refusal),
        }
    }

    /// One question: GET, or POST of a form.
    async fn ask(
        &self,
        url: &str,
        headers: HeaderMap,
        form: Option<Secret>,
    ) -> Result<(u16, Bytes), Refusal> {
        // Boxed: connecting needs 20 KB of state.
        let asking = Box::pin(self.asked(url, headers, form));
        let answer = tokio::time::timeout(TIMEOUTS.total, asking).await;
        let late = || GatewayError::upstream(Kind::Timeout, "the issuer took too long");
        answer.unwrap_or_else(|_| Err(late())).map_err(|error| {
            tracing::warn!(issuer = self.url, %error, "the issuer of [admin.oidc] does not answer");
            let at = &self.url;
            Refusal::unavailable(format!("the issuer {at} cannot be reached now; try again in a while"))
        })
    }

    async fn asked(
        &self,
        url: &str,
        mut headers: HeaderMap,
        form: Option<Secret>,
    ) -> Result<(u16, Bytes), GatewayError> {
        let wrong = || GatewayError::gateway(Kind::Internal, "an endpoint of the issuer is not a URL");
        let uri: http::Uri = url.parse().map_err(|_| wrong())?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(wrong());
        };
        let origin = format!("{scheme}://{authority}");
        let endpoint = Provider::new("oidc issuer", &origin, Vec::new())?.over(&self.way_out)?;
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        let method = match form {
            Some(_) => Method::POST,
            None => Method::GET,
        };
        let request = UpstreamRequest {
            method,
            path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            headers,
            body: form.map(|form| Bytes::copy_from_slice(form.expose().as_bytes())).unwrap_or_default(),
            credential: CredentialKind::None,
        };
        let mut answer = self.client.send(&endpoint, &request, &TIMEOUTS).await?;
        let body = answer.body.whole(MOST).await?;
        Ok((answer.head.status, body))
    }

    /// It answers, and what it says is of no use.
    fn faulty(&self, what: &str) -> Refusal {
        tracing::warn!(issuer = self.url, what, "the issuer of [admin.oidc] cannot be used");
        Refusal::unavailable(format!("the issuer {} {}", self.url, what.trim_end()))
    }
}

impl Known {
    /// Not when it has failed a moment ago.
    fn may_ask(&self, now: Instant) -> Result<(), Refusal> {
        match &self.failed {
            Some((at, refusal)) if now.saturating_duration_since(*at) < PAUSE => Err(refusal.clone()),
            _ => Ok(()),
        }
    }

    fn failed<T>(&mut self, refusal: Refusal) -> Result<T, Refusal> {
        self.failed = Some((Instant::now(), refusal.clone()));
        Err(refusal)
    }
}

impl Document {
    /// How a code is shown, and who shows it (RFC 6749, 2.3.1 and 4.1.3).
    fn proof(&self, grant: &Grant<'_>) -> Result<(HeaderMap, Secret), Refusal> {
        let config::Oidc { client_id, client_secret, .. } = grant.settings;
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", grant.code),
            ("redirect_uri", grant.back),
            ("code_verifier", grant.verifier.expose()),
        ];
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        let takes = |way: &str| self.ways.as_ref().is_some_and(|ways| ways.iter().any(|own| own == way));
        match client_secret {
            // Without a word about it an issuer takes basic authentication (OpenID Connect Discovery, 3).
            Some(secret) if takes("client_secret_basic") || !takes("client_secret_post") => {
                let pair = format!("{}:{}", escaped(client_id), escaped(secret.expose()));
                let value = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(pair)));
                let mut value = value
                    .map_err(|_| Refusal::unavailable("the client's secret cannot stand in a header"))?;
                value.set_sensitive(true);
                headers.insert(header::AUTHORIZATION, value);
            }
            Some(secret) => {
                fields.extend([("client_id", client_id.as_str()), ("client_secret", secret.expose())]);
            }
            None => fields.push(("client_id", client_id)),
        }
        Ok((headers, Secret::new(form(&fields))))
    }
}

/// `application/x-www-form-urlencoded`, also as a query.
pub(super) fn form(fields: &[(&str, &str)]) -> String {
    let fields = fields.iter().map(|(name, value)| format!("{name}={}", escaped(value)));
    fields.collect::<Vec<_>>().join("&")
}

/// A word of an error, as far as it is one (RFC 6749, 5.2).
pub(super) fn word(error: &str) -> String {
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.');
    let fits = (1..=60).contains(&error.len()) && error.chars().all(is_word);
    if fits { error.to_owned() } else { "an error without a name".to_owned() }
}

fn escaped(value: &str) -> String {
    let mut text = String::new();
    upstream::escape(&mut text, value);
    text
}
