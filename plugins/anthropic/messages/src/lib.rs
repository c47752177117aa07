//! Causeway adapter for Anthropic's Messages API: what it can do, and which file does it.
//!
//! `request` writes what `wire` describes, `response` and `stream` read answers, `error` reads failures,
//! `model` knows what each Claude takes. What gets lost on the way is listed in the README.

mod answer_tool;
mod count;
mod error;
mod model;
mod options;
mod request;
mod response;
mod stream;
mod usage;
mod wire;

use plugin_sdk::{
    Adapter, Answer, Capability, Credential, Failure, Header, Manifest, Operation, Passage, Route,
    UpstreamRequest, failure,
};

use options::Options;

/// The vendor's word in canonical chat: `format`, `vendor`.
const VENDOR: &str = "anthropic";
const PATH: &str = "/v1/messages";
const COUNT_PATH: &str = "/v1/messages/count_tokens";
const VERSION_HEADER: &str = "anthropic-version";
const BETA_HEADER: &str = "anthropic-beta";
/// The API version this adapter is written for.
const VERSION: &str = "2023-06-01";

/// Anthropic, with the operator's options.
pub struct Anthropic {
    options: Options,
}

impl Adapter for Anthropic {
    type Stream = stream::Stream;

    fn describe() -> Manifest {
        Manifest {
            name: "anthropic".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            provider: "anthropic".into(),
            default_url: "https://api.anthropic.com".into(),
            operations: vec![Operation::Chat, Operation::CountTokens],
            capabilities: vec![
                Capability::Streaming,
                Capability::Tools,
                Capability::ParallelTools,
                Capability::Images,
                Capability::ImageUrls,
                Capability::Documents,
                Capability::JsonSchema,
                Capability::Reasoning,
                Capability::PromptCaching,
            ],
            options_schema: options::SCHEMA.into(),
            passages: vec![
                passage("anthropic-messages", PATH),
                passage("anthropic-count-tokens", COUNT_PATH),
            ],
            client_headers: vec![BETA_HEADER.into(), VERSION_HEADER.into()],
        }
    }

    fn configure(options: &str) -> Result<Self, Failure> {
        Ok(Self { options: Options::parse(options)? })
    }

    fn translate_request(
        &self,
        route: &Route,
        operation: Operation,
        body: &[u8],
    ) -> Result<UpstreamRequest, Failure> {
        let (body, losses) = request::translate(&self.options, route, body)?;
        let (path, body) = match operation {
            Operation::Chat => (PATH, body),
            Operation::CountTokens => (COUNT_PATH, count::request(&body)?),
            other => return Err(failure::not_translated(VENDOR, other)),
        };
        Ok(UpstreamRequest {
            method: "POST".into(),
            path: path.into(),
            headers: self.options.headers(route),
            body,
            credential: credential(),
            losses,
        })
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
            Operation::CountTokens => count::answer(body),
            other => Err(failure::not_translated(VENDOR, other)),
        }
    }

    fn map_error(&self, status: u16, headers: &[Header], body: &[u8]) -> Failure {
        error::of_answer(status, headers, body)
    }

    fn open_stream(
        &self,
        _route: &Route,
        operation: Operation,
        _headers: &[Header],
    ) -> Result<Self::Stream, Failure> {
        match operation {
            Operation::Chat => Ok(stream::Stream::default()),
            other => Err(failure::not_streamed(VENDOR, other)),
        }
    }
}

fn credential() -> Credential {
    Credential::Header("x-api-key".into())
}

fn passage(dialect: &str, path: &str) -> Passage {
    Passage {
        dialect: dialect.into(),
        path: path.into(),
        stream_path: path.into(),
        headers: vec![Header { name: VERSION_HEADER.into(), value: VERSION.into() }],
        credential: credential(),
    }
}
