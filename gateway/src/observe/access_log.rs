//! One structured line per request, and the set-up of the log itself.

use std::sync::OnceLock;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use super::sink::Sink;
use crate::domain::Record;

static SINK: OnceLock<Sink> = OnceLock::new();

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
    let sink = SINK.get_or_init(Sink::default);
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
    if let Some(sink) = SINK.get() {
        sink.flush();
    }
}

pub(super) fn write(record: &Record) {
    let last = record.decisive();
    let usage = record.usage.unwrap_or_default();
    let tried: Vec<_> = record
        .attempts
        .iter()
        .map(|attempt| {
            format!(
                "{}/{} {} {}ms",
                attempt.provider,
                attempt.model,
                attempt.outcome,
                attempt.took.as_millis()
            )
        })
        .collect();
    let lost: Vec<_> = record.losses.iter().map(|loss| loss.field.as_str()).collect();
    let replays: Vec<_> =
        record.replays.iter().map(|replay| format!("{} {}", replay.kind, replay.outcome)).collect();
    tracing::info!(
        target: "causeway::access",
        request_id = record.request_id,
        key = record.key.as_ref(),
        team = record.team.as_deref(),
        dialect = record.dialect,
        path = record.path,
        model = record.asked,
        route = record.model.as_ref(),
        provider = last.map(|attempt| attempt.provider.as_ref()),
        upstream_model = last.map(|attempt| attempt.model.as_str()),
        provider_key = last.and_then(|attempt| attempt.key.as_deref()),
        translated = last.map(|attempt| attempt.translated),
        stream = record.stream,
        status = record.status,
        balance = (!record.balance.is_empty()).then_some(record.balance),
        planned = record.planned,
        passed_over = (record.passed_over > 0).then_some(record.passed_over),
        attempts = record.attempts.len(),
        affinity = record.affinity,
        hedge = record.hedge,
        hedged_in = record.attempts.iter().find_map(|attempt| attempt.spent),
        tried = (tried.len() > 1).then(|| tried.join(", ")),
        ttft_ms = record.first_token.map(|first| first.as_secs_f64() * 1e3),
        dur_ms = record.took.as_secs_f64() * 1e3,
        overhead_us = record.overhead.as_micros() as u64,
        r#in = usage.input,
        out = usage.output,
        cached = usage.cache_read,
        cache_written = usage.cache_write,
        reasoning = usage.reasoning,
        cost_usd = (!record.attempts.is_empty()).then(|| record.cost().map(|cost| cost.to_string())).flatten(),
        usage_estimated = usage.estimated.then_some(true),
        replay = (!replays.is_empty()).then(|| replays.join(", ")),
        reused_from = record.reused_from.as_deref(),
        lossy = (!lost.is_empty()).then(|| lost.join(", ")),
        error_kind = (!record.error_kind.is_empty()).then_some(record.error_kind),
        error = record.error.as_deref(),
        "request"
    );
}
