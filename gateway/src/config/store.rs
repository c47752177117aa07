//! `[store]`: keys made in the dashboard, spend, the request log, conversation state.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text::secret;
use crate::domain::{ByteSize, Micros, Secret, Timespan};

/// Where state is kept.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Store {
    /// "sled": one node, in the folder `path`. "memory": one node, forgotten at its end. "redis": shared by many
    /// nodes, at `url`. Needs a restart.
    #[schemars(extend("x-restart" = true))]
    pub backend: Backend,
    /// The folder of "sled". It must be on a local disk and belong to one process; a relative path starts at
    /// the folder of this file. Default: `/var/lib/causeway` where that folder is there and may be written, else
    /// state stays in memory and is forgotten at the end. Needs a restart.
    #[schemars(example = "/var/lib/causeway", extend("x-restart" = true))]
    pub path: Option<PathBuf>,
    /// The address of "redis" (Redis 7 or Valkey), as in "redis://10.0.0.5:6379". Needs a restart.
    #[serde(deserialize_with = "secret::read_optional", serialize_with = "secret::mask_optional")]
    #[schemars(with = "Option<secret::SecretText>", example = "${CAUSEWAY_REDIS_URL}", extend("x-restart" = true))]
    pub url: Option<Secret>,
    /// What seals the secrets in the store: 32 random bytes at least, in base64 or hexadecimal digits, as
    /// `openssl rand -base64 32` makes them. Default: with "sled" the file `master.key` in its folder, made at first
    /// start; "redis" needs one. Needs a restart.
    #[serde(deserialize_with = "secret::read_optional", serialize_with = "secret::mask_optional")]
    #[schemars(with = "Option<secret::SecretText>", example = "${CAUSEWAY_MASTER_KEY}", extend("x-restart" = true))]
    pub master_key: Option<Secret>,
    /// Master keys of before: they open what they sealed, until `causeway store rotate-key` has sealed it anew. Needs a
    /// restart.
    #[serde(deserialize_with = "secret::read_list", serialize_with = "secret::mask_list")]
    #[schemars(with = "Vec<secret::SecretText>", extend("x-restart" = true))]
    pub old_master_keys: Vec<Secret>,
    /// What everything of this deployment begins with on a server of "redis": letters, digits, `-` and `_`. Deployments
    /// that share a server need one each. Needs a restart.
    #[schemars(extend("x-restart" = true))]
    pub prefix: String,
    /// A connection to "redis" is made within this time. Needs a restart.
    #[schemars(extend("x-restart" = true))]
    pub connect_timeout: Timespan,
    /// "redis" answers within this time; three calls in a row that it does not are a loss. Needs a restart.
    #[schemars(extend("x-restart" = true))]
    pub timeout: Timespan,
    /// Without "redis", requests of keys with a limit or budget are refused ("deny"), let through up to what this
    /// node was given beforehand ("lease"), or let through ("allow"). Default: "deny" for budgets, "lease" for limits.
    /// Needs a restart.
    #[schemars(extend("x-restart" = true))]
    pub on_loss: Option<OnLoss>,
    /// The same for the limits and budgets of one scope, before `on_loss`. Needs a restart.
    #[schemars(extend("x-restart" = true))]
    pub on_loss_by_scope: OnLossByScope,
    /// With less free room than this on the disk of "sled" nothing is written any more, and what is there is still
    /// read; it goes on by itself when there is room. At most an eighth of the disk; "0B": it goes on until the disk
    /// is full. Needs a restart.
    #[schemars(extend("x-restart" = true))]
    pub least_free: ByteSize,
    /// The size of a file that is given up when the disk of "sled" is full, so that the store can be opened and read.
    /// At most a sixteenth of the disk. Needs a restart.
    #[schemars(extend("x-restart" = true))]
    pub ballast: ByteSize,
    /// How much a node is given beforehand. Needs a restart.
    #[schemars(extend("x-restart" = true))]
    pub lease: Lease,
    /// Copies of what must not be lost, made while the gateway runs.
    pub snapshots: Snapshots,
}

/// What a node may use of a limit or budget while "redis" is lost; so much more than the limit may be used per node.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Lease {
    /// This share of it, between 0 and 1.
    pub share: f64,
    /// And no more than so many US dollars of a budget.
    pub usd: Micros,
}

impl Default for Lease {
    fn default() -> Self {
        Self { share: 0.02, usd: Micros(1_000_000) }
    }
}

/// Snapshots of "sled": keys, people, limits, prices, what was spent, settings. Conversations, kept answers and
/// counters that end by themselves are not in them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Snapshots {
    /// How often one is made; "0s": never. Needs a restart.
    #[schemars(extend("x-restart" = true))]
    pub every: Timespan,
    /// All of them are kept so long. Needs a restart.
    #[schemars(extend("x-restart" = true))]
    pub keep: Timespan,
    /// The last one of each day is kept so long. Needs a restart.
    #[schemars(extend("x-restart" = true))]
    pub keep_daily: Timespan,
    /// What the usage journal holds is kept until every snapshot has it, so that a restore of any of them loses no row
    /// of the ledger; but at most so many bytes, and a sixteenth of the disk: the oldest go first. "0B": nothing is
    /// kept. Needs a restart.
    #[schemars(extend("x-restart" = true))]
    pub journal: ByteSize,
    /// Where they are; better on another disk. Default: `snapshots` in the folder of the store. Needs a restart.
    #[schemars(example = "/mnt/backup/causeway", extend("x-restart" = true))]
    pub folder: Option<PathBuf>,
}

impl Default for Snapshots {
    fn default() -> Self {
        const HOUR: u64 = 60 * 60;
        Self {
            every: Timespan::seconds(15 * 60),
            keep: Timespan::seconds(24 * HOUR),
            keep_daily: Timespan::seconds(7 * 24 * HOUR),
            journal: ByteSize::mebibytes(1024),
            folder: None,
        }
    }
}

impl Store {
    /// The folder that is used when none is named, if it can be.
    pub const USUAL: &str = "/var/lib/causeway";
}

impl Default for Store {
    fn default() -> Self {
        Self {
            backend: Backend::Sled,
            path: None,
            url: None,
            master_key: None,
            old_master_keys: Vec::new(),
            prefix: "causeway".to_owned(),
            connect_timeout: Timespan::seconds(1),
            timeout: Timespan::millis(500),
            on_loss: None,
            on_loss_by_scope: OnLossByScope::default(),
            lease: Lease::default(),
            least_free: ByteSize::mebibytes(256),
            ballast: ByteSize::mebibytes(64),
            snapshots: Snapshots::default(),
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
    /// This process alone; gone when it ends.
    Memory,
    /// A Redis or Valkey server.
    Redis,
}

/// What happens without the store to limits and budgets of each scope; nothing said: as with all others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OnLossByScope {
    /// Of everybody together.
    pub global: Option<OnLoss>,
    /// Of a virtual key.
    pub key: Option<OnLoss>,
    /// Of a user.
    pub user: Option<OnLoss>,
    /// Of a team.
    pub team: Option<OnLoss>,
    /// Of a model.
    pub model: Option<OnLoss>,
    /// Of a provider.
    pub provider: Option<OnLoss>,
}

/// What happens without the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnLoss {
    /// Requests are refused.
    Deny,
    /// Requests pass up to what this node was given beforehand.
    Lease,
    /// Requests pass.
    Allow,
}
