//! Ollama's native API (`/api/chat`) as a provider: what its OpenAI-compatible endpoint leaves out (context length, model
//! residence, thinking levels) can be said here.

mod embeddings;
mod error;
mod options;
mod request;
mod response;
mod stream;
mod wire;

use options::Options;
use plugin_sdk::{
    Adapter, Answer, Capability, Credential, Failure, Header, Manifest, Operation, Passage, Route,
    UpstreamRequest, failure,
};

/// The adapter of one configured server.
struct Ollama {
    options: Options,
}

/// The vendor's word in canonical chat: `vendor.ollama`, `format: "ollama"`.
const VENDOR: &str = "ollama";

impl Adapter for Ollama {
    type Stream = stream::Stream;

    fn describe() -> Manifest {
        Manifest {
            name: "ollama".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            provider: "ollama".to_owned(),
            default_url: "http://localhost:11434".to_owned(),
            operations: vec![Operation::Chat, Operation::Embeddings],
            capabilities: vec![
                Capability::Streaming,
                Capability::Tools,
                Capability::ParallelTools,
                Capability::Images,
                Capability::JsonObject,
                Capability::JsonSchema,
                Capability::Reasoning,
                Capability::Logprobs,
                Capability::Seed,
            ],
            options_schema: options::SCHEMA.to_owned(),
            passages: [
                ("ollama-chat", "/api/chat"),
                ("ollama-generate", "/api/generate"),
                ("ollama-embed", embeddings::PATH),
            ]
            .map(passage)
            .into(),
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
            Operation::Embeddings => embeddings::request(&self.options, route, body),
            other => Err(failure::not_translated(VENDOR, other)),
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
            Operation::Embeddings => embeddings::answer(body),
            other => Err(failure::not_translated(VENDOR, other)),
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

/// Ollama's own clients are passed on as they are, with every option they know.
fn passage((dialect, path): (&str, &str)) -> Passage {
    Passage {
        dialect: dialect.to_owned(),
        path: path.to_owned(),
        stream_path: path.to_owned(),
        headers: Vec::new(),
        credential: Credential::Bearer,
    }
}

plugin_sdk::register_adapter!(Ollama);

#[cfg(test)]
mod tests;
