//! What an answer took, when it is over: what its provider did not count is estimated, what it counted is checked.
//!
//! The rule of the estimate: a token is four bytes of text, or one letter of a script that needs three bytes for it. The text
//! of a request is every string in it, and an answer's what the model said; a picture in base64 is about a thousand tokens.
//! For English that is within a fifth of what vendors count. A prompt is never nothing.

use super::exchange::{Exchange, Said};
use crate::dialect::told;
use crate::domain::Usage;
use crate::error::Kind;

const BYTES_PER_TOKEN: u64 = 4;

/// Completes the record's usage. Nothing here fails a request.
pub(super) fn complete(exchange: &mut Exchange, request: &[u8]) {
    let Some(said) = exchange.said else { return };
    let usage = with_estimate(exchange.record.usage.unwrap_or_default(), said, || told::asked(request));
    let fault = if said.usage_fell { Some("total_fell") } else { usage.broken_rule() };
    if let Some(rule) = fault {
        tracing::debug!(
            request_id = exchange.record.request_id,
            rule,
            ?usage,
            "the provider's counts contradict each other"
        );
    }
    exchange.record.usage = Some(usage);
    exchange.record.usage_fault = fault;
}

/// The client left before there was an answer. A provider that was being asked may bill what it was asked.
pub(super) fn left(exchange: &mut Exchange, request: &[u8]) {
    let asked = exchange.record.attempts.last().is_some_and(|last| last.outcome == Kind::ClientGone.as_str());
    if asked {
        exchange.said = Some(Said::default());
        complete(exchange, request);
    }
}

/// The tokens of a prompt, as estimated.
pub(super) fn prompt(request: &[u8]) -> u64 {
    tokens_of(told::asked(request))
}

fn tokens_of(asked: u64) -> u64 {
    asked.div_ceil(BYTES_PER_TOKEN).max(1)
}

/// What was told stays, zero too. An answer that was cut or left is counted for what it said until then: what its provider
/// told on the way is a beginning (Anthropic's `message_start` says one) or no sum so far (Gemini's chunks), and no total.
pub(super) fn with_estimate(told: Usage, said: Said, request: impl FnOnce() -> u64) -> Usage {
    let mut usage = told;
    if usage.input.is_none() {
        usage.input = Some(tokens_of(request()));
        usage.estimated = true;
    }
    if usage.output.is_none() || !said.complete {
        usage.output = usage.output.max(Some(said.bytes.div_ceil(BYTES_PER_TOKEN)));
        usage.estimated = true;
    }
    usage
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(input: Option<u64>, output: Option<u64>, said: Said) -> (Option<u64>, Option<u64>, bool) {
        let usage = with_estimate(Usage { input, output, ..Usage::default() }, said, || 401);
        (usage.input, usage.output, usage.estimated)
    }

    #[test]
    fn what_is_missing_is_estimated_and_what_was_told_stays() {
        let complete = Said { bytes: 10, complete: true, usage_fell: false };
        let cut = Said { complete: false, ..complete };
        for (input, output, said, expected) in [
            (Some(5), Some(6), complete, (5, 6, false)),
            (Some(0), Some(0), complete, (0, 0, false)),
            (None, Some(6), complete, (101, 6, true)),
            (Some(5), None, complete, (5, 3, true)),
            (None, None, cut, (101, 3, true)),
            (Some(5), Some(1), cut, (5, 3, true)),
            (Some(5), Some(7), cut, (5, 7, true)),
        ] {
            let (input, output, estimated) = counts(input, output, said);
            assert_eq!((input, output, estimated), (Some(expected.0), Some(expected.1), expected.2));
        }
    }
}
