//! All operations, and what stands before them.

use std::sync::Arc;

use axum::http::header;
use axum::response::IntoResponse;
use axum::{Router, middleware};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::desk::Desk;
use super::refusal::Refusal;
use super::{
    audit, config, credits, explain, guard, health, keys, limits, me, models, oidc, openapi, overview,
    plugins, prices, provider_keys, providers, reprice, requests, rights, running, session, sign_ups,
    straight, targets, teams, usage, users,
};

/// The one list of what there is.
fn operations() -> OpenApiRouter<Arc<Desk>> {
    OpenApiRouter::with_openapi(openapi::frame())
        .merge(health::routes())
        .merge(audit::routes())
        .merge(config::routes())
        .merge(credits::routes())
        .merge(explain::routes())
        .merge(keys::routes())
        .merge(limits::routes())
        .merge(me::routes())
        .merge(models::routes())
        .merge(oidc::routes())
        .merge(overview::routes())
        .merge(plugins::routes())
        .merge(prices::routes())
        .merge(provider_keys::routes())
        .merge(providers::routes())
        .merge(reprice::routes())
        .merge(requests::routes())
        .merge(running::routes())
        .merge(session::routes())
        .merge(sign_ups::routes())
        .merge(targets::routes())
        .merge(teams::routes())
        .merge(usage::routes())
        .merge(users::routes())
        .routes(routes!(document))
}

/// The document of the API, as text. It is made when it is asked for: it is large, and most never ask.
///
/// # Errors
/// When an operation has no rule.
pub(super) fn text() -> Result<String, String> {
    let mut document = operations().into_openapi();
    openapi::complete(&mut document)?;
    document.to_pretty_json().map_err(|error| error.to_string())
}

/// The router.
pub(super) fn router(desk: &Arc<Desk>) -> Router {
    let (router, mut document) = operations().split_for_parts();
    // Whatever is in the table and not in the router is a line that protects nothing.
    let known = rights::operations(&mut document).len();
    debug_assert_eq!(known, rights::RULES.len());
    router
        .route_layer(middleware::from_fn_with_state(Arc::clone(desk), guard::guard))
        .fallback(straight::nothing_here)
        .layer(middleware::from_fn(straight::straight))
        .layer(middleware::from_fn(guard::headers))
        .with_state(Arc::clone(desk))
}

/// This document
#[utoipa::path(get, path = "/admin/api/openapi.json", tag = "about", responses((status = 200, description = "OpenAPI 3.1", body = Object)))]
async fn document() -> Result<impl IntoResponse, Refusal> {
    let text = text().map_err(Refusal::unavailable)?;
    Ok(([(header::CONTENT_TYPE, "application/json")], text))
}

#[cfg(test)]
mod tests;
