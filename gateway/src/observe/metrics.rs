//! Every metric: name, labels, help text. Labels hold configured names only, so their number is bounded.

use std::collections::BTreeMap;
use std::sync::Arc;

use prometheus::{
    CounterVec, Encoder, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, TextEncoder,
};

use crate::domain::{Attempt, Cost, Record};

mod ledger;

pub use ledger::LedgerMetrics;

/// All metrics of one process.
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    duration: HistogramVec,
    overhead: HistogramVec,
    first_token: HistogramVec,
    tokens: IntCounterVec,
    cost: CounterVec,
    usage_faults: IntCounterVec,
    attempts: IntCounterVec,
    fallbacks: IntCounterVec,
    hedges: IntCounterVec,
    affinity: IntCounterVec,
    losses: IntCounterVec,
    replays: IntCounterVec,
    plugin_calls: IntCounterVec,
    plugin_seconds: HistogramVec,
    target_state: IntGaugeVec,
    target_rests: IntCounterVec,
    /// What is to be known of the ledger.
    pub ledger: LedgerMetrics,
    store_state: IntGauge,
    /// When the last snapshot of the store was made, in Unix seconds.
    pub store_snapshot: IntGauge,
    /// Requests with a limit or budget that came while the shared store was lost, by what became of them.
    pub store_lost: IntCounterVec,
    /// Requests that wait for room at a provider.
    pub queue_waiting: IntGaugeVec,
    /// How long they waited, and what came of it.
    pub queue_waited: HistogramVec,
    /// Requests that a limit or a budget refused, by whose limit it was and what it counts.
    pub limit_refusals: IntCounterVec,
    /// Permits that found no place among those that wait to be settled.
    pub limits_unsettled: IntCounter,
    /// Requests that cost more than was reserved for them.
    pub budget_overruns: IntCounter,
    /// How much more, in micro-dollars.
    pub budget_overrun_micros: IntCounter,
    /// Shares of budgets that were spent, and told.
    pub budget_warnings: IntCounterVec,
    /// Requests that a cheaper model answered because a budget was used up.
    pub budget_downgrades: IntCounterVec,
    /// Requests that have begun and not ended.
    pub inflight: IntGauge,
    /// Provider keys that may be asked, by provider; set when the metrics are read.
    pub provider_keys_usable: IntGaugeVec,
    /// Provider keys that rest at every model, by provider.
    pub provider_keys_resting: IntGaugeVec,
    /// 1: the last load of the configuration succeeded; 0: it failed and the one before is in force.
    pub reload_success: IntGauge,
    /// When the configuration in force was loaded, in Unix seconds.
    pub reload_timestamp: IntGauge,
}

const SECONDS: [f64; 13] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0];
/// 50 µs to 50 ms.
const OVERHEAD: [f64; 10] = [5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2];
/// 1 µs to 50 ms.
const CALL: [f64; 10] = [1e-6, 5e-6, 1e-5, 5e-5, 1e-4, 5e-4, 1e-3, 5e-3, 2e-2, 5e-2];

impl Metrics {
    pub(super) fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let counter = |name: &str, help: &str, labels: &[&str]| {
            let counter = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(counter.clone()))?;
            Ok::<_, prometheus::Error>(counter)
        };
        // For looking at, not for reckoning: what is spent stands in the ledger to the last place.
        let amounts = |name: &str, help: &str, labels: &[&str]| {
            let amounts = CounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(amounts.clone()))?;
            Ok::<_, prometheus::Error>(amounts)
        };
        let histogram = |name: &str, help: &str, labels: &[&str], buckets: &[f64]| {
            let histogram =
                HistogramVec::new(HistogramOpts::new(name, help).buckets(buckets.to_vec()), labels)?;
            registry.register(Box::new(histogram.clone()))?;
            Ok::<_, prometheus::Error>(histogram)
        };
        let count = |name: &str, help: &str| {
            let count = IntCounter::new(name, help)?;
            registry.register(Box::new(count.clone()))?;
            Ok::<_, prometheus::Error>(count)
        };
        let gauge = |name: &str, help: &str| {
            let gauge = IntGauge::new(name, help)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok::<_, prometheus::Error>(gauge)
        };
        let target_state = IntGaugeVec::new(
            Opts::new(
                "causeway_target_state",
                "How a configured target is doing: 0 asked, 1 tried again, 2 not asked; *: the worst of a pattern.",
            ),
            &["provider", "model"],
        )?;
        registry.register(Box::new(target_state.clone()))?;
        let gauges = |name: &str, help: &str, labels: &[&str]| {
            let gauges = IntGaugeVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(gauges.clone()))?;
            Ok::<_, prometheus::Error>(gauges)
        };
        let queue_waiting = IntGaugeVec::new(
            Opts::new("causeway_queue_waiting", "Requests that wait for room at a provider."),
            &["provider"],
        )?;
        registry.register(Box::new(queue_waiting.clone()))?;
        let build = IntGaugeVec::new(
            Opts::new("causeway_build_info", "Always 1; the version is a label."),
            &["version"],
        )?;
        registry.register(Box::new(build.clone()))?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        let ledger = LedgerMetrics::new(&registry)?;
        Ok(Self {
            ledger,
            requests: counter(
                "causeway_requests_total",
                "Requests that ended, by configured model, the provider and model that answered, status and form.",
                &["route", "model", "provider", "code", "stream"],
            )?,
            duration: histogram(
                "causeway_request_duration_seconds",
                "From the request's head to the end of the answer.",
                &["route", "stream"],
                &SECONDS,
            )?,
            overhead: histogram(
                "causeway_overhead_seconds",
                "Time spent in the gateway itself before the answer began.",
                &["route"],
                &OVERHEAD,
            )?,
            first_token: histogram(
                "causeway_time_to_first_token_seconds",
                "From the request's head to the first event or the whole answer.",
                &["route", "stream"],
                &SECONDS,
            )?,
            tokens: counter(
                "causeway_tokens_total",
                "Tokens as providers counted them; estimated: the provider did not say all of them.",
                &["route", "provider", "type", "estimated"],
            )?,
            cost: amounts(
                "causeway_cost_microdollars_total",
                "What answers cost in millionths of a US dollar, as far as there is a price.",
                &["route", "provider", "team"],
            )?,
            usage_faults: counter(
                "causeway_usage_faults_total",
                "Answers whose counts of tokens contradict each other, by the rule they break.",
                &["provider", "rule"],
            )?,
            attempts: counter(
                "causeway_attempts_total",
                "Tries at a target and how they went.",
                &["provider", "outcome"],
            )?,
            fallbacks: counter(
                "causeway_fallbacks_total",
                "Moves from a failed target to the next.",
                &["from", "to"],
            )?,
            hedges: counter(
                "causeway_hedges_total",
                "Second attempts beside a slow one; won: it answered, lost: it did not, denied: it was not made.",
                &["model", "outcome"],
            )?,
            affinity: counter(
                "causeway_affinity_total",
                "Answers of models that are sticky; kept: by the conversation's own target, moved: by another.",
                &["model", "outcome"],
            )?,
            losses: counter(
                "causeway_losses_total",
                "Fields that could not be carried across.",
                &["route", "provider"],
            )?,
            replays: counter(
                "causeway_replays_total",
                "Requests that could share another's answer, by how (cache, flight, idempotency) and what came of it.",
                &["kind", "outcome"],
            )?,
            plugin_calls: counter(
                "causeway_plugin_calls_total",
                "Calls into adapters; err: refused, failed: trapped, looped or talked nonsense.",
                &["plugin", "func", "outcome"],
            )?,
            plugin_seconds: histogram(
                "causeway_plugin_call_seconds",
                "Mean time of one call into an adapter, one sample per request and function.",
                &["plugin", "func"],
                &CALL,
            )?,
            target_state,
            target_rests: counter(
                "causeway_target_rests_total",
                "Times a target was left alone for a while, and why.",
                &["provider", "reason"],
            )?,
            queue_waiting,
            queue_waited: histogram(
                "causeway_queue_waited_seconds",
                "Waits for room at a provider; entered, late (too long), full (too many wait, or none may) or left (the client).",
                &["provider", "outcome"],
                &SECONDS,
            )?,
            limit_refusals: counter(
                "causeway_limit_refusals_total",
                "Requests that a limit or a budget refused, by whose it was (global, key, user, team, model) and what it counts (requests, tokens, concurrent, money).",
                &["scope", "unit"],
            )?,
            limits_unsettled: count(
                "causeway_limits_unsettled_total",
                "Requests whose limits are settled by time alone, with what was held: too many were waiting for it.",
            )?,
            budget_overruns: count(
                "causeway_budget_overruns_total",
                "Requests that cost more than was reserved for them.",
            )?,
            budget_overrun_micros: count(
                "causeway_budget_overrun_micros_total",
                "Micro-dollars that requests cost beyond what was reserved for them.",
            )?,
            budget_warnings: counter(
                "causeway_budget_warnings_total",
                "Shares of budgets that were spent and warned of, by whose budget it is.",
                &["scope"],
            )?,
            budget_downgrades: counter(
                "causeway_budget_downgrades_total",
                "Requests that another model answered because a budget was used up.",
                &["route"],
            )?,
            inflight: gauge("causeway_inflight", "Requests that have begun and not ended.")?,
            provider_keys_usable: gauges(
                "causeway_provider_keys_usable",
                "Provider keys that do not rest.",
                &["provider"],
            )?,
            provider_keys_resting: gauges(
                "causeway_provider_keys_resting",
                "Provider keys that rest: refused, or their quota used up.",
                &["provider"],
            )?,
            reload_success: gauge(
                "causeway_config_reload_success",
                "1: the last load of the configuration succeeded.",
            )?,
            reload_timestamp: gauge(
                "causeway_config_reload_timestamp_seconds",
                "When the configuration in force was loaded.",
            )?,
            store_state: gauge(
                "causeway_store_state",
                "What the store can do. 0: everything, 1: it is only read, 2: nothing.",
            )?,
            store_snapshot: gauge(
                "causeway_store_snapshot_timestamp_seconds",
                "When the last snapshot of the store was made; 0: none since the start.",
            )?,
            store_lost: counter(
                "causeway_store_lost_requests_total",
                "Requests with a limit or budget that came while the shared store was lost: denied, leased, allowed.",
                &["outcome"],
            )?,
            registry,
        })
    }

    pub(super) fn count(&self, record: &Record) {
        let route = record.model.as_ref();
        let stream = if record.stream { "true" } else { "false" };
        let last = record.decisive();
        let provider = last.map_or("", |attempt| attempt.provider.as_ref());
        // A pattern passes on any name a client makes up; only the configured one becomes a label.
        let model =
            if route.contains('*') { "other" } else { last.map_or("", |attempt| attempt.model.as_str()) };
        let code = record.status.to_string();
        self.requests.with_label_values(&[route, model, provider, code.as_str(), stream]).inc();
        self.duration.with_label_values(&[route, stream]).observe(record.took.as_secs_f64());
        self.overhead.with_label_values(&[route]).observe(record.overhead.as_secs_f64());
        if let Some(first) = record.first_token {
            self.first_token.with_label_values(&[route, stream]).observe(first.as_secs_f64());
        }
        if let Some(rule) = record.usage_fault {
            self.usage_faults.with_label_values(&[provider, rule]).inc();
        }
        for replay in &record.replays {
            self.replays.with_label_values(&[replay.kind, replay.outcome]).inc();
        }
        // What was spent for another request is counted there.
        if let Some(usage) = record.usage.filter(|_| record.reused_from.is_none()) {
            let estimated = if usage.estimated { "true" } else { "false" };
            for (kind, count) in [
                ("input", usage.input),
                ("output", usage.output),
                ("cache_read", usage.cache_read),
                ("cache_write", usage.cache_write),
                ("reasoning", usage.reasoning),
            ] {
                if let Some(count) = count {
                    self.tokens.with_label_values(&[route, provider, kind, estimated]).inc_by(count);
                }
            }
        }
        self.count_cost(record, provider);
        for attempt in &record.attempts {
            self.attempts.with_label_values(&[attempt.provider.as_ref(), attempt.outcome]).inc();
        }
        for pair in record.attempts.windows(2) {
            if let [from, to] = pair
                && !["ok", Attempt::HEDGED_AWAY].contains(&from.outcome)
            {
                self.fallbacks.with_label_values(&[from.provider.as_ref(), to.provider.as_ref()]).inc();
            }
        }
        if let Some(outcome) = record.hedge {
            self.hedges.with_label_values(&[route, outcome]).inc();
        }
        if let Some(outcome) = record.affinity {
            self.affinity.with_label_values(&[route, outcome]).inc();
        }
        if !record.losses.is_empty() {
            self.losses.with_label_values(&[route, provider]).inc_by(record.losses.len() as u64);
        }
        for call in &record.plugin_calls {
            self.plugin_calls
                .with_label_values(&[call.plugin.as_ref(), call.function, call.outcome])
                .inc_by(call.calls);
            let mean = call.took.as_secs_f64() / call.calls.max(1) as f64;
            self.plugin_seconds.with_label_values(&[call.plugin.as_ref(), call.function]).observe(mean);
        }
    }

    /// What the store can do, by its word.
    pub fn tell_store(&self, state: &str) {
        self.store_state.set(match state {
            "ready" => 0,
            "read-only" => 1,
            _ => 2,
        });
    }

    fn count_cost(&self, record: &Record, provider: &str) {
        let (route, team) = (record.model.as_ref(), record.team.as_deref().unwrap_or_default());
        match record.cost() {
            // The ledger counts those, row by row.
            None | Some(Cost(0)) => {}
            Some(Cost(cost)) => {
                self.cost.with_label_values(&[route, provider, team]).inc_by(cost as f64 / 1e6)
            }
        }
    }

    /// How targets are doing, and how often they were left alone: what is known elsewhere, told when somebody looks.
    pub fn tell_targets(
        &self,
        states: &BTreeMap<(Arc<str>, String), i64>,
        rests: &BTreeMap<(Arc<str>, &'static str), u64>,
    ) {
        self.target_state.reset();
        for ((provider, model), state) in states {
            self.target_state.with_label_values(&[provider.as_ref(), model.as_str()]).set(*state);
        }
        for ((provider, reason), count) in rests {
            let counter = self.target_rests.with_label_values(&[provider.as_ref(), *reason]);
            counter.inc_by(count.saturating_sub(counter.get()));
        }
    }

    /// The text of `/metrics`.
    pub fn text(&self) -> String {
        let mut text = Vec::new();
        // Encoding into memory fails only for a metric without a name.
        let _ = TextEncoder::new().encode(&self.registry.gather(), &mut text);
        String::from_utf8(text).unwrap_or_default()
    }
}
