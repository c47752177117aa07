//! The admin listener as Pingora sees it; routing by the table in `admin.rs`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;
use async_trait::async_trait;
use base64::Engine as _;
use http::{HeaderMap, Response};
use pingora::apps::http_app::ServeHttp;
use pingora::protocols::http::ServerSession;

use super::explain::Explaining;
use super::provider_keys;
use super::targets::{Answer, Targets};
use crate::domain::Secret;
use crate::observe::Observer;
use crate::state::Snapshot;
use crate::store::Store;

/// Whether requests are taken, and what the store can do.
pub struct Readiness {
    ready: AtomicBool,
    store: Arc<dyn Store>,
}

impl Readiness {
    /// Not ready yet.
    pub fn of(store: Arc<dyn Store>) -> Self {
        Self { ready: AtomicBool::new(false), store }
    }

    /// From now on they are, or no longer.
    pub fn set(&self, ready: bool) {
        self.ready.store(ready, Ordering::Release);
    }

    fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// Requests are taken with a store that writes nothing too; what needs it is refused by itself.
    fn shown(&self) -> String {
        let state = self.store.state();
        match state.why() {
            Some(why) => format!("ready, but degraded: the store is {}: {why}\n", state.word()),
            None => "ready\n".to_owned(),
        }
    }
}

const TEXT: &str = "text/plain; charset=utf-8";
const WANTED: &str = "the admin password is wanted as bearer or basic\n";
const EXPLAIN: &str = "/admin/api/explain";
/// A question is short.
const LONGEST_BODY: usize = 64 << 10;

/// What the admin listener serves.
pub struct Admin {
    observer: Arc<Observer>,
    readiness: Arc<Readiness>,
    /// The configuration in force, how its targets are doing, and where requests went.
    explaining: Explaining,
    targets: Targets,
    /// Asked for where others can reach the listener.
    password: Option<Secret>,
}

impl Admin {
    /// `password` is `None` only on a loopback address.
    pub fn new(
        observer: Arc<Observer>,
        readiness: Arc<Readiness>,
        targets: Targets,
        explaining: Explaining,
        password: Option<Secret>,
    ) -> Self {
        Self { observer, readiness, targets, explaining, password }
    }

    fn answer(&self, method: &http::Method, uri: &http::Uri, headers: &HeaderMap) -> Answer {
        let path = uri.path();
        if path.starts_with("/admin/") && !self.may_read(headers) {
            return (401, TEXT, WANTED.to_owned());
        }
        let query = uri.query().unwrap_or_default();
        if let "/admin/provider-keys/restore" | "/admin/targets/lift" | "/admin/targets/rest" = path {
            if method != http::Method::POST {
                return (405, TEXT, "only POST is possible here\n".to_owned());
            }
            if is_from_elsewhere(headers) {
                return (403, TEXT, "a page of another site may not change anything here\n".to_owned());
            }
            return match path {
                "/admin/targets/lift" => self.targets.lift(query),
                "/admin/targets/rest" => self.targets.rest(query),
                _ => provider_keys::restore(&self.snapshot().load(), query),
            };
        }
        if method != http::Method::GET && method != http::Method::HEAD {
            return (405, TEXT, "only GET and HEAD are possible here\n".to_owned());
        }
        match path {
            "/healthz" => (200, TEXT, "ok\n".to_owned()),
            "/readyz" if self.readiness.is_ready() => (200, TEXT, self.readiness.shown()),
            "/readyz" => (503, TEXT, "not ready\n".to_owned()),
            "/metrics" if !self.may_read(headers) => (401, TEXT, WANTED.to_owned()),
            "/metrics" => {
                provider_keys::count(&self.snapshot().load(), &self.observer);
                self.targets.measure(self.observer.metrics());
                self.observer.metrics().tell_store(self.readiness.store.state().word());
                (200, "text/plain; version=0.0.4; charset=utf-8", self.observer.metrics().text())
            }
            "/admin/provider-keys" => provider_keys::list(&self.snapshot().load(), query),
            "/admin/targets" => self.targets.list(),
            EXPLAIN => {
                let (status, text) = self.explaining.answer(query, &[]);
                (status, "application/json", text)
            }
            _ => (404, TEXT, "there is /healthz, /readyz and /metrics here\n".to_owned()),
        }
    }

    /// The configuration in force.
    fn snapshot(&self) -> &ArcSwap<Snapshot> {
        &self.explaining.snapshot
    }

    /// The password as a bearer token, or as the password of any user in basic authentication.
    fn may_read(&self, headers: &HeaderMap) -> bool {
        let Some(password) = &self.password else { return true };
        let given = headers.get(http::header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let Some((scheme, value)) = given.and_then(|given| given.split_once(' ')) else { return false };
        let given = match scheme.to_ascii_lowercase().as_str() {
            "bearer" => value.trim().as_bytes().to_vec(),
            "basic" => {
                let plain =
                    base64::engine::general_purpose::STANDARD.decode(value.trim()).unwrap_or_default();
                let at = plain.iter().position(|byte| *byte == b':').map_or(plain.len(), |colon| colon + 1);
                plain.get(at..).unwrap_or_default().to_vec()
            }
            _ => return false,
        };
        // Equal hashes of equal length: the comparison tells nothing of the password.
        blake3::hash(&given) == blake3::hash(password.expose().as_bytes())
    }
}

/// The body, when it is short.
async fn body(session: &mut ServerSession) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(piece) = session.read_request_body().await.map_err(|error| format!("{error}\n"))? {
        body.extend_from_slice(&piece);
        if body.len() > LONGEST_BODY {
            return Err(format!("the body is over {LONGEST_BODY} bytes\n"));
        }
    }
    Ok(body)
}

/// A browser says where the page comes from that asks it to; what others send by themselves has no origin.
fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(origin) = text(http::header::ORIGIN) else { return false };
    let origin = origin.split_once("://").map_or(origin, |(_, authority)| authority);
    text(http::header::HOST) != Some(origin)
}

#[async_trait]
impl ServeHttp for Admin {
    async fn response(&self, session: &mut ServerSession) -> Response<Vec<u8>> {
        let head = session.req_header();
        let asked_with_body = head.uri.path() == EXPLAIN && head.method == http::Method::POST;
        let (status, content_type, body) = if asked_with_body && self.may_read(&head.headers) {
            let query = head.uri.query().unwrap_or_default().to_owned();
            match body(session).await {
                Ok(body) => {
                    let (status, text) = self.explaining.answer(&query, &body);
                    (status, "application/json", text)
                }
                Err(problem) => (400, TEXT, problem),
            }
        } else {
            self.answer(&head.method, &head.uri, &head.headers)
        };
        let head = session.req_header();
        let body = if head.method == http::Method::HEAD { Vec::new() } else { body.into_bytes() };
        let mut response = Response::new(body);
        *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
        let length = response.body().len();
        let headers = response.headers_mut();
        headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(content_type));
        headers.insert(http::header::CONTENT_LENGTH, length.into());
        if status == 401 {
            headers.insert(
                http::header::WWW_AUTHENTICATE,
                http::HeaderValue::from_static("Basic realm=\"causeway\""),
            );
        }
        response
    }
}
