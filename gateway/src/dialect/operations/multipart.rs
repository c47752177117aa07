//! Forms with files (RFC 7578), read where they lie: every part is a place in the body.
//!
//! Sixty lines of our own, because a form that is passed on must stay as it is and only the model's name in it is
//! replaced: the well-kept readers stream parts away from the body and do not tell where they stood.

use std::ops::Range;

use bytes::Bytes;
use http::HeaderValue;
use memchr::memmem;

use crate::domain::RequestHead;
use crate::error::{GatewayError, Kind};

/// More parts than any of these endpoints knows fields.
const MOST_PARTS: usize = 128;

/// A form.
#[derive(Debug)]
pub(super) struct Form {
    /// With its boundary.
    pub(super) content_type: HeaderValue,
    parts: Vec<Part>,
}

/// One field of it.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) filename: Option<String>,
    pub(super) content_type: Option<String>,
    /// Where its value stands in the body.
    pub(super) place: Range<usize>,
}

impl Form {
    /// Reads the places of all parts.
    pub(super) fn read(head: &RequestHead, body: &Bytes) -> Result<Self, GatewayError> {
        let content_type = head.headers.get(http::header::CONTENT_TYPE);
        let said = content_type.and_then(|value| value.to_str().ok()).unwrap_or("");
        let boundary = boundary(said)
            .ok_or_else(|| wrong("the body must be multipart/form-data with a boundary".to_owned()))?;
        let content_type =
            content_type.cloned().ok_or_else(|| wrong("there is no content-type".to_owned()))?;
        let delimiter = format!("--{boundary}");
        let mut parts = Vec::new();
        let mut at = next(body, 0, delimiter.as_bytes())?;
        loop {
            let after = body.get(at..).unwrap_or_default();
            if after.starts_with(b"--") {
                return Ok(Self { content_type, parts });
            }
            let blank = memmem::find(after, b"\r\n\r\n")
                .ok_or_else(|| wrong(format!("part {} of the form has no end of its head", parts.len())))?;
            let start = at + blank + 4;
            let end =
                memmem::find(body.get(start..).unwrap_or_default(), format!("\r\n{delimiter}").as_bytes())
                    .map(|length| start + length)
                    .ok_or_else(|| wrong(format!("part {} of the form has no end", parts.len())))?;
            parts.push(part(after.get(..blank).unwrap_or_default(), start..end, parts.len())?);
            if parts.len() > MOST_PARTS {
                return Err(wrong(format!("the form has more than {MOST_PARTS} parts")));
            }
            at = end + 2 + delimiter.len();
        }
    }

    /// The parts of a name, in their order.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(move |part| part.name == name)
    }

    /// The one part of a name; twice the same is refused, because two readers could see two requests.
    pub(super) fn one(&self, name: &str) -> Result<Option<&Part>, GatewayError> {
        let mut found = self.all(name);
        let first = found.next();
        match found.next() {
            Some(_) => Err(GatewayError::invalid(name, format!("`{name}` is given twice"))),
            None => Ok(first),
        }
    }

    /// A text that may be there.
    pub(super) fn text<'a>(&self, body: &'a Bytes, name: &str) -> Result<Option<&'a str>, GatewayError> {
        self.one(name)?.map(|part| part.text(body)).transpose()
    }

    /// Every part.
    pub(super) fn parts(&self) -> &[Part] {
        &self.parts
    }
}

impl Part {
    /// Its value as text.
    pub(super) fn text<'a>(&self, body: &'a Bytes) -> Result<&'a str, GatewayError> {
        let bytes = body.get(self.place.clone()).unwrap_or_default();
        std::str::from_utf8(bytes)
            .map_err(|_| GatewayError::invalid(&*self.name, format!("`{}` is not UTF-8", self.name)))
    }
}

/// The boundary of a content type, if it is one of forms.
fn boundary(content_type: &str) -> Option<String> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"').to_owned())
    })?;
    (!boundary.is_empty() && boundary.len() <= 70).then_some(boundary)
}

/// The place behind the first delimiter.
fn next(body: &Bytes, from: usize, delimiter: &[u8]) -> Result<usize, GatewayError> {
    memmem::find(body.get(from..).unwrap_or_default(), delimiter)
        .map(|found| from + found + delimiter.len())
        .ok_or_else(|| wrong("the body does not hold its own boundary".to_owned()))
}

fn part(head: &[u8], place: Range<usize>, index: usize) -> Result<Part, GatewayError> {
    let head = String::from_utf8_lossy(head);
    let header = |wanted: &str| {
        head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.trim().eq_ignore_ascii_case(wanted).then(|| value.trim())
        })
    };
    let disposition = header("content-disposition").unwrap_or("");
    let name = parameter(disposition, "name")
        .ok_or_else(|| wrong(format!("part {index} of the form has no name")))?;
    Ok(Part {
        name,
        filename: parameter(disposition, "filename"),
        content_type: header("content-type").map(str::to_owned),
        place,
    })
}

/// A quoted parameter of a header; `%22` and `\"` stand for a quote.
fn parameter(header: &str, wanted: &str) -> Option<String> {
    let mut rest = header;
    loop {
        let (_, after) = rest.split_once(';')?;
        let after = after.trim_start();
        let (name, value) = after.split_once('=')?;
        let value = value.trim_start();
        let (value, behind) = match value.strip_prefix('"') {
            None => {
                let end = value.find(';').unwrap_or(value.len());
                value.split_at(end)
            }
            Some(quoted) => {
                let mut escaped = false;
                let end = quoted.find(|letter| {
                    let found = letter == '"' && !escaped;
                    escaped = letter == '\\' && !escaped;
                    found
                })?;
                (quoted.get(..end)?, quoted.get(end + 1..)?)
            }
        };
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(value.replace("\\\"", "\"").replace("%22", "\""));
        }
        rest = behind;
    }
}

fn wrong(message: String) -> GatewayError {
    GatewayError::client(Kind::InvalidRequest, message)
}

#[cfg(test)]
mod tests;
