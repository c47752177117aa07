//! Puts the provider's key into a request, by the kind the adapter named. The adapter never sees it.

use std::time::SystemTime;

use http::{HeaderMap, Method};

use crate::domain::Secret;
use crate::domain::http::CredentialKind;
use crate::error::{GatewayError, Kind};

mod aws_sigv4;
mod header;

/// A request before it is signed: all that a signature may cover.
pub(super) struct Draft<'r> {
    pub(super) method: &'r Method,
    pub(super) host: &'r str,
    /// What the operator says is the provider's region.
    pub(super) region: Option<&'r str>,
    /// As on the wire; may get a query parameter.
    pub(super) path: &'r mut String,
    /// May get headers.
    pub(super) headers: &'r mut HeaderMap,
    pub(super) body: &'r [u8],
}

/// Signs a request.
pub(super) fn sign(
    kind: &CredentialKind,
    key: Option<&Secret>,
    mut draft: Draft<'_>,
    now: SystemTime,
) -> Result<(), GatewayError> {
    // A server of one's own often wants no key at all.
    let Some(key) = key else { return Ok(()) };
    match kind {
        CredentialKind::None => Ok(()),
        CredentialKind::Bearer => header::bearer(draft.headers, key),
        CredentialKind::Header(name) => header::named(draft.headers, name, key),
        CredentialKind::Query(name) => {
            header::query(draft.path, name, key);
            Ok(())
        }
        CredentialKind::SigV4 { service, region } => {
            let region = if region.is_empty() { draft.region.unwrap_or_default() } else { region };
            aws_sigv4::sign(service, region, key, &mut draft, now)
        }
        CredentialKind::GoogleOauth { .. } => Err(GatewayError::gateway(
            Kind::Internal,
            "the adapter wants a credential kind this version cannot make (google-oauth)",
        )),
    }
}
