//! Base64 as data URLs carry it (RFC 4648, with or without padding; white space is skipped).

/// The bytes, or nothing when it is not base64.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0_u32);
    for byte in text.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => break,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xFF) as u8);
        }
    }
    Some(bytes)
}

/// Whether [`decode`] would give bytes that were meant: known letters, and no stray one at the end. Reads once and keeps
/// nothing, because images are large.
pub fn is_valid(text: &str) -> bool {
    let mut letters = 0_usize;
    let mut bytes = text.bytes();
    for byte in bytes.by_ref() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' | b'-' | b'_' => letters += 1,
            b'=' => break,
            _ if byte.is_ascii_whitespace() => {}
            _ => return false,
        }
    }
    letters % 4 != 1 && bytes.all(|byte| byte == b'=' || byte.is_ascii_whitespace())
}

/// Standard base64 with padding.
pub fn encode(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits =
            chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let letter = LETTERS.get((bits >> (18 - 6 * place) & 63) as usize).copied().unwrap_or(b'=');
            text.push(if place > chunk.len() { '=' } else { char::from(letter) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_encoded_is_decoded_again() {
        for text in ["", "a", "ab", "abc", "abcd\u{ff}"] {
            assert_eq!(super::decode(&super::encode(text.as_bytes())).as_deref(), Some(text.as_bytes()));
        }
        assert_eq!(super::encode(b"hell"), "aGVsbA==");
        assert_eq!(super::encode(&[0xFF, 0xEF]), "/+8=");
    }

    #[test]
    fn what_cannot_be_meant_is_not_valid() {
        for (text, valid) in [
            ("aGVsbG8=", true),
            ("aGVs\nbG8", true),
            ("", true),
            ("a", false),
            ("a*", false),
            ("aA=a", false),
            ("aGVsb", false),
        ] {
            assert_eq!(super::is_valid(text), valid, "{text}");
        }
    }

    #[test]
    fn padding_and_white_space_do_not_matter() {
        assert_eq!(super::decode("aGVsbG8=").as_deref(), Some(&b"hello"[..]));
        assert_eq!(super::decode("aGVs\nbG8").as_deref(), Some(&b"hello"[..]));
        assert_eq!(super::decode("_-8").as_deref(), Some(&[0xFF, 0xEF][..]));
        assert_eq!(super::decode("a*"), None);
    }
}
