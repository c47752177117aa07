//! Cohere's request as canonical chat: the fields of the body; messages and documents are neighbours' work.

use super::{VENDOR, documents, messages, settings};
use crate::dialect::chat::{Chat, Own};
use crate::dialect::object::{Object, Path};
use crate::domain::Envelope;
use crate::error::{GatewayError, Kind};

/// The request as canonical chat. Everything that is understood is taken out; what is left is `vendor.cohere`.
pub(super) fn canonical(envelope: &Envelope) -> Result<Vec<u8>, GatewayError> {
    let root = Path::Root;
    let mut rest: Object<'_> = serde_json::from_slice(&envelope.body).map_err(|error| {
        GatewayError::client(Kind::InvalidRequest, format!("the body is not a JSON object: {error}"))
    })?;
    rest.take("model", root)?;
    rest.take("stream", root)?;
    let mut chat = Chat { model: &envelope.model, stream: envelope.stream, ..Chat::default() };
    let list = Path::Field(&root, "messages");
    let turns = rest.take("messages", root)?.ok_or_else(|| list.wrong("field required"))?;
    messages::turns(Object::read_list(turns, list)?, list, &mut chat.messages)?;
    documents::attach(&mut rest, &mut chat)?;
    settings::apply(&mut rest, &mut chat)?;
    chat.vendor = Own::of(VENDOR, rest);
    let mut body = Vec::with_capacity(envelope.body.len() + envelope.body.len() / 8 + 256);
    serde_json::to_writer(&mut body, &chat).map_err(|error| {
        GatewayError::gateway(Kind::Internal, "the request could not be written").context(error)
    })?;
    Ok(body)
}
