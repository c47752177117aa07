//! What a request takes at most (for money), and what it is likely to take (for rates of tokens).
//!
//! A token of text has at least one byte, so a body has no more tokens than bytes; a picture is no text and counts for as
//! many as the dearest vendors take for one.

use crate::dialect::bound;
use crate::domain::{Envelope, ModelPrice, Operation};
use crate::limit::{Money, Reserve};
use crate::proxy::asked::Asked;
use crate::proxy::counted;
use crate::route::{Plan, Step};
use crate::state::Limits;

/// What vendors put around a conversation: roles, and their own words about tools.
const AROUND: u64 = 1_024;
/// What is likely to be answered where nobody says how much may be.
const LIKELY: u64 = 1_024;
/// Tokens of one picture that is made.
const PICTURE: u64 = 8_192;

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
    let steps = plan.steps.iter().chain(&plan.fallback).chain(special);
    let mut dearest: Option<(ModelPrice, i64)> = None;
    for step in steps {
        let Some(price) = &step.price else {
            if limits.unpriced {
                continue;
            }
            return Money::Unknown(named(step));
        };
        let (base, request) = (price.dearest(), price.request().get());
        dearest =
            Some(dearest.map_or((base, request), |(known, most)| (known.ceiling(base), most.max(request))));
    }
    let Some((price, request)) = dearest else { return Money::Nothing };
    let versions = bound::versions(&envelope.body);
    let (input, output, least) = match operation {
        Operation::Chat => {
            let facts = plan.model.facts.max_output;
            let own = envelope.max_output.or_else(|| Some(facts?.min(limits.output)));
            let output = own.unwrap_or(limits.output).min(facts.unwrap_or(u64::MAX));
            (bound::tokens(&envelope.body).saturating_add(AROUND), output, limits.least_output.min(output))
        }
        _ => {
            let (input, output) = beside_chat(operation, envelope);
            // Nobody can be told to make half a picture.
            (input, output, output)
        }
    };
    let input_price = price.input.max(price.cache_write.unwrap_or(price.input));
    let per_token = |micros: i64| u64::try_from(micros).unwrap_or(0);
    let fixed = input
        .saturating_mul(per_token(input_price.get()))
        .saturating_add(per_token(request).saturating_mul(1_000_000));
    let each = per_token(price.output.get()).saturating_mul(versions);
    Money::AtMost(Reserve { fixed, each, output, least })
}

/// Tokens of a prompt and of an answer for what is no conversation.
fn beside_chat(operation: Operation, envelope: &Envelope) -> (u64, u64) {
    let bytes = envelope.body.len() as u64;
    match operation {
        Operation::ImageGeneration => (bytes, PICTURE),
        // The pictures of a form, of which there are sixteen at most.
        Operation::ImageEdit | Operation::ImageVariation => (bytes.min(16 * PICTURE), PICTURE),
        Operation::Speech => (bytes, bytes.saturating_mul(4)),
        Operation::Transcription | Operation::Translation => (sound(envelope), sound(envelope)),
        _ => (bytes, 0),
    }
}

/// Tokens of sound: ten a second at a thousand bytes a second, which is less than anybody sends.
fn sound(envelope: &Envelope) -> u64 {
    (envelope.body.len() as u64).div_ceil(100)
}

fn named(step: &Step) -> String {
    format!("{}/{}", step.provider, step.model)
}
