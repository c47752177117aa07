//! Puts the provider's key into a request, by the kind the adapter named or the operator chose. The adapter never sees it.
//!
//! Most keys are sent or signed with as they are ([`sign`]); a few are first exchanged for a token ([`Grant`]).

use std::time::SystemTime;

use http::{HeaderMap, Method};

use crate::domain::Secret;
use crate::domain::http::CredentialKind;
use crate::error::GatewayError;

mod aws_sigv4;
mod azure_ad;
mod google_oauth;
mod grant;
mod header;
mod token;

pub use azure_ad::AzureAd;
pub(super) use grant::{Grant, MAX_ANSWER};
pub(super) use header::bearer;
pub(crate) use header::escape;

/// What the operator says about how a provider's keys are sent.
#[derive(Clone, Debug, Default)]
pub enum Credential {
    /// As the adapter says.
    #[default]
    Adapter,
    /// So, whatever the adapter says.
    Fixed(CredentialKind),
    /// Not the keys, but a token of a directory.
    AzureAd(AzureAd),
}

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
        // A key file was exchanged before; what is no key file is a token already.
        CredentialKind::GoogleOauth { .. } => header::bearer(draft.headers, key),
    }
}
