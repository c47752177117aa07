//! Cohere as a provider. Its chat (`/v2/chat`): plans beside calls, documents beside messages, citations in answers.

mod error;
mod operations;
mod request;
mod response;
mod stream;
mod wire;

use plugin_sdk::{
    Adapter, Answer, Capability, Credential, Failure, Header, Manifest, Operation, Passage, Route,
    UpstreamRequest, failure,
};

/// The adapter; it has no options.
struct Cohere;

/// The vendor's word in canonical chat: `vendor.cohere`, `format: "cohere"`.
const VENDOR: &str = "cohere";
const PATH: &str = "/v2/chat";

impl Adapter for Cohere {
    type Stream = stream::Stream;

    fn describe() -> Manifest {
        Manifest {
            name: "cohere".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            provider: "cohere".to_owned(),
            default_url: "https://api.cohere.com".to_owned(),
            operations: vec![Operation::Chat, Operation::Embeddings, Operation::Rerank],
            capabilities: vec![
                Capability::Streaming,
                Capability::Tools,
                Capability::ParallelTools,
                Capability::Images,
                Capability::ImageUrls,
                Capability::JsonObject,
                Capability::JsonSchema,
                Capability::Reasoning,
                Capability::Logprobs,
                Capability::Seed,
            ],
            options_schema: r#"{"type":"object","additionalProperties":false}"#.to_owned(),
            passages: vec![
                Passage {
                    dialect: "cohere-chat".to_owned(),
                    path: PATH.to_owned(),
                    stream_path: PATH.to_owned(),
                    headers: Vec::new(),
                    credential: Credential::Bearer,
                },
                Passage {
                    dialect: "cohere-rerank".to_owned(),
                    path: "/v2/rerank".to_owned(),
                    stream_path: "/v2/rerank".to_owned(),
                    headers: Vec::new(),
                    credential: Credential::Bearer,
                },
            ],
            client_headers: Vec::new(),
        }
    }

    fn configure(_options: &str) -> Result<Self, Failure> {
        Ok(Self)
    }

    fn translate_request(
        &self,
        route: &Route,
        operation: Operation,
        body: &[u8],
    ) -> Result<UpstreamRequest, Failure> {
        match operation {
            Operation::Chat => request::translate(route, body),
            other => operations::request(route, other, body),
        }
    }

    fn translate_response(
        &self,
        route: &Route,
        operation: Operation,
        _headers: &[Header],
        body: &[u8],
    ) -> Result<Answer, Failure> {
        match operation {
            Operation::Chat => response::translate(&route.model, body),
            other => operations::answer(route, other, body),
        }
    }

    fn map_error(&self, status: u16, headers: &[Header], body: &[u8]) -> Failure {
        error::map(status, headers, body)
    }

    fn open_stream(
        &self,
        route: &Route,
        operation: Operation,
        _headers: &[Header],
    ) -> Result<stream::Stream, Failure> {
        match operation {
            Operation::Chat => Ok(stream::Stream::of(&route.model)),
            other => Err(failure::not_streamed(VENDOR, other)),
        }
    }
}

plugin_sdk::register_adapter!(Cohere);

#[cfg(test)]
mod tests;
