//! Causeway adapter for Amazon Bedrock's Converse and ConverseStream: what it can do, and which file does it.
//!
//! `request` writes what `wire` describes, `response` and `stream` read answers, `error` reads failures,
//! `model` knows what differs between the families of models. What gets lost on the way is listed in the README.

mod count;
mod embeddings;
mod error;
mod model;
mod options;
mod request;
mod response;
mod stream;
mod usage;
mod wire;

use options::Options;
use plugin_sdk::{
    Adapter, Answer, Capability, Credential, Failure, Header, Manifest, Operation, Passage, Route, Sigv4,
    UpstreamRequest, failure,
};

/// The vendor's word in canonical chat: `format`, `vendor`.
const VENDOR: &str = "bedrock";

/// Bedrock in one region.
struct Bedrock {
    options: Options,
}

impl Adapter for Bedrock {
    type Stream = stream::Stream;

    fn describe() -> Manifest {
        Manifest {
            name: "bedrock".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            provider: "aws.bedrock".into(),
            // Every region has a host of its own.
            default_url: String::new(),
            operations: vec![Operation::Chat, Operation::CountTokens, Operation::Embeddings],
            capabilities: vec![
                Capability::Streaming,
                Capability::Tools,
                Capability::ParallelTools,
                Capability::Images,
                Capability::Documents,
                Capability::JsonSchema,
                Capability::Reasoning,
                Capability::PromptCaching,
            ],
            options_schema: options::SCHEMA.into(),
            passages: vec![Passage {
                dialect: "bedrock-converse".into(),
                path: "/model/{model}/converse".into(),
                stream_path: "/model/{model}/converse-stream".into(),
                headers: Vec::new(),
                credential: Credential::Sigv4(Sigv4 { service: "bedrock".into(), region: String::new() }),
            }],
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
        let (action, (body, losses)) = match operation {
            Operation::Chat if route.streaming => {
                ("converse-stream", request::translate(&self.options, route, body)?)
            }
            Operation::Chat => ("converse", request::translate(&self.options, route, body)?),
            Operation::CountTokens => {
                let (body, losses) = request::translate(&self.options, route, body)?;
                ("count-tokens", (count::request(&body)?, losses))
            }
            Operation::Embeddings => ("invoke", embeddings::request(route, body)?),
            other => return Err(failure::not_translated(VENDOR, other)),
        };
        Ok(UpstreamRequest {
            method: "POST".into(),
            path: format!("/model/{}/{action}", encoded(&route.model)),
            headers: vec![Header { name: "content-type".into(), value: "application/json".into() }],
            body,
            credential: self.options.credential(),
            losses,
        })
    }

    fn translate_response(
        &self,
        route: &Route,
        operation: Operation,
        headers: &[Header],
        body: &[u8],
    ) -> Result<Answer, Failure> {
        match operation {
            Operation::Chat => response::translate(route, headers, body),
            Operation::CountTokens => count::answer(body),
            Operation::Embeddings => embeddings::answer(route, headers, body),
            other => Err(failure::not_translated(VENDOR, other)),
        }
    }

    fn map_error(&self, status: u16, headers: &[Header], body: &[u8]) -> Failure {
        error::of_answer(status, headers, body)
    }

    fn open_stream(
        &self,
        route: &Route,
        operation: Operation,
        headers: &[Header],
    ) -> Result<Self::Stream, Failure> {
        match operation {
            Operation::Chat => Ok(stream::Stream::open(route, headers)),
            other => Err(failure::not_streamed(VENDOR, other)),
        }
    }
}

/// A model's id as one segment of a path; ids hold `:`, ARNs also `/`.
fn encoded(model: &str) -> String {
    let mut encoded = String::with_capacity(model.len());
    for byte in model.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// Converse gives its answers no id; the request's stands in.
fn request_id(headers: &[Header]) -> &str {
    let header = headers.iter().find(|header| header.name.eq_ignore_ascii_case("x-amzn-requestid"));
    header.map_or("", |header| &header.value)
}

plugin_sdk::register_adapter!(Bedrock);

#[cfg(test)]
mod tests;
