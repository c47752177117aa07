//! Targets: how each is doing, and how to lift its rest or let it rest by hand.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::extract::State;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::audit::Note;
use super::desk::Desk;
use super::reading::Asked;
use super::refusal::Refusal;
use crate::domain::{Timespan, date};
use crate::route::{Shown, TargetState};

/// How all targets are doing.
#[derive(Serialize, ToSchema)]
struct Targets {
    targets: Vec<Target>,
}

/// How a target is doing.
#[derive(Serialize, ToSchema)]
struct Target {
    provider: String,
    /// The provider's own name of the model; `*`: all that are not known one by one.
    model: String,
    /// `closed`, `half-open`, `open` or `resting`.
    state: &'static str,
    /// Why it is not asked: a word.
    reason: Option<&'static str>,
    /// Why it is not asked: a sentence.
    why: Option<String>,
    /// Until when it is not asked.
    until: Option<String>,
    seconds_left: Option<f64>,
    /// Failures in a row.
    failures: usize,
    /// Too many of its attempts failed of late: it goes behind the others.
    degraded: bool,
    /// Share of its latest attempts that succeeded.
    success: f64,
    /// Requests it is answering now.
    in_flight: u32,
    /// Times its adapter failed.
    adapter_failures: u32,
    first_token_ms: Option<f64>,
    first_token_p95_ms: Option<f64>,
}

/// Which targets are meant: one of the three.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Meant {
    /// One target, `provider/model`.
    #[param(pattern = "^[^/]+/[\\s\\S]+$", example = "openai/gpt-5")]
    target: Option<String>,
    /// All targets of a provider.
    provider: Option<String>,
    /// All targets there are.
    all: Option<bool>,
}

/// Which targets, and for how long.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Rest {
    /// One target, `provider/model`.
    #[param(pattern = "^[^/]+/[\\s\\S]+$", example = "openai/gpt-5")]
    target: Option<String>,
    /// All targets of a provider.
    provider: Option<String>,
    /// All targets there are.
    all: Option<bool>,
    /// How long they are not asked: `30s`, `10m`, `1h`.
    #[serde(rename = "for")]
    #[param(pattern = "^[1-9][0-9]{0,3}(ms|s|m|h|d)$", default = "5m")]
    time: Option<String>,
}

/// Names of targets whose rest was ended.
#[derive(Serialize, ToSchema)]
struct Lifted {
    lifted: Vec<String>,
}

/// Names of targets that rest now.
#[derive(Serialize, ToSchema)]
struct Resting {
    resting: Vec<String>,
}

pub(super) fn routes() -> OpenApiRouter<Arc<Desk>> {
    OpenApiRouter::new().routes(routes!(list_targets)).routes(routes!(lift)).routes(routes!(rest))
}

/// How every target is doing
///
/// Every target that is known, and every one that is configured by name.
#[utoipa::path(get, path = "/admin/api/targets", tag = "targets", responses((status = 200, body = Targets)))]
async fn list_targets(State(desk): State<Arc<Desk>>) -> Json<Targets> {
    let now = Instant::now();
    for (provider, model) in desk.snapshot().routes.targets() {
        if !model.contains('*') {
            let _ = desk.fleet.target(&provider, &model);
        }
    }
    Json(Targets { targets: desk.fleet.all().iter().map(|target| shown(&target.shown(now))).collect() })
}

/// Forget whatever there is against targets
#[utoipa::path(post, path = "/admin/api/targets/lift", tag = "targets", params(Meant), responses((status = 200, body = Lifted)))]
async fn lift(
    State(desk): State<Arc<Desk>>,
    Extension(note): Extension<Note>,
    Asked(meant): Asked<Meant>,
) -> Result<Json<Lifted>, Refusal> {
    let now = Instant::now();
    let lifted = meant.of(&desk)?.iter().filter(|target| target.lift(now)).map(name).collect();
    let lifted = Lifted { lifted };
    note.after(&lifted);
    Ok(Json(lifted))
}

/// Do not ask targets for a while
#[utoipa::path(post, path = "/admin/api/targets/rest", tag = "targets", params(Rest), responses((status = 200, body = Resting)))]
async fn rest(
    State(desk): State<Arc<Desk>>,
    Extension(note): Extension<Note>,
    Asked(asked): Asked<Rest>,
) -> Result<Json<Resting>, Refusal> {
    let Rest { target, provider, all, time } = asked;
    let time = match time.as_deref().unwrap_or("5m").parse::<Timespan>() {
        Ok(time) if time != Timespan::default() => Duration::from(time),
        Ok(_) => return Err(Refusal::malformed("`for` is no time at all").at("for")),
        Err(problem) => return Err(Refusal::malformed(format!("`for`: {problem}")).at("for")),
    };
    let meant = Meant { target, provider, all }.of(&desk)?;
    let now = Instant::now();
    meant.iter().for_each(|target| target.rest(time, now));
    let resting = Resting { resting: meant.iter().map(name).collect() };
    note.after(&resting);
    Ok(Json(resting))
}

/// Sets the gauges and counters that are made when somebody looks.
pub(super) fn measure(desk: &Desk) {
    let now = Instant::now();
    let level = |state: &str| match state {
        "closed" => 0,
        "half-open" => 1,
        _ => 2,
    };
    let mut levels: BTreeMap<(Arc<str>, String), i64> = BTreeMap::new();
    for (provider, model) in desk.snapshot().routes.targets() {
        levels.insert((provider, if model.contains('*') { "*".to_owned() } else { model }), 0);
    }
    for target in desk.fleet.all() {
        let own = (Arc::clone(target.provider()), target.model().to_owned());
        // Names that clients make up are no labels.
        let key = if levels.contains_key(&own) { own } else { (own.0, "*".to_owned()) };
        if let Some(worst) = levels.get_mut(&key) {
            *worst = level(target.shown(now).state).max(*worst);
        }
    }
    desk.observer.metrics().tell_targets(&levels, &desk.fleet.rests());
}

impl Meant {
    fn of(&self, desk: &Desk) -> Result<Vec<Arc<TargetState>>, Refusal> {
        let said = [self.target.is_some(), self.provider.is_some(), self.all.is_some()];
        if said.iter().filter(|said| **said).count() > 1 {
            return Err(Refusal::malformed("say only one of `target`, `provider` and `all`"));
        }
        if self.all == Some(true) {
            return Ok(desk.fleet.all());
        }
        if let Some(provider) = &self.provider {
            configured(desk, provider)?;
            let own = |target: &Arc<TargetState>| target.provider().as_ref() == provider;
            return Ok(desk.fleet.all().into_iter().filter(own).collect());
        }
        let Some(target) = &self.target else {
            let message = "say which: `?target=provider/model`, `?provider=…` or `?all=true`";
            return Err(Refusal::malformed(message));
        };
        let Some((provider, model)) = target.split_once('/').filter(|(_, model)| !model.is_empty()) else {
            let message = format!("`{target}` is not a target: `provider/model` is");
            return Err(Refusal::malformed(message).at("target"));
        };
        if let Some(known) = desk.fleet.known(provider, model) {
            return Ok(vec![known]);
        }
        // It may rest before it was ever asked.
        configured(desk, provider)?;
        Ok(vec![desk.fleet.target(&Arc::from(provider), model)])
    }
}

fn configured(desk: &Desk, provider: &str) -> Result<(), Refusal> {
    let known = desk.snapshot().providers.contains_key(provider);
    if known { Ok(()) } else { Err(Refusal::not_found(format!("there is no provider `{provider}`"))) }
}

fn name(target: &Arc<TargetState>) -> String {
    format!("{}/{}", target.provider(), target.model())
}

fn shown(target: &Shown) -> Target {
    let millis = |time: Option<Duration>| time.map(|time| time.as_secs_f64() * 1e3);
    let resting = target.standing.resting;
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Target {
        provider: target.provider.to_string(),
        model: target.model.clone(),
        state: target.state,
        reason: resting.map(|resting| resting.reason.as_str()),
        why: resting.map(|resting| resting.to_string()),
        until: resting.map(|resting| date::rfc3339((unix + resting.left).as_secs())),
        seconds_left: resting.map(|resting| resting.left.as_secs_f64()),
        failures: target.failures,
        degraded: target.standing.degraded,
        success: target.standing.success,
        in_flight: target.in_flight,
        adapter_failures: target.plugin_faults,
        first_token_ms: millis(target.first_token),
        first_token_p95_ms: millis(target.first_token_p95),
    }
}
