//! Log probabilities in the form completions have: four lists side by side.

use std::borrow::Cow;

use serde::{Deserialize, Serialize, Serializer};

use crate::dialect::object::Name;

/// One token and its rivals, as canonical chat tells them.
#[derive(Deserialize)]
pub(super) struct Token<'a> {
    #[serde(borrow)]
    token: Name<'a>,
    logprob: f64,
    #[serde(borrow)]
    top_logprobs: Option<Vec<Rival<'a>>>,
}

#[derive(Deserialize)]
struct Rival<'a> {
    #[serde(borrow)]
    token: Name<'a>,
    logprob: f64,
}

/// `logprobs` of a choice.
#[derive(Serialize)]
pub(super) struct Legacy<'a> {
    tokens: Vec<Cow<'a, str>>,
    token_logprobs: Vec<f64>,
    top_logprobs: Vec<Rivals<'a>>,
    /// Where each token begins in the text, in characters.
    text_offset: Vec<usize>,
}

/// `{ token: logprob }`
struct Rivals<'a>(Vec<Rival<'a>>);

impl Serialize for Rivals<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|rival| (&rival.token.0, rival.logprob)))
    }
}

impl<'a> Legacy<'a> {
    /// `offset` is where the first token begins, and afterwards where the next one will.
    pub(super) fn new(tokens: Vec<Token<'a>>, offset: &mut usize) -> Self {
        let mut legacy = Self {
            tokens: Vec::with_capacity(tokens.len()),
            token_logprobs: Vec::with_capacity(tokens.len()),
            top_logprobs: Vec::with_capacity(tokens.len()),
            text_offset: Vec::with_capacity(tokens.len()),
        };
        for token in tokens {
            legacy.text_offset.push(*offset);
            *offset += token.token.0.chars().count();
            legacy.tokens.push(token.token.0);
            legacy.token_logprobs.push(token.logprob);
            legacy.top_logprobs.push(Rivals(token.top_logprobs.unwrap_or_default()));
        }
        legacy
    }
}
