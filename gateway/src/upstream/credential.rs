//! Puts the provider's key into a request, by the kind the adapter named. The adapter never sees it.

use http::HeaderMap;

use crate::domain::Secret;
use crate::domain::http::CredentialKind;
use crate::error::{GatewayError, Kind};

mod header;

/// Signs a request. `path` may get a query parameter, `headers` a header.
pub(super) fn sign(
    kind: &CredentialKind,
    key: Option<&Secret>,
    headers: &mut HeaderMap,
    path: &mut String,
) -> Result<(), GatewayError> {
    // A server of one's own often wants no key at all.
    let Some(key) = key else { return Ok(()) };
    match kind {
        CredentialKind::None => Ok(()),
        CredentialKind::Bearer => header::bearer(headers, key),
        CredentialKind::Header(name) => header::named(headers, name, key),
        CredentialKind::Query(name) => {
            header::query(path, name, key);
            Ok(())
        }
        CredentialKind::SigV4 { .. } | CredentialKind::GoogleOauth { .. } => Err(GatewayError::gateway(
            Kind::Internal,
            "the adapter wants a credential kind this version cannot make (sigv4, google-oauth)",
        )),
    }
}
