//! Opaque state in a Converse client's hands: the `signature` of a thought, which is text, and redacted content, which is
//! bytes (base64 on the wire).
//!
//! Unmarked state came past us from Bedrock itself. What a Claude has signed there is good at Anthropic too; the public
//! name of the model must tell, and where it does not, the state stays Bedrock's.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem;
use serde_json::value::RawValue;

use super::VENDOR;
use crate::dialect::seal::{self, Owner, State};

/// The mark at the beginning of a string, and the same in base64.
const MARKED: [&[u8]; 2] = [b"\"causeway:", b"\"Y2F1c2V3YXk6"];

/// Whether a body holds state of others, which Bedrock would refuse.
pub(super) fn is_marked(body: &[u8]) -> bool {
    MARKED.iter().any(|mark| memmem::find(body, mark).is_some())
}

/// Whose a signature is: the vendor, and the signature itself.
pub(super) fn signed<'a>(signature: Cow<'a, str>, model: &str) -> Option<(Cow<'a, str>, Cow<'a, str>)> {
    match seal::unmark(signature) {
        State::Nothing => None,
        State::Foreign(vendor, own) => Some((vendor, own)),
        State::Unmarked(own) => {
            let claude = model.contains("claude") || model.contains("anthropic");
            Some((Cow::Borrowed(if claude { "anthropic" } else { VENDOR }), own))
        }
    }
}

/// A signature for the client.
pub(super) fn signature<'a>(vendor: &str, signature: &'a str) -> Cow<'a, str> {
    if vendor == VENDOR { Cow::Borrowed(signature) } else { Cow::Owned(seal::mark(vendor, signature)) }
}

/// What redacted content holds.
pub(super) enum Redacted<'a> {
    /// State of the vendor named first.
    Of(Cow<'a, str>, Cow<'a, str>),
    /// State that is bound to another block.
    Bound(Owner, Box<RawValue>),
}

/// Reads redacted content.
pub(super) fn redacted(base64: Cow<'_, str>) -> Redacted<'_> {
    let text = STANDARD.decode(base64.as_bytes()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let Some(text) = text.filter(|text| text.starts_with(seal::MARK)) else {
        return Redacted::Of(Cow::Borrowed(VENDOR), base64);
    };
    if let Some((owner, state)) = seal::unbind(&text) {
        return Redacted::Bound(owner, state);
    }
    match seal::unmark(Cow::Owned(text)) {
        State::Foreign(vendor, own) => Redacted::Of(vendor, own),
        State::Unmarked(_) | State::Nothing => Redacted::Of(Cow::Borrowed(VENDOR), base64),
    }
}

/// Redacted content for the client; Bedrock's own is base64 already.
pub(super) fn redact<'a>(vendor: &str, data: &'a str) -> Cow<'a, str> {
    if vendor == VENDOR {
        return Cow::Borrowed(data);
    }
    Cow::Owned(STANDARD.encode(seal::mark(vendor, data)))
}

/// State bound to another block, as redacted content.
pub(super) fn carry(to: Owner, extra_content: &RawValue) -> String {
    STANDARD.encode(seal::bind(to, extra_content))
}
