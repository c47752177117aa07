//! Provider keys: counts, ids and rests; never a key.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::audit::Note;
use super::desk::Desk;
use super::reading::Asked;
use super::refusal::Refusal;
use crate::observe::Observer;
use crate::state::{Provider, Snapshot};
use crate::upstream::keys::{self, Wanted};

/// Keys in one answer: unless asked otherwise, and at most.
const USUAL: u32 = 100;
const MOST: u32 = 10_000;

/// Which keys.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// The keys of this provider, too.
    provider: Option<String>,
    /// Only those in this state.
    #[param(inline)]
    state: Option<Condition>,
    /// So many are left out at the beginning.
    #[param(value_type = Option<u64>, minimum = 0, maximum = 4294967295_u64)]
    skip: Option<u32>,
    /// At most so many.
    #[param(minimum = 0, maximum = 10000, default = 100)]
    limit: Option<u32>,
}

/// How a key is.
#[derive(Deserialize, PartialEq, Eq, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Condition {
    Resting,
}

/// How many keys there are, and those that were asked for.
#[derive(Serialize, ToSchema)]
struct Keys {
    /// The time now, in milliseconds since 1970.
    now: u64,
    /// All providers; absent when one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    providers: Option<BTreeMap<String, Counts>>,
    /// The provider that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    counts: Option<Counts>,
    /// Its keys by id: `state`, `note`, and for those that rest `cause`, `since` and `until`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    keys: Option<Vec<Value>>,
    /// What to skip for the next part; absent or null: this was the last.
    next: Option<usize>,
}

/// How many keys there are, and how many may be asked.
#[derive(Serialize, ToSchema)]
struct Counts {
    keys: usize,
    /// Those that do not rest.
    usable: usize,
    /// Those that rest at every model.
    resting: usize,
    /// Those that rest at some model only.
    limited: usize,
}

/// Which rests.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Restore {
    /// Whose keys.
    provider: String,
    /// One of them, by its id; else all.
    key: Option<String>,
}

/// How many keys may be asked again.
#[derive(Serialize, ToSchema)]
struct Restored {
    restored: usize,
}

pub(super) fn routes() -> OpenApiRouter<Arc<Desk>> {
    OpenApiRouter::new().routes(routes!(list_provider_keys)).routes(routes!(restore))
}

/// How many provider keys may be asked, and with `provider` the keys themselves, by id
#[utoipa::path(get, path = "/admin/api/provider-keys", tag = "provider keys", params(Which), responses((status = 200, body = Keys)))]
async fn list_provider_keys(
    State(desk): State<Arc<Desk>>,
    Asked(which): Asked<Which>,
) -> Result<Json<Keys>, Refusal> {
    let now = keys::now();
    let limit = which.limit.unwrap_or(USUAL);
    if limit > MOST {
        return Err(Refusal::malformed(format!("`limit` is at most {MOST}")).at("limit"));
    }
    let snapshot = desk.snapshot();
    let none = Keys { now, providers: None, provider: None, counts: None, keys: None, next: None };
    let Some(name) = which.provider else {
        let all = snapshot.providers.iter();
        let counts = all.map(|(name, provider)| (name.to_string(), Counts::of(provider, now)));
        return Ok(Json(Keys { providers: Some(counts.collect()), ..none }));
    };
    let provider = find(&snapshot, &name)?;
    let wanted = Wanted {
        resting: which.state == Some(Condition::Resting),
        skip: which.skip.unwrap_or(0) as usize,
        limit: limit as usize,
    };
    let listed = provider.upstream.keys.list(wanted, now);
    let keys: Result<Vec<_>, _> = listed.keys.iter().map(serde_json::to_value).collect();
    let keys = keys.map_err(|error| Refusal::unavailable(error.to_string()))?;
    let counts = Some(Counts::of(provider, now));
    Ok(Json(Keys { provider: Some(name), counts, keys: Some(keys), next: listed.next, ..none }))
}

/// Lift the rests of a provider's keys, or of one
#[utoipa::path(post, path = "/admin/api/provider-keys/restore", tag = "provider keys", params(Restore), responses((status = 200, body = Restored)))]
async fn restore(
    State(desk): State<Arc<Desk>>,
    Extension(note): Extension<Note>,
    Asked(which): Asked<Restore>,
) -> Result<Json<Restored>, Refusal> {
    let snapshot = desk.snapshot();
    let provider = find(&snapshot, &which.provider)?;
    note.about(format!("provider {}", which.provider));
    let restored = provider.upstream.keys.restore(which.key.as_deref());
    let restored =
        restored.ok_or_else(|| Refusal::not_found("the provider has no key of this id").at("key"))?;
    let restored = Restored { restored };
    note.after(&restored);
    Ok(Json(restored))
}

impl Counts {
    fn of(provider: &Provider, now: u64) -> Self {
        let keys::Counts { keys, usable, resting, limited } = provider.upstream.keys.counts(now);
        Self { keys, usable, resting, limited }
    }
}

/// Sets the gauges.
pub(super) fn count(snapshot: &Snapshot, observer: &Observer) {
    let metrics = observer.metrics();
    metrics.provider_keys_usable.reset();
    metrics.provider_keys_resting.reset();
    let set = |gauges: &prometheus::IntGaugeVec, name: &str, count: usize| {
        gauges.with_label_values(&[name]).set(i64::try_from(count).unwrap_or(i64::MAX));
    };
    for (name, provider) in &snapshot.providers {
        let counts = provider.upstream.keys.counts(keys::now());
        set(&metrics.provider_keys_usable, name, counts.usable);
        set(&metrics.provider_keys_resting, name, counts.resting);
    }
}

fn find<'s>(snapshot: &'s Snapshot, name: &str) -> Result<&'s Arc<Provider>, Refusal> {
    let unknown = || Refusal::not_found(format!("there is no provider `{name}`")).at("provider");
    snapshot.providers.get(name).ok_or_else(unknown)
}
