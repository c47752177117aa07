//! What a guest may name, whatever its contract's version: methods, paths, credentials; and how long its words may be.

use http::{HeaderName, Method};

use crate::domain::http::{climbs, is_host_only};
use crate::error::GatewayError;

/// Longest message of a guest that reaches a client or the log.
const LONGEST_MESSAGE: usize = 4 << 10;
/// Longest code or path of a field.
const LONGEST_WORD: usize = 256;

/// What an API is asked with. CONNECT would turn the connection into a tunnel, TRACE would show our key.
pub(super) fn method(said: &str) -> Result<Method, GatewayError> {
    const KNOWN: [Method; 5] = [Method::POST, Method::GET, Method::PUT, Method::PATCH, Method::DELETE];
    let known = KNOWN.into_iter().find(|known| known.as_str() == said);
    known.ok_or_else(|| refused("method", said))
}

/// A path that stays below the provider's URL.
pub(super) fn path(said: String) -> Result<String, GatewayError> {
    let legal = said.starts_with('/')
        && !said.starts_with("//")
        && said.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#' && byte != b'\\')
        && !climbs(&said);
    if legal { Ok(said) } else { Err(refused("path", &said)) }
}

/// The header a key goes into: any of a vendor's, and `authorization`, but none that frames or routes the request.
pub(super) fn credential_header(said: &str) -> Result<HeaderName, GatewayError> {
    let name = HeaderName::try_from(said).ok();
    let legal = name.filter(|name| *name == http::header::AUTHORIZATION || !is_host_only(name));
    legal.ok_or_else(|| refused("credential header", said))
}

/// The query parameter a key goes into.
pub(super) fn credential_query(said: String) -> Result<String, GatewayError> {
    let legal =
        !said.is_empty() && said.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~$".contains(&byte));
    if legal { Ok(said) } else { Err(refused("credential parameter", &said)) }
}

/// The type of an answer that is no JSON. Nothing a browser would run.
pub(super) fn content_type(said: &str) -> Result<http::HeaderValue, GatewayError> {
    let kind = said.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    let legal = ["audio/", "image/", "video/"].iter().any(|family| kind.starts_with(family))
        || ["text/plain", "text/vtt", "application/x-subrip", "application/octet-stream"]
            .contains(&kind.as_str());
    let svg = kind.contains("svg");
    let value = http::HeaderValue::try_from(said).ok().filter(|_| legal && !svg);
    value.ok_or_else(|| refused("content type", said))
}

fn refused(what: &str, said: &str) -> GatewayError {
    GatewayError::plugin(format!("illegal {what} {:?}", front(said, LONGEST_WORD)))
}

/// The same error, no longer than a reader needs: a guest's words may be as long as its memory.
pub(super) fn short(mut error: GatewayError) -> GatewayError {
    shorten(&mut error.message, LONGEST_MESSAGE);
    shorten(&mut error.context, LONGEST_MESSAGE);
    for word in [&mut error.code, &mut error.param].into_iter().flatten() {
        shorten(word, LONGEST_WORD);
    }
    error
}

fn shorten(text: &mut String, longest: usize) {
    if text.len() > longest {
        text.truncate(front(text, longest).len());
        text.push_str(" …");
        text.shrink_to_fit();
    }
}

fn front(text: &str, longest: usize) -> &str {
    let end = (0..=longest.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests;
