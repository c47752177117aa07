//! `/admin/api/session`: sign in, who am I, sign out.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::audit::Note;
use super::caller::{COOKIE, Caller, Peer, Role, Way};
use super::desk::Desk;
use super::guard;
use super::reading::Body;
use super::refusal::Refusal;
use super::sessions;
use crate::domain::Secret;

/// Who one is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SignIn {
    /// The address of a user; without it `password` is the admin password or a virtual key.
    #[schema(max_length = 254)]
    email: Option<String>,
    /// The password.
    #[schema(max_length = 1024)]
    password: String,
}

/// Who asks, and what he may do.
#[derive(Serialize, ToSchema)]
struct Session {
    /// `admin` is who has the admin password.
    name: String,
    role: Role,
    /// The user's id; absent for who has the admin password.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    /// What goes into the header `x-causeway-csrf` of every change; absent when no cookie was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    csrf: Option<String>,
    /// Nothing can be changed here: `[admin] readonly`.
    readonly: bool,
}

pub(super) fn routes() -> OpenApiRouter<Arc<Desk>> {
    OpenApiRouter::new().routes(routes!(sign_in, who, sign_out))
}

impl Session {
    fn of(desk: &Desk, caller: &Caller, csrf: Option<String>) -> Self {
        let Caller { name, role, user, .. } = caller.clone();
        Self { name, role, user, csrf, readonly: desk.settings.readonly }
    }
}

/// Sign in; the answer sets the cookie of a session
#[utoipa::path(post, path = "/admin/api/session", tag = "session", request_body = SignIn, responses((status = 201, body = Session)))]
async fn sign_in(
    State(desk): State<Arc<Desk>>,
    Extension(note): Extension<Note>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    Body(given): Body<SignIn>,
) -> Result<Response, Refusal> {
    note.about("session");
    let peer = peer.map_or(Peer::unknown(), |Extension(peer)| peer);
    let password = Secret::new(given.password);
    let caller = match given.email {
        Some(email) => guard::by_email(&desk, (&email, password), peer).await?,
        None => guard::by_credential(&desk, &password, peer)?,
    };
    note.who(&caller.name);
    let begun = desk.sessions.begin(&caller, peer.0).await?;
    let session = Session::of(&desk, &caller, Some(begun.csrf));
    let cookie = cookie(begun.token.expose(), begun.life.as_secs(), is_by_tls(&headers))?;
    Ok((StatusCode::CREATED, [(header::SET_COOKIE, cookie)], Json(session)).into_response())
}

/// Who am I, and what may I do
#[utoipa::path(get, path = "/admin/api/session", tag = "session", responses((status = 200, body = Session)))]
async fn who(State(desk): State<Arc<Desk>>, Extension(caller): Extension<Caller>) -> Json<Session> {
    let csrf = match &caller.way {
        Way::Session(token) => Some(sessions::csrf(token)),
        _ => None,
    };
    Json(Session::of(&desk, &caller, csrf))
}

/// Sign out
#[utoipa::path(delete, path = "/admin/api/session", tag = "session", responses((status = 204, description = "the session is over")))]
async fn sign_out(
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
    Extension(note): Extension<Note>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    note.about("session");
    if let Way::Session(token) = &caller.way {
        desk.sessions.end(token).await?;
    }
    let cookie = cookie("", 0, is_by_tls(&headers))?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

/// The listener speaks HTTP; behind what adds TLS a browser says by itself that its page came with it.
fn is_by_tls(headers: &HeaderMap) -> bool {
    headers.get(header::ORIGIN).is_some_and(|origin| origin.as_bytes().starts_with(b"https://"))
}

/// The line that sets a session's cookie.
pub(super) fn cookie(token: &str, seconds: u64, secure: bool) -> Result<HeaderValue, Refusal> {
    let secure = if secure { "; Secure" } else { "" };
    let text = format!("{COOKIE}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::from_str(&text).map_err(|error| Refusal::unavailable(error.to_string()))
}
