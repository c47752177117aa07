//! The latest requests: where each went, and why.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::desk::Desk;
use super::reading::{Asked, Page};
use super::refusal::Refusal;

/// How many.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Latest {
    /// At most so many; no more than a thousand are remembered.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
}

/// The latest requests.
#[derive(Serialize, ToSchema)]
struct Requests {
    /// The newest first: `request`, `at`, `key`, `asked`, `model`, the planned `targets`, the `attempts` and the `status`, as
    /// `explain?request=…` tells of one.
    #[schema(value_type = Vec<Object>)]
    requests: Vec<Value>,
}

pub(super) fn routes() -> OpenApiRouter<Arc<Desk>> {
    OpenApiRouter::new().routes(routes!(latest))
}

/// The latest requests: where each went, and why
#[utoipa::path(get, path = "/admin/api/requests", tag = "requests", params(Latest), responses((status = 200, body = Requests)))]
async fn latest(
    State(desk): State<Arc<Desk>>,
    Asked(latest): Asked<Latest>,
) -> Result<Json<Requests>, Refusal> {
    let rows = Page { limit: latest.limit, after: None }.rows()?;
    let found = desk.decisions.latest(rows);
    let requests: Result<Vec<_>, _> =
        found.iter().map(|decision| serde_json::to_value(decision.as_ref())).collect();
    let requests = requests.map_err(|error| Refusal::unavailable(error.to_string()))?;
    Ok(Json(Requests { requests }))
}
