//! What somebody sees and does of themselves. Whatever belongs to somebody else is not there.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::audit::Note;
use super::caller::{Caller, Peer, Role};
use super::desk::Desk;
use super::listed::Listed;
use super::reading::{Asked, Body, MaybeBody, Named, Page};
use super::refusal::Refusal;
use super::{guard, keys};
use crate::auth;
use crate::domain::Secret;
use crate::people::{ChangedKey, IssuedKey, KeyView, Maker, NewKey, Rotation, TierView, UserView};

/// Somebody, as they see themselves.
#[derive(Serialize, ToSchema)]
struct Myself {
    /// `admin` is who has the admin password; of a virtual key it is its name.
    name: String,
    role: Role,
    /// Absent for who has the admin password, and for a key that is nobody's.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<UserView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tier: Option<TierView>,
}

/// Names of models.
#[derive(Serialize, ToSchema)]
struct Models {
    models: Vec<String>,
}

/// Another password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Another {
    /// The one of now.
    #[schema(max_length = 1024)]
    current: String,
    /// The next one, 10 characters or more.
    #[schema(min_length = 10, max_length = 1024)]
    password: String,
}

pub(super) fn routes() -> OpenApiRouter<Arc<Desk>> {
    OpenApiRouter::new()
        .routes(routes!(me))
        .routes(routes!(my_models))
        .routes(routes!(my_keys, create_my_key))
        .routes(routes!(my_key, change_my_key, revoke_my_key))
        .routes(routes!(rotate_my_key))
        .routes(routes!(set_my_password))
}

/// The user that somebody is. Who is none has no keys of their own.
fn member(caller: &Caller) -> Result<Maker, Refusal> {
    let nobody = || Refusal::not_found("only users have keys of their own, and you are none");
    caller.user.clone().map(Maker::Member).ok_or_else(nobody)
}

/// Who am I, and what do I get
#[utoipa::path(get, path = "/admin/api/me", tag = "me", responses((status = 200, body = Myself)))]
async fn me(
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Myself>, Refusal> {
    let Caller { name, role, user, .. } = caller;
    let me = user.map(|user| desk.people.me(&user)).transpose()?;
    let (user, tier) = me.map_or((None, None), |me| (Some(me.user), me.tier));
    Ok(Json(Myself { name, role, user, tier }))
}

/// The models I may ask for
#[utoipa::path(get, path = "/admin/api/me/models", tag = "me", responses((status = 200, body = Models)))]
async fn my_models(
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Models>, Refusal> {
    let names = desk.snapshot().routes.names().into_iter().map(str::to_owned).collect::<Vec<_>>();
    let models = match &caller.user {
        Some(user) => desk.people.models_of(user, names)?,
        None => names,
    };
    Ok(Json(Models { models }))
}

/// My keys
#[utoipa::path(get, path = "/admin/api/me/keys", tag = "me", params(Page), responses((status = 200, body = Listed<KeyView>)))]
async fn my_keys(
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
    Asked(page): Asked<Page>,
) -> Result<Json<Listed<KeyView>>, Refusal> {
    Listed::of(desk.people.keys(&member(&caller)?), &page, |key| &key.name).map(Json)
}

/// Make a key of my own, that may do no more than I; its secret is shown this once
#[utoipa::path(post, path = "/admin/api/me/keys", tag = "me", request_body = NewKey, responses((status = 201, body = IssuedKey)))]
async fn create_my_key(
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
    Extension(note): Extension<Note>,
    Body(new): Body<NewKey>,
) -> Result<(StatusCode, Json<IssuedKey>), Refusal> {
    note.about(format!("key {}", new.name));
    let issued = desk.people.create_key(&member(&caller)?, new, auth::new_secret()?).await?;
    note.after(&issued.key);
    Ok((StatusCode::CREATED, Json(issued)))
}

/// One of my keys
#[utoipa::path(get, path = "/admin/api/me/keys/{name}", tag = "me", params(("name" = String, Path)), responses((status = 200, body = KeyView)))]
async fn my_key(
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
    Named(name): Named,
) -> Result<Json<KeyView>, Refusal> {
    Ok(Json(desk.people.key(&member(&caller)?, &name)?))
}

/// Change one of my keys
#[utoipa::path(patch, path = "/admin/api/me/keys/{name}", tag = "me", params(("name" = String, Path)), request_body = ChangedKey, responses((status = 200, body = KeyView)))]
async fn change_my_key(
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
    Extension(note): Extension<Note>,
    Named(name): Named,
    Body(change): Body<ChangedKey>,
) -> Result<Json<KeyView>, Refusal> {
    keys::changed(&desk, &note, &member(&caller)?, &name, change).await
}

/// Take one of my keys back for good
#[utoipa::path(delete, path = "/admin/api/me/keys/{name}", tag = "me", params(("name" = String, Path)), responses((status = 200, body = KeyView)))]
async fn revoke_my_key(
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
    Extension(note): Extension<Note>,
    Named(name): Named,
) -> Result<Json<KeyView>, Refusal> {
    keys::revoked(&desk, &note, &member(&caller)?, &name).await
}

/// Give one of my keys a new secret, shown this once
#[utoipa::path(post, path = "/admin/api/me/keys/{name}/rotate", tag = "me", params(("name" = String, Path)), request_body = Option<Rotation>, responses((status = 200, body = IssuedKey)))]
async fn rotate_my_key(
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
    Extension(note): Extension<Note>,
    Named(name): Named,
    MaybeBody(rotation): MaybeBody<Rotation>,
) -> Result<Json<IssuedKey>, Refusal> {
    keys::rotated(&desk, &note, &member(&caller)?, (&name, rotation.unwrap_or_default())).await
}

/// Set another password; all my sessions end
#[utoipa::path(put, path = "/admin/api/me/password", tag = "me", request_body = Another, responses((status = 204, description = "it is set")))]
async fn set_my_password(
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
    Extension(note): Extension<Note>,
    peer: Option<Extension<Peer>>,
    Body(another): Body<Another>,
) -> Result<StatusCode, Refusal> {
    let nobody = || Refusal::not_found("the admin password stands in the configuration or in its file");
    let user = caller.user.as_deref().ok_or_else(nobody)?;
    note.about(format!("user {user}"));
    let email = desk.people.user(user)?.email;
    let peer = peer.map_or(Peer::unknown(), |Extension(peer)| peer);
    // Who found an open browser does not know it.
    guard::by_email(&desk, (&email, Secret::new(another.current)), peer).await?;
    desk.people.set_password(user, Some(Secret::new(another.password))).await?;
    desk.sessions.end_all(user).await?;
    Ok(StatusCode::NO_CONTENT)
}
