//! Requests that have not ended, and how to end one.

use std::sync::Arc;
use std::time::SystemTime;

use axum::extract::State;
use axum::{Extension, Json};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::audit::Note;
use super::desk::Desk;
use super::reading::Named;
use super::refusal::Refusal;
use crate::domain::rfc3339;
use crate::observe::{Facts, Ongoing};

/// Requests that have not ended.
#[derive(Serialize, ToSchema)]
struct RunningRequests {
    /// The oldest first.
    requests: Vec<RunningRequest>,
}

/// A request that has not ended.
#[derive(Serialize, ToSchema)]
struct RunningRequest {
    /// What to call it here. Request ids may be chosen by clients, so two can be the same.
    id: String,
    /// Its id in logs and headers.
    request: String,
    /// When it began, in UTC.
    #[schema(format = DateTime)]
    at: String,
    /// For how long it has been running.
    millis: u64,
    /// Method and path.
    path: String,
    /// The client API; empty as long as it is not known, as all that follows.
    dialect: &'static str,
    key: String,
    team: Option<String>,
    model: String,
    stream: bool,
}

pub(super) fn routes() -> OpenApiRouter<Arc<Desk>> {
    OpenApiRouter::new().routes(routes!(running)).routes(routes!(cancel))
}

impl RunningRequest {
    fn of(ongoing: &Ongoing) -> Self {
        let Facts { dialect, key, team, model, stream } = ongoing.facts();
        let since = ongoing.began.elapsed();
        let at = SystemTime::now().checked_sub(since).unwrap_or(SystemTime::UNIX_EPOCH);
        let at = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self {
            id: format!("{:x}", ongoing.number),
            request: ongoing.request_id.clone(),
            at: rfc3339(at.as_secs()),
            millis: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
            path: ongoing.path.clone(),
            dialect,
            key: key.to_string(),
            team: team.map(|team| team.to_string()),
            model: model.to_string(),
            stream,
        }
    }
}

/// Requests that have not ended
#[utoipa::path(get, path = "/admin/api/requests/running", tag = "requests", responses((status = 200, body = RunningRequests)))]
async fn running(State(desk): State<Arc<Desk>>) -> Json<RunningRequests> {
    let all = desk.observer.under_way().all();
    Json(RunningRequests { requests: all.iter().map(|ongoing| RunningRequest::of(ongoing)).collect() })
}

/// End a request that is running
///
/// Its client is told, its call upstream is closed, and what it took until then is recorded, with the error `cancelled`. A
/// request that ends by itself at the same moment is not cancelled: 409 says so.
#[utoipa::path(post, path = "/admin/api/requests/running/{id}/cancel", tag = "requests", params(("id" = String, Path, description = "`id` of the list")), responses((status = 200, body = RunningRequest)))]
async fn cancel(
    State(desk): State<Arc<Desk>>,
    Extension(note): Extension<Note>,
    Named(id): Named,
) -> Result<Json<RunningRequest>, Refusal> {
    let unknown = || Refusal::not_found("no such request is running");
    let number = u64::from_str_radix(&id, 16).map_err(|_| unknown())?;
    let ongoing = desk.observer.under_way().of(number).ok_or_else(unknown)?;
    let shown = RunningRequest::of(&ongoing);
    note.about(format!("request {}", shown.request));
    note.before(&shown);
    if !ongoing.cancel() {
        return Err(Refusal::conflict("the request has ended already"));
    }
    Ok(Json(shown))
}
