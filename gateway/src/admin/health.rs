//! `/healthz`, `/readyz` and `/metrics`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::desk::Desk;
use super::{provider_keys, targets};
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

    pub(super) fn is_ready(&self) -> bool {
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

pub(super) fn routes() -> OpenApiRouter<Arc<Desk>> {
    OpenApiRouter::new().routes(routes!(alive)).routes(routes!(ready)).routes(routes!(metrics))
}

fn text(status: StatusCode, text: impl Into<String>) -> Response {
    (status, [(header::CONTENT_TYPE, TEXT)], text.into()).into_response()
}

/// The process runs
#[utoipa::path(get, path = "/healthz", tag = "health", responses((status = 200, description = "it does", body = String, content_type = "text/plain")))]
async fn alive() -> Response {
    text(StatusCode::OK, "ok\n")
}

/// Requests are taken
#[utoipa::path(get, path = "/readyz", tag = "health", responses(
    (status = 200, description = "they are", body = String, content_type = "text/plain"),
    (status = 503, description = "not yet, or no longer", body = String, content_type = "text/plain"),
))]
async fn ready(State(desk): State<Arc<Desk>>) -> Response {
    match desk.readiness.is_ready() {
        true => text(StatusCode::OK, desk.readiness.shown()),
        false => text(StatusCode::SERVICE_UNAVAILABLE, "not ready\n"),
    }
}

/// Metrics for Prometheus
#[utoipa::path(get, path = "/metrics", tag = "health", responses((status = 200, description = "in Prometheus' text form", body = String, content_type = "text/plain")))]
async fn metrics(State(desk): State<Arc<Desk>>) -> Response {
    provider_keys::count(&desk.snapshot(), &desk.observer);
    targets::measure(&desk);
    desk.observer.metrics().tell_store(desk.store.state().word());
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], desk.observer.metrics().text()).into_response()
}
