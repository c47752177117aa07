//! Teams and tiers.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::audit::Note;
use super::desk::Desk;
use super::listed::Listed;
use super::reading::{Asked, Body, Named, Page};
use super::refusal::Refusal;
use crate::people::{ChangedTeam, ChangedTier, NewTeam, NewTier, TeamView, TierView};

pub(super) fn routes() -> OpenApiRouter<Arc<Desk>> {
    OpenApiRouter::new()
        .routes(routes!(list_teams, create_team))
        .routes(routes!(one_team, change_team, remove_team))
        .routes(routes!(list_tiers, create_tier))
        .routes(routes!(one_tier, change_tier, remove_tier))
}

/// Teams, of the store and of the file
#[utoipa::path(get, path = "/admin/api/teams", tag = "teams", params(Page), responses((status = 200, body = Listed<TeamView>)))]
async fn list_teams(
    State(desk): State<Arc<Desk>>,
    Asked(page): Asked<Page>,
) -> Result<Json<Listed<TeamView>>, Refusal> {
    let mut teams = desk.people.teams();
    teams.sort_by(|one, other| one.name.cmp(&other.name));
    Listed::of(teams, &page, |team| &team.name).map(Json)
}

/// Make a team
#[utoipa::path(post, path = "/admin/api/teams", tag = "teams", request_body = NewTeam, responses((status = 201, body = TeamView)))]
async fn create_team(
    State(desk): State<Arc<Desk>>,
    Extension(note): Extension<Note>,
    Body(new): Body<NewTeam>,
) -> Result<(StatusCode, Json<TeamView>), Refusal> {
    note.about(format!("team {}", new.name));
    let team = desk.people.create_team(new).await?;
    note.after(&team);
    Ok((StatusCode::CREATED, Json(team)))
}

/// One team
#[utoipa::path(get, path = "/admin/api/teams/{name}", tag = "teams", params(("name" = String, Path)), responses((status = 200, body = TeamView)))]
async fn one_team(State(desk): State<Arc<Desk>>, Named(name): Named) -> Result<Json<TeamView>, Refusal> {
    Ok(Json(desk.people.team(&name)?))
}

/// Change a team; a field that is not there stays, one that is `null` is emptied
#[utoipa::path(patch, path = "/admin/api/teams/{name}", tag = "teams", params(("name" = String, Path)), request_body = ChangedTeam, responses((status = 200, body = TeamView)))]
async fn change_team(
    State(desk): State<Arc<Desk>>,
    Extension(note): Extension<Note>,
    Named(name): Named,
    Body(change): Body<ChangedTeam>,
) -> Result<Json<TeamView>, Refusal> {
    note.about(format!("team {name}"));
    note.before(&desk.people.team(&name)?);
    let team = desk.people.change_team(&name, change).await?;
    note.after(&team);
    Ok(Json(team))
}

/// Remove a team that nobody belongs to any more
#[utoipa::path(delete, path = "/admin/api/teams/{name}", tag = "teams", params(("name" = String, Path)), responses((status = 204, description = "gone")))]
async fn remove_team(
    State(desk): State<Arc<Desk>>,
    Extension(note): Extension<Note>,
    Named(name): Named,
) -> Result<StatusCode, Refusal> {
    note.about(format!("team {name}"));
    note.before(&desk.people.team(&name)?);
    desk.people.remove_team(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Tiers: how users pay
#[utoipa::path(get, path = "/admin/api/tiers", tag = "tiers", params(Page), responses((status = 200, body = Listed<TierView>)))]
async fn list_tiers(
    State(desk): State<Arc<Desk>>,
    Asked(page): Asked<Page>,
) -> Result<Json<Listed<TierView>>, Refusal> {
    let mut tiers = desk.people.tiers();
    tiers.sort_by(|one, other| one.name.cmp(&other.name));
    Listed::of(tiers, &page, |tier| &tier.name).map(Json)
}

/// Make a tier
#[utoipa::path(post, path = "/admin/api/tiers", tag = "tiers", request_body = NewTier, responses((status = 201, body = TierView)))]
async fn create_tier(
    State(desk): State<Arc<Desk>>,
    Extension(note): Extension<Note>,
    Body(new): Body<NewTier>,
) -> Result<(StatusCode, Json<TierView>), Refusal> {
    note.about(format!("tier {}", new.name));
    let tier = desk.people.create_tier(new).await?;
    note.after(&tier);
    Ok((StatusCode::CREATED, Json(tier)))
}

/// One tier
#[utoipa::path(get, path = "/admin/api/tiers/{name}", tag = "tiers", params(("name" = String, Path)), responses((status = 200, body = TierView)))]
async fn one_tier(State(desk): State<Arc<Desk>>, Named(name): Named) -> Result<Json<TierView>, Refusal> {
    Ok(Json(desk.people.tier(&name)?))
}

/// Change a tier; a field that is not there stays, one that is `null` is emptied
#[utoipa::path(patch, path = "/admin/api/tiers/{name}", tag = "tiers", params(("name" = String, Path)), request_body = ChangedTier, responses((status = 200, body = TierView)))]
async fn change_tier(
    State(desk): State<Arc<Desk>>,
    Extension(note): Extension<Note>,
    Named(name): Named,
    Body(change): Body<ChangedTier>,
) -> Result<Json<TierView>, Refusal> {
    note.about(format!("tier {name}"));
    note.before(&desk.people.tier(&name)?);
    let tier = desk.people.change_tier(&name, change).await?;
    note.after(&tier);
    Ok(Json(tier))
}

/// Remove a tier that no user has any more
#[utoipa::path(delete, path = "/admin/api/tiers/{name}", tag = "tiers", params(("name" = String, Path)), responses((status = 204, description = "gone")))]
async fn remove_tier(
    State(desk): State<Arc<Desk>>,
    Extension(note): Extension<Note>,
    Named(name): Named,
) -> Result<StatusCode, Refusal> {
    note.about(format!("tier {name}"));
    note.before(&desk.people.tier(&name)?);
    desk.people.remove_tier(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}
