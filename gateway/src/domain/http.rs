//! Plain request and answer heads that cross from adapter to upstream. No secret is ever in here.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::error::GatewayError;

/// How the host proves who it is to a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialKind {
    /// Nothing is sent.
    None,
    /// `authorization: Bearer <key>`.
    Bearer,
    /// The named header carries the bare key.
    Header(HeaderName),
    /// The named query parameter carries the key.
    Query(String),
    /// AWS Signature Version 4 over the final bytes.
    SigV4 {
        /// Signing name of the service.
        service: String,
        /// Empty: taken from the provider.
        region: String,
    },
    /// An access token of a Google service account.
    GoogleOauth {
        /// OAuth scopes.
        scopes: Vec<String>,
    },
}

/// A request to a provider, before it is signed.
#[derive(Clone, Debug)]
pub struct UpstreamRequest {
    /// Usually POST.
    pub method: Method,
    /// Starts with `/`, version segment first; may carry a query.
    pub path: String,
    /// Without host, content-length and credential.
    pub headers: HeaderMap,
    /// The whole body: a failed attempt is repeated from here.
    pub body: Bytes,
    /// What the host adds.
    pub credential: CredentialKind,
}

/// The head of a provider's answer.
#[derive(Clone, Debug)]
pub struct ResponseHead {
    /// HTTP status.
    pub status: u16,
    /// All headers.
    pub headers: HeaderMap,
}

/// Something that could not be carried across.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
pub struct Loss {
    /// Path of the field in canonical form.
    pub field: String,
    /// One clause, lower case.
    pub reason: String,
}

/// Fields of a request that only concern a vendor's own bookkeeping: caches, tracing, abuse reports, billing tiers. The
/// model never sees them, so a model that is `lossy = "strict"` serves requests with them all the same. They are reported
/// like any other loss.
const BOOKKEEPING: [&str; 9] = [
    "client_metadata",
    "metadata",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "safety_identifier",
    "service_tier",
    "user",
    "stream_options",
];

impl Loss {
    /// True when the model answers the same without this field.
    pub fn is_bookkeeping(&self) -> bool {
        let own = self.field.strip_prefix("vendor.openai-responses.").unwrap_or(&self.field);
        // Marks for a prompt cache stand anywhere in a conversation.
        BOOKKEEPING.contains(&own) || own.rsplit('.').next() == Some("cache_control")
    }
}

/// Checks a header an adapter made. CR, LF and NUL are refused by `HeaderValue` itself.
///
/// # Errors
/// When the name or value is not a legal HTTP header, or one only the host may set.
pub fn foreign_header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), GatewayError> {
    let parsed = HeaderName::try_from(name)
        .map_err(|_| GatewayError::plugin(format!("illegal header name {name:?}")))?;
    if is_host_only(&parsed) {
        return Err(GatewayError::plugin(format!("header `{name}` is the host's to set")));
    }
    let value = HeaderValue::try_from(value)
        .map_err(|_| GatewayError::plugin(format!("illegal value in header `{name}`")))?;
    Ok((parsed, value))
}

/// True for a header that an adapter may not set.
pub fn is_host_only(name: &HeaderName) -> bool {
    HOST_ONLY.contains(&name.as_str())
}

/// True for a header that frames the message: not even an operator may set it.
pub fn is_framing(name: &HeaderName) -> bool {
    is_host_only(name) && !["authorization", "proxy-authorization", "cookie"].contains(&name.as_str())
}

/// True for a path with a `.` or `..` step, plain or escaped: a server that resolves it ends up elsewhere.
pub fn climbs(path: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default();
    path.split('/').any(|step| {
        let dots = step.len() <= 6 && step.contains(['.', '%']);
        dots && matches!(step.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
    })
}

/// Framing, hop-by-hop and credential headers: an adapter that could set them could smuggle or impersonate.
const HOST_ONLY: [&str; 13] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "upgrade",
    "proxy-authorization",
    "authorization",
    "cookie",
    "expect",
    "accept-encoding",
];

#[cfg(test)]
mod tests;
