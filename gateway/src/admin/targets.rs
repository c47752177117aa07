//! Targets on the admin side: how each is doing, and how to lift its rest or let it rest by hand.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use serde_json::{Value, json};

use crate::domain::{Timespan, date, envelope};
use crate::observe::Metrics;
use crate::route::{Fleet, Shown, TargetState};
use crate::state::Snapshot;

/// Status, type, body.
pub(super) type Answer = (u16, &'static str, String);

const JSON: &str = "application/json";

/// What is known of targets, and the configuration that names some of them.
pub struct Targets {
    fleet: Arc<Fleet>,
    snapshot: Arc<ArcSwap<Snapshot>>,
}

impl Targets {
    /// On what all requests share.
    pub fn new(fleet: Arc<Fleet>, snapshot: Arc<ArcSwap<Snapshot>>) -> Self {
        Self { fleet, snapshot }
    }

    /// Every target that is known, and every one that is configured by name.
    pub(super) fn list(&self) -> Answer {
        let now = Instant::now();
        for (provider, model) in self.snapshot.load().routes.targets() {
            if !model.contains('*') {
                let _ = self.fleet.target(&provider, &model);
            }
        }
        let targets: Vec<_> = self.fleet.all().iter().map(|target| shown(&target.shown(now))).collect();
        good(&json!({ "targets": targets }))
    }

    /// `target=provider/model`, `provider=…` or `all=true`: whatever there is against it is forgotten.
    pub(super) fn lift(&self, query: &str) -> Answer {
        let now = Instant::now();
        let meant = match self.meant(query) {
            Ok(meant) => meant,
            Err(answer) => return answer,
        };
        let lifted: Vec<_> = meant.iter().filter(|target| target.lift(now)).map(name).collect();
        for target in &lifted {
            tracing::info!(target, "the rest of a target was lifted by hand");
        }
        good(&json!({ "lifted": lifted }))
    }

    /// The same, and `for=10m`: it is not asked for so long.
    pub(super) fn rest(&self, query: &str) -> Answer {
        let time = parameter(query, "for").unwrap_or_else(|| "5m".to_owned());
        let time = match time.parse::<Timespan>() {
            Ok(time) if time != Timespan::default() => Duration::from(time),
            Ok(_) => return refused(400, "`for` is no time at all"),
            Err(problem) => return refused(400, &format!("`for`: {problem}")),
        };
        let meant = match self.meant(query) {
            Ok(meant) => meant,
            Err(answer) => return answer,
        };
        let now = Instant::now();
        meant.iter().for_each(|target| target.rest(time, now));
        let resting: Vec<_> = meant.iter().map(name).collect();
        good(&json!({ "resting": resting }))
    }

    /// The gauges and counters that are made when somebody looks.
    pub(super) fn measure(&self, metrics: &Metrics) {
        let now = Instant::now();
        let level = |state: &str| match state {
            "closed" => 0,
            "half-open" => 1,
            _ => 2,
        };
        let mut levels: BTreeMap<(Arc<str>, String), i64> = BTreeMap::new();
        for (provider, model) in self.snapshot.load().routes.targets() {
            levels.insert((provider, if model.contains('*') { "*".to_owned() } else { model }), 0);
        }
        for target in self.fleet.all() {
            let own = (Arc::clone(target.provider()), target.model().to_owned());
            // Names that clients make up are no labels.
            let key = if levels.contains_key(&own) { own } else { (own.0, "*".to_owned()) };
            if let Some(worst) = levels.get_mut(&key) {
                *worst = level(target.shown(now).state).max(*worst);
            }
        }
        metrics.tell_targets(&levels, &self.fleet.rests());
    }

    fn meant(&self, query: &str) -> Result<Vec<Arc<TargetState>>, Answer> {
        if parameter(query, "all").as_deref() == Some("true") {
            return Ok(self.fleet.all());
        }
        if let Some(provider) = parameter(query, "provider") {
            self.configured(&provider)?;
            let own = |target: &Arc<TargetState>| target.provider().as_ref() == provider;
            return Ok(self.fleet.all().into_iter().filter(own).collect());
        }
        let Some(target) = parameter(query, "target") else {
            return Err(refused(400, "say which: `?target=provider/model`, `?provider=…` or `?all=true`"));
        };
        let Some((provider, model)) = target.split_once('/').filter(|(_, model)| !model.is_empty()) else {
            return Err(refused(400, &format!("`{target}` is not a target: `provider/model` is")));
        };
        if let Some(known) = self.fleet.known(provider, model) {
            return Ok(vec![known]);
        }
        // It may rest before it was ever asked.
        self.configured(provider)?;
        Ok(vec![self.fleet.target(&Arc::from(provider), model)])
    }

    fn configured(&self, provider: &str) -> Result<(), Answer> {
        let known = self.snapshot.load().providers.contains_key(provider);
        if known { Ok(()) } else { Err(refused(404, &format!("there is no provider `{provider}`"))) }
    }
}

fn good(answer: &Value) -> Answer {
    (200, JSON, format!("{answer}\n"))
}

fn refused(status: u16, why: &str) -> Answer {
    (status, JSON, format!("{}\n", json!({ "error": why })))
}

fn name(target: &Arc<TargetState>) -> String {
    format!("{}/{}", target.provider(), target.model())
}

fn shown(target: &Shown) -> Value {
    let millis = |time: Option<Duration>| time.map(|time| time.as_secs_f64() * 1e3);
    let resting = target.standing.resting;
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    json!({
        "provider": target.provider.as_ref(),
        "model": target.model,
        "state": target.state,
        "reason": resting.map(|resting| resting.reason.as_str()),
        "why": resting.map(|resting| resting.to_string()),
        "until": resting.map(|resting| date::rfc3339((unix + resting.left).as_secs())),
        "seconds_left": resting.map(|resting| resting.left.as_secs_f64()),
        "failures": target.failures,
        "degraded": target.standing.degraded,
        "success": target.standing.success,
        "in_flight": target.in_flight,
        "adapter_failures": target.plugin_faults,
        "first_token_ms": millis(target.first_token),
        "first_token_p95_ms": millis(target.first_token_p95),
    })
}

/// A parameter of a query, with `%20` and the like read.
fn parameter(query: &str, name: &str) -> Option<String> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(own, _)| *own == name)?;
    Some(envelope::percent_decode(value).into_owned()).filter(|value| !value.is_empty())
}
