//! Canonical embeddings ⇄ `/api/embed` (<https://github.com/ollama/ollama/blob/main/docs/api.md#generate-embeddings>).

use plugin_sdk::chat::{Json, Text};
use plugin_sdk::embeddings::{self, EmbeddingRequest};
use plugin_sdk::{
    Answer, Credential, Failure, Header, Losses, Route, UpstreamRequest, failure, json, object,
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::VENDOR;
use crate::error;
use crate::options::Options;
use crate::request::merge_own;

/// The endpoint.
pub(crate) const PATH: &str = "/api/embed";

/// The request.
#[derive(Serialize)]
struct Embed<'a> {
    model: &'a str,
    input: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    truncate: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    options: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keep_alive: Option<&'a Value>,
}

object! {
    /// The answer.
    Embedded {
        model: Text<'a> = "model",
        embeddings: Option<Vec<Json<'a>>> = "embeddings",
        prompt_eval_count: Option<u64> = "prompt_eval_count",
        error: Option<Json<'a>> = "error",
    }
}

/// One request.
pub(crate) fn request(options: &Options, route: &Route, body: &[u8]) -> Result<UpstreamRequest, Failure> {
    let asked = EmbeddingRequest::parse(body)?;
    let mut losses = Losses::default();
    let input = asked.texts(VENDOR, &mut losses)?;
    losses.add_if(&asked.user, "user", "ollama has no end users");
    losses.add_if(&asked.input_type, "input_type", "ollama's vectors are for everything");
    losses.add_fields(&asked.rest, "", "ollama has no such field");
    losses.add_foreign(&asked.vendor, VENDOR, "");
    let truncate = match asked.truncate.as_deref() {
        Some("none") => Some(false),
        Some("end") => Some(true),
        Some(_) => {
            losses.add("truncate", "ollama cuts off the end");
            Some(true)
        }
        None => None,
    };
    let embed = Embed {
        model: &route.model,
        input,
        truncate,
        dimensions: asked.dimensions,
        options: options.num_ctx.map(|length| json!({ "num_ctx": length })),
        keep_alive: options.keep_alive.as_ref(),
    };
    Ok(UpstreamRequest {
        method: "POST".to_owned(),
        path: PATH.to_owned(),
        headers: vec![Header { name: "content-type".to_owned(), value: "application/json".to_owned() }],
        body: merge_own(json::to_vec(&embed)?, asked.vendor.get(VENDOR))?,
        credential: Credential::Bearer,
        losses: losses.into_vec(),
    })
}

/// One answer.
pub(crate) fn answer(body: &[u8]) -> Result<Answer, Failure> {
    let came: Embedded<'_> = json::answer("answer", body)?;
    if let Some(told) = &came.error {
        return Err(error::inside(told));
    }
    let vectors = came.embeddings.filter(|vectors| !vectors.is_empty());
    let Some(vectors) = vectors else {
        return Err(failure::malformed("the provider's answer has no embeddings"));
    };
    embeddings::answer(&came.model, vectors, came.prompt_eval_count, Vec::new())
}
