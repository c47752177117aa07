//! Microsoft Entra ID (Azure AD): a client's id and secret for an access token.
//!
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow#get-a-token>

use super::grant::Form;
use crate::domain::Secret;

/// A client of a directory, as the operator wrote it.
#[derive(Clone, Debug)]
pub struct AzureAd {
    /// Id or domain of the directory.
    pub tenant: String,
    /// Id of the client (the app registration).
    pub client_id: String,
    /// Its secret.
    pub secret: Secret,
    /// What the token is for.
    pub scope: String,
    /// The directory's server, without a path.
    pub authority: String,
}

impl AzureAd {
    /// The public cloud's directory.
    pub const AUTHORITY: &str = "https://login.microsoftonline.com";
    /// Azure OpenAI, and the rest of Azure's AI services.
    pub const SCOPE: &str = "https://cognitiveservices.azure.com/.default";

    pub(super) fn token_url(&self) -> String {
        format!("{}/{}/oauth2/v2.0/token", self.authority.trim_end_matches('/'), self.tenant)
    }

    /// The exchange's form.
    pub(super) fn form<'a>(&'a self, scope: &'a str) -> Form<'a> {
        vec![
            ("grant_type", "client_credentials".into()),
            ("client_id", self.client_id.as_str().into()),
            ("client_secret", self.secret.expose().into()),
            ("scope", scope.into()),
        ]
    }
}
