//! Virtual keys, as operators see and change them.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::audit::Note;
use super::caller::Caller;
use super::desk::Desk;
use super::listed::Listed;
use super::reading::{Asked, Body, MaybeBody, Named, Page};
use super::refusal::Refusal;
use crate::auth;
use crate::people::{ChangedKey, IssuedKey, KeyView, Maker, NewKey, Rotation};

pub(super) fn routes() -> OpenApiRouter<Arc<Desk>> {
    OpenApiRouter::new()
        .routes(routes!(list_keys, create_key))
        .routes(routes!(one_key, change_key, revoke_key))
        .routes(routes!(rotate_key))
}

fn operator(caller: &Caller) -> Maker {
    Maker::Operator(caller.name.clone())
}

/// Virtual keys, of the store and of the file
#[utoipa::path(get, path = "/admin/api/keys", tag = "keys", params(Page), responses((status = 200, body = Listed<KeyView>)))]
async fn list_keys(
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
    Asked(page): Asked<Page>,
) -> Result<Json<Listed<KeyView>>, Refusal> {
    Listed::of(desk.people.keys(&operator(&caller)), &page, |key| &key.name).map(Json)
}

/// Make a key; its secret is shown this once
#[utoipa::path(post, path = "/admin/api/keys", tag = "keys", request_body = NewKey, responses((status = 201, body = IssuedKey)))]
async fn create_key(
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
    Extension(note): Extension<Note>,
    Body(new): Body<NewKey>,
) -> Result<(StatusCode, Json<IssuedKey>), Refusal> {
    note.about(format!("key {}", new.name));
    let issued = desk.people.create_key(&operator(&caller), new, auth::new_secret()?).await?;
    note.after(&issued.key);
    Ok((StatusCode::CREATED, Json(issued)))
}

/// One key
#[utoipa::path(get, path = "/admin/api/keys/{name}", tag = "keys", params(("name" = String, Path)), responses((status = 200, body = KeyView)))]
async fn one_key(
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
    Named(name): Named,
) -> Result<Json<KeyView>, Refusal> {
    Ok(Json(desk.people.key(&operator(&caller), &name)?))
}

/// Change a key; a field that is not there stays, one that is `null` is emptied
#[utoipa::path(patch, path = "/admin/api/keys/{name}", tag = "keys", params(("name" = String, Path)), request_body = ChangedKey, responses((status = 200, body = KeyView)))]
async fn change_key(
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
    Extension(note): Extension<Note>,
    Named(name): Named,
    Body(change): Body<ChangedKey>,
) -> Result<Json<KeyView>, Refusal> {
    changed(&desk, &note, &operator(&caller), &name, change).await
}

/// Take a key back for good
#[utoipa::path(delete, path = "/admin/api/keys/{name}", tag = "keys", params(("name" = String, Path)), responses((status = 200, body = KeyView)))]
async fn revoke_key(
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
    Extension(note): Extension<Note>,
    Named(name): Named,
) -> Result<Json<KeyView>, Refusal> {
    revoked(&desk, &note, &operator(&caller), &name).await
}

/// Give a key a new secret, shown this once; the one before is good for `overlap` longer
#[utoipa::path(post, path = "/admin/api/keys/{name}/rotate", tag = "keys", params(("name" = String, Path)), request_body = Option<Rotation>, responses((status = 200, body = IssuedKey)))]
async fn rotate_key(
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
    Extension(note): Extension<Note>,
    Named(name): Named,
    MaybeBody(rotation): MaybeBody<Rotation>,
) -> Result<Json<IssuedKey>, Refusal> {
    rotated(&desk, &note, &operator(&caller), (&name, rotation.unwrap_or_default())).await
}

/// The same for a member's own keys.
pub(super) async fn changed(
    desk: &Desk,
    note: &Note,
    maker: &Maker,
    name: &str,
    change: ChangedKey,
) -> Result<Json<KeyView>, Refusal> {
    note.about(format!("key {name}"));
    note.before(&desk.people.key(maker, name)?);
    let key = desk.people.change_key(maker, name, change).await?;
    note.after(&key);
    Ok(Json(key))
}

/// The same for a member's own keys.
pub(super) async fn revoked(
    desk: &Desk,
    note: &Note,
    maker: &Maker,
    name: &str,
) -> Result<Json<KeyView>, Refusal> {
    note.about(format!("key {name}"));
    note.before(&desk.people.key(maker, name)?);
    let key = desk.people.revoke_key(maker, name).await?;
    note.after(&key);
    Ok(Json(key))
}

/// The same for a member's own keys.
pub(super) async fn rotated(
    desk: &Desk,
    note: &Note,
    maker: &Maker,
    (name, rotation): (&str, Rotation),
) -> Result<Json<IssuedKey>, Refusal> {
    note.about(format!("key {name}"));
    note.before(&desk.people.key(maker, name)?);
    let issued = desk.people.rotate_key(maker, name, rotation, auth::new_secret()?).await?;
    note.after(&issued.key);
    Ok(Json(issued))
}
