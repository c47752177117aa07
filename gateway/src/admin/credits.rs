//! Credits: more money for some time, for a key, a user or a team.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::audit::Note;
use super::caller::Caller;
use super::desk::Desk;
use super::reading::{Body, Named, plain_name};
use super::refusal::Refusal;
use crate::people::{CreditOwner, CreditView, NewCredit};

type Given = Result<(StatusCode, Json<CreditView>), Refusal>;

pub(super) fn routes() -> OpenApiRouter<Arc<Desk>> {
    OpenApiRouter::new()
        .routes(routes!(credit_key))
        .routes(routes!(uncredit_key))
        .routes(routes!(credit_user))
        .routes(routes!(uncredit_user))
        .routes(routes!(credit_team))
        .routes(routes!(uncredit_team))
}

/// Give a key more money for some time
#[utoipa::path(post, path = "/admin/api/keys/{name}/credits", tag = "keys", params(("name" = String, Path)), request_body = NewCredit, responses((status = 201, body = CreditView)))]
async fn credit_key(
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
    Extension(note): Extension<Note>,
    Named(name): Named,
    Body(new): Body<NewCredit>,
) -> Given {
    note.about(format!("key {name}"));
    give(&desk, &caller, &note, CreditOwner::Key(name), new).await
}

/// Give a user more money for some time
#[utoipa::path(post, path = "/admin/api/users/{id}/credits", tag = "users", params(("id" = String, Path)), request_body = NewCredit, responses((status = 201, body = CreditView)))]
async fn credit_user(
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
    Extension(note): Extension<Note>,
    Named(id): Named,
    Body(new): Body<NewCredit>,
) -> Given {
    note.about(format!("user {id}"));
    give(&desk, &caller, &note, CreditOwner::User(id), new).await
}

/// Give a team more money for some time
#[utoipa::path(post, path = "/admin/api/teams/{name}/credits", tag = "teams", params(("name" = String, Path)), request_body = NewCredit, responses((status = 201, body = CreditView)))]
async fn credit_team(
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
    Extension(note): Extension<Note>,
    Named(name): Named,
    Body(new): Body<NewCredit>,
) -> Given {
    note.about(format!("team {name}"));
    give(&desk, &caller, &note, CreditOwner::Team(name), new).await
}

/// End a key's credit
#[utoipa::path(delete, path = "/admin/api/keys/{name}/credits/{id}", tag = "keys", params(("name" = String, Path), ("id" = String, Path)), responses((status = 204, description = "gone")))]
async fn uncredit_key(
    State(desk): State<Arc<Desk>>,
    Extension(note): Extension<Note>,
    Path((name, id)): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    end(&desk, &note, (CreditOwner::Key(plain_name(&name)), &id)).await
}

/// End a user's credit
#[utoipa::path(delete, path = "/admin/api/users/{id}/credits/{credit}", tag = "users", params(("id" = String, Path), ("credit" = String, Path)), responses((status = 204, description = "gone")))]
async fn uncredit_user(
    State(desk): State<Arc<Desk>>,
    Extension(note): Extension<Note>,
    Path((user, id)): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    end(&desk, &note, (CreditOwner::User(plain_name(&user)), &id)).await
}

/// End a team's credit
#[utoipa::path(delete, path = "/admin/api/teams/{name}/credits/{id}", tag = "teams", params(("name" = String, Path), ("id" = String, Path)), responses((status = 204, description = "gone")))]
async fn uncredit_team(
    State(desk): State<Arc<Desk>>,
    Extension(note): Extension<Note>,
    Path((name, id)): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    end(&desk, &note, (CreditOwner::Team(plain_name(&name)), &id)).await
}

async fn give(desk: &Desk, caller: &Caller, note: &Note, owner: CreditOwner, new: NewCredit) -> Given {
    let credit = desk.people.add_credit(&owner, new, &caller.name).await?;
    note.after(&credit);
    Ok((StatusCode::CREATED, Json(credit)))
}

async fn end(desk: &Desk, note: &Note, (owner, id): (CreditOwner, &str)) -> Result<StatusCode, Refusal> {
    note.before(&owner);
    note.about(format!("credit {id}"));
    desk.people.end_credit(&owner, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
