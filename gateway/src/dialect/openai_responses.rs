//! OpenAI's Responses API: `POST /v1/responses`.
//!
//! Answers are kept for a while unless the request says `store: false`, so that `previous_response_id` and
//! `item_reference` work over every provider: what they stand for is put into `input` before anything else happens
//! (`kept`). `conversation`, `background` and `prompt` are refused by name. `compaction` makes a conversation shorter.
//!
//! `facts` reads what routing needs. `request` (with `items`, `turn`, `parts`, `tools`) turns a request into canonical
//! chat, `answer` and `stream` (with `said`, `progress`, `events`, `output`,
//! `asked`) turn answers back. `state` is how state of any vendor
//! travels through the client, `passing` looks at answers that need no turning, `native` at requests that need none.

mod answer;
mod asked;
mod canonical;
mod compaction;
mod events;
mod facts;
mod items;
pub mod kept;
mod names;
mod native;
mod output;
mod parts;
mod passing;
mod progress;
mod request;
mod said;
mod state;
mod stream;
mod strict;
mod tokens;
mod tools;
mod turn;

pub use compaction::Compaction;

use bytes::Bytes;

use super::{AnswerFacts, Dialect, Passing, StreamWriter, lost, object, openai_error};
use crate::dialect::asks;
use crate::domain::http::Loss;
use crate::domain::{Asks, Envelope, RequestHead, Usage};
use crate::error::{GatewayError, Kind};

/// Under this name stand, in canonical chat's `vendor`, fields and tools that only this API has. It is not `openai`:
/// OpenAI's chat API would refuse a request with them, so its adapter reports them as lost, like all others.
const VENDOR: &str = "openai-responses";

/// The dialect of OpenAI's present SDKs and of Codex.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenAiResponses;

impl Dialect for OpenAiResponses {
    fn id(&self) -> &'static str {
        "openai-responses"
    }

    fn asks(&self, envelope: &Envelope) -> Asks {
        asks::of(envelope, self.operation(), asks::fields::OPENAI)
    }

    fn read(&self, _head: &RequestHead, body: Bytes) -> Result<Envelope, GatewayError> {
        facts::read(body)
    }

    fn native(&self, body: &[u8], _model: &str) -> Option<Bytes> {
        native::native(body)
    }

    fn canonical(&self, envelope: &Envelope) -> Result<Bytes, GatewayError> {
        canonical(envelope)
    }

    fn whole(&self, facts: &AnswerFacts, canonical: &[u8]) -> Result<Vec<u8>, GatewayError> {
        answer::whole(facts, &asked::Asked::default(), canonical)
    }

    fn whole_for(
        &self,
        facts: &AnswerFacts,
        envelope: &Envelope,
        canonical: &[u8],
    ) -> Result<Vec<u8>, GatewayError> {
        answer::whole(facts, &asked::Asked::of(&envelope.body), canonical)
    }

    fn stream(&self, facts: &AnswerFacts, envelope: &Envelope) -> Box<dyn StreamWriter> {
        Box::new(stream::Writer::new(facts, asked::Asked::of(&envelope.body)))
    }

    fn error(&self, error: &GatewayError, request_id: &str) -> Vec<u8> {
        openai_error::body(error, request_id)
    }

    fn error_status(&self, error: &GatewayError) -> u16 {
        match error.kind {
            Kind::ModelNotFound => 400,
            kind => kind.status(),
        }
    }

    fn dropped(&self, envelope: &Envelope) -> Vec<Loss> {
        request::dropped(envelope)
    }

    fn own_path(&self, canonical: &str) -> Option<String> {
        let own = match canonical {
            "temperature"
            | "top_p"
            | "top_logprobs"
            | "parallel_tool_calls"
            | "metadata"
            | "user"
            | "safety_identifier"
            | "prompt_cache_key"
            | "prompt_cache_retention"
            | "service_tier" => canonical,
            "max_completion_tokens" | "max_tokens" => "max_output_tokens",
            "reasoning_effort" => "reasoning.effort",
            "verbosity" => "text.verbosity",
            other => other.strip_prefix("vendor.openai-responses.")?,
        };
        Some(own.to_owned())
    }

    fn keeps(&self) -> Option<&'static lost::Keeps> {
        // Blocks and annotations of other vendors travel sealed.
        Some(&lost::Keeps {
            dialect: "openai's responses API",
            choices: false,
            logprobs: true,
            links: true,
            parts: &["image_url", "vendor"],
            vendor: "*",
            vendor_fields: "",
            lacks: &["stop_sequence"],
        })
    }

    fn whole_usage(&self, body: &[u8]) -> Option<Usage> {
        passing::whole_usage(body)
    }

    fn passing(&self, data: &[u8], usage: &mut Usage) -> Passing {
        passing::event(data, usage)
    }
}

/// The facts of a body of this API that was sent to another's path. Its answer has no id that could be referred to, so
/// it may not refer to one either.
pub(super) fn read(body: Bytes) -> Result<Envelope, GatewayError> {
    let mut fields = facts::root(facts::body_text(&body)?)?;
    match fields.take_text("previous_response_id", object::Path::Root)? {
        Some(id) => Err(kept::previous_not_found(&id)),
        None => facts::read(body.clone()),
    }
}

/// What of such a body [`canonical`] leaves out.
pub(super) fn dropped(envelope: &Envelope) -> Vec<Loss> {
    request::dropped(envelope)
}

/// Whether a path of [`kept::wanted`] takes the method.
pub(super) fn takes(head: &RequestHead) -> bool {
    use http::Method;
    match kept::wanted(&head.path) {
        Some(kept::Wanted::Response(_)) => [Method::GET, Method::HEAD, Method::DELETE].contains(&head.method),
        Some(kept::Wanted::Input(_)) => [Method::GET, Method::HEAD].contains(&head.method),
        Some(kept::Wanted::Cancel(_)) => head.method == Method::POST,
        None => false,
    }
}

/// A body of this API as canonical chat.
pub(super) fn canonical(envelope: &Envelope) -> Result<Bytes, GatewayError> {
    request::canonical(envelope).map(Bytes::from)
}

#[cfg(test)]
mod tests;
