//! Keys as they are shown.

use std::sync::atomic::Ordering;

use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::config::{LogPolicy, ModelPattern};
use crate::domain::{AddressRange, Secret, rfc3339};
use crate::people::credits::{self, CreditView};
use crate::people::fields::{BudgetInput, LimitsInput};
use crate::people::known::Known;
use crate::people::records::KeyRecord;

/// A key with its secret, which is shown this once.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct IssuedKey {
    /// What the client sends. It is kept nowhere.
    #[serde(serialize_with = "exposed")]
    #[schema(value_type = String)]
    pub secret: Secret,
    /// The key.
    pub key: KeyView,
}

/// A key as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct KeyView {
    /// Its name.
    pub name: String,
    /// `store`, or `file`: then it is read only.
    pub source: &'static str,
    /// `active`, `disabled`, `expired`, `revoked`, or `closed` for what lies with its user or team.
    pub state: &'static str,
    /// Why it is closed.
    pub closed: Option<String>,
    /// What it is for.
    pub note: String,
    /// Who made it.
    pub maker: String,
    /// Whose it is, by id.
    pub owner: Option<String>,
    /// The team whose budget it shares.
    pub team: Option<String>,
    /// Words for conditions.
    pub tags: Vec<String>,
    /// When it was made.
    pub created: Option<String>,
    /// When it ends.
    pub expires: Option<String>,
    /// When it was taken back.
    pub revoked: Option<String>,
    /// When it was used last, to the minute.
    pub last_used: Option<String>,
    /// The models it may ask for.
    #[schema(value_type = Option<Vec<String>>)]
    pub models: Option<Vec<ModelPattern>>,
    /// Where its requests may come from.
    #[schema(value_type = Vec<String>)]
    pub addresses: Vec<AddressRange>,
    /// Its requests may say which targets they want.
    pub preferences: bool,
    /// What is stored of its requests.
    #[schema(value_type = Option<String>, pattern = "^(off|metadata|full)$")]
    pub log: Option<LogPolicy>,
    /// How much it may ask.
    pub limits: LimitsInput,
    /// How much it may spend.
    pub budgets: Vec<BudgetInput>,
    /// More money for some time.
    pub credits: Vec<CreditView>,
    /// Its secrets, the newest first.
    pub secrets: Vec<SecretView>,
}

/// A secret as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SecretView {
    /// Its first letters.
    pub prefix: String,
    /// When it was made.
    pub created: String,
    /// Until when it may be used; none: as long as the key.
    pub until: Option<String>,
}

/// A secret that leaves for its owner.
pub(in crate::people) fn exposed<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}

/// A key as it is shown. `source` is `store` or `file`.
pub(super) fn view(known: &Known, record: &KeyRecord, now: u64, source: &'static str) -> KeyView {
    let closed = match source {
        // What team it has is the operator's own word.
        "file" => known.closed(&KeyRecord { team: None, ..record.clone() }),
        _ => known.closed(record),
    };
    let closed = closed.filter(|_| !record.disabled);
    let state = match record {
        KeyRecord { revoked: Some(_), .. } => "revoked",
        KeyRecord { disabled: true, .. } => "disabled",
        KeyRecord { expires: Some(expires), .. } if *expires <= now => "expired",
        _ if closed.is_some() => "closed",
        _ => "active",
    };
    let used = known.used.get(&record.name).map(|used| used.load(Ordering::Relaxed)).filter(|used| *used > 0);
    let secrets = record.secrets.iter().map(|secret| SecretView {
        prefix: secret.prefix.clone(),
        created: rfc3339(secret.created),
        until: secret.until.map(rfc3339),
    });
    KeyView {
        name: record.name.clone(),
        source,
        state,
        closed,
        note: record.note.clone(),
        maker: record.maker.clone(),
        owner: record.owner.clone(),
        team: record.team.clone(),
        tags: record.tags.clone(),
        created: (record.created > 0).then(|| rfc3339(record.created)),
        expires: record.expires.map(rfc3339),
        revoked: record.revoked.map(rfc3339),
        last_used: used.map(rfc3339),
        models: record.models.clone(),
        addresses: record.addresses.clone(),
        preferences: record.preferences,
        log: record.log,
        limits: LimitsInput::of(&record.allowed),
        budgets: BudgetInput::of(&record.allowed),
        credits: credits::views(&record.allowed),
        secrets: secrets.collect(),
    }
}
