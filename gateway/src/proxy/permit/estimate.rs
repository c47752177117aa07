//! What a request takes at most (for money), and what it is likely to take (for rates of tokens).
//!
//! A token of text has at least one byte, so a body has no more tokens than bytes; a picture is no text and counts for as
//! many as the dearest vendors take for one.

use std::sync::Arc;

use crate::dialect::bound;
use crate::dialect::word::Word;
use crate::domain::price::Most;
use crate::domain::{Envelope, Operation, Price};
use crate::limit::{Money, Reserve};
use crate::proxy::asked::Asked;
use crate::proxy::counted;
use crate::route::Plan;
use crate::state::Limits;

/// What vendors put around a conversation: roles, and their own words about tools.
const AROUND: u64 = 1_024;
/// What is likely to be answered where nobody says how much may be.
const LIKELY: u64 = 1_024;
/// Tokens of one picture that is made.
const PICTURE: u64 = 8_192;
/// Bytes of a second of sound, at the lowest rate anybody sends.
const SECOND: u64 = 1_000;
/// Bytes of a hundred documents, the most that vendors rank in one search; shorter ones are rare.
const SEARCH: u64 = 2_000;

/// Tokens a request is likely to take, prompt and answer together.
pub(super) fn tokens(operation: Operation, envelope: &Envelope) -> u64 {
    match operation {
        Operation::Chat => {
            let output = envelope.max_output.unwrap_or(LIKELY);
            counted::prompt(&envelope.body).saturating_add(output)
        }
        Operation::CountTokens => 0,
        _ if envelope.content_type.is_some() => sound(envelope),
        _ => counted::prompt(&envelope.body),
    }
}

/// What a request may cost: the dearest of those who may be asked.
pub(super) fn money(limits: &Limits, asked: &Asked<'_>, plan: &Plan) -> Money {
    let (operation, envelope) = (asked.dialect.operation(), asked.envelope);
    if operation == Operation::CountTokens {
        return Money::Nothing;
    }
    let special = plan.on_content_policy.iter().chain(&plan.on_context_length);
    let mut prices = Vec::new();
    for step in plan.steps.iter().chain(&plan.fallback).chain(special) {
        match &step.price {
            Some(price) => prices.push(price),
            None if limits.unpriced => {}
            None => return Money::Unknown(format!("{}/{}", step.provider, step.model)),
        }
    }
    if prices.is_empty() {
        return Money::Nothing;
    }
    let most = most(operation, envelope);
    let (output, least) = match operation {
        Operation::Chat => {
            let facts = plan.model.facts.max_output.unwrap_or(u64::MAX);
            let output = envelope.max_output.unwrap_or_else(|| limits.output.min(facts)).min(facts);
            (output, limits.least_output.min(output))
        }
        // Nobody can be told to make half a picture.
        _ => (most.output, most.output),
    };
    let with = |price: &Arc<Price>, output| price.at_most(&Most { output, ..most }).0;
    // Of several targets the dearest in both is meant, as if they were one.
    let fixed = prices.iter().map(|price| with(price, 0)).max().unwrap_or(0);
    let each = prices.iter().map(|price| with(price, 1).saturating_sub(with(price, 0))).max().unwrap_or(0);
    Money::AtMost(Reserve {
        fixed,
        each: each.saturating_mul(bound::versions(&envelope.body)),
        output,
        least,
    })
}

/// All that a request takes at most; of a conversation without its answer.
fn most(operation: Operation, envelope: &Envelope) -> Most {
    let bytes = envelope.body.len() as u64;
    let plain = Most { input: bytes, cache_writes: false, ..Most::default() };
    match operation {
        Operation::Chat => {
            let input = bound::tokens(&envelope.body).saturating_add(AROUND);
            Most { input, cache_writes: true, sound: has_sound(envelope), ..plain }
        }
        Operation::ImageGeneration => {
            Most { output: PICTURE, images: bound::versions(&envelope.body), ..plain }
        }
        // The pictures of a form, of which there are sixteen at most.
        Operation::ImageEdit | Operation::ImageVariation => {
            let images = bound::versions(&envelope.body);
            Most { input: bytes.min(16 * PICTURE), output: PICTURE, images, ..plain }
        }
        Operation::Speech => {
            Most { output: bytes.saturating_mul(4), characters: bytes, sound: true, ..plain }
        }
        Operation::Transcription | Operation::Translation => {
            let (tokens, seconds) = (sound(envelope), bytes.div_ceil(SECOND));
            Most { input: tokens, output: tokens, seconds, sound: true, ..plain }
        }
        Operation::Rerank => Most { searches: bytes.div_ceil(SEARCH), ..plain },
        _ => plain,
    }
}

/// What a request for sound has somewhere.
static AUDIO: Word = Word::new("audio");

fn has_sound(envelope: &Envelope) -> bool {
    AUDIO.is_in(&envelope.body)
}

/// Tokens of sound: ten a second.
fn sound(envelope: &Envelope) -> u64 {
    (envelope.body.len() as u64).div_ceil(SECOND / 10)
}
