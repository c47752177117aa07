//! Vectors, moderation and transcription; their shapes are OpenAI's with gaps.

mod embeddings;
mod moderation;
mod transcription;

use plugin_sdk::chat::Fields;
use plugin_sdk::{Answer, Credential, Failure, Header, Losses, Operation, Route, UpstreamRequest, failure};

use crate::VENDOR;
use crate::request::merge_own;

/// One request.
pub(crate) fn request(route: &Route, operation: Operation, body: &[u8]) -> Result<UpstreamRequest, Failure> {
    match operation {
        Operation::Embeddings => embeddings::request(route, body),
        Operation::Moderation => moderation::request(route, body),
        Operation::Transcription => transcription::request(route, body),
        other => Err(failure::not_translated(VENDOR, other)),
    }
}

/// One answer.
pub(crate) fn answer(operation: Operation, body: &[u8]) -> Result<Answer, Failure> {
    match operation {
        Operation::Embeddings => embeddings::answer(body),
        Operation::Moderation => moderation::answer(body),
        Operation::Transcription => transcription::answer(body),
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
    Ok(sent(path, "application/json".to_owned(), merge_own(body, vendor.get(VENDOR))?, losses))
}

fn sent(path: &str, content_type: String, body: Vec<u8>, losses: Losses) -> UpstreamRequest {
    UpstreamRequest {
        method: "POST".to_owned(),
        path: path.to_owned(),
        headers: vec![Header { name: "content-type".to_owned(), value: content_type }],
        body,
        credential: Credential::Bearer,
        losses: losses.into_vec(),
    }
}
