//! Opaque state of other vendors in the only place a Gemini client keeps any: `thoughtSignature`.
//!
//! A Gemini client that talks to another vendor must hand that vendor's signatures back, or a loop of tool calls
//! breaks. Clients treat `thoughtSignature` as base64 they do not read, so the vendor's name travels inside it.

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};

use super::wire::Text;

const MARK: &str = "causeway:";
/// `MARK` in base64: nine bytes make exactly twelve letters, in both alphabets.
pub(super) const SEALED_MARK: &str = "Y2F1c2V3YXk6";

/// What a `thoughtSignature` holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct State<'a> {
    /// Whose it is.
    pub(super) format: Text<'a>,
    /// A signature of readable reasoning, or the encrypted reasoning itself.
    pub(super) encrypted: bool,
    /// The state as the vendor wrote it.
    pub(super) value: Text<'a>,
}

/// Writes state as a `thoughtSignature`; Gemini's own stays as it is.
pub(super) fn seal(format: &str, encrypted: bool, value: &str) -> String {
    if format == "gemini" {
        return value.to_owned();
    }
    let kind = if encrypted { "data" } else { "signature" };
    STANDARD.encode(format!("{MARK}{format}:{kind}:{value}"))
}

/// Reads a `thoughtSignature`; what this gateway did not seal is Gemini's own.
pub(super) fn open(signature: Text<'_>) -> State<'_> {
    foreign(&signature).unwrap_or(State { format: "gemini".into(), encrypted: false, value: signature })
}

fn foreign(signature: &Text<'_>) -> Option<State<'static>> {
    if !signature.as_str().starts_with(SEALED_MARK) {
        return None;
    }
    // Google's Python SDK writes all bytes in the URL alphabet.
    let standard: String = signature.as_str().chars().map(to_standard).collect();
    let lenient = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let bytes = GeneralPurpose::new(&base64::alphabet::STANDARD, lenient).decode(standard).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (format, rest) = text.strip_prefix(MARK)?.split_once(':')?;
    let (kind, value) = rest.split_once(':')?;
    Some(State {
        format: format.to_owned().into(),
        encrypted: kind == "data",
        value: value.to_owned().into(),
    })
}

/// A letter of the URL alphabet as one of the standard alphabet.
pub(super) fn to_standard(letter: char) -> char {
    match letter {
        '-' => '+',
        '_' => '/',
        other => other,
    }
}
