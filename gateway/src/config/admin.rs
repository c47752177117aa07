//! `[admin]`: the dashboard, the admin API, `/metrics`, `/healthz` and `/readyz`.

use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::oidc::Oidc;
use super::server::ListenAddress;
use super::text::secret;
use crate::domain::{AddressRange, Secret, Timespan};

/// The control plane.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Admin {
    /// Address to listen on, `ip:port`. Needs a restart.
    #[schemars(extend("x-restart" = true))]
    pub listen: ListenAddress,
    /// Password of the dashboard and the admin API, 12 characters or more. Without one, and without
    /// `CAUSEWAY_ADMIN_PASSWORD`, one is made at the first start, printed once and kept in the file `admin-password` in the
    /// folder of `[store]`. Needs a restart.
    #[serde(deserialize_with = "secret::read_optional", serialize_with = "secret::mask_optional")]
    #[schemars(with = "Option<secret::SecretText>", example = "${CAUSEWAY_ADMIN_PASSWORD}")]
    pub password: Option<Secret>,
    /// true: this file is the only way to change anything.
    pub readonly: bool,
    /// Private addresses that providers made through the admin API may be at, as in `["10.0.0.0/8"]`. Without them such a
    /// provider must be at a public address; those in this file may be anywhere.
    #[schemars(example = ["10.0.0.0/8"])]
    pub allow_private: Vec<AddressRange>,
    /// Who may read `/metrics`: "open" (anyone who can connect) or "password". Default: open as long as `listen` is an
    /// address of this machine only.
    pub metrics: Option<MetricsAccess>,
    /// A session of the dashboard that is not used for so long ends.
    pub session: Timespan,
    /// Signing in at an OpenID Connect issuer, beside addresses and passwords. Default: none. Needs a restart.
    #[schemars(extend("x-restart" = true))]
    pub oidc: Option<Oidc>,
}

/// Who may read `/metrics`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MetricsAccess {
    /// Anyone who can connect.
    Open,
    /// Who has the admin password.
    Password,
}

/// Shortest password that is not guessed in an afternoon.
pub const SHORTEST_PASSWORD: usize = 12;

impl Admin {
    /// Whether `/metrics` wants no password.
    pub fn metrics_are_open(&self) -> bool {
        match self.metrics {
            Some(access) => access == MetricsAccess::Open,
            None => self.listen.0.ip().to_canonical().is_loopback(),
        }
    }
}

impl Default for Admin {
    fn default() -> Self {
        Self {
            listen: ListenAddress(SocketAddr::from(([127, 0, 0, 1], 8081))),
            password: None,
            readonly: false,
            allow_private: Vec::new(),
            metrics: None,
            session: Timespan::seconds(12 * 60 * 60),
            oidc: None,
        }
    }
}
