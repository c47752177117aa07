//! Bytes of a key as they are written: base64 or hexadecimal digits, and enough of them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::Secret;

/// A shorter key is refused.
const LEAST_BYTES: usize = 32;
/// A longer one is a mistake.
const MOST_BYTES: usize = 1024;

/// Reads key material. Hexadecimal digits alone are taken as such: no base64 of random bytes looks like them.
///
/// # Errors
/// What is wrong, in words that repeat nothing of it.
pub fn read(text: &Secret) -> Result<Vec<u8>, String> {
    let text = text.expose().trim();
    let padless = text.trim_end_matches('=');
    let bytes = unhex(text)
        .or_else(|| STANDARD_NO_PAD.decode(padless).ok())
        .or_else(|| URL_SAFE_NO_PAD.decode(padless).ok())
        .ok_or_else(|| "is neither base64 nor hexadecimal digits".to_owned())?;
    if bytes.len() < LEAST_BYTES {
        return Err(format!("is {} bytes long; {LEAST_BYTES} are the least", bytes.len()));
    }
    if bytes.len() > MOST_BYTES {
        return Err(format!("is {} bytes long; {MOST_BYTES} are the most", bytes.len()));
    }
    if bytes.iter().all(|byte| Some(byte) == bytes.first()) {
        return Err("is one byte over and over".to_owned());
    }
    Ok(bytes)
}

/// The bytes of hexadecimal digits.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() || text.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}
