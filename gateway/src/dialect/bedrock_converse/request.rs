//! A client's request: its facts in one scan, and the whole of it as canonical chat.

use bytes::Bytes;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{VENDOR, messages, settings, state, tools};
use crate::dialect::chat::{Chat, Own};
use crate::dialect::object::{Object, Path, explain};
use crate::domain::envelope::percent_decode;
use crate::domain::{Envelope, Framing, RequestHead};
use crate::error::{GatewayError, Kind};

#[derive(Deserialize)]
struct Facts {
    /// Looked at so that a field that stands twice is an error.
    #[serde(default, rename = "messages")]
    _messages: Option<IgnoredAny>,
    #[serde(default, rename = "inferenceConfig")]
    inference: Option<Inference>,
}

#[derive(Deserialize)]
struct Inference {
    #[serde(default, rename = "maxTokens")]
    max_tokens: Option<u64>,
}

/// The facts of a request.
pub(super) fn read(head: &RequestHead, body: Bytes) -> Result<Envelope, GatewayError> {
    let (model, stream) = target(&head.path)?;
    let facts: Facts = serde_json::from_slice(&body).map_err(|_| explain::<Facts>(&body))?;
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(GatewayError::client(Kind::InvalidRequest, "the body must be an object"));
    }
    let passable = !state::is_marked(&body);
    Ok(Envelope {
        stream,
        framing: Framing::EventStream,
        include_usage: true,
        max_output: facts.inference.and_then(|inference| inference.max_tokens),
        passable,
        ..Envelope::whole(body, model, None)
    })
}

/// Model and kind of call from `/model/{id}/converse`; the id is escaped and may hold `/` and `:`.
fn target(path: &str) -> Result<(String, bool), GatewayError> {
    let unknown = || GatewayError::client(Kind::PathNotFound, format!("no such path: {path}"));
    let rest = path.strip_prefix("/model/").ok_or_else(unknown)?;
    let (model, call) = rest.rsplit_once('/').ok_or_else(unknown)?;
    let stream = match call {
        "converse" => false,
        "converse-stream" => true,
        _ => return Err(unknown()),
    };
    let model = percent_decode(model);
    if model.is_empty() {
        return Err(unknown());
    }
    Ok((model.into_owned(), stream))
}

/// The request as canonical chat. Everything that is understood is taken out; what is left is `vendor.bedrock`.
pub(super) fn canonical(envelope: &Envelope) -> Result<Vec<u8>, GatewayError> {
    let root = Path::Root;
    let mut rest: Object<'_> = serde_json::from_slice(&envelope.body).map_err(|error| {
        GatewayError::client(Kind::InvalidRequest, format!("the body is not a JSON object: {error}"))
    })?;
    let mut chat = Chat { model: &envelope.model, stream: envelope.stream, ..Chat::default() };
    let mut own = Own::new(VENDOR);
    // The path decides.
    rest.take("modelId", root)?;
    if let Some(system) = rest.take("system", root)? {
        messages::system(system, Path::Field(&root, "system"), &mut chat.messages)?;
    }
    let turns = rest.take("messages", root)?.ok_or_else(|| {
        GatewayError::invalid("messages", "`messages` is missing, and a managed prompt is not known here")
    })?;
    messages::turns(turns, &envelope.model, &mut chat.messages)?;
    tools::config(&mut rest, &mut chat, &mut own)?;
    settings::apply(&mut rest, &mut chat, &mut own)?;
    chat.vendor = own.with(rest);
    let mut body = Vec::with_capacity(envelope.body.len() + envelope.body.len() / 8 + 256);
    serde_json::to_writer(&mut body, &chat).map_err(|error| {
        GatewayError::gateway(Kind::Internal, "the request could not be written").context(error)
    })?;
    Ok(body)
}
