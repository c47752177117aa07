//! What is exchanged for an access token: a Google service account, or a client of Azure's directory.
//!
//! The exchange itself (RFC 6749, section 5) is one form to one endpoint; the two differ in the form.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use serde::Deserialize;

use super::azure_ad::AzureAd;
use super::google_oauth::Account;
use super::token::{Cell, Fetched};
use crate::domain::Secret;
use crate::domain::http::{CredentialKind, UpstreamRequest};
use crate::error::{GatewayError, Kind};
use crate::upstream::{BaseUrl, Provider};

/// Largest answer of a token endpoint.
pub(crate) const MAX_ANSWER: usize = 64 << 10;
/// What is taken for a token's life when the endpoint does not say.
const LIFETIME: Duration = Duration::from_secs(300);
/// Longer words of an endpoint's complaint may be what we sent.
const LONGEST_WORD: usize = 40;

/// One credential that is worth a token, its endpoint, and the token it was last worth.
#[derive(Debug)]
pub(crate) struct Grant {
    proof: Proof,
    /// The endpoint, without a key of its own.
    pub(crate) endpoint: Box<Provider>,
    path: String,
    pub(crate) cell: Cell,
}

/// Names and values of a form.
pub(super) type Form<'a> = Vec<(&'static str, Cow<'a, str>)>;

#[derive(Debug)]
enum Proof {
    ServiceAccount(Box<Account>),
    AzureAd(AzureAd),
}

impl Grant {
    /// A provider key that holds the key file of a service account.
    pub(crate) fn of_service_account(key: &Secret) -> Result<Self, GatewayError> {
        let account = Account::read(key)?;
        let url = account.token_url().to_owned();
        Self::new(Proof::ServiceAccount(Box::new(account)), &url)
    }

    /// A client of a directory.
    pub(crate) fn of_azure_ad(client: AzureAd) -> Result<Self, GatewayError> {
        let url = client.token_url();
        Self::new(Proof::AzureAd(client), &url)
    }

    fn new(proof: Proof, url: &str) -> Result<Self, GatewayError> {
        let wrong = || GatewayError::gateway(Kind::Internal, "the token endpoint's url is not a URL");
        let uri: http::Uri = url.parse().map_err(|_| wrong())?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(wrong());
        };
        let origin = format!("{scheme}://{authority}");
        BaseUrl::parse(&origin)?;
        let endpoint = Box::new(Provider::new("token endpoint", &origin, Vec::new())?);
        Ok(Self { proof, endpoint, path: uri.path().to_owned(), cell: Cell::default() })
    }

    /// The scope to ask for, where the adapter named these.
    pub(crate) fn scope(&self, named: &[String]) -> String {
        match &self.proof {
            Proof::ServiceAccount(_) => named.join(" "),
            Proof::AzureAd(client) => client.scope.clone(),
        }
    }

    /// The exchange as a request.
    pub(crate) fn request(&self, scope: &str, now: SystemTime) -> Result<UpstreamRequest, GatewayError> {
        let form = match &self.proof {
            Proof::ServiceAccount(account) => account.form(scope, now)?,
            Proof::AzureAd(client) => client.form(scope),
        };
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        Ok(UpstreamRequest {
            method: Method::POST,
            path: self.path.clone(),
            headers,
            body: Bytes::from(encoded(&form)),
            credential: CredentialKind::None,
        })
    }

    /// What the endpoint answered.
    pub(crate) fn read(&self, status: u16, body: &[u8]) -> Result<Fetched, GatewayError> {
        let answer: Answer = serde_json::from_slice(body).unwrap_or_default();
        let at = self.endpoint.url.host_header();
        match answer.access_token {
            Some(token) if (200..300).contains(&status) && !token.is_empty() => Ok(Fetched {
                token: Secret::new(token),
                lifetime: answer.expires_in.map_or(LIFETIME, Duration::from_secs),
            }),
            _ => {
                let kind = match status {
                    429 => Kind::RateLimited,
                    500.. => Kind::Provider,
                    _ => Kind::Authentication,
                };
                let code = answer.error.unwrap_or_default();
                let complaint = format!("{code} {}", answer.error_description.unwrap_or_default());
                let complaint = self.harmless(&complaint);
                Err(GatewayError::upstream(kind, "the provider's token endpoint gave no access token")
                    .context(format!("token endpoint {at} answered {status}: {complaint}")))
            }
        }
    }

    /// Overwrites the token and whatever was exchanged for it.
    pub(crate) fn scrub(&self, text: &mut String) {
        self.cell.scrub(text);
        if let Proof::AzureAd(client) = &self.proof
            && text.contains(client.secret.expose())
        {
            *text = text.replace(client.secret.expose(), "***");
        }
    }

    /// An endpoint's complaint for the log: short, on one line, without anything that could be a secret.
    fn harmless(&self, complaint: &str) -> String {
        let mut complaint = complaint.to_owned();
        self.scrub(&mut complaint);
        let words = complaint.split(|letter: char| letter.is_whitespace() || letter.is_control());
        let words = words.filter(|word| !word.is_empty()).take(40);
        let words = words.map(|word| if word.len() > LONGEST_WORD { "***" } else { word });
        words.collect::<Vec<_>>().join(" ")
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer {
    access_token: Option<String>,
    expires_in: Option<u64>,
    error: Option<String>,
    error_description: Option<String>,
}

/// `application/x-www-form-urlencoded`
fn encoded(form: &Form<'_>) -> String {
    let mut text = String::new();
    for (name, value) in form {
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(name);
        text.push('=');
        super::header::escape(&mut text, value);
    }
    text
}

#[cfg(test)]
mod tests;
