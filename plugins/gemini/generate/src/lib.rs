//! Google's Gemini API (`generateContent`) as a provider.

mod error;
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

impl Adapter for Gemini {
    type Stream = stream::Stream;

    fn describe() -> Manifest {
        Manifest {
            name: "gemini".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            provider: "gcp.gemini".into(),
            default_url: "https://generativelanguage.googleapis.com".into(),
            operations: vec![Operation::Chat],
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
            passages: vec![Passage {
                dialect: "gemini-generate".into(),
                path: "/v1beta/models/{model}:generateContent".into(),
                // The client's own `alt` decides about the framing; the host appends it.
                stream_path: "/v1beta/models/{model}:streamGenerateContent".into(),
                headers: Vec::new(),
                credential: credential(),
            }],
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
        only_chat(operation)?;
        request::translate(route, body)
    }

    fn translate_response(
        &self,
        _route: &Route,
        operation: Operation,
        _headers: &[Header],
        body: &[u8],
    ) -> Result<Answer, Failure> {
        only_chat(operation)?;
        response::translate(body)
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
        only_chat(operation)?;
        Ok(stream::Stream::default())
    }
}

fn only_chat(operation: Operation) -> Result<(), Failure> {
    match operation {
        Operation::Chat => Ok(()),
        _ => Err(failure::new(plugin_sdk::FailureKind::Unsupported, "the gemini adapter knows chat only")),
    }
}
