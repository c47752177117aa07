//! Canonical rerank ⇄ `/v2/rerank` (<https://docs.cohere.com/reference/rerank>).

use plugin_sdk::chat::{Json, Text};
use plugin_sdk::rerank::{Cost, Ranked, Ranking, RerankRequest};
use plugin_sdk::{Answer, Failure, Losses, Route, UpstreamRequest, json, object};
use serde::Serialize;

use super::Meta;
use crate::error;

/// The request.
#[derive(Serialize)]
struct Rerank<'a> {
    model: &'a str,
    query: &'a str,
    documents: Vec<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_n: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens_per_doc: Option<u64>,
}

object! {
    /// The answer.
    Reranked {
        id: Option<Text<'a>> = "id",
        results: Option<Vec<Placed<'a>>> = "results",
        meta: Option<Meta<'a>> = "meta",
    }
}

object! {
    /// One result.
    Placed {
        index: u64 = "index",
        relevance_score: Json<'a> = "relevance_score",
    }
}

pub(super) fn request(route: &Route, body: &[u8]) -> Result<UpstreamRequest, Failure> {
    let asked = RerankRequest::parse(body)?;
    let mut losses = Losses::default();
    losses.add_fields(&asked.rest, "", "cohere has no such field");
    let rerank = Rerank {
        model: &route.model,
        query: &asked.query,
        documents: asked.texts()?,
        top_n: asked.top_n,
        max_tokens_per_doc: asked.max_tokens_per_doc,
    };
    super::post("/v2/rerank", json::to_vec(&rerank)?, &asked.vendor, losses)
}

pub(super) fn answer(model: &str, body: &[u8]) -> Result<Answer, Failure> {
    let came: Reranked<'_> = json::answer("answer", body)?;
    let Some(results) = came.results else { return Err(error::inside(body)) };
    let results = results.into_iter().map(|placed| Ranked {
        index: placed.index,
        relevance_score: placed.relevance_score,
        document: None,
    });
    let meta = came.meta.unwrap_or_default();
    let input = meta.input();
    let search_units = meta.billed.and_then(|units| units.search_units);
    let ranking = Ranking {
        id: came.id,
        model: model.into(),
        results: results.collect(),
        usage: Some(Cost { input, total_tokens: input, search_units }),
    };
    ranking.into_answer(Vec::new())
}
