//! The configuration in force, and how to read it again.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
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
use crate::config::{self, Config};

/// What the admin side asks of who reads the configuration.
pub trait Control: Send + Sync {
    /// The configuration in force.
    fn config(&self) -> Config;

    /// Reads it again. Blocking.
    fn reload(&self) -> Reloaded;

    /// The latest times it was read, the newest last.
    fn history(&self) -> Vec<Reloaded>;
}

/// What came of reading the configuration.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Reloaded {
    /// When, in UTC.
    #[schema(format = DateTime)]
    pub at: String,
    /// It is in force. Else the one before stays.
    pub good: bool,
    /// What is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// What is different from the one before, one line each.
    pub changes: Vec<String>,
}

/// How to show it.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Form {
    /// As TOML, as it could stand in a file.
    #[param(inline)]
    format: Option<Format>,
}

/// How to show a configuration.
#[derive(Deserialize, PartialEq, Eq, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Format {
    Json,
    Toml,
}

/// The configuration in force.
#[derive(Serialize, ToSchema)]
struct InForce {
    /// Counts up with each time it was read well.
    generation: u64,
    /// All of it, with every default; secrets are `***`.
    #[schema(value_type = Object)]
    config: Value,
    /// The latest times it was read, the newest last.
    history: Vec<Reloaded>,
}

pub(super) fn routes() -> OpenApiRouter<Arc<Desk>> {
    OpenApiRouter::new().routes(routes!(in_force)).routes(routes!(reload))
}

/// The configuration in force, secrets masked
#[utoipa::path(get, path = "/admin/api/config", tag = "config", params(Form), responses(
    (status = 200, content((InForce = "application/json"), (String = "application/toml"))),
))]
async fn in_force(State(desk): State<Arc<Desk>>, Asked(form): Asked<Form>) -> Result<Response, Refusal> {
    let failed = |error: String| Refusal::unavailable(error);
    let config = desk.control.config();
    if form.format == Some(Format::Toml) {
        let loaded = config::Loaded {
            config,
            path: None,
            notes: Vec::new(),
            origins: BTreeMap::new(),
            shadowed: Vec::new(),
        };
        let text = config::effective(&loaded, false).map_err(failed)?;
        return Ok(([(header::CONTENT_TYPE, "application/toml")], text).into_response());
    }
    let config = serde_json::to_value(&config).map_err(|error| failed(error.to_string()))?;
    let generation = desk.snapshot().generation;
    Ok(Json(InForce { generation, config, history: desk.control.history() }).into_response())
}

/// Read the configuration again
///
/// One that is wrong changes nothing: the one before stays in force, and `problem` says what is wrong.
#[utoipa::path(post, path = "/admin/api/config/reload", tag = "config", responses((status = 200, body = Reloaded)))]
async fn reload(
    State(desk): State<Arc<Desk>>,
    Extension(note): Extension<Note>,
) -> Result<Json<Reloaded>, Refusal> {
    note.about("config");
    let control = Arc::clone(&desk.control);
    // Adapters may have to be compiled.
    let reloaded = tokio::task::spawn_blocking(move || control.reload()).await;
    let reloaded = reloaded.map_err(|error| Refusal::unavailable(error.to_string()))?;
    note.after(&reloaded);
    Ok(Json(reloaded))
}
