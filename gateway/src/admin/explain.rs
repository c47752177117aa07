//! Which targets a request would get and why, and where a request of late went.

use std::borrow::Cow;
use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::desk::Desk;
use super::reading::MaybeBody;
use super::refusal::Refusal;
use crate::domain::envelope::percent_decode;
use crate::route::as_json;

pub(super) fn routes() -> OpenApiRouter<Arc<Desk>> {
    OpenApiRouter::new().routes(routes!(explain, explain_body))
}

/// Which targets a request would get, and why; or where a request of late went
///
/// The words are those of `causeway check --explain`: `model`, `key`, `header.x-tier`, `tokens`, `tools`, …; `request` alone
/// asks for the decision on a request of late.
#[utoipa::path(get, path = "/admin/api/explain", tag = "requests", params(
    ("model" = Option<String>, Query, description = "the public name of a model"),
    ("key" = Option<String>, Query, description = "the name of a virtual key"),
    ("request" = Option<String>, Query, description = "the id of a request of late"),
), responses((status = 200, description = "the plan, in order", body = Object)))]
async fn explain(State(desk): State<Arc<Desk>>, RawQuery(query): RawQuery) -> Result<Json<Value>, Refusal> {
    explanation(&desk, of_query(&query.unwrap_or_default())).map(Json)
}

/// The same with the words in a body
#[utoipa::path(post, path = "/admin/api/explain", tag = "requests", request_body = Object, responses((status = 200, description = "the plan, in order", body = Object)))]
async fn explain_body(
    State(desk): State<Arc<Desk>>,
    RawQuery(query): RawQuery,
    MaybeBody(body): MaybeBody<serde_json::Map<String, Value>>,
) -> Result<Json<Value>, Refusal> {
    let mut words = of_query(&query.unwrap_or_default());
    words.extend(of_body(body.unwrap_or_default()).map_err(Refusal::malformed)?);
    explanation(&desk, words).map(Json)
}

fn explanation(desk: &Desk, words: Vec<(String, String)>) -> Result<Value, Refusal> {
    if let Some((_, id)) = words.iter().find(|(name, _)| name == "request") {
        let unknown =
            || Refusal::not_found(format!("no request `{id}` is remembered: only the latest ones are"));
        let decision = desk.decisions.of_request(id).ok_or_else(unknown)?;
        return serde_json::to_value(&*decision).map_err(|error| Refusal::unavailable(error.to_string()));
    }
    let plan = desk
        .snapshot()
        .explain(words, &desk.fleet, |name| desk.people.named(name))
        .map_err(Refusal::malformed)?;
    Ok(as_json(&plan))
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
fn of_body(members: serde_json::Map<String, Value>) -> Result<Vec<(String, String)>, String> {
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
