//! Mistral's chat completions as a provider. They look like OpenAI's and have rules of their own: how roles may follow each
//! other, what a call's id looks like, content as lists, another name for the seed.

mod error;
mod operations;
mod request;
mod response;
mod stream;
mod wire;

use plugin_sdk::{
    Adapter, Answer, Capability, Failure, Header, Manifest, Operation, Route, UpstreamRequest, failure,
};

/// The adapter; it has no options.
struct Mistral;

/// The vendor's word in canonical chat: `vendor.mistral`, `format: "mistral"`.
const VENDOR: &str = "mistral";

impl Adapter for Mistral {
    type Stream = stream::Stream;

    fn describe() -> Manifest {
        Manifest {
            name: "mistral".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            provider: "mistral_ai".to_owned(),
            default_url: "https://api.mistral.ai/v1".to_owned(),
            operations: vec![
                Operation::Chat,
                Operation::Embeddings,
                Operation::Moderation,
                Operation::Transcription,
            ],
            capabilities: vec![
                Capability::Streaming,
                Capability::Tools,
                Capability::ParallelTools,
                Capability::Images,
                Capability::ImageUrls,
                Capability::Documents,
                Capability::AudioInput,
                Capability::JsonObject,
                Capability::JsonSchema,
                Capability::Reasoning,
                Capability::MultipleChoices,
                Capability::Seed,
            ],
            options_schema: r#"{"type":"object","additionalProperties":false}"#.to_owned(),
            passages: Vec::new(),
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
        _route: &Route,
        operation: Operation,
        _headers: &[Header],
        body: &[u8],
    ) -> Result<Answer, Failure> {
        match operation {
            Operation::Chat => response::translate(body),
            other => operations::answer(other, body),
        }
    }

    fn map_error(&self, status: u16, headers: &[Header], body: &[u8]) -> Failure {
        error::map(status, headers, body)
    }

    fn open_stream(
        &self,
        _route: &Route,
        operation: Operation,
        _headers: &[Header],
    ) -> Result<stream::Stream, Failure> {
        match operation {
            Operation::Chat => Ok(stream::Stream::default()),
            other => Err(failure::not_streamed(VENDOR, other)),
        }
    }
}

plugin_sdk::register_adapter!(Mistral);

#[cfg(test)]
mod tests;
