//! OpenAI's API, and the many servers that speak it.
//!
//! Canonical chat is a superset of OpenAI's, so a request is mostly stripped and an answer mostly left alone. Clients that
//! speak OpenAI themselves do not come by here (see the passage); this serves those of other dialects.

mod error;
mod operations;
mod options;
mod request;
mod response;
mod stream;
mod think;
mod wire;

pub use stream::Stream;

use options::Options;
use plugin_sdk::{
    Adapter, Answer, Capability, Credential, Failure, Header, Manifest, Operation, Passage, Route,
    UpstreamRequest, failure,
};

/// The adapter of one configured provider.
pub struct OpenAi {
    options: Options,
}

/// Dialect and endpoint of everything that passes through untouched.
const PASSAGES: [(&str, &str); 10] = [
    ("openai-chat", "chat/completions"),
    ("openai-completions", "completions"),
    ("openai-embeddings", "embeddings"),
    ("openai-moderations", "moderations"),
    ("openai-images", "images/generations"),
    ("openai-image-edits", "images/edits"),
    ("openai-image-variations", "images/variations"),
    ("openai-speech", "audio/speech"),
    ("openai-transcriptions", "audio/transcriptions"),
    ("openai-translations", "audio/translations"),
];

fn passage((dialect, endpoint): (&str, &str)) -> Passage {
    let path = format!("/v1/{endpoint}");
    Passage {
        dialect: dialect.to_owned(),
        stream_path: path.clone(),
        path,
        headers: Vec::new(),
        credential: Credential::Bearer,
    }
}

impl Adapter for OpenAi {
    type Stream = Stream;

    fn describe() -> Manifest {
        Manifest {
            name: "openai".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            provider: "openai".to_owned(),
            default_url: "https://api.openai.com/v1".to_owned(),
            operations: vec![
                Operation::Chat,
                Operation::Embeddings,
                Operation::Rerank,
                Operation::Moderation,
                Operation::ImageGeneration,
                Operation::ImageEdit,
                Operation::ImageVariation,
                Operation::Speech,
                Operation::Transcription,
                Operation::Translation,
            ],
            capabilities: vec![
                Capability::Streaming,
                Capability::Tools,
                Capability::ParallelTools,
                Capability::Images,
                Capability::ImageUrls,
                Capability::Documents,
                Capability::AudioInput,
                Capability::AudioOutput,
                Capability::JsonObject,
                Capability::JsonSchema,
                Capability::Reasoning,
                Capability::Logprobs,
                Capability::MultipleChoices,
                Capability::Seed,
                Capability::PromptCaching,
            ],
            options_schema: options::SCHEMA.to_owned(),
            passages: PASSAGES.into_iter().map(passage).collect(),
            client_headers: Vec::new(),
        }
    }

    fn configure(options: &str) -> Result<Self, Failure> {
        Ok(Self { options: Options::read(options)? })
    }

    fn translate_request(
        &self,
        route: &Route,
        operation: Operation,
        body: &[u8],
    ) -> Result<UpstreamRequest, Failure> {
        match operation {
            Operation::Chat => request::translate(&self.options, route, body),
            other => operations::request(&self.options, route, other, body),
        }
    }

    fn translate_response(
        &self,
        _route: &Route,
        operation: Operation,
        headers: &[Header],
        body: &[u8],
    ) -> Result<Answer, Failure> {
        match operation {
            Operation::Chat => response::translate(&self.options, body),
            other => operations::answer(other, headers, body),
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
    ) -> Result<Stream, Failure> {
        match operation {
            Operation::Chat => Ok(Stream::new(&self.options)),
            other => Err(failure::not_streamed("openai", other)),
        }
    }
}
