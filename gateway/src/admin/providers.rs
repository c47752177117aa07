//! Providers: what they are, their keys, and whether they answer.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::audit::Note;
use super::caller::Caller;
use super::desk::Desk;
use super::listed::Listed;
use super::reading::{Asked, Body, Named, Page, plain_name};
use super::refusal::Refusal;
use super::settings::{self, ChangedSetting, ChangedView, NewKey, NewSetting, SettingView};
use crate::config::Section;
use crate::state::{Asked as Verdict, Provider};

/// Longest wait for one answer of a provider.
const PATIENCE: Duration = Duration::from_secs(20);
/// Keys that are asked about at most.
const MOST_ASKED: usize = 20;

/// Keys to add.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewKeys {
    #[schema(min_items = 1, max_items = 1000)]
    keys: Vec<NewKey>,
}

/// What a provider says of its keys.
#[derive(Serialize, ToSchema)]
struct Tested {
    /// No key was refused, and one was taken.
    good: bool,
    /// The first keys, in the order of the pool.
    keys: Vec<TestedKey>,
}

/// What a provider says of one key.
#[derive(Serialize, ToSchema)]
struct TestedKey {
    /// Absent: the provider was asked without a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    verdict: Word,
    #[serde(skip_serializing_if = "String::is_empty")]
    why: String,
}

/// In one word.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Word {
    /// It takes it.
    Ok,
    /// It refuses it.
    Refused,
    /// It said neither.
    Unclear,
}

/// The provider's own list.
#[derive(Serialize, ToSchema)]
struct ModelsThere {
    models: Vec<String>,
}

pub(super) fn routes() -> OpenApiRouter<Arc<Desk>> {
    OpenApiRouter::new()
        .routes(routes!(list_providers, create_provider))
        .routes(routes!(one_provider, replace_provider, remove_provider))
        .routes(routes!(add_provider_keys))
        .routes(routes!(remove_provider_key))
        .routes(routes!(test_provider))
        .routes(routes!(fetch_models))
}

/// Providers, of the file and made here
#[utoipa::path(get, path = "/admin/api/providers", tag = "providers", params(Page), responses((status = 200, body = Listed<SettingView>)))]
async fn list_providers(
    State(desk): State<Arc<Desk>>,
    Asked(page): Asked<Page>,
) -> Result<Json<Listed<SettingView>>, Refusal> {
    Listed::of(settings::all(&desk, Section::Providers)?, &page, |view| &view.name).map(Json)
}

/// Make a provider
///
/// It must be at a public address, unless `[admin] allow_private` names the address; its keys are sealed and bound to it.
#[utoipa::path(post, path = "/admin/api/providers", tag = "providers", request_body = NewSetting, responses((status = 201, body = ChangedView)))]
async fn create_provider(
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
    Extension(note): Extension<Note>,
    Body(new): Body<NewSetting>,
) -> Result<(StatusCode, Json<ChangedView>), Refusal> {
    let made = settings::create(&desk, (&caller, &note), Section::Providers, new).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// One provider
#[utoipa::path(get, path = "/admin/api/providers/{name}", tag = "providers", params(("name" = String, Path)), responses((status = 200, body = SettingView)))]
async fn one_provider(
    State(desk): State<Arc<Desk>>,
    Named(name): Named,
) -> Result<Json<SettingView>, Refusal> {
    settings::one(&desk, Section::Providers, &name).map(Json)
}

/// Replace a provider's settings
///
/// One that is at another address afterwards loses its keys, unless they are sent with the change.
#[utoipa::path(put, path = "/admin/api/providers/{name}", tag = "providers", params(("name" = String, Path)), request_body = ChangedSetting, responses((status = 200, body = ChangedView)))]
async fn replace_provider(
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
    Extension(note): Extension<Note>,
    Named(name): Named,
    Body(changed): Body<ChangedSetting>,
) -> Result<Json<ChangedView>, Refusal> {
    settings::replace(&desk, (&caller, &note), (Section::Providers, &name), changed).await.map(Json)
}

/// Remove a provider, and the keys typed in for it
#[utoipa::path(delete, path = "/admin/api/providers/{name}", tag = "providers", params(("name" = String, Path)), responses((status = 204, description = "gone")))]
async fn remove_provider(
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
    Extension(note): Extension<Note>,
    Named(name): Named,
) -> Result<StatusCode, Refusal> {
    settings::remove(&desk, (&caller, &note), Section::Providers, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Type in keys for a provider, of the file or made here
#[utoipa::path(post, path = "/admin/api/providers/{name}/keys", tag = "providers", params(("name" = String, Path)), request_body = NewKeys, responses((status = 201, body = ChangedView)))]
async fn add_provider_keys(
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
    Extension(note): Extension<Note>,
    Named(name): Named,
    Body(new): Body<NewKeys>,
) -> Result<(StatusCode, Json<ChangedView>), Refusal> {
    if new.keys.is_empty() {
        return Err(Refusal::invalid("keys", "there is no key in it"));
    }
    let added = settings::add_keys(&desk, (&caller, &note), &name, new.keys).await?;
    Ok((StatusCode::CREATED, Json(added)))
}

/// Remove a key that was typed in
#[utoipa::path(delete, path = "/admin/api/providers/{name}/keys/{id}", tag = "providers", params(("name" = String, Path), ("id" = String, Path)), responses((status = 204, description = "gone")))]
async fn remove_provider_key(
    State(desk): State<Arc<Desk>>,
    Extension(caller): Extension<Caller>,
    Extension(note): Extension<Note>,
    path: Result<Path<(String, String)>, axum::extract::rejection::PathRejection>,
) -> Result<StatusCode, Refusal> {
    let Path((name, id)) = path.map_err(|_| Refusal::not_found("the names in the path cannot be read"))?;
    settings::remove_key(&desk, (&caller, &note), &plain_name(&name), &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ask a provider whether it takes its keys
///
/// The cheapest question there is: which models it has.
#[utoipa::path(post, path = "/admin/api/providers/{name}/test", tag = "providers", params(("name" = String, Path)), responses((status = 200, body = Tested)))]
async fn test_provider(State(desk): State<Arc<Desk>>, Named(name): Named) -> Result<Json<Tested>, Refusal> {
    let provider = find(&desk, &name)?;
    let mut keys = Vec::new();
    for key in provider.upstream.keys.each().take(MOST_ASKED) {
        let asked = tokio::time::timeout(PATIENCE, provider.ask_of_key(&desk.client, key)).await;
        let (verdict, why) = asked.map_or_else(|_| (Word::Unclear, late()), words);
        keys.push(TestedKey { id: Some(key.id()), verdict, why });
    }
    if keys.is_empty() {
        let (verdict, why) = match models_of(&desk, &provider).await {
            Ok(_) => (Word::Ok, String::new()),
            Err(why) => (Word::Unclear, why),
        };
        keys.push(TestedKey { id: None, verdict, why });
    }
    let good = keys.iter().any(|key| key.verdict == Word::Ok);
    let good = good && keys.iter().all(|key| key.verdict != Word::Refused);
    Ok(Json(Tested { good, keys }))
}

/// Ask a provider which models it has
#[utoipa::path(post, path = "/admin/api/providers/{name}/fetch-models", tag = "providers", params(("name" = String, Path)), responses((status = 200, body = ModelsThere)))]
async fn fetch_models(
    State(desk): State<Arc<Desk>>,
    Named(name): Named,
) -> Result<Json<ModelsThere>, Refusal> {
    let provider = find(&desk, &name)?;
    let models = models_of(&desk, &provider).await.map_err(Refusal::conflict)?;
    Ok(Json(ModelsThere { models }))
}

async fn models_of(desk: &Desk, provider: &Provider) -> Result<Vec<String>, String> {
    let asked = tokio::time::timeout(PATIENCE, provider.ask_for_models(&desk.client)).await;
    asked.unwrap_or_else(|_| Err(late()))
}

fn late() -> String {
    "the provider took too long".to_owned()
}

fn words(verdict: Verdict) -> (Word, String) {
    match verdict {
        Verdict::Good => (Word::Ok, String::new()),
        Verdict::Bad(failure) => {
            let status = failure.status.map(|status| status.to_string()).unwrap_or_default();
            (Word::Refused, format!("the provider answered {status}"))
        }
        Verdict::Unclear(why) => (Word::Unclear, why),
        Verdict::NoQuestion => (Word::Unclear, "this provider has no list of models to ask for".to_owned()),
    }
}

fn find(desk: &Desk, name: &str) -> Result<Arc<Provider>, Refusal> {
    let snapshot = desk.snapshot();
    let provider = snapshot.providers.get(name).map(Arc::clone);
    provider.ok_or_else(|| Refusal::not_found(format!("there is no provider `{name}` in force")))
}
