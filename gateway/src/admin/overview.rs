//! How the gateway is doing, in one answer.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::desk::Desk;
use crate::upstream::keys;

/// How the gateway is doing.
#[derive(Serialize, ToSchema)]
struct Overview {
    /// `ok`, or `degraded` when something below wants attention.
    state: &'static str,
    version: &'static str,
    /// Requests are taken.
    ready: bool,
    /// Since when it runs, in seconds.
    uptime_seconds: u64,
    /// Requests that have not ended.
    running: usize,
    store: StoreState,
    configuration: ConfigurationState,
    /// In order of name.
    providers: Vec<ProviderState>,
}

/// What the store can do.
#[derive(Serialize, ToSchema)]
struct StoreState {
    state: String,
    /// Why it can do no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

/// Which configuration is in force.
#[derive(Serialize, ToSchema)]
struct ConfigurationState {
    /// Counts up with each time it was read well.
    generation: u64,
    /// The last time it was read it was wrong, and the one before is still in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

/// How a provider is doing.
#[derive(Serialize, ToSchema)]
struct ProviderState {
    name: String,
    plugin: String,
    /// Its keys, and those of them that may be asked.
    keys: usize,
    keys_usable: usize,
    /// Its targets that were asked of late, and those of them that are not asked now.
    targets: usize,
    targets_resting: usize,
}

pub(super) fn routes() -> OpenApiRouter<Arc<Desk>> {
    OpenApiRouter::new().routes(routes!(overview))
}

/// How the gateway is doing: store, configuration, providers
#[utoipa::path(get, path = "/admin/api/health", tag = "health", responses((status = 200, body = Overview)))]
async fn overview(State(desk): State<Arc<Desk>>) -> Json<Overview> {
    let state = desk.store.state();
    let last = desk.control.history().pop();
    let providers = providers(&desk);
    let problem = last.and_then(|last| last.problem);
    let lame = |provider: &ProviderState| provider.keys > 0 && provider.keys_usable == 0;
    let resting = |provider: &ProviderState| provider.targets_resting > 0;
    let troubled = providers.iter().any(|provider| lame(provider) || resting(provider));
    let degraded = state.why().is_some() || problem.is_some() || troubled || !desk.readiness.is_ready();
    Json(Overview {
        state: if degraded { "degraded" } else { "ok" },
        version: env!("CARGO_PKG_VERSION"),
        ready: desk.readiness.is_ready(),
        uptime_seconds: desk.began.elapsed().as_secs(),
        running: desk.observer.under_way().all().len(),
        store: StoreState { state: state.word().to_owned(), why: state.why().map(ToString::to_string) },
        configuration: ConfigurationState { generation: desk.snapshot().generation, problem },
        providers,
    })
}

fn providers(desk: &Desk) -> Vec<ProviderState> {
    let now = Instant::now();
    let known: Vec<_> = desk.fleet.all().iter().map(|target| target.shown(now)).collect();
    let one = |(name, provider): (&Arc<str>, &Arc<crate::state::Provider>)| {
        let counts = provider.upstream.keys.counts(keys::now());
        let own = known.iter().filter(|target| target.provider == *name);
        let resting = own.clone().filter(|target| target.standing.resting.is_some());
        ProviderState {
            name: name.to_string(),
            plugin: provider.plugin.to_string(),
            keys: counts.keys,
            keys_usable: counts.usable,
            targets: own.count(),
            targets_resting: resting.count(),
        }
    };
    let mut all: Vec<_> = desk.snapshot().providers.iter().map(one).collect();
    all.sort_by(|one, other| one.name.cmp(&other.name));
    all
}
