//! Strangers who would like to come in: they ask, an operator decides, a code lets them in once.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::audit::Note;
use super::caller::Peer;
use super::desk::Desk;
use super::reading::{Body, MaybeBody, Named};
use super::refusal::Refusal;
use crate::auth;
use crate::people::{Approval, Invitation, IssuedKey, NewSignUp, Redemption, SignUpView};

/// Who would like to come in.
#[derive(Serialize, ToSchema)]
struct SignUps {
    /// The oldest first; at most ten thousand are kept.
    items: Vec<SignUpView>,
}

pub(super) fn routes() -> OpenApiRouter<Arc<Desk>> {
    OpenApiRouter::new()
        .routes(routes!(sign_up))
        .routes(routes!(redeem))
        .routes(routes!(list_sign_ups))
        .routes(routes!(remove_sign_up))
        .routes(routes!(approve_sign_up))
        .routes(routes!(reject_sign_up))
}

/// Ask to be let in; the answer is the same whether the address is known or not
#[utoipa::path(post, path = "/admin/api/sign-up", tag = "sign-up", request_body = NewSignUp, responses((status = 202, description = "an operator will decide")))]
async fn sign_up(
    State(desk): State<Arc<Desk>>,
    peer: Option<Extension<Peer>>,
    Body(new): Body<NewSignUp>,
) -> Result<StatusCode, Refusal> {
    let peer = peer.map_or(Peer::unknown(), |Extension(peer)| peer);
    desk.people.sign_up(new, peer.0).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Exchange a code for a key, once; its secret is shown this once
#[utoipa::path(post, path = "/admin/api/redeem", tag = "sign-up", request_body = Redemption, responses((status = 201, body = IssuedKey)))]
async fn redeem(
    State(desk): State<Arc<Desk>>,
    Extension(note): Extension<Note>,
    peer: Option<Extension<Peer>>,
    Body(redemption): Body<Redemption>,
) -> Result<(StatusCode, Json<IssuedKey>), Refusal> {
    note.about("code");
    let peer = peer.map_or(Peer::unknown(), |Extension(peer)| peer);
    desk.may_try(peer)?;
    let redeemed = desk.people.redeem(redemption, auth::new_secret()?).await;
    if matches!(redeemed, Err(crate::people::Refusal::Forbidden(_))) {
        desk.was_wrong(peer);
    }
    let issued = redeemed?;
    note.after(&issued.key);
    Ok((StatusCode::CREATED, Json(issued)))
}

/// Who would like to come in
#[utoipa::path(get, path = "/admin/api/sign-ups", tag = "sign-up", responses((status = 200, body = SignUps)))]
async fn list_sign_ups(State(desk): State<Arc<Desk>>) -> Json<SignUps> {
    Json(SignUps { items: desk.people.sign_ups() })
}

/// Let somebody in; the code for their first key is shown this once
#[utoipa::path(post, path = "/admin/api/sign-ups/{id}/approve", tag = "sign-up", params(("id" = String, Path)), request_body = Option<Approval>, responses((status = 200, body = Invitation)))]
async fn approve_sign_up(
    State(desk): State<Arc<Desk>>,
    Extension(note): Extension<Note>,
    Named(id): Named,
    MaybeBody(approval): MaybeBody<Approval>,
) -> Result<Json<Invitation>, Refusal> {
    note.about(format!("sign-up {id}"));
    let approval = approval.unwrap_or_default();
    let invitation = desk.people.approve_sign_up(&id, approval, auth::new_secret()?).await?;
    note.after(&invitation.user);
    Ok(Json(invitation))
}

/// Do not let somebody in
#[utoipa::path(post, path = "/admin/api/sign-ups/{id}/reject", tag = "sign-up", params(("id" = String, Path)), responses((status = 200, body = SignUpView)))]
async fn reject_sign_up(
    State(desk): State<Arc<Desk>>,
    Extension(note): Extension<Note>,
    Named(id): Named,
) -> Result<Json<SignUpView>, Refusal> {
    note.about(format!("sign-up {id}"));
    let rejected = desk.people.reject_sign_up(&id).await?;
    note.after(&rejected);
    Ok(Json(rejected))
}

/// Forget a sign-up
#[utoipa::path(delete, path = "/admin/api/sign-ups/{id}", tag = "sign-up", params(("id" = String, Path)), responses((status = 204, description = "gone")))]
async fn remove_sign_up(
    State(desk): State<Arc<Desk>>,
    Extension(note): Extension<Note>,
    Named(id): Named,
) -> Result<StatusCode, Refusal> {
    note.about(format!("sign-up {id}"));
    desk.people.remove_sign_up(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}
