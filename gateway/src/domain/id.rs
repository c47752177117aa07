//! Request ids: the client's own if it is harmless, else a ULID.

use ulid::Ulid;

/// Longest id taken over from a client.
const LONGEST: usize = 128;

/// Letters that cannot break out of a log line, a header or a URL.
fn is_harmless(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte)
}

/// An id of our own, which nobody else gives: a ULID, so that later ones are greater.
pub fn own() -> String {
    Ulid::generate().to_string()
}

/// The id of one request.
pub fn request_id(offered: Option<&str>) -> String {
    match offered {
        Some(id) if !id.is_empty() && id.len() <= LONGEST && id.bytes().all(is_harmless) => id.to_owned(),
        _ => own(),
    }
}
