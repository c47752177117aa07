//! The client API a request is written in.
//!
//! A [`Dialect`] reads a client's request (facts at first, canonical chat only when the chosen provider speaks
//! something else) and writes canonical answers back in the client's own form. It knows no provider.

pub mod anthropic_messages;
pub mod gemini_generate;
pub mod model_list;
pub mod openai_chat;
pub mod passage;
pub mod sse;

use bytes::Bytes;

use crate::domain::{Envelope, RequestHead, Usage};
use crate::error::GatewayError;

/// What an answer needs to know beside its body.
#[derive(Clone, Debug)]
pub struct AnswerFacts {
    /// Our request id; stands in when the provider gave no id.
    pub request_id: String,
    /// Unix time in seconds; adapters have no clock.
    pub created: u64,
    /// The model name the client asked for.
    pub model: String,
}

/// What one event of a passed-through stream is.
#[derive(Debug)]
pub enum Passing {
    /// Nothing yet: a ping, a comment, an opening frame without content.
    Quiet,
    /// The answer itself.
    Content,
    /// The event after which a clean end of the connection is a success.
    End,
    /// The provider reports an error inside the stream.
    Failed(GatewayError),
}

/// One client API.
pub trait Dialect: Send + Sync {
    /// Its id, the same word adapters use in `passage.dialect`.
    fn id(&self) -> &'static str;

    /// The facts of a request, in one scan, without a tree. `head.path` was routed to this dialect.
    ///
    /// # Errors
    /// 400 with the path of the field when the body is not JSON or lacks what routing needs.
    fn read(&self, head: &RequestHead, body: Bytes) -> Result<Envelope, GatewayError>;

    /// The request as canonical chat.
    ///
    /// # Errors
    /// 400 with the path of the field.
    fn canonical(&self, envelope: &Envelope) -> Result<Bytes, GatewayError>;

    /// A canonical `chat.completion` as this dialect's whole answer.
    ///
    /// # Errors
    /// When the canonical answer is not what the contract says (an adapter's fault).
    fn whole(&self, facts: &AnswerFacts, canonical: &[u8]) -> Result<Vec<u8>, GatewayError>;

    /// A writer for one stream of canonical chunks.
    fn stream(&self, facts: &AnswerFacts, envelope: &Envelope) -> Box<dyn StreamWriter>;

    /// An error as a whole answer.
    fn error(&self, error: &GatewayError, request_id: &str) -> Vec<u8>;

    /// The status this dialect gives an error.
    fn error_status(&self, error: &GatewayError) -> u16 {
        error.kind.status()
    }

    /// Usage in one of this dialect's own whole answers, read on the side of a passage.
    fn whole_usage(&self, body: &[u8]) -> Option<Usage>;

    /// Looks at one event (its data, without framing) of this dialect's own stream on its way through.
    /// `usage` is updated with what the event says.
    fn passing(&self, data: &[u8], usage: &mut Usage) -> Passing;
}

/// Writes canonical chunks as one client's stream.
pub trait StreamWriter: Send {
    /// `text/event-stream` or `application/json`.
    fn content_type(&self) -> &'static str {
        "text/event-stream"
    }

    /// One canonical chunk (one line, without its `\n`).
    ///
    /// # Errors
    /// When the chunk is not what the contract says (an adapter's fault).
    fn chunk(&mut self, line: &[u8], out: &mut Vec<u8>) -> Result<(), GatewayError>;

    /// The success terminator, with everything held back until then.
    fn finish(&mut self, out: &mut Vec<u8>);

    /// An error event and never a success terminator.
    fn fail(&mut self, error: &GatewayError, request_id: &str, out: &mut Vec<u8>);

    /// A sign of life while the provider is silent.
    fn keep_alive(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b": keep-alive\n\n");
    }
}
