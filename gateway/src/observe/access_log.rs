//! One structured line per request, and the set-up of the log itself.

use std::sync::OnceLock;

use serde::Serialize;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use super::sink::Sink;
use crate::domain::{Attempt, Record};

const TARGET: &str = "causeway::access";

static SINK: OnceLock<(Sink, Format)> = OnceLock::new();

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object per line.
    Json,
    /// For a person at a terminal.
    Pretty,
}

/// Starts the log on stderr. `level` is a filter: `info`, `causeway=debug`. Called once; later calls do nothing.
pub fn start(level: &str, format: Format) {
    // Pingora warns about every client that leaves; our own line says it better.
    let filter = EnvFilter::try_new(format!(
        "{level},pingora_core=error,pingora_proxy=error,wasmtime=error,cranelift=error"
    ))
    .unwrap_or_else(|_| EnvFilter::new("info"));
    let (sink, format) = SINK.get_or_init(|| (Sink::default(), format));
    let log = fmt().with_env_filter(filter).with_writer(sink.clone());
    let _ = match format {
        Format::Json => {
            log.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init()
        }
        Format::Pretty => log.compact().with_target(false).try_init(),
    };
    sink.start();
}

/// Writes what is still gathered: for the end of the process.
pub fn flush() {
    if let Some((sink, _)) = SINK.get() {
        sink.flush();
    }
}

/// One request as a line of JSON; what there is nothing to tell of is left out. It is written without `tracing`'s
/// formatter, which takes several times as long.
#[derive(Serialize)]
struct Line<'r> {
    timestamp: String,
    level: &'static str,
    message: &'static str,
    target: &'static str,
    request_id: &'r str,
    key: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    team: Option<&'r str>,
    dialect: &'r str,
    path: &'r str,
    model: &'r str,
    route: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream_model: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_key: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    translated: Option<bool>,
    stream: bool,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    balance: Option<&'r str>,
    planned: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    passed_over: Option<usize>,
    attempts: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    affinity: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hedge: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hedged_in: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tried: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttft_ms: Option<f64>,
    dur_ms: f64,
    overhead_us: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#in: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    out: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cached: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_written: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_usd: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage_estimated: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replay: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reused_from: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lossy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_kind: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'r str>,
}

impl<'r> Line<'r> {
    fn of(record: &'r Record) -> Self {
        let last = record.decisive();
        let usage = record.usage.unwrap_or_default();
        let replays = record.replays.iter().map(|replay| format!("{} {}", replay.kind, replay.outcome));
        Self {
            timestamp: format!("{:.6}", jiff::Timestamp::now()),
            level: "INFO",
            message: "request",
            target: TARGET,
            request_id: &record.request_id,
            key: &record.key,
            team: record.team.as_deref(),
            dialect: record.dialect,
            path: &record.path,
            model: &record.asked,
            route: &record.model,
            provider: last.map(|attempt| attempt.provider.as_ref()),
            upstream_model: last.map(|attempt| attempt.model.as_str()),
            provider_key: last.and_then(|attempt| attempt.key.as_deref()),
            translated: last.map(|attempt| attempt.translated),
            stream: record.stream,
            status: record.status,
            balance: Some(record.balance).filter(|balance| !balance.is_empty()),
            planned: record.planned,
            passed_over: Some(record.passed_over).filter(|passed_over| *passed_over > 0),
            attempts: record.attempts.len(),
            affinity: record.affinity,
            hedge: record.hedge,
            hedged_in: record.attempts.iter().find_map(|attempt| attempt.spent),
            tried: joined(record.attempts.iter().filter(|_| record.attempts.len() > 1).map(tried)),
            ttft_ms: record.first_token.map(|first| first.as_secs_f64() * 1e3),
            dur_ms: record.took.as_secs_f64() * 1e3,
            overhead_us: u64::try_from(record.overhead.as_micros()).unwrap_or(u64::MAX),
            r#in: usage.input,
            out: usage.output,
            cached: usage.cache_read,
            cache_written: usage.cache_write,
            reasoning: usage.reasoning,
            cost_usd: last.and(record.cost()).map(|cost| cost.to_string()),
            usage_estimated: usage.estimated.then_some(true),
            replay: joined(replays),
            reused_from: record.reused_from.as_deref(),
            lossy: joined(record.losses.iter().map(|loss| loss.field.clone())),
            error_kind: Some(record.error_kind).filter(|kind| !kind.is_empty()),
            error: record.error.as_deref(),
        }
    }

    /// For a person at a terminal.
    fn tell(&self) {
        tracing::info!(
            target: TARGET,
            request_id = self.request_id,
            key = self.key,
            team = self.team,
            dialect = self.dialect,
            path = self.path,
            model = self.model,
            route = self.route,
            provider = self.provider,
            upstream_model = self.upstream_model,
            provider_key = self.provider_key,
            translated = self.translated,
            stream = self.stream,
            status = self.status,
            balance = self.balance,
            planned = self.planned,
            passed_over = self.passed_over,
            attempts = self.attempts,
            affinity = self.affinity,
            hedge = self.hedge,
            hedged_in = self.hedged_in,
            tried = self.tried.as_deref(),
            ttft_ms = self.ttft_ms,
            dur_ms = self.dur_ms,
            overhead_us = self.overhead_us,
            r#in = self.r#in,
            out = self.out,
            cached = self.cached,
            cache_written = self.cache_written,
            reasoning = self.reasoning,
            cost_usd = self.cost_usd.as_deref(),
            usage_estimated = self.usage_estimated,
            replay = self.replay.as_deref(),
            reused_from = self.reused_from,
            lossy = self.lossy.as_deref(),
            error_kind = self.error_kind,
            error = self.error,
            "request"
        );
    }
}

/// These words with commas; none of none.
fn joined(mut words: impl Iterator<Item = String>) -> Option<String> {
    let mut line = words.next()?;
    for word in words {
        line.push_str(", ");
        line.push_str(&word);
    }
    Some(line)
}

fn tried(attempt: &Attempt) -> String {
    format!("{}/{} {} {}ms", attempt.provider, attempt.model, attempt.outcome, attempt.took.as_millis())
}

/// Tells of a request that has ended.
pub(super) fn write(record: &Record) {
    if !tracing::enabled!(target: TARGET, tracing::Level::INFO) {
        return;
    }
    let line = Line::of(record);
    match SINK.get() {
        Some((sink, Format::Json)) => {
            let mut json = Vec::with_capacity(1_024);
            if serde_json::to_writer(&mut json, &line).is_ok() {
                json.push(b'\n');
                sink.write(&json);
            }
        }
        _ => line.tell(),
    }
}
