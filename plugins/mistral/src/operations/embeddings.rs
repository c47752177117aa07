//! Canonical embeddings ⇄ `/v1/embeddings` (<https://docs.mistral.ai/api/#tag/embeddings>).

use plugin_sdk::chat::{Json, Text};
use plugin_sdk::embeddings::{self, EmbeddingRequest};
use plugin_sdk::{Answer, Failure, Losses, Route, UpstreamRequest, json, object};
use serde::Serialize;

use crate::error;

/// The request.
#[derive(Serialize)]
struct Embed<'a> {
    model: &'a str,
    input: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_dimension: Option<u64>,
}

object! {
    /// The answer.
    Embedded {
        model: Text<'a> = "model",
        data: Option<Vec<Vector<'a>>> = "data",
        usage: Option<Tokens<'a>> = "usage",
    }
}

object! {
    /// One vector.
    Vector {
        index: u64 = "index",
        embedding: Json<'a> = "embedding",
    }
}

object! {
    /// What it cost.
    Tokens {
        prompt_tokens: Option<u64> = "prompt_tokens",
    }
}

pub(super) fn request(route: &Route, body: &[u8]) -> Result<UpstreamRequest, Failure> {
    let asked = EmbeddingRequest::parse(body)?;
    let mut losses = Losses::default();
    let input = asked.texts("mistral", &mut losses)?;
    losses.add_if(&asked.user, "user", "mistral has no end users");
    losses.add_if(&asked.input_type, "input_type", "mistral's vectors are for everything");
    losses.add_if(&asked.truncate, "truncate", "mistral cuts nothing off");
    losses.add_fields(&asked.rest, "", "mistral has no such field");
    let embed = Embed { model: &route.model, input, output_dimension: asked.dimensions };
    super::post("/v1/embeddings", json::to_vec(&embed)?, &asked.vendor, losses)
}

pub(super) fn answer(body: &[u8]) -> Result<Answer, Failure> {
    let came: Embedded<'_> = json::answer("answer", body)?;
    let Some(mut data) = came.data else { return Err(error::inside(body)) };
    data.sort_by_key(|vector| vector.index);
    let vectors = data.into_iter().map(|vector| vector.embedding);
    embeddings::answer(&came.model, vectors, came.usage.and_then(|usage| usage.prompt_tokens), Vec::new())
}
