//! Users: who they are, what they may, what they paid.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::audit::Note;
use super::caller::Caller;
use super::desk::Desk;
use super::listed::Listed;
use super::reading::{Asked, Body, Named, Page};
use super::refusal::Refusal;
use crate::auth;
use crate::domain::Secret;
use crate::people::{ChangedUser, Invitation, NewTopUp, NewUser, TopUpView, UserView};

/// Which users.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// At most so many.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
    /// Only those whose name, address or id holds this.
    search: Option<String>,
}

/// A password to sign in with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    /// 10 characters or more; `null`: no signing in by password.
    #[schema(min_length = 10, max_length = 1024, required)]
    password: Option<String>,
}

pub(super) fn routes() -> OpenApiRouter<Arc<Desk>> {
    OpenApiRouter::new()
        .routes(routes!(list_users, create_user))
        .routes(routes!(one_user, change_user, remove_user))
        .routes(routes!(set_password))
        .routes(routes!(invite_user))
        .routes(routes!(list_top_ups, top_up))
}

/// Users, in order of id
#[utoipa::path(get, path = "/admin/api/users", tag = "users", params(Which), responses((status = 200, body = Listed<UserView>)))]
async fn list_users(
    State(desk): State<Arc<Desk>>,
    Asked(which): Asked<Which>,
) -> Result<Json<Listed<UserView>>, Refusal> {
    let Which { limit, after, search } = which;
    let mut users = match search {
        Some(text) => desk.people.find_users(&text),
        None => desk.people.users(),
    };
    users.sort_by(|one, other| one.id.cmp(&other.id));
    Listed::of(users, &Page { limit, after }, |user| &user.id).map(Json)
}

/// Make a user
#[utoipa::path(post, path = "/admin/api/users", tag = "users", request_body = NewUser, responses((status = 201, body = UserView)))]
async fn create_user(
    State(desk): State<Arc<Desk>>,
    Extension(note): Extension<Note>,
    Body(new): Body<NewUser>,
) -> Result<(StatusCode, Json<UserView>), Refusal> {
    note.about(format!("user {}", new.email));
    let user = desk.people.create_user(new).await?;
    note.about(format!("user {}", user.id));
    note.after(&user);
    Ok((StatusCode::CREATED, Json(user)))
}

/// One user
#[utoipa::path(get, path = "/admin/api/users/{id}", tag = "users", params(("id" = String, Path)), responses((status = 200, body = UserView)))]
async fn one_user(State(desk): State<Arc<Desk>>, Named(id): Named) -> Result<Json<UserView>, Refusal> {
    Ok(Json(desk.people.user(&id)?))
}

/// Change a user; a field that is not there stays, one that is `null` is emptied
///
/// Who is disabled or gets another role is signed out.
#[utoipa::path(patch, path = "/admin/api/users/{id}", tag = "users", params(("id" = String, Path)), request_body = ChangedUser, responses((status = 200, body = UserView)))]
async fn change_user(
    State(desk): State<Arc<Desk>>,
    Extension(note): Extension<Note>,
    Named(id): Named,
    Body(change): Body<ChangedUser>,
) -> Result<Json<UserView>, Refusal> {
    let before = desk.people.user(&id)?;
    note.about(format!("user {id}"));
    note.before(&before);
    let user = desk.people.change_user(&id, change).await?;
    note.after(&user);
    if user.disabled || user.role != before.role {
        desk.sessions.end_all(&id).await?;
    }
    Ok(Json(user))
}

/// Remove a user who has no keys any more
#[utoipa::path(delete, path = "/admin/api/users/{id}", tag = "users", params(("id" = String, Path)), responses((status = 204, description = "gone")))]
async fn remove_user(
    State(desk): State<Arc<Desk>>,
    Extension(note): Extension<Note>,
    Named(id): Named,
) -> Result<StatusCode, Refusal> {
    note.about(format!("user {id}"));
    note.before(&desk.people.user(&id)?);
    desk.people.remove_user(&id).await?;
    desk.sessions.end_all(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Set or remove a user's password; all their sessions end
#[utoipa::path(put, path = "/admin/api/users/{id}/password", tag = "users", params(("id" = String, Path)), request_body = NewPassword, responses((status = 204, description = "it is set")))]
async fn set_password(
    State(desk): State<Arc<Desk>>,
    Extension(note): Extension<Note>,
    Named(id): Named,
    Body(new): Body<NewPassword>,
) -> Result<StatusCode, Refusal> {
    note.about(format!("user {id}"));
    desk.people.user(&id)?;
    desk.people.set_password(&id, new.password.map(Secret::new)).await?;
    desk.sessions.end_all(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Give a user a code for a key of their own, shown this once
#[utoipa::path(post, path = "/admin/api/users/{id}/invite", tag = "users", params(("id" = String, Path)), responses((status = 200, body = Invitation)))]
async fn invite_user(
    State(desk): State<Arc<Desk>>,
    Extension(note): Extension<Note>,
    Named(id): Named,
) -> Result<Json<Invitation>, Refusal> {
    note.about(format!("user {id}"));
    let invitation = desk.people.invite_user(&id, auth::new_secret()?).await?;
    note.after(&invitation.user);
    Ok(Json(invitation))
}

/// What a user paid
#[utoipa::path(get, path = "/admin/api/users/{id}/top-ups", tag = "users", params(("id" = String, Path), Page), responses((status = 200, body = Listed<TopUpView>)))]
async fn list_top_ups(
    State(desk): State<Arc<Desk>>,
    Named(id): Named,
    Asked(page): Asked<Page>,
) -> Result<Json<Listed<TopUpView>>, Refusal> {
    let found = desk.people.top_ups(&id, page.after.as_deref(), page.rows()?).await?;
    Ok(Json(Listed::part(found.top_ups, found.next)))
}

/// Enter what a user paid; an amount below zero corrects earlier ones
///
/// With an `id` of the payment's own it counts once, however often it is told.
#[utoipa::path(post, path = "/admin/api/users/{id}/top-ups", tag = "users", params(("id" = String, Path)), request_body = NewTopUp, responses((status = 201, body = TopUpView)))]
async fn top_up(
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
    Extension(note): Extension<Note>,
    Named(id): Named,
    Body(new): Body<NewTopUp>,
) -> Result<(StatusCode, Json<TopUpView>), Refusal> {
    note.about(format!("user {id}"));
    let entry = desk.people.top_up(&id, new, &caller.name).await?;
    note.after(&entry);
    Ok((StatusCode::CREATED, Json(entry)))
}
