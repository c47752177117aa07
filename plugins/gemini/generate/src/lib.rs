//! Google's Gemini API as a provider.

mod error;
mod operations;
mod request;
mod response;
mod stream;
pub mod wire;

use plugin_sdk::{
    Adapter, Answer, Capability, Credential, Failure, Header, Manifest, Operation, Passage, Route,
    UpstreamRequest, failure,
};

/// The adapter; it has no options.
#[derive(Debug)]
pub struct Gemini;

/// The vendor's word in canonical chat: `vendor.gemini`, `format: "gemini"`.
const VENDOR: &str = "gemini";

fn credential() -> Credential {
    Credential::Header("x-goog-api-key".into())
}

fn passage(dialect: &str, method: &str, streaming: &str) -> Passage {
    let path = |method: &str| format!("/v1beta/models/{{model}}:{method}");
    Passage {
        dialect: dialect.into(),
        path: path(method),
        stream_path: path(streaming),
        headers: Vec::new(),
        credential: credential(),
    }
}

impl Adapter for Gemini {
    type Stream = stream::Stream;

    fn describe() -> Manifest {
        Manifest {
            name: "gemini".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            provider: "gcp.gemini".into(),
            default_url: "https://generativelanguage.googleapis.com".into(),
            operations: vec![
                Operation::Chat,
                Operation::CountTokens,
                Operation::Embeddings,
                Operation::ImageGeneration,
                Operation::ImageEdit,
                Operation::Speech,
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
                Capability::Logprobs,
                Capability::MultipleChoices,
                Capability::Seed,
            ],
            options_schema: r#"{"type":"object","additionalProperties":false}"#.into(),
            passages: vec![
                // The client's own `alt` decides about the framing; the host appends it.
                passage("gemini-generate", "generateContent", "streamGenerateContent"),
                passage("gemini-embed", "embedContent", "embedContent"),
                passage("gemini-batch-embed", "batchEmbedContents", "batchEmbedContents"),
                passage("gemini-count-tokens", "countTokens", "countTokens"),
            ],
            client_headers: vec!["x-goog-user-project".into(), "x-goog-api-client".into()],
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
            Operation::Chat => response::translate(body),
            other => operations::answer(route, other, body),
        }
    }

    fn map_error(&self, status: u16, headers: &[Header], body: &[u8]) -> Failure {
        error::from_answer(status, headers, body)
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
