//! How limits and budgets stand, of a key or of whoever asks.

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::{Caller, Way};
use super::desk::Desk;
use super::dollars::Dollars;
use super::reading::{Asked, Named};
use super::refusal::Refusal;
use crate::domain::{Bounds, Scope, VirtualKey, rfc3339};
use crate::limit::Shown;
use crate::people::Maker;
use crate::store::holds::Unit;

/// Of which of my keys.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// All that holds for this key of mine. Absent: for the key that asks, else for me.
    key: Option<String>,
}

/// Limits, and how each stands.
#[derive(Serialize, ToSchema)]
struct Standings {
    limits: Vec<LimitView>,
}

/// A limit, and how it stands.
#[derive(Serialize, ToSchema)]
struct LimitView {
    /// Whose it is: `key/web`, `user/…`, `team/shop`, or `global`.
    #[schema(example = "key/web")]
    scope: String,
    /// In words: `60/min`, `2 at a time`, `budget per month`.
    window: String,
    unit: Counted,
    /// A number of `unit`; of money it is US dollars.
    #[schema(value_type = f64)]
    limit: Amount,
    /// What is held for requests that run is a part of it.
    #[schema(value_type = f64)]
    used: Amount,
    #[schema(value_type = f64)]
    left: Amount,
    /// When it begins again, where it does so at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    until: Option<String>,
    /// Seconds until all of it is free again, where time frees it.
    #[serde(skip_serializing_if = "Option::is_none")]
    free_in: Option<u64>,
}

/// What is counted.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Counted {
    Requests,
    Tokens,
    /// Requests at a time.
    Concurrent,
    Money,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Amount {
    Number(i64),
    Money(Dollars),
}

impl From<Shown> for LimitView {
    fn from(shown: Shown) -> Self {
        let Shown { scope, window, until, standing } = shown;
        let unit = match standing.unit {
            Unit::Requests => Counted::Requests,
            Unit::Tokens => Counted::Tokens,
            Unit::Concurrent => Counted::Concurrent,
            Unit::Money => Counted::Money,
        };
        let amount = |number: i64| match unit {
            Counted::Money => Amount::Money(Dollars::of_micros(number)),
            _ => Amount::Number(number),
        };
        let free_in = standing.reset.map(|reset| reset.as_secs() + u64::from(reset.subsec_nanos() > 0));
        Self {
            scope,
            window,
            unit,
            limit: amount(standing.limit),
            used: amount(standing.used),
            left: amount(i64::try_from(standing.left()).unwrap_or(i64::MAX)),
            until: until.map(rfc3339),
            free_in,
        }
    }
}

pub(super) fn routes() -> OpenApiRouter<Arc<Desk>> {
    OpenApiRouter::new().routes(routes!(key_limits)).routes(routes!(my_limits))
}

/// How everything stands that holds for a key: its own limits, its user's, its team's, everybody's
#[utoipa::path(get, path = "/admin/api/keys/{name}/limits", tag = "keys", params(("name" = String, Path)), responses((status = 200, body = Standings)))]
async fn key_limits(State(desk): State<Arc<Desk>>, Named(name): Named) -> Result<Json<Standings>, Refusal> {
    let everybody = desk.snapshot().limits.everybody.clone();
    let key = key(&desk, &name)?;
    told(&desk, everybody.iter().chain(key.bounds.iter())).await
}

/// How my limits and budgets stand
#[utoipa::path(get, path = "/admin/api/me/limits", tag = "me", params(Wanted), responses((status = 200, body = Standings)))]
async fn my_limits(
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
    Asked(Wanted { key: wanted }): Asked<Wanted>,
) -> Result<Json<Standings>, Refusal> {
    let asks = (caller.way == Way::Key).then_some(caller.name.as_str());
    let wanted = wanted.as_deref().or(asks);
    match (wanted, &caller.user) {
        (Some(name), Some(user)) => {
            // Whatever is somebody else's is not there.
            if asks != Some(name) {
                desk.people.key(&Maker::Member(user.clone()), name)?;
            }
            told(&desk, key(&desk, name)?.bounds.iter()).await
        }
        (Some(name), None) if asks == Some(name) => told(&desk, key(&desk, name)?.bounds.iter()).await,
        (None, Some(user)) => {
            let bounds = desk.people.bounds(&Scope::User(user.as_str().into()))?;
            told(&desk, bounds.iter()).await
        }
        (Some(_), None) => Err(Refusal::not_found("you have no such key")),
        (None, None) => Err(Refusal::not_found("you are no user; `/admin/api/keys/{name}/limits` tells of any key")),
    }
}

/// A key that may be asked with, of the file or of the store.
fn key(desk: &Desk, name: &str) -> Result<Arc<VirtualKey>, Refusal> {
    let in_file = desk.snapshot().keyring.named(name).map(|key| desk.people.with_owner(key));
    let missing = || Refusal::not_found(format!("there is no key `{name}` in force"));
    in_file.or_else(|| desk.people.named(name)).ok_or_else(missing)
}

async fn told(desk: &Desk, bounds: impl Iterator<Item = &Bounds>) -> Result<Json<Standings>, Refusal> {
    let bounds: Vec<&Bounds> = bounds.collect();
    let shown = desk.limits.look(&bounds).await?;
    Ok(Json(Standings { limits: shown.into_iter().map(LimitView::from).collect() }))
}
