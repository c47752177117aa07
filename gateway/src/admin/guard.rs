//! What stands before every operation: who asks, may he, does a page of another site ask for him; and the audit log.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::audit::{self, Entry, Note, Noted};
use super::caller::{self, Caller, Carried, Peer, Role, Way};
use super::desk::Desk;
use super::refusal::Refusal;
use super::rights::{self, Right, Rule};
use super::sessions;
use crate::auth;
use crate::domain::{Secret, id};

/// Proves that a page of ours asks for a change.
pub(super) const CSRF: &str = "x-causeway-csrf";

/// On every answer: nothing here is kept, framed, run or guessed at by a browser.
const HEADERS: [(HeaderName, &str); 5] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
];

/// The id of a request.
#[derive(Clone, Debug)]
pub(super) struct RequestId(pub(super) String);

/// Gives each request an id and each answer its headers.
pub(super) async fn headers(mut request: Request, next: Next) -> Response {
    let offered = request.headers().get("x-request-id").and_then(|value| value.to_str().ok());
    let id = id::request_id(offered);
    request.extensions_mut().insert(RequestId(id.clone()));
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert("x-request-id", id);
    }
    response
}

/// Lets an operation be done, or not.
pub(super) async fn guard(State(desk): State<Arc<Desk>>, mut request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let rule = path.as_deref().and_then(|path| rights::of(request.method(), path));
    let Some(rule) = rule else {
        // Also for a method that a path does not know: the router says which it knows.
        return next.run(request).await;
    };
    // A body cannot be shared between threads, so no reference to the request may be held while we wait.
    let wanted = Wanted::of(&desk, rule, &request);
    let caller = match wanted.caller(&desk).await {
        Ok(caller) => caller,
        Err(refusal) => return refusal.into_response(),
    };
    let about = About::of(&request, rule, caller.as_ref());
    if let Err(refusal) = allowed(&desk, rule, caller.as_ref(), request.headers()) {
        return about.noted(&desk, rule, Note::default(), refusal.into_response()).await;
    }
    let note = Note::default();
    request.extensions_mut().insert(note.clone());
    if let Some(caller) = caller {
        request.extensions_mut().insert(caller);
    }
    let response = next.run(request).await;
    about.noted(&desk, rule, note, response).await
}

/// What a rule wants to know of who asks.
enum Wanted {
    Nothing,
    Caller(Carried, Peer),
}

impl Wanted {
    fn of(desk: &Desk, rule: &Rule, request: &Request) -> Self {
        let headers = request.headers();
        match rule.right {
            Right::Anyone => Self::Nothing,
            Right::Metrics if desk.settings.metrics_are_open() && is_local(headers) => Self::Nothing,
            Right::Metrics | Right::At(_) => Self::Caller(Carried::of(headers), address(request)),
        }
    }

    async fn caller(self, desk: &Desk) -> Result<Option<Caller>, Refusal> {
        let Self::Caller(carried, address) = self else { return Ok(None) };
        let refuse = |message: &str| Err(Refusal::unauthenticated(message));
        match carried {
            Carried::Credential(secret) => by_credential(desk, &secret, address).map(Some),
            Carried::Cookie(token) => match desk.sessions.find(token).await? {
                Some(caller) => Ok(Some(caller)),
                None => refuse("this session is over; sign in again"),
            },
            Carried::Unreadable => refuse("`authorization` is neither bearer nor basic"),
            Carried::Nothing => refuse("the admin password is wanted, as bearer or basic, or a session"),
        }
    }
}

/// Who has this password or this virtual key.
pub(super) fn by_credential(desk: &Desk, secret: &Secret, address: Peer) -> Result<Caller, Refusal> {
    desk.may_try(address)?;
    let key = || desk.snapshot().keyring.find(secret).or_else(|| Some(desk.people.find(secret)?.key));
    let caller = match desk.is_password(secret) {
        true => Caller::with_password(),
        false => match key() {
            Some(key) => {
                auth::admit(&key, Some(address.0), desk.now() / 1000)?;
                Caller::key(&key)
            }
            None => {
                desk.was_wrong(address);
                return Err(Refusal::unauthenticated("the password or key is wrong"));
            }
        },
    };
    desk.was_right(address);
    Ok(caller)
}

/// Who signs in with an address and a password.
pub(super) async fn by_email(
    desk: &Desk,
    (email, password): (&str, Secret),
    address: Peer,
) -> Result<Caller, Refusal> {
    desk.may_try(address)?;
    match desk.people.sign_in(email, password).await? {
        Some(user) => {
            desk.was_right(address);
            Ok(Caller::user(&user))
        }
        None => {
            desk.was_wrong(address);
            Err(Refusal::unauthenticated("the address or the password is wrong"))
        }
    }
}

/// Whether it may be done.
fn allowed(desk: &Desk, rule: &Rule, caller: Option<&Caller>, headers: &HeaderMap) -> Result<(), Refusal> {
    let wanted = match rule.right {
        Right::At(role) => Some(role),
        Right::Metrics => Some(Role::Viewer),
        Right::Anyone => None,
    };
    if let (Some(wanted), Some(caller)) = (wanted, caller)
        && caller.role < wanted
    {
        return Err(Refusal::forbidden("your role may not do this"));
    }
    if rule.method != "GET" {
        if caller::is_from_elsewhere(headers) {
            return Err(Refusal::forbidden("a page of another site may not ask for this"));
        }
        if let Some(Caller { way: Way::Session(token), .. }) = caller {
            by_our_page(token, headers)?;
        }
    }
    if rule.changes && caller.is_some_and(|caller| caller.way == Way::Key) {
        return Err(Refusal::forbidden("a virtual key changes nothing here; sign in with a password"));
    }
    if rule.changes && desk.settings.readonly {
        return Err(Refusal::readonly());
    }
    Ok(())
}

/// Cookies come along by themselves; what a page must know and say does not.
fn by_our_page(token: &Secret, headers: &HeaderMap) -> Result<(), Refusal> {
    let said = headers.get(CSRF).map(HeaderValue::as_bytes).unwrap_or_default();
    let right = blake3::hash(said) == blake3::hash(sessions::csrf(token).as_bytes());
    match caller::is_from_here(headers) && right {
        true => Ok(()),
        false => Err(Refusal::forbidden(format!(
            "a change by cookie wants `origin` of this host, and `{CSRF}` as the session was given it"
        ))),
    }
}

/// A name that cannot be pointed at us by somebody else's name server.
pub(super) fn is_local(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || bare.parse::<std::net::IpAddr>().is_ok()
}

pub(super) fn address(request: &Request) -> Peer {
    request.extensions().get::<Peer>().copied().unwrap_or(Peer::unknown())
}

/// What is known of a change before it is made.
struct About {
    who: String,
    way: Option<String>,
    address: String,
    action: String,
    path: String,
    request: String,
}

impl About {
    fn of(request: &Request, rule: &Rule, caller: Option<&Caller>) -> Self {
        Self {
            who: caller.map_or_else(|| "nobody".to_owned(), |caller| caller.name.clone()),
            way: caller.map(|caller| caller.way.word().to_owned()),
            address: address(request).0.to_string(),
            action: format!("{} {}", rule.method, rule.path),
            path: request.uri().path_and_query().map(ToString::to_string).unwrap_or_default(),
            request: request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default(),
        }
    }

    /// Notes a change, also one that was refused.
    async fn noted(self, desk: &Desk, rule: &Rule, note: Note, response: Response) -> Response {
        let Noted { who, object, before, after } = note.take();
        // Questions change nothing, also those that are asked by POST; a sign-in by GET says what it is about.
        if !rule.changes && object.is_none() {
            return response;
        }
        let now = desk.now();
        let entry = Entry {
            id: audit::id(now),
            at: audit::at(now),
            request: self.request,
            who: who.unwrap_or(self.who),
            way: self.way,
            address: self.address,
            action: self.action,
            object: Some(object.unwrap_or(self.path)),
            status: response.status().as_u16(),
            refused: response.extensions().get::<Refusal>().map(|refusal| refusal.message().to_owned()),
            before,
            after,
        };
        audit::keep(desk.store.as_ref(), &entry).await;
        response
    }
}
