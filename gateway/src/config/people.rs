//! `[people]`: who may come in beside those whom the operator lets in.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Keys and people that are kept in the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct People {
    /// true: strangers may sign up at the admin API; an operator approves or rejects them. Default: false.
    pub sign_up: bool,
}
