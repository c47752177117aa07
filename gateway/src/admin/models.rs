//! Models and prices, and everything made here as a file.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::audit::Note;
use super::caller::Caller;
use super::desk::Desk;
use super::listed::Listed;
use super::reading::{Asked, Body, Named, Page};
use super::refusal::Refusal;
use super::settings::{self, ChangedSetting, ChangedView, NewSetting, SettingView};
use crate::config::Section;

/// How much of it.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// The file's own, too.
    #[serde(default)]
    all: bool,
}

/// What a new master key came to.
#[derive(Serialize, ToSchema)]
struct Resealed {
    /// The id of the key that seals now.
    key: String,
    /// Records that were sealed anew.
    sealed_anew: usize,
    /// The ids of keys that are of no more use.
    retired: Vec<String>,
}

pub(super) fn routes() -> OpenApiRouter<Arc<Desk>> {
    OpenApiRouter::new()
        .routes(routes!(list_models, create_model))
        .routes(routes!(one_model, replace_model, remove_model))
        .routes(routes!(list_own_prices, create_own_price))
        .routes(routes!(one_own_price, replace_own_price, remove_own_price))
        .routes(routes!(export))
        .routes(routes!(rotate_master_key))
}

/// What was made here, as TOML; secrets are `${…}`
#[utoipa::path(get, path = "/admin/api/config/export", tag = "config", params(Wanted), responses((status = 200, content((String = "application/toml")))))]
async fn export(
    State(desk): State<Arc<Desk>>,
    Asked(wanted): Asked<Wanted>,
) -> Result<impl IntoResponse, Refusal> {
    let text = if wanted.all { desk.stored.export_all() } else { desk.stored.export() }?;
    Ok(([(header::CONTENT_TYPE, "application/toml")], text))
}

/// Seal every secret of the store with the newest master key
///
/// Where the gateway keeps the key itself, it makes a new one. What was interrupted goes on.
#[utoipa::path(post, path = "/admin/api/secrets/rotate", tag = "config", responses((status = 200, body = Resealed)))]
async fn rotate_master_key(
    State(desk): State<Arc<Desk>>,
    Extension(note): Extension<Note>,
) -> Result<Json<Resealed>, Refusal> {
    note.about("master key");
    let rotated = desk.stored.rotate().await?;
    let resealed = Resealed { key: rotated.key, sealed_anew: rotated.sealed_anew, retired: rotated.retired };
    note.after(&resealed);
    Ok(Json(resealed))
}

/// Models, of the file and made here
#[utoipa::path(get, path = "/admin/api/models", tag = "models", params(Page), responses((status = 200, body = Listed<SettingView>)))]
async fn list_models(
    State(desk): State<Arc<Desk>>,
    Asked(page): Asked<Page>,
) -> Result<Json<Listed<SettingView>>, Refusal> {
    Listed::of(settings::all(&desk, Section::Models)?, &page, |view| &view.name).map(Json)
}

/// Make a model
#[utoipa::path(post, path = "/admin/api/models", tag = "models", request_body = NewSetting, responses((status = 201, body = ChangedView)))]
async fn create_model(
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
    Extension(note): Extension<Note>,
    Body(new): Body<NewSetting>,
) -> Result<(StatusCode, Json<ChangedView>), Refusal> {
    let made = settings::create(&desk, (&caller, &note), Section::Models, new).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// One model
#[utoipa::path(get, path = "/admin/api/models/{name}", tag = "models", params(("name" = String, Path)), responses((status = 200, body = SettingView)))]
async fn one_model(State(desk): State<Arc<Desk>>, Named(name): Named) -> Result<Json<SettingView>, Refusal> {
    settings::one(&desk, Section::Models, &name).map(Json)
}

/// Replace a model
#[utoipa::path(put, path = "/admin/api/models/{name}", tag = "models", params(("name" = String, Path)), request_body = ChangedSetting, responses((status = 200, body = ChangedView)))]
async fn replace_model(
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
    Extension(note): Extension<Note>,
    Named(name): Named,
    Body(changed): Body<ChangedSetting>,
) -> Result<Json<ChangedView>, Refusal> {
    settings::replace(&desk, (&caller, &note), (Section::Models, &name), changed).await.map(Json)
}

/// Remove a model
#[utoipa::path(delete, path = "/admin/api/models/{name}", tag = "models", params(("name" = String, Path)), responses((status = 204, description = "gone")))]
async fn remove_model(
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
    Extension(note): Extension<Note>,
    Named(name): Named,
) -> Result<StatusCode, Refusal> {
    settings::remove(&desk, (&caller, &note), Section::Models, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Prices, of the file and made here
#[utoipa::path(get, path = "/admin/api/own-prices", tag = "prices", params(Page), responses((status = 200, body = Listed<SettingView>)))]
async fn list_own_prices(
    State(desk): State<Arc<Desk>>,
    Asked(page): Asked<Page>,
) -> Result<Json<Listed<SettingView>>, Refusal> {
    Listed::of(settings::all(&desk, Section::Prices)?, &page, |view| &view.name).map(Json)
}

/// Make a price
#[utoipa::path(post, path = "/admin/api/own-prices", tag = "prices", request_body = NewSetting, responses((status = 201, body = ChangedView)))]
async fn create_own_price(
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
    Extension(note): Extension<Note>,
    Body(new): Body<NewSetting>,
) -> Result<(StatusCode, Json<ChangedView>), Refusal> {
    let made = settings::create(&desk, (&caller, &note), Section::Prices, new).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// One price
#[utoipa::path(get, path = "/admin/api/own-prices/{name}", tag = "prices", params(("name" = String, Path)), responses((status = 200, body = SettingView)))]
async fn one_own_price(
    State(desk): State<Arc<Desk>>,
    Named(name): Named,
) -> Result<Json<SettingView>, Refusal> {
    settings::one(&desk, Section::Prices, &name).map(Json)
}

/// Replace a price
#[utoipa::path(put, path = "/admin/api/own-prices/{name}", tag = "prices", params(("name" = String, Path)), request_body = ChangedSetting, responses((status = 200, body = ChangedView)))]
async fn replace_own_price(
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
    Extension(note): Extension<Note>,
    Named(name): Named,
    Body(changed): Body<ChangedSetting>,
) -> Result<Json<ChangedView>, Refusal> {
    settings::replace(&desk, (&caller, &note), (Section::Prices, &name), changed).await.map(Json)
}

/// Remove a price
#[utoipa::path(delete, path = "/admin/api/own-prices/{name}", tag = "prices", params(("name" = String, Path)), responses((status = 204, description = "gone")))]
async fn remove_own_price(
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
    Extension(note): Extension<Note>,
    Named(name): Named,
) -> Result<StatusCode, Refusal> {
    settings::remove(&desk, (&caller, &note), Section::Prices, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
