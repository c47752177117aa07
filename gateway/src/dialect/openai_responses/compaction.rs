//! `POST /v1/responses/compact`: a long conversation becomes a short one.
//!
//! No vendor but OpenAI has such a call, so the model that is asked for writes a summary, like any other answer. What
//! comes back is what OpenAI's endpoint gives: the client's own messages as they were, and one `compaction` item. Its
//! `encrypted_content` is the summary, sealed; sent back as input it becomes a message again, for whatever model.
//! Source: <https://platform.openai.com/docs/api-reference/responses/compact>

use std::borrow::Cow;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::object::decode;
use super::state::{self, Sealed};
use super::{OpenAiResponses, kept};
use crate::dialect::asks;
use crate::dialect::{AnswerFacts, Dialect, Passing, StreamWriter};
use crate::domain::{Asks, Envelope, RequestHead, Usage};
use crate::error::{GatewayError, Kind};

/// What the model is told at the end of the conversation.
const QUESTION: &str = "Write a summary of the conversation above that can take its place. Keep everything that is \
    needed to go on without it: what was asked for and decided, facts, names, numbers, code and paths that matter, what \
    tools gave back, what is done and what is open. Answer with the summary alone.";

/// What stands before a summary that comes back.
const OPENING: &str = "Summary of the conversation so far:\n\n";

/// The same API, asked to make a conversation shorter.
#[derive(Clone, Copy, Debug, Default)]
pub struct Compaction;

impl Dialect for Compaction {
    fn id(&self) -> &'static str {
        "openai-responses-compact"
    }

    fn asks(&self, envelope: &Envelope) -> Asks {
        asks::of(envelope, self.operation(), asks::fields::OPENAI)
    }

    fn read(&self, _head: &RequestHead, body: Bytes) -> Result<Envelope, GatewayError> {
        // Read a second time, with the history, when it has its question already.
        if is_asked(&body) {
            return super::facts::read(body);
        }
        super::facts::read(asked(&body)?)
    }

    fn canonical(&self, envelope: &Envelope) -> Result<Bytes, GatewayError> {
        OpenAiResponses.canonical(envelope)
    }

    fn whole(&self, facts: &AnswerFacts, canonical: &[u8]) -> Result<Vec<u8>, GatewayError> {
        compacted(&OpenAiResponses.whole(facts, canonical)?, &[])
    }

    fn whole_for(
        &self,
        facts: &AnswerFacts,
        envelope: &Envelope,
        canonical: &[u8],
    ) -> Result<Vec<u8>, GatewayError> {
        let mut items = kept::read(&envelope.body)?.items;
        // The question is ours.
        items.pop();
        compacted(&OpenAiResponses.whole_for(facts, envelope, canonical)?, &items)
    }

    fn stream(&self, facts: &AnswerFacts, envelope: &Envelope) -> Box<dyn StreamWriter> {
        OpenAiResponses.stream(facts, envelope)
    }

    fn error(&self, error: &GatewayError, request_id: &str) -> Vec<u8> {
        OpenAiResponses.error(error, request_id)
    }

    fn error_status(&self, error: &GatewayError) -> u16 {
        OpenAiResponses.error_status(error)
    }

    fn whole_usage(&self, body: &[u8]) -> Option<Usage> {
        OpenAiResponses.whole_usage(body)
    }

    fn passing(&self, data: &[u8], usage: &mut Usage) -> Passing {
        OpenAiResponses.passing(data, usage)
    }
}

/// The item that holds the question.
fn question() -> String {
    json!({ "type": "message", "role": "user", "content": QUESTION }).to_string()
}

fn is_asked(body: &[u8]) -> bool {
    memchr::memmem::find(body, question().as_bytes()).is_some()
}

/// The request for a summary.
fn asked(body: &[u8]) -> Result<Bytes, GatewayError> {
    /// Everything else (tools, formats, caps) is about answers, and this is none.
    const CARRIED: [&str; 6] = [
        "model",
        "instructions",
        "previous_response_id",
        "service_tier",
        "prompt_cache_key",
        "prompt_cache_retention",
    ];
    let fields = super::facts::root(super::facts::body_text(body)?)?;
    let kept::Refers { previous, items, .. } = kept::read(body)?;
    if items.is_empty() && previous.is_none() && fields.get("previous_response_id").is_none() {
        return Err(GatewayError::invalid(
            "input",
            "there is nothing to compact: give `input` or `previous_response_id`",
        ));
    }
    let question = question();
    let input: Vec<&str> = items.iter().map(|item| item.get()).chain([question.as_str()]).collect();
    let mut written = format!("{{\"store\":false,\"input\":[{}]", input.join(","));
    for name in CARRIED {
        if let Some(value) = fields.get(name) {
            written.push_str(&format!(",\"{name}\":{}", value.get()));
        }
    }
    written.push('}');
    Ok(written.into())
}

#[derive(Deserialize)]
struct Response<'a> {
    id: String,
    created_at: u64,
    #[serde(borrow)]
    output: Vec<Item<'a>>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Item<'a> {
    r#type: String,
    #[serde(borrow, default)]
    content: Vec<Part<'a>>,
}

#[derive(Deserialize)]
struct Part<'a> {
    #[serde(borrow, default)]
    text: Option<&'a RawValue>,
}

/// The answer with the summary as a compaction; `items` is the whole conversation.
fn compacted(response: &[u8], items: &[Cow<'_, RawValue>]) -> Result<Vec<u8>, GatewayError> {
    let unread = |error: serde_json::Error| {
        GatewayError::gateway(Kind::Internal, "the summary could not be read").context(error)
    };
    let response: Response<'_> = serde_json::from_slice(response).map_err(unread)?;
    let parts = response.output.iter().filter(|item| item.r#type == "message").flat_map(|item| &item.content);
    let summary: String = parts.filter_map(|part| part.text.and_then(decode)).collect();
    if summary.trim().is_empty() {
        return Err(GatewayError::upstream(Kind::Provider, "the model wrote no summary"));
    }
    let sealed = state::seal(&Sealed::Summary(summary));
    let place = response.id.strip_prefix("resp_").unwrap_or_default();
    let compaction =
        json!({ "id": format!("cmp_{place}_0"), "type": "compaction", "encrypted_content": sealed })
            .to_string();
    let mut output: Vec<&str> = items.iter().filter(|item| is_clients(item)).map(|item| item.get()).collect();
    output.push(&compaction);
    let id = json!(response.id);
    Ok(format!(
        "{{\"id\":{id},\"object\":\"response.compaction\",\"created_at\":{},\"output\":[{}],\"usage\":{}}}",
        response.created_at,
        output.join(","),
        response.usage.map_or("null", RawValue::get),
    )
    .into_bytes())
}

/// A message of the client's: the model's own words, calls and results are in the summary.
fn is_clients(item: &RawValue) -> bool {
    #[derive(Deserialize)]
    struct Said {
        r#type: Option<String>,
        role: Option<String>,
    }
    serde_json::from_str::<Said>(item.get()).is_ok_and(|said| {
        said.r#type.is_none_or(|kind| kind == "message")
            && matches!(said.role.as_deref(), Some("user" | "system" | "developer"))
    })
}

/// The text of a summary that comes back.
pub(super) fn opened(summary: &str) -> String {
    format!("{OPENING}{summary}")
}
