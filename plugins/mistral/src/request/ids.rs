//! Ids of calls as Mistral wants them: nine letters and digits. Everything else gets a digest, the same in call and result
//! and in every request that holds the same history.

const LENGTH: usize = 9;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The ids of one request.
#[derive(Default)]
pub(super) struct Ids<'a> {
    given: Vec<(&'a str, String)>,
}

impl<'a> Ids<'a> {
    /// The id to send instead; two ids stay two.
    pub(super) fn sent(&mut self, id: &'a str) -> String {
        if let Some((_, sent)) = self.given.iter().find(|(known, _)| *known == id) {
            return sent.clone();
        }
        let fits = id.len() == LENGTH && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let mut sent = if fits { id.to_owned() } else { digest(id, 0) };
        let mut attempt = 0;
        while self.given.iter().any(|(_, taken)| *taken == sent) {
            attempt += 1;
            sent = digest(id, attempt);
        }
        self.given.push((id, sent.clone()));
        sent
    }
}

/// Nine characters of a digest.
pub(crate) fn digest(id: &str, attempt: u8) -> String {
    // FNV-1a, and a last mix because its low digits are weak; nothing secret depends on it.
    let hash = id.bytes().chain([attempt]).fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let mut rest = (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let letter = || {
        let place = usize::try_from(rest % 62).unwrap_or_default();
        rest /= 62;
        ALPHABET.get(place).map_or('0', |byte| char::from(*byte))
    };
    std::iter::repeat_with(letter).take(LENGTH).collect()
}

#[cfg(test)]
mod tests {
    use super::Ids;

    #[test]
    fn ids_are_nine_letters_and_digits_and_stay_apart() {
        let mut ids = Ids::default();
        let long = ids.sent("call_7a3f");
        assert_eq!(long.len(), 9);
        assert!(long.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_eq!(ids.sent("call_7a3f"), long);
        assert_eq!(ids.sent("D681PevKs"), "D681PevKs");
        assert_ne!(ids.sent("call_7a3g"), long);
        let own = long.clone();
        let mut again = Ids::default();
        assert_eq!(again.sent("call_7a3f"), long);
        assert_ne!(again.sent(&own), long, "an id that looks like another's digest");
    }
}
