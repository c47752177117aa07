//! Opaque state as vendors sign it: bound to the vendor and to what was said.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const MARK: &[u8] = b"causeway-mock";
const DIGEST: usize = 16;

/// A signature of `vendor` for `text`.
pub(super) fn sign(vendor: &str, text: &str) -> String {
    let digest = digest(&[text.as_bytes()]);
    let seal = seal(vendor, &digest);
    STANDARD.encode([MARK, &digest, &seal].concat())
}

/// Whether `vendor` made this signature, for whatever text.
pub(super) fn is_own(vendor: &str, signature: &str) -> bool {
    digest_in(vendor, signature).is_some()
}

/// Whether `vendor` made this signature for this text.
pub(super) fn is_for(vendor: &str, signature: &str, text: &str) -> bool {
    digest_in(vendor, signature).is_some_and(|found| found == digest(&[text.as_bytes()]))
}

fn digest_in(vendor: &str, signature: &str) -> Option<Vec<u8>> {
    // Clients write base64 in either alphabet.
    let standard = signature.replace('-', "+").replace('_', "/");
    let bytes = STANDARD.decode(standard).ok()?;
    let rest = bytes.strip_prefix(MARK)?;
    let (digest, found) = rest.split_at_checked(DIGEST)?;
    (found == seal(vendor, digest)).then(|| digest.to_vec())
}

fn seal(vendor: &str, digest: &[u8]) -> Vec<u8> {
    self::digest(&[vendor.as_bytes(), b"\0", digest])
}

fn digest(parts: &[&[u8]]) -> Vec<u8> {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().as_bytes().iter().copied().take(DIGEST).collect()
}
