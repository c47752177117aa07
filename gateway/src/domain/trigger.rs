//! Texts that are looked for whatever their case and white space.

/// In small letters and without white space, also such as stands escaped in JSON.
pub fn plain(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter == '\\' && letters.next_if(|next| matches!(next, 'n' | 'r' | 't')).is_some() {
            continue;
        }
        if !letter.is_whitespace() {
            plain.extend(letter.to_lowercase());
        }
    }
    plain
}

/// A text that makes a failure of a good answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    written: String,
    plain: String,
}

impl Trigger {
    /// As the operator wrote it.
    pub fn new(written: &str) -> Self {
        Self { written: written.to_owned(), plain: plain(written.as_bytes()) }
    }

    /// As the operator wrote it.
    pub fn written(&self) -> &str {
        &self.written
    }

    /// True when it stands in a text that [`plain`] has made comparable.
    pub fn is_in(&self, plain: &str) -> bool {
        plain.contains(&self.plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_white_space_do_not_count() {
        let trigger = Trigger::new("Service  temporarily\nunavailable");
        for (text, found) in [
            ("{\"content\":\"service temporarily UNAVAILABLE\"}", true),
            ("{\"content\":\"Service\\n\\tTemporarily\\r\\nunavailable.\"}", true),
            ("service temporary unavailable", false),
            ("", false),
        ] {
            assert_eq!(trigger.is_in(&plain(text.as_bytes())), found, "{text}");
        }
        assert!(Trigger::new("ÜBERLASTET").is_in(&plain("ist überlastet".as_bytes())));
    }
}
