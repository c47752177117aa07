//! `[log]`, `[requests]` and `[otel]`: watching it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::Timespan;

/// The operator's log, on standard error. It never holds a prompt or a secret.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// The least that is logged.
    pub level: Level,
    /// "json" or "pretty". Default: "pretty" on a terminal, else "json".
    pub format: Option<LogFormat>,
}

/// How important a log line is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Wake someone.
    Error,
    /// Look tomorrow.
    Warn,
    /// It changed because you asked.
    #[default]
    Info,
    /// For those who build the gateway.
    Debug,
    /// Everything.
    Trace,
}

impl Level {
    /// The word as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// How a log line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// One JSON object per line, for machines.
    Json,
    /// For people.
    Pretty,
}

/// The dashboard's request explorer.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Requests {
    /// How long requests are kept.
    pub keep: Timespan,
    /// The share of requests that is stored, 0 to 1; failed ones always are.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub sample: f64,
    /// Header names, and JSON paths starting with `$`, whose values are never stored.
    pub redact: Vec<String>,
}

impl Default for Requests {
    fn default() -> Self {
        Self {
            keep: Timespan::seconds(14 * 86_400),
            sample: 1.0,
            redact: vec!["authorization".to_owned(), "x-api-key".to_owned(), "x-goog-api-key".to_owned()],
        }
    }
}

/// Traces to an OpenTelemetry collector.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Otel {
    /// The collector's OTLP/HTTP address. Empty: off.
    #[schemars(extend("x-kind" = "url-or-empty"))]
    pub endpoint: String,
    /// true: prompts and answers go into spans too.
    pub content: bool,
}
