//! OpenAI chat completions, and the many servers that speak them.
//!
//! Canonical chat is a superset of OpenAI's, so a request is mostly stripped and an answer mostly left alone. Clients that
//! speak OpenAI themselves do not come by here (see the passage); this serves those of other dialects.

mod error;
mod options;
mod request;
mod response;
mod stream;
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

const PATH: &str = "/v1/chat/completions";

impl Adapter for OpenAi {
    type Stream = Stream;

    fn describe() -> Manifest {
        Manifest {
            name: "openai".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            provider: "openai".to_owned(),
            default_url: "https://api.openai.com/v1".to_owned(),
            operations: vec![Operation::Chat],
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
            passages: [("openai-chat", PATH), ("openai-completions", "/v1/completions")].map(passage).into(),
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
        only_chat(operation)?;
        request::translate(&self.options, route, body)
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
        error::map(status, headers, body)
    }

    fn open_stream(
        &self,
        _route: &Route,
        operation: Operation,
        _headers: &[Header],
    ) -> Result<Stream, Failure> {
        only_chat(operation)?;
        Ok(Stream::default())
    }
}

/// A client of one of OpenAI's own APIs is passed on as it is.
fn passage((dialect, path): (&str, &str)) -> Passage {
    Passage {
        dialect: dialect.to_owned(),
        path: path.to_owned(),
        stream_path: path.to_owned(),
        headers: Vec::new(),
        credential: Credential::Bearer,
    }
}

fn only_chat(operation: Operation) -> Result<(), Failure> {
    match operation {
        Operation::Chat => Ok(()),
        other => Err(failure::new(
            plugin_sdk::FailureKind::Unsupported,
            format!("the openai adapter does not translate {other:?}"),
        )),
    }
}
