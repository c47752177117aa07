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

/// Whether requests are taken.
#[derive(Debug, Default)]
pub struct Readiness(AtomicBool);

impl Readiness {
    /// From now on they are, or no longer.
    pub fn set(&self, ready: bool) {
        self.0.store(ready, Ordering::Release);
    }

    fn is_ready(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

const TEXT: &str = "text/plain; charset=utf-8";

pub(super) fn routes() -> OpenApiRouter<Arc<Desk>> {
    OpenApiRouter::new().routes(routes!(alive)).routes(routes!(ready)).routes(routes!(metrics))
}

fn text(status: StatusCode, text: &'static str) -> Response {
    (status, [(header::CONTENT_TYPE, TEXT)], text).into_response()
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
        true => text(StatusCode::OK, "ready\n"),
        false => text(StatusCode::SERVICE_UNAVAILABLE, "not ready\n"),
    }
}

/// Metrics for Prometheus
#[utoipa::path(get, path = "/metrics", tag = "health", responses((status = 200, description = "in Prometheus' text form", body = String, content_type = "text/plain")))]
async fn metrics(State(desk): State<Arc<Desk>>) -> Response {
    provider_keys::count(&desk.snapshot(), &desk.observer);
    targets::measure(&desk);
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], desk.observer.metrics().text()).into_response()
}
