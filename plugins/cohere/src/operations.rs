//! Vectors and rankings.

mod embeddings;
mod rerank;

use plugin_sdk::chat::Fields;
use plugin_sdk::{
    Answer, Credential, Failure, Header, Losses, Operation, Route, UpstreamRequest, failure, object,
};

use crate::VENDOR;
use crate::request::merge_own;

object! {
    /// What an answer cost.
    Meta {
        billed: Option<Units<'a>> = "billed_units",
        tokens: Option<Units<'a>> = "tokens",
    }
}

object! {
    /// Counts.
    Units {
        input_tokens: Option<u64> = "input_tokens",
        search_units: Option<u64> = "search_units",
        images: Option<u64> = "images",
    }
}

impl Meta<'_> {
    /// What the model read; what was billed where Cohere tells nothing else.
    fn input(&self) -> Option<u64> {
        let of = |units: &Option<Units<'_>>| units.as_ref()?.input_tokens;
        of(&self.tokens).or_else(|| of(&self.billed))
    }
}

/// One request.
pub(crate) fn request(route: &Route, operation: Operation, body: &[u8]) -> Result<UpstreamRequest, Failure> {
    match operation {
        Operation::Embeddings => embeddings::request(route, body),
        Operation::Rerank => rerank::request(route, body),
        other => Err(failure::not_translated(VENDOR, other)),
    }
}

/// One answer.
pub(crate) fn answer(route: &Route, operation: Operation, body: &[u8]) -> Result<Answer, Failure> {
    match operation {
        Operation::Embeddings => embeddings::answer(&route.model, body),
        Operation::Rerank => rerank::answer(&route.model, body),
        other => Err(failure::not_translated(VENDOR, other)),
    }
}

fn post(
    path: &str,
    body: Vec<u8>,
    vendor: &Fields<'_>,
    mut losses: Losses,
) -> Result<UpstreamRequest, Failure> {
    losses.add_foreign(vendor, VENDOR, "");
    Ok(UpstreamRequest {
        method: "POST".to_owned(),
        path: path.to_owned(),
        headers: vec![Header { name: "content-type".to_owned(), value: "application/json".to_owned() }],
        body: merge_own(body, vendor.get(VENDOR))?,
        credential: Credential::Bearer,
        losses: losses.into_vec(),
    })
}
