//! Signing in at an OpenID Connect issuer: the authorization code flow with PKCE (OpenID Connect Core, 3.1; RFC 7636).
//!
//! A browser is sent to the issuer with a `state` and a `nonce` and comes back with a code. The code is worth an ID token,
//! which says who they are; `people` knows which user that is, and a session begins like any other.
//!
//! `begun` is what a browser carries meanwhile, `issuer` is asked for its document, its keys and tokens, `token` checks
//! them, `claims` reads who somebody is and what they may do.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::begun::Begun;
use self::issuer::Issuer;
use self::token::{Claims, Expected};
use super::audit::{Note, Refused};
use super::caller::{Caller, Peer};
use super::desk::Desk;
use super::reading::Asked;
use super::refusal::Refusal;
use super::{guard, session};
use crate::config;
use crate::config::oidc::CALLBACK;
use crate::people::{self, Welcomed};
use crate::store::Space;
use crate::upstream::{Client, Network};

mod begun;
mod claims;
mod issuer;
mod token;

/// A state that was used is remembered for longer than it is good.
const REMEMBERED: Duration = Duration::from_secs(2 * begun::LIFE);

/// The issuer that vouches for people.
pub(super) struct Oidc {
    settings: config::Oidc,
    issuer: Issuer,
}

/// What the issuer sends a browser back with. Issuers add more, which says nothing here.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Answer {
    /// What is worth an ID token, once.
    code: Option<String>,
    /// What the sign-in was begun with.
    state: Option<String>,
    /// Why there is no code.
    error: Option<String>,
    /// Who answers (RFC 9207).
    iss: Option<String>,
}

pub(super) fn routes() -> OpenApiRouter<Arc<Desk>> {
    OpenApiRouter::new().routes(routes!(begin)).routes(routes!(finish))
}

impl Oidc {
    pub(super) fn new(settings: config::Oidc, client: Client, way_out: Network) -> Self {
        let issuer = Issuer::new(settings.issuer.clone(), client, way_out);
        Self { settings, issuer }
    }

    /// Where the issuer sends a browser back to that came in at this host.
    fn redirect_url(&self, headers: &HeaderMap) -> Result<String, Refusal> {
        if let Some(url) = &self.settings.redirect_url {
            return Ok(url.clone());
        }
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        match host.filter(|_| guard::is_local(headers)) {
            Some(host) => Ok(format!("http://{host}{CALLBACK}")),
            None => Err(Refusal::unavailable(
                "`[admin.oidc] redirect_url` is not set, and this host is neither `localhost` nor an IP address",
            )),
        }
    }

    /// The issuer's page for who begins to sign in.
    fn page(&self, at: &str, begun: &Begun, back: &str) -> String {
        let state = begun.state();
        let nonce = begun.nonce();
        let challenge = begun.challenge();
        let scope = self.settings.scopes.join(" ");
        let mut url = at.to_owned();
        url.push(if at.contains('?') { '&' } else { '?' });
        url.push_str(&issuer::form(&[
            ("response_type", "code"),
            ("client_id", &self.settings.client_id),
            ("redirect_uri", back),
            ("scope", &scope),
            ("state", &state),
            ("nonce", &nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]));
        url
    }

    /// What the issuer says of who came back with this code.
    async fn claims(&self, begun: &Begun, answer: &Answer, back: &str, now: u64) -> Result<Claims, Refusal> {
        let document = self.issuer.document(Instant::now()).await?;
        if answer.iss.as_ref().map_or(document.tells_issuer, |iss| *iss != self.settings.issuer) {
            return Err(Refusal::unauthenticated("it is not the issuer of `[admin.oidc]` that answers"));
        }
        if let Some(error) = &answer.error {
            let error = issuer::word(error);
            return Err(Refusal::forbidden(format!("the issuer did not let you in: {error}")));
        }
        let Some(code) = &answer.code else {
            return Err(Refusal::malformed("the issuer sent neither a code nor an error").at("code"));
        };
        let verifier = begun.verifier();
        let grant = issuer::Grant { code, back, verifier: &verifier, settings: &self.settings };
        let id_token = self.issuer.exchange(&document, &grant).await?;
        let nonce = begun.nonce();
        let expected =
            Expected { issuer: &self.settings.issuer, client: &self.settings.client_id, nonce: &nonce, now };
        let keys = self.issuer.keys(&document, Instant::now()).await?;
        let verified = match token::verified(id_token.expose(), &keys, &expected) {
            Err(token::Fault::UnknownKey) => match self.issuer.newer_keys(&document, Instant::now()).await? {
                Some(keys) => token::verified(id_token.expose(), &keys, &expected),
                None => Err(token::Fault::UnknownKey),
            },
            other => other,
        };
        verified.map_err(|fault| Refusal::unauthenticated(format!("the issuer's ID token {fault}")))
    }
}

fn configured(desk: &Desk) -> Result<&Oidc, Refusal> {
    let nothing = "nobody signs in at an issuer here; `[admin.oidc]` of the configuration names one";
    desk.oidc.as_ref().ok_or_else(|| Refusal::not_found(nothing))
}

/// Begin to sign in at the OpenID Connect issuer
///
/// For browsers: it leads to the issuer, and from there to the callback.
#[utoipa::path(get, path = "/admin/api/sign-in/oidc", tag = "session", responses(
    (status = 302, description = "to the issuer", headers(("location" = String, description = "the issuer's page")))
))]
async fn begin(
    State(desk): State<Arc<Desk>>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let oidc = configured(&desk)?;
    desk.may_try(peer.map_or(Peer::unknown(), |Extension(peer)| peer))?;
    let back = oidc.redirect_url(&headers)?;
    let document = oidc.issuer.document(Instant::now()).await?;
    let begun = Begun::now(desk.now() / 1000)?;
    let page = oidc.page(&document.authorization_endpoint, &begun, &back);
    let carried = begun.cookie(is_by_tls(&back));
    led_to(&page, &[carried])
}

/// Finish signing in: the issuer leads browsers here
///
/// The answer sets the cookie of a session and leads to the dashboard.
#[utoipa::path(get, path = "/admin/api/sign-in/oidc/callback", tag = "session", params(Answer), responses(
    (status = 302, description = "to the dashboard, with a session", headers(("location" = String, description = "the dashboard"))),
    (status = 409, description = "somebody else changed the user at the same time", body = Refused)
))]
async fn finish(
    State(desk): State<Arc<Desk>>,
    Extension(note): Extension<Note>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    Asked(answer): Asked<Answer>,
) -> Result<Response, Refusal> {
    let oidc = configured(&desk)?;
    note.about("session");
    let peer = peer.map_or(Peer::unknown(), |Extension(peer)| peer);
    desk.may_try(peer)?;
    let begun = returned(&desk, &answer, &headers).await?;
    let back = oidc.redirect_url(&headers)?;
    let claims = oidc.claims(&begun, &answer, &back, desk.now() / 1000).await.inspect_err(|refusal| {
        // A code or a token that is none is a wrong try; that the issuer does not answer is nobody's fault here.
        if refusal.is_unauthenticated() {
            desk.was_wrong(peer);
        }
    })?;
    let (vouched, terms) = claims::read(&oidc.settings, &claims)?;
    note.who(vouched.email.as_deref().unwrap_or(&vouched.identity.subject));
    let welcomed = desk.people.welcome(&vouched, terms).await.map_err(unwelcome)?;
    desk.was_right(peer);
    let caller = noted(&desk, &note, &welcomed).await?;
    let begun = desk.sessions.begin(&caller, peer.0).await?;
    let secure = is_by_tls(&back);
    let cookie = session::cookie(begun.token.expose(), begun.life.as_secs(), secure)?;
    let cookie = cookie.to_str().unwrap_or_default().to_owned();
    led_to("/", &[cookie, Begun::no_cookie(secure)])
}

/// The sign-in that this browser had begun, if this is the answer to it. It is answered once.
async fn returned(desk: &Desk, answer: &Answer, headers: &HeaderMap) -> Result<Begun, Refusal> {
    let refuse = |message: &str| Err(Refusal::unauthenticated(message));
    let Some(begun) = Begun::of(headers) else {
        return refuse(
            "this sign-in was not begun in this browser at this address, or too long ago; begin again",
        );
    };
    let state = begun.state();
    if !answer.state.as_ref().is_some_and(|given| begun::is_same(given, &state)) {
        return refuse("this is the answer to another sign-in; begin again");
    }
    if begun.is_over(desk.now() / 1000) {
        return refuse("this sign-in was begun too long ago; begin again");
    }
    // Without a code nothing is worth a second try, and nothing is written for who has none.
    let used = Space::Counter.key(&["oidc-state", &state]);
    if answer.code.is_some() && desk.store.increment(used, 1, Some(REMEMBERED)).await? != 1 {
        return refuse("this sign-in was answered already; begin again");
    }
    Ok(begun)
}

/// Who came in, for the session and for the audit log.
async fn noted(desk: &Desk, note: &Note, welcomed: &Welcomed) -> Result<Caller, Refusal> {
    let Welcomed { user, before, made } = welcomed;
    let caller = Caller::user(user);
    note.who(&caller.name);
    if *made {
        note.about(format!("session, and user {}", user.id));
        note.after(user);
    }
    if let Some(before) = before {
        note.about(format!("session, and user {}", user.id));
        note.before(before);
        note.after(user);
        if before.role != user.role {
            desk.sessions.end_all(&user.id).await?;
        }
    }
    Ok(caller)
}

/// What an issuer tells is no input of the one who asks.
fn unwelcome(refusal: people::Refusal) -> Refusal {
    match refusal {
        people::Refusal::Invalid { path, message } => {
            Refusal::forbidden(format!("what the issuer tells of you cannot be taken: `{path}`: {message}"))
        }
        other => other.into(),
    }
}

fn is_by_tls(url: &str) -> bool {
    url.starts_with("https://")
}

fn led_to(place: &str, cookies: &[String]) -> Result<Response, Refusal> {
    let illegal = |_| Refusal::unavailable("an address or a cookie cannot stand in a header");
    let mut headers = vec![(header::LOCATION, HeaderValue::from_str(place).map_err(illegal)?)];
    for cookie in cookies {
        headers.push((header::SET_COOKIE, HeaderValue::from_str(cookie).map_err(illegal)?));
    }
    Ok((StatusCode::FOUND, AppendHeaders(headers)).into_response())
}
