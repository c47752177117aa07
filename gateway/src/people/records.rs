//! What is written down of keys and people. A field that is not there has its default, and one that is not known is
//! passed over, so that programs of two versions can share a store.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::allowed::Allowed;
use crate::config::{LogPolicy, ModelPattern};
use crate::domain::AddressRange;

/// A virtual key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeyRecord {
    /// Its name, for good: the ledger and the key's conversations go by it.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub note: String,
    /// When it was made, Unix time.
    pub created: u64,
    /// Who made it, for the reader.
    #[serde(default)]
    pub maker: String,
    /// Its owner made it, and no operator has changed it since.
    #[serde(default)]
    pub by_owner: bool,
    /// Whose it is, by id.
    #[serde(default)]
    pub owner: Option<String>,
    /// The team whose budget it shares.
    #[serde(default)]
    pub team: Option<String>,
    /// Words for conditions.
    #[serde(default)]
    pub tags: Vec<String>,
    /// When it ends, Unix time.
    #[serde(default)]
    pub expires: Option<u64>,
    /// It is not taken for now.
    #[serde(default)]
    pub disabled: bool,
    /// An operator disabled it: its owner cannot undo that.
    #[serde(default)]
    pub locked: bool,
    /// When it was taken back for good, Unix time.
    #[serde(default)]
    pub revoked: Option<u64>,
    /// The models it may ask for.
    #[serde(default)]
    pub models: Option<Vec<ModelPattern>>,
    /// Where its requests may come from; empty: anywhere.
    #[serde(default)]
    pub addresses: Vec<AddressRange>,
    /// Its requests may say which targets they want.
    #[serde(default)]
    pub preferences: bool,
    /// What is stored of its requests.
    #[serde(default)]
    pub log: Option<LogPolicy>,
    /// How much it may ask and spend.
    #[serde(default)]
    pub allowed: Allowed,
    /// Its secrets: the one of now, and those before it that may still be used.
    pub secrets: Vec<SecretRecord>,
}

impl KeyRecord {
    /// A key that may ask for everything and has no secret yet.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            note: String::new(),
            created: 0,
            maker: String::new(),
            by_owner: false,
            owner: None,
            team: None,
            tags: Vec::new(),
            expires: None,
            disabled: false,
            locked: false,
            revoked: None,
            models: None,
            addresses: Vec::new(),
            preferences: false,
            log: None,
            allowed: Allowed::default(),
            secrets: Vec::new(),
        }
    }
}

/// One secret of a key. The secret itself is nowhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SecretRecord {
    /// Its keyed BLAKE3 hash, in hex.
    pub hash: String,
    /// Its first letters, to know it again.
    pub prefix: String,
    /// When it was made, Unix time.
    pub created: u64,
    /// Until when it may be used beside the one after it, Unix time.
    #[serde(default)]
    pub until: Option<u64>,
}

/// What somebody may do on the admin side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Everything.
    Admin,
    /// Look at everything, change nothing.
    Viewer,
    /// Their own keys and usage.
    #[default]
    Member,
}

/// Somebody.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct UserRecord {
    /// Their id, for good: the ledger goes by it.
    pub id: String,
    /// Their address, its domain in small letters.
    pub email: String,
    /// What they are called.
    #[serde(default)]
    pub name: String,
    /// What they may do.
    #[serde(default)]
    pub role: Role,
    /// Their tier.
    #[serde(default)]
    pub tier: Option<String>,
    /// The teams they belong to.
    #[serde(default)]
    pub teams: Vec<String>,
    /// Neither they nor their keys get in.
    #[serde(default)]
    pub disabled: bool,
    /// Since when they are here, Unix time.
    pub created: u64,
    /// The models their keys may ask for.
    #[serde(default)]
    pub models: Option<Vec<ModelPattern>>,
    /// Where their keys' requests may come from; empty: anywhere.
    #[serde(default)]
    pub addresses: Vec<AddressRange>,
    /// How much their keys may ask and spend together.
    #[serde(default)]
    pub allowed: Allowed,
    /// Their password as an Argon2id hash in PHC form.
    #[serde(default)]
    pub password: Option<String>,
    /// Who they are at an OpenID Connect issuer.
    #[serde(default)]
    pub oidc: Option<Identity>,
    /// What lets them in once, for their first key.
    #[serde(default)]
    pub code: Option<CodeRecord>,
    /// What the operator noted.
    #[serde(default)]
    pub note: String,
}

/// Who somebody is at an OpenID Connect issuer: the two claims that no other person ever has (OpenID Connect Core, 5.7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// The issuer, as `[admin.oidc]` names it.
    pub issuer: String,
    /// The issuer's own name for them.
    pub subject: String,
}

/// A code that is good for once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct CodeRecord {
    /// Its keyed BLAKE3 hash, in hex.
    pub hash: String,
    /// Until when, Unix time.
    pub until: u64,
}

/// Keys that share a budget, and the people who own them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TeamRecord {
    /// Its name, for good.
    pub name: String,
    /// What it is.
    #[serde(default)]
    pub note: String,
    /// Since when, Unix time.
    pub created: u64,
    /// The models its keys may ask for.
    #[serde(default)]
    pub models: Option<Vec<ModelPattern>>,
    /// How much its keys may ask and spend together.
    #[serde(default)]
    pub allowed: Allowed,
}

impl TeamRecord {
    /// A team without limits.
    pub fn named(name: &str) -> Self {
        let (note, models, allowed) = (String::new(), None, Allowed::default());
        Self { name: name.to_owned(), note, created: 0, models, allowed }
    }
}

/// How users pay, and what they get for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct TierRecord {
    /// Its name, for good.
    pub name: String,
    /// What it is.
    #[serde(default)]
    pub note: String,
    /// How its users pay.
    pub plan: TierPlan,
    /// The models its users' keys may ask for.
    #[serde(default)]
    pub models: Option<Vec<ModelPattern>>,
    /// How much each of its users may ask.
    #[serde(default)]
    pub allowed: Allowed,
}

/// How the users of a tier pay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(super) enum TierPlan {
    /// From a balance: what was topped up, less what was spent.
    PayAsYouGo {
        /// How low it may go.
        #[serde(default)]
        floor_micros: i64,
    },
    /// So much each calendar month.
    Subscription {
        /// How much.
        allowance_micros: i64,
        /// Whose midnight begins the month; an IANA name. None: UTC.
        #[serde(default)]
        time_zone: Option<String>,
    },
    /// Nobody counts.
    Unlimited,
}

/// One entry of the top-up ledger. Entries are added, never changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TopUpRecord {
    /// Its id: the payment's where there is one, so that telling it twice counts once.
    pub id: String,
    /// Whose balance it is.
    pub user: String,
    /// How much; below zero only to correct an earlier one.
    pub amount_micros: i64,
    /// Why.
    #[serde(default)]
    pub reason: String,
    /// Who entered it, for the reader.
    #[serde(default)]
    pub by: String,
    /// When, Unix time.
    pub at: u64,
}

/// Somebody who would like to come in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SignUpRecord {
    /// Its id.
    pub id: String,
    /// Their address.
    pub email: String,
    /// What they are called.
    #[serde(default)]
    pub name: String,
    /// What they wrote.
    #[serde(default)]
    pub note: String,
    /// When, Unix time.
    pub at: u64,
    /// They are not let in.
    #[serde(default)]
    pub rejected: bool,
}
