//! `[admin]`: the dashboard, the admin API, `/metrics`, `/healthz` and `/readyz`.

use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::server::ListenAddress;
use super::text::secret;
use crate::domain::{AddressRange, Secret};

/// The control plane.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Admin {
    /// Address to listen on, `ip:port`. Beyond loopback a password is required. Needs a restart.
    #[schemars(extend("x-restart" = true))]
    pub listen: ListenAddress,
    /// Password of the dashboard and the admin API. Without one only this machine may connect.
    #[serde(deserialize_with = "secret::read_optional", serialize_with = "secret::mask_optional")]
    #[schemars(with = "Option<secret::SecretText>", example = "${CAUSEWAY_ADMIN_PASSWORD}")]
    pub password: Option<Secret>,
    /// true: this file is the only way to change anything.
    pub readonly: bool,
    /// Private addresses that providers made through the admin API may be at, as in `["10.0.0.0/8"]`. Without them such a
    /// provider must be at a public address; those in this file may be anywhere.
    #[schemars(example = ["10.0.0.0/8"])]
    pub allow_private: Vec<AddressRange>,
}

impl Default for Admin {
    fn default() -> Self {
        Self {
            listen: ListenAddress(SocketAddr::from(([127, 0, 0, 1], 8081))),
            password: None,
            readonly: false,
            allow_private: Vec::new(),
        }
    }
}
