//! Which targets a request would get and why, and where a request of late went.

use std::borrow::Cow;
use std::sync::Arc;

use arc_swap::ArcSwap;
use serde_json::{Value, json};

use crate::domain::envelope::percent_decode;
use crate::route::{Decisions, Fleet, as_json};
use crate::state::Snapshot;

/// What explanations are made from.
pub struct Explaining {
    /// The configuration of now.
    pub snapshot: Arc<ArcSwap<Snapshot>>,
    /// How every target is doing.
    pub fleet: Arc<Fleet>,
    /// Where the latest requests went, and why.
    pub decisions: Arc<Decisions>,
}

impl Explaining {
    /// Status and JSON. The words are the query's; a body is a JSON object of the same.
    pub(super) fn answer(&self, query: &str, body: &[u8]) -> (u16, String) {
        match self.explanation(query, body) {
            Ok(explanation) => (200, format!("{explanation:#}\n")),
            Err((status, problem)) => (status, format!("{:#}\n", json!({ "error": problem }))),
        }
    }

    fn explanation(&self, query: &str, body: &[u8]) -> Result<Value, (u16, String)> {
        let mut words = of_query(query);
        if !body.is_empty() {
            words.extend(of_body(body).map_err(|problem| (400, problem))?);
        }
        if let Some((_, id)) = words.iter().find(|(name, _)| name == "request") {
            let unknown = || (404, format!("no request `{id}` is remembered: only the latest ones are"));
            let decision = self.decisions.of_request(id).ok_or_else(unknown)?;
            return serde_json::to_value(&*decision).map_err(|error| (500, error.to_string()));
        }
        let plan = self.snapshot.load().explain(words, &self.fleet).map_err(|problem| (400, problem))?;
        Ok(as_json(&plan))
    }
}

fn of_query(query: &str) -> Vec<(String, String)> {
    let text = |part: &str| percent_decode(&part.replace('+', " ")).into_owned();
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (text(name), text(value)))
        .collect()
}

/// `{"model": "m", "header": {"x-tier": "gold"}, "only": ["a", "b"]}` as words.
fn of_body(body: &[u8]) -> Result<Vec<(String, String)>, String> {
    let Ok(Value::Object(members)) = serde_json::from_slice(body) else {
        return Err("the body is no JSON object".to_owned());
    };
    let mut words = Vec::new();
    for (name, value) in members {
        match value {
            Value::Object(inner) => {
                for (below, value) in inner {
                    words.push((format!("{name}.{below}"), word(&value)?.into_owned()));
                }
            }
            Value::Array(items) => {
                let items: Result<Vec<_>, _> = items.iter().map(word).collect();
                words.push((name, items?.join(",")));
            }
            value => words.push((name, word(&value)?.into_owned())),
        }
    }
    Ok(words)
}

fn word(value: &Value) -> Result<Cow<'_, str>, String> {
    match value {
        Value::String(text) => Ok(text.as_str().into()),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string().into()),
        _ => Err(format!("`{value}` says nothing about a request")),
    }
}
