//! Provider translation in sandboxed WASM.
//!
//! A [`Registry`] loads components and refuses those of another contract. A [`Pool`] hands out one [`Translator`]
//! per exchange; it is never shared and is thrown away after any trap or timeout. Only this module knows wasmtime.

use bytes::Bytes;
use http::HeaderMap;

use crate::domain::http::{CredentialKind, Loss, UpstreamRequest};
use crate::domain::{Operation, Usage};
use crate::error::GatewayError;

mod engine;
mod host;
mod legal;
mod pool;
mod registry;
mod sandbox;
mod since_v0_1_0;

pub use engine::Runtime;
pub use pool::{Lease, Pool};
pub use registry::{Loaded, Registry, Source};
pub use sandbox::Limits;

/// What an adapter says of itself.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The adapter's own name.
    pub name: String,
    /// The adapter's own version.
    pub version: String,
    /// Provider id, as OpenTelemetry spells it.
    pub provider: String,
    /// Used when the operator gives no `url`; empty: none.
    pub default_url: String,
    /// What it can be asked: `chat`, `embeddings`, …
    pub operations: Vec<String>,
    /// What the provider can do: `tools`, `images`, …
    pub capabilities: Vec<String>,
    /// JSON Schema of the operator's options.
    pub options_schema: String,
    /// Client dialects the provider speaks itself.
    pub passages: Vec<Passage>,
    /// Client headers meant for this provider alone.
    pub client_headers: Vec<String>,
}

impl Manifest {
    /// The passage for a client dialect, if the provider speaks it.
    pub fn passage(&self, dialect: &str) -> Option<&Passage> {
        self.passages.iter().find(|passage| passage.dialect == dialect)
    }

    /// Whether the adapter translates this operation.
    pub fn translates(&self, operation: Operation) -> bool {
        self.operations.iter().any(|word| word == operation.as_str())
    }
}

/// How bytes of one client dialect reach the provider untouched.
#[derive(Clone, Debug)]
pub struct Passage {
    /// Dialect id.
    pub dialect: String,
    /// Path for whole answers; `{model}` is replaced.
    pub path: String,
    /// Path for streamed answers.
    pub stream_path: String,
    /// Sent when the client did not send them.
    pub headers: HeaderMap,
    /// What the host adds.
    pub credential: CredentialKind,
}

/// What was decided about one attempt; all an adapter gets to know beside the body.
#[derive(Clone, Debug)]
pub struct Route {
    /// The provider's own model name.
    pub model: String,
    /// The client wants a stream.
    pub streaming: bool,
    /// The client's dialect.
    pub dialect: &'static str,
    /// Client headers the manifest asked for.
    pub headers: Vec<(String, String)>,
}

/// A translated whole answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Canonical body.
    pub body: Bytes,
    /// Its type, when it is no JSON.
    pub content_type: Option<http::HeaderValue>,
    /// What the provider counted.
    pub usage: Option<Usage>,
    /// What could not be carried back.
    pub losses: Vec<Loss>,
}

/// What one push made of upstream bytes.
#[derive(Clone, Debug, Default)]
pub struct Step {
    /// Canonical chunks, one per line.
    pub chunks: Vec<u8>,
    /// Latest totals.
    pub usage: Option<Usage>,
    /// What could not be carried back.
    pub losses: Vec<Loss>,
    /// Set once, at the end.
    pub ending: Option<Ending>,
}

/// How a stream ended.
#[derive(Clone, Debug)]
pub enum Ending {
    /// The provider said it was done.
    Complete,
    /// The provider reported an error inside the stream.
    Failed(GatewayError),
}

/// One adapter instance in the hands of one exchange. One implementation per contract version.
pub trait Translator: Send {
    /// Canonical request in, plain HTTP request and losses out.
    ///
    /// # Errors
    /// The adapter's own refusal, or its failure.
    fn translate_request(
        &mut self,
        route: &Route,
        operation: Operation,
        body: &[u8],
    ) -> Result<(UpstreamRequest, Vec<Loss>), GatewayError>;

    /// A 2xx answer.
    ///
    /// # Errors
    /// An error inside the answer, or the adapter's failure.
    fn translate_response(
        &mut self,
        route: &Route,
        operation: Operation,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Answer, GatewayError>;

    /// Anything but 2xx, judged.
    fn map_error(&mut self, status: u16, headers: &HeaderMap, body: &[u8]) -> GatewayError;

    /// A 2xx answer to a streamed request; the stream stays inside.
    ///
    /// # Errors
    /// The adapter's refusal or failure.
    fn open_stream(
        &mut self,
        route: &Route,
        operation: Operation,
        headers: &HeaderMap,
    ) -> Result<(), GatewayError>;

    /// Upstream bytes, cut anywhere.
    ///
    /// # Errors
    /// Bytes that make no sense, or the adapter's failure.
    fn push(&mut self, bytes: &[u8]) -> Result<Step, GatewayError>;

    /// The upstream closed.
    ///
    /// # Errors
    /// As [`Translator::push`].
    fn finish(&mut self) -> Result<Step, GatewayError>;

    /// Makes the instance ready for the next exchange; `false`: throw it away.
    fn reset(&mut self) -> bool;
}
