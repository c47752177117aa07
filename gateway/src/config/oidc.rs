//! `[admin.oidc]`: signing in to the admin side at an OpenID Connect issuer.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text::secret;
use crate::domain::Secret;

/// Signing in to the admin side at an OpenID Connect issuer, beside addresses and passwords. Needs a restart.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Oidc {
    /// The issuer, exactly as its own discovery document names it: https, or http on this machine only.
    #[schemars(extend("x-kind" = "url"), example = "https://id.example.com/realms/staff")]
    pub issuer: String,
    /// Id of the gateway as a client of the issuer.
    pub client_id: String,
    /// The client's secret. Default: none, for a public client.
    #[serde(default, deserialize_with = "secret::read_optional", serialize_with = "secret::mask_optional")]
    #[schemars(with = "Option<secret::SecretText>", example = "${OIDC_CLIENT_SECRET}")]
    pub client_secret: Option<Secret>,
    /// Where the issuer sends browsers back to, as it is registered there: the address of the admin side and
    /// `/admin/api/sign-in/oidc/callback`. Default: the address that was asked, as long as it is `localhost` or an IP
    /// address.
    #[serde(default)]
    #[schemars(extend("x-kind" = "url"), example = "https://causeway.example.com/admin/api/sign-in/oidc/callback")]
    pub redirect_url: Option<String>,
    /// What is asked for; `openid` must be there.
    #[serde(default = "scopes")]
    pub scopes: Vec<String>,
    /// Who may come in: addresses (`ada@example.com`) and domains (`@example.com`). Default: whoever has a role.
    #[serde(default)]
    #[schemars(example = ["@example.com"])]
    pub allowed_emails: Vec<String>,
    /// Make a user of who comes in for the first time. false: only users that are there sign in.
    #[serde(default)]
    pub create_users: bool,
    /// The claim of the ID token that says what somebody is, as in "groups" or "realm_access.roles". It decides the role
    /// at each sign-in. Default: users keep the role they have here.
    #[serde(default)]
    #[schemars(example = &"groups")]
    pub role_claim: Option<String>,
    /// What the values of `role_claim` mean here; of several the highest counts.
    #[serde(default)]
    #[schemars(example = serde_json::json!({ "gateway-admins": "admin", "engineers": "member" }))]
    pub roles: BTreeMap<String, AdminRole>,
    /// The role of whoever has none by `role_claim`; without `role_claim`, that of new users. Default: they are refused.
    #[serde(default)]
    #[schemars(example = &"member")]
    pub default_role: Option<AdminRole>,
    /// PEM file with authorities that are trusted beside those of the system when the issuer is asked. Default: none.
    #[serde(default)]
    #[schemars(example = "/etc/causeway/our-authority.pem")]
    pub ca: Option<PathBuf>,
}

/// What somebody may do on the admin side, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AdminRole {
    /// Their own keys and usage.
    Member,
    /// Look at everything, change nothing.
    Viewer,
    /// Everything.
    Admin,
}

/// Where issuers send browsers back to.
pub const CALLBACK: &str = "/admin/api/sign-in/oidc/callback";

fn scopes() -> Vec<String> {
    ["openid", "email", "profile"].map(str::to_owned).into()
}
