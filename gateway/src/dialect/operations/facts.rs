//! What routing needs of a JSON body beyond chat: the model and where its name stands.

use bytes::Bytes;
use serde_json::value::RawValue;

use crate::dialect::object::{Object, Path, text};
use crate::domain::Envelope;
use crate::error::{GatewayError, Kind};

/// The fields of a JSON body.
pub(super) fn fields(body: &Bytes) -> Result<Object<'_>, GatewayError> {
    let whole = std::str::from_utf8(body).map_err(|error| {
        let place = error.valid_up_to();
        GatewayError::client(Kind::InvalidRequest, format!("the body is not UTF-8 (byte {place})"))
    })?;
    let raw: &RawValue = serde_json::from_str(whole).map_err(|error| {
        GatewayError::client(Kind::InvalidRequest, format!("the body is not valid JSON: {error}"))
    })?;
    Object::read(raw, Path::Root)
        .map_err(|_| GatewayError::client(Kind::InvalidRequest, "the body must be an object"))
}

/// Takes the model out. Where a body may leave it out, `default` stands in and is put into it when it is passed on.
pub(super) fn envelope(
    body: &Bytes,
    fields: &mut Object<'_>,
    default: Option<&str>,
) -> Result<Envelope, GatewayError> {
    let root = Path::Root;
    let path = Path::Field(&root, "model");
    let Some(raw) = fields.take("model", root)? else {
        let model = default.ok_or_else(|| path.wrong("you must provide a `model`"))?;
        return Ok(Envelope::whole(body.clone(), model.to_owned(), after_the_brace(body)));
    };
    let model = text(raw, path)?.into_owned();
    if model.is_empty() {
        return Err(path.wrong("`model` must not be empty"));
    }
    let start = raw.get().as_ptr().addr() - body.as_ptr().addr();
    Ok(Envelope::whole(body.clone(), model, Some(start..start + raw.get().len())))
}

/// An empty span: a name is not replaced there but put in.
fn after_the_brace(body: &Bytes) -> Option<std::ops::Range<usize>> {
    let brace = memchr::memchr(b'{', body)?;
    Some(brace + 1..brace + 1)
}

/// A field that must be there.
pub(super) fn need<'a>(fields: &Object<'a>, name: &str) -> Result<&'a RawValue, GatewayError> {
    let missing = || Path::Field(&Path::Root, name).wrong(format!("you must provide `{name}`"));
    fields.get(name).ok_or_else(missing)
}

/// A field that must be a text that says something.
pub(super) fn need_text<'a>(
    fields: &Object<'a>,
    name: &str,
) -> Result<std::borrow::Cow<'a, str>, GatewayError> {
    let root = Path::Root;
    let path = Path::Field(&root, name);
    let found = text(need(fields, name)?, path)?;
    if found.is_empty() { Err(path.wrong("must not be empty")) } else { Ok(found) }
}

/// A count, when it is given: a whole number from 1 on.
pub(super) fn count(fields: &Object<'_>, name: &str) -> Result<Option<u64>, GatewayError> {
    let Some(raw) = fields.get(name) else { return Ok(None) };
    let count: Option<u64> = serde_json::from_str(raw.get()).ok();
    let wrong = || Path::Field(&Path::Root, name).wrong("expected a whole number from 1 on");
    count.filter(|count| *count > 0).map(Some).ok_or_else(wrong)
}

/// A word out of a list, when it is given.
pub(super) fn word(
    fields: &Object<'_>,
    name: &str,
    known: &[&'static str],
) -> Result<Option<&'static str>, GatewayError> {
    let Some(raw) = fields.get(name) else { return Ok(None) };
    let root = Path::Root;
    let path = Path::Field(&root, name);
    let said = text(raw, path)?;
    let found = known.iter().find(|word| **word == said);
    found.map(|word| Some(*word)).ok_or_else(|| path.wrong(format!("expected one of {}", known.join(", "))))
}

/// `true` or `false`, when it is given.
pub(super) fn flag(fields: &Object<'_>, name: &str) -> Result<bool, GatewayError> {
    match fields.get(name).map(RawValue::get) {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(Path::Field(&Path::Root, name).wrong("expected true or false")),
    }
}
