//! `[store]`: keys made in the dashboard, spend, the request log, conversation state.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text::secret;
use crate::domain::Secret;

/// Where state is kept.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Store {
    /// "sled": one node, in the folder `path`. "redis": shared by many nodes, at `url`. Needs a restart.
    #[schemars(extend("x-restart" = true))]
    pub backend: Backend,
    /// The folder of "sled". It must be on a local disk and belong to one process; a relative path starts at
    /// the folder of this file. Needs a restart.
    #[schemars(extend("x-restart" = true))]
    pub path: PathBuf,
    /// The address of "redis" (Redis 7 or Valkey), as in "redis://10.0.0.5:6379". Needs a restart.
    #[serde(deserialize_with = "secret::read_optional", serialize_with = "secret::mask_optional")]
    #[schemars(with = "Option<secret::SecretText>", example = "${CAUSEWAY_REDIS_URL}", extend("x-restart" = true))]
    pub url: Option<Secret>,
    /// Without the store, requests of keys with a limit or budget are refused ("deny"), let through up to what this
    /// node was given beforehand ("lease"), or let through ("allow").
    pub on_loss: OnLoss,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            backend: Backend::Sled,
            path: PathBuf::from("/var/lib/causeway"),
            url: None,
            on_loss: OnLoss::Lease,
        }
    }
}

/// What keeps the state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Backend {
    /// A folder of this machine.
    #[default]
    Sled,
    /// A Redis or Valkey server.
    Redis,
}

/// What happens without the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnLoss {
    /// Requests are refused.
    Deny,
    /// Requests pass up to what this node was given beforehand.
    #[default]
    Lease,
    /// Requests pass.
    Allow,
}
