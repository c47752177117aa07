//! Answers that are kept: a request that refers to one is completed before it is planned, and what it is answered with
//! is on the disk before the client has heard its end.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::value::RawValue;

use super::exchange::Exchange;
use super::receive::Client;
use super::service::Ground;
use super::{answer, deliver};
use crate::config::Headers;
use crate::conversation::{Conversations, Kept};
use crate::dialect::openai_responses::kept::{self, Wanted};
use crate::dialect::{Dialect, StreamWriter};
use crate::domain::{Envelope, id};
use crate::error::GatewayError;

/// Who keeps the answer to one request.
#[derive(Clone)]
pub(super) struct Keeping {
    conversations: Conversations,
    tenant: Arc<str>,
    /// The answer's id without its prefix. Not the request's: a client may choose that, and choose it twice.
    pub(super) answer: String,
    previous: Option<String>,
    input: Arc<[Box<RawValue>]>,
}

impl Keeping {
    /// Keeps a written answer; when this comes back it is on the disk. If it cannot be, the answer says so itself: a
    /// model's work is not thrown away for that.
    pub(super) async fn keep(&self, response: &[u8]) -> Result<(), GatewayError> {
        let Some(id) = kept::id_in(response) else { return Ok(()) };
        let response = std::str::from_utf8(response).unwrap_or_default().to_owned();
        let Ok(response) = RawValue::from_string(response) else { return Ok(()) };
        let kept = Kept { previous: self.previous.clone(), input: self.input.to_vec(), response };
        self.conversations.keep(&self.tenant, &id, &kept).await
    }

    /// Keeps the answer of a stream whose end stands in `told` and is not sent yet.
    pub(super) async fn keep_end(&self, writer: &mut dyn StreamWriter, told: &mut Vec<u8>) {
        if let Some(response) = writer.whole() {
            self.keep_or_tell(&response, told).await;
        }
    }

    /// Keeps what is written in `response`, or lets `told` say that it is not kept.
    pub(super) async fn keep_or_tell(&self, response: &[u8], told: &mut Vec<u8>) {
        if let Err(error) = self.keep(response).await {
            tracing::error!(%error, "an answer could not be kept");
            kept::not_kept(told);
        }
    }
}

/// A request with everything it refers to.
pub(super) struct Completed {
    /// The request.
    pub(super) envelope: Envelope,
    /// Who keeps its answer.
    pub(super) keeping: Option<Keeping>,
    /// The first answer of its conversation, where we keep those; its own when it begins one.
    pub(super) first_answer: Option<String>,
}

impl From<Envelope> for Completed {
    fn from(envelope: Envelope) -> Self {
        Self { envelope, keeping: None, first_answer: None }
    }
}

/// The request with everything it refers to, and who keeps its answer.
pub(super) async fn complete(
    ground: &Ground,
    exchange: &Exchange,
    dialect: &dyn Dialect,
    envelope: Envelope,
) -> Result<Completed, GatewayError> {
    let keeps = dialect.id() == "openai-responses";
    if !keeps && dialect.id() != "openai-responses-compact" {
        return Ok(envelope.into());
    }
    let body = envelope.body.clone();
    let asked = kept::read(&body)?;
    let refers = |item: &Cow<'_, RawValue>| kept::referred(item).is_some();
    if !(keeps && asked.store) && asked.previous.is_none() && !asked.items.iter().any(refers) {
        return Ok(envelope.into());
    }
    let tenant = Arc::clone(&exchange.record.key);
    let conversations = &ground.conversations;
    let mut first_answer = None;
    let history = match &asked.previous {
        None => Vec::new(),
        Some(previous) => {
            let line = conversations.up_to(&tenant, previous).await?;
            let line = line.map_err(|missing| kept::previous_not_found(&missing))?;
            // Each knows the one before it; the first is known by the second.
            let second = line.get(1).and_then(|second| second.previous.clone());
            first_answer = second.or_else(|| Some(previous.clone()));
            items(line)
        }
    };
    let mut own = asked.items;
    let mut referred = false;
    for (place, item) in own.iter_mut().enumerate() {
        let Some(id) = kept::referred(item) else { continue };
        let found = find(conversations, &tenant, &id, &history).await?;
        *item = Cow::Owned(found.ok_or_else(|| kept::item_not_found(place, &id))?);
        referred = true;
    }
    let mut envelope = envelope;
    if referred || !history.is_empty() {
        let all: Vec<&RawValue> =
            history.iter().map(AsRef::as_ref).chain(own.iter().map(AsRef::as_ref)).collect();
        if let Some(body) = kept::expanded(&body, &all) {
            envelope = dialect.read(&exchange.head, body)?;
        }
    }
    let keeping = (keeps && asked.store).then(|| {
        let own_id = exchange.head.header("x-request-id").is_none();
        let answer = if own_id { exchange.record.request_id.clone() } else { id::request_id(None) };
        let input = kept::with_ids(own, &answer).into();
        Keeping { conversations: conversations.clone(), tenant, answer, previous: asked.previous, input }
    });
    let own = || keeping.as_ref().map(|keeping| kept::answer_id(&keeping.answer));
    let first_answer = first_answer.or_else(own);
    Ok(Completed { envelope, keeping, first_answer })
}

/// The items of a conversation in their order.
fn items(line: Vec<Kept>) -> Vec<Box<RawValue>> {
    let both = |kept: Kept| {
        let output = kept::output_of(&kept.response);
        kept.input.into_iter().chain(output)
    };
    line.into_iter().flat_map(both).collect()
}

/// The item with this id: in the conversation at hand, or in the answer it came with.
async fn find(
    conversations: &Conversations,
    tenant: &str,
    id: &str,
    history: &[Box<RawValue>],
) -> Result<Option<Box<RawValue>>, GatewayError> {
    let is_it = |item: &RawValue| kept::id_of(item).as_deref() == Some(id);
    if let Some(item) = history.iter().find(|item| is_it(item)) {
        return Ok(Some(item.clone()));
    }
    let Some(home) = kept::home_of(id) else { return Ok(None) };
    let Some(kept) = conversations.get(tenant, &home).await? else { return Ok(None) };
    Ok(items(vec![kept]).into_iter().find(|item| is_it(item)))
}

/// Shows or forgets what was kept.
pub(super) async fn serve(
    ground: &Ground,
    told: Headers,
    client: &mut Client<'_>,
    exchange: &mut Exchange,
) -> Result<(), GatewayError> {
    let tenant = Arc::clone(&exchange.record.key);
    let conversations = &ground.conversations;
    let body = match kept::wanted(&exchange.head.path) {
        Some(Wanted::Response(id)) if exchange.head.method == http::Method::DELETE => {
            if !conversations.forget(&tenant, id).await? {
                return Err(kept::not_found(id));
            }
            kept::deleted(id)
        }
        Some(Wanted::Response(id)) => {
            let kept = conversations.get(&tenant, id).await?.ok_or_else(|| kept::not_found(id))?;
            kept.response.get().as_bytes().to_vec()
        }
        Some(Wanted::Input(id)) => {
            let line = conversations.up_to(&tenant, id).await?;
            let mut line = line.map_err(|missing| kept::not_found(&missing))?;
            // What the model saw: the conversation before it and what was new, not its own answer.
            let last = line.pop().map(|last| last.input).unwrap_or_default();
            kept::listed(&exchange.head, items(line).into_iter().chain(last).collect())?
        }
        Some(Wanted::Cancel(_)) | None => return Err(kept::cannot_cancel()),
    };
    let head = deliver::head(200, exchange, "openai-responses", told)?;
    deliver::whole(client, exchange, head, answer::JSON, Bytes::from(body)).await
}
