//! What a request refers to instead of saying it, and how what is kept is shown.
//!
//! An answer's id is `resp_` and a ULID; the ids of its items, and of the items that asked for it, hold the same
//! ULID. So it is known whose an id is, and where to look for an item.
//! Source: <https://platform.openai.com/docs/api-reference/responses>

use std::borrow::Cow;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};

use super::facts;
use super::object::{Object, Path, decode};
use crate::dialect::splice::{list, span, splice};
use crate::domain::RequestHead;
use crate::error::{GatewayError, Kind};

/// The parts of a request that have to do with others.
#[derive(Debug)]
pub struct Refers<'a> {
    /// The answer it follows, where it is one of ours.
    pub previous: Option<String>,
    /// Its own answer shall be kept.
    pub store: bool,
    /// The items of `input`; a text is a message of the user's.
    pub items: Vec<Cow<'a, RawValue>>,
}

/// Reads them from a body that has been read before.
///
/// # Errors
/// 400 with the path of the field.
pub fn read(body: &[u8]) -> Result<Refers<'_>, GatewayError> {
    let root = Path::Root;
    let mut fields = facts::root(facts::body_text(body)?)?;
    let previous = fields.take_text("previous_response_id", root)?.filter(|id| is_ours(id));
    let store = fields.take_bool("store", root)?.unwrap_or(true);
    let items = match fields.take("input", root)? {
        None => Vec::new(),
        Some(raw) if raw.get().starts_with('"') => vec![Cow::Owned(user_text(raw)?)],
        Some(raw) => {
            let items: Vec<&RawValue> = serde_json::from_str(raw.get())
                .map_err(|_| Path::Field(&root, "input").wrong("expected a list of objects"))?;
            items.into_iter().map(Cow::Borrowed).collect()
        }
    };
    Ok(Refers { previous: previous.map(Cow::into_owned), store, items })
}

fn user_text(text: &RawValue) -> Result<Box<RawValue>, GatewayError> {
    #[derive(serde::Serialize)]
    struct Part<'a> {
        r#type: &'static str,
        text: &'a RawValue,
    }
    #[derive(serde::Serialize)]
    struct Message<'a> {
        r#type: &'static str,
        role: &'static str,
        content: [Part<'a>; 1],
    }
    let content = [Part { r#type: "input_text", text }];
    to_raw_value(&Message { r#type: "message", role: "user", content }).map_err(unwritten)
}

fn unwritten(error: serde_json::Error) -> GatewayError {
    GatewayError::gateway(Kind::Internal, "the conversation could not be put together").context(error)
}

/// Whether this gateway made the id of an answer.
pub fn is_ours(id: &str) -> bool {
    let ulid = |rest: &str| {
        rest.len() == 26 && rest.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
    };
    id.strip_prefix("resp_").is_some_and(ulid)
}

/// The id of an answer with this ULID.
pub fn answer_id(answer: &str) -> String {
    format!("resp_{answer}")
}

/// Nothing is known under this id.
pub fn previous_not_found(id: &str) -> GatewayError {
    let message = format!("previous response with id '{id}' not found");
    GatewayError {
        code: Some("previous_response_not_found".to_owned()),
        ..GatewayError::invalid("previous_response_id", message)
    }
}

/// There is no such answer.
pub fn not_found(id: &str) -> GatewayError {
    GatewayError::client(Kind::PathNotFound, format!("response with id '{id}' not found"))
}

/// There is no such item.
pub fn item_not_found(place: usize, id: &str) -> GatewayError {
    let message = format!(
        "item with id '{id}' not found; items are kept with their response, unless it said `store: false`"
    );
    GatewayError::invalid(format!("input[{place}].id"), message)
}

/// The id of the item that this one only refers to.
pub fn referred(item: &RawValue) -> Option<String> {
    /// An id and the word for what this is need no more.
    const LONGEST: usize = 512;
    if item.get().len() > LONGEST {
        return None;
    }
    let fields: Object<'_> = serde_json::from_str(item.get()).ok()?;
    let id = fields.get("id").and_then(decode)?;
    let refers = match fields.get("type") {
        Some(kind) => kind.get() == "\"item_reference\"",
        // A bare `{"id": …}` is the short form.
        None => fields.get("role").is_none() && fields.get("content").is_none(),
    };
    refers.then(|| id.into_owned())
}

/// The id of an item.
pub fn id_of(item: &RawValue) -> Option<String> {
    let fields: Object<'_> = serde_json::from_str(item.get()).ok()?;
    fields.get("id").and_then(decode).map(Cow::into_owned)
}

/// The answer that an item with this id came with.
pub fn home_of(item: &str) -> Option<String> {
    let (_, rest) = item.split_once('_')?;
    let (ulid, _) = rest.split_once('_')?;
    let home = format!("resp_{ulid}");
    is_ours(&home).then_some(home)
}

/// The items as they are kept: each with an id. `answer` is the ULID of the answer they ask for.
pub fn with_ids(items: Vec<Cow<'_, RawValue>>, answer: &str) -> Vec<Box<RawValue>> {
    let with_id = |(place, item): (usize, Cow<'_, RawValue>)| {
        if id_of(&item).is_some() {
            return item.into_owned();
        }
        let inner = item.get().strip_prefix('{').unwrap_or_default().trim_start();
        let comma = if inner.starts_with('}') { "" } else { "," };
        let written = format!("{{\"id\":\"in_{answer}_{place}\"{comma}{inner}");
        RawValue::from_string(written).unwrap_or_else(|_| item.into_owned())
    };
    items.into_iter().enumerate().map(with_id).collect()
}

/// The items of an answer.
pub fn output_of(response: &RawValue) -> Vec<Box<RawValue>> {
    #[derive(Deserialize)]
    struct Response {
        output: Vec<Box<RawValue>>,
    }
    serde_json::from_str(response.get()).map(|Response { output }| output).unwrap_or_default()
}

/// The body with these items as its `input`.
pub fn expanded(body: &[u8], items: &[&RawValue]) -> Option<Bytes> {
    let text = facts::body_text(body).ok()?;
    let fields = facts::root(text).ok()?;
    let place = span(body, fields.get("input")?)?;
    Some(splice(body, vec![(place, list(items.iter().map(|item| item.get())))]))
}

/// The id in a written answer.
pub fn id_in(response: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Response {
        id: String,
    }
    serde_json::from_slice(response).ok().map(|Response { id }| id)
}

/// Says in a written answer, or in the last event of a stream, that it was not kept after all.
pub fn not_kept(written: &mut Vec<u8>) {
    const KEPT: &[u8] = b"\"store\":true";
    if let Some(at) = memchr::memmem::rfind(written, KEPT) {
        written.splice(at..at + KEPT.len(), *b"\"store\":false");
    }
}

/// What a path below `/v1/responses/` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted<'p> {
    /// The answer itself, to be shown or (`DELETE`) forgotten.
    Response(&'p str),
    /// What was asked.
    Input(&'p str),
    /// To stop an answer that is being made.
    Cancel(&'p str),
}

/// Reads such a path.
pub fn wanted(path: &str) -> Option<Wanted<'_>> {
    let rest = path.strip_prefix("/v1/responses/")?;
    let (id, what) = rest.split_once('/').map_or((rest, None), |(id, what)| (id, Some(what)));
    if !id.starts_with("resp_") {
        return None;
    }
    match what {
        None => Some(Wanted::Response(id)),
        Some("input_items") => Some(Wanted::Input(id)),
        Some("cancel") => Some(Wanted::Cancel(id)),
        Some(_) => None,
    }
}

/// The word that an answer is forgotten.
pub fn deleted(id: &str) -> Vec<u8> {
    json!({ "id": id, "object": "response", "deleted": true }).to_string().into_bytes()
}

/// Why an answer cannot be cancelled.
pub fn cannot_cancel() -> GatewayError {
    let message = "only background responses can be cancelled, and none run here";
    GatewayError::client(Kind::InvalidRequest, message)
}

/// One page of what was asked: `items` in their order, `order`, `after` and `limit` as the query says.
///
/// # Errors
/// 400 with the parameter.
pub fn listed(head: &RequestHead, mut items: Vec<Box<RawValue>>) -> Result<Vec<u8>, GatewayError> {
    let limit = match head.query_value("limit") {
        None => 20,
        Some(text) => {
            text.parse::<usize>().ok().filter(|limit| (1..=100).contains(limit)).ok_or_else(|| {
                GatewayError::invalid("limit", "`limit` must be a whole number from 1 to 100")
            })?
        }
    };
    match head.query_value("order").as_deref() {
        None | Some("desc") => items.reverse(),
        Some("asc") => {}
        Some(_) => return Err(GatewayError::invalid("order", "`order` must be asc or desc")),
    }
    if let Some(after) = head.query_value("after") {
        let place = items.iter().position(|item| id_of(item).as_deref() == Some(&*after));
        let place =
            place.ok_or_else(|| GatewayError::invalid("after", format!("there is no item '{after}'")))?;
        items.drain(..=place);
    }
    let has_more = items.len() > limit;
    items.truncate(limit);
    let id = |item: Option<&Box<RawValue>>| item.and_then(|item| id_of(item));
    let page = json!({
        "object": "list",
        "first_id": id(items.first()),
        "last_id": id(items.last()),
        "has_more": has_more,
    });
    let page = page.to_string();
    // Items stand as they were kept, byte for byte.
    let data = list(items.iter().map(|item| item.get()));
    Ok(format!("{{\"data\":{data},{}", page.trim_start_matches('{')).into_bytes())
}
