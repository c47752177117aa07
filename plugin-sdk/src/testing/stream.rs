//! Streams: whole, cut in two at every byte, and byte by byte; and the grammar every canonical stream obeys.

use serde_json::{Value, json};

use super::fixture::Fixture;
use super::{Found, failure_value, losses_value, usage_value};
use crate::{Adapter, Ending, Failure, Loss, Step, StreamTranslator as _, Usage};

/// Everything a stream gave.
#[derive(Debug, PartialEq)]
struct Outcome {
    chunks: String,
    usage: Option<Usage>,
    losses: Vec<Loss>,
    ending: Option<Ending>,
    failure: Option<Failure>,
}

pub(super) fn replay<A: Adapter>(adapter: &A, fixture: &Fixture, found: &mut Found) {
    let Some(bytes) = fixture.stream_bytes() else { return };
    let whole = play(adapter, fixture, &[&bytes]);
    // Byte by byte finds most faults; every cut in two finds the rest. Large fixtures are cut more coarsely.
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    agree(&whole, &play(adapter, fixture, &single), "byte by byte");
    let stride = (bytes.len() / 5_000).max(1);
    for at in (1..bytes.len()).step_by(stride) {
        let (head, tail) = bytes.split_at(at);
        agree(&whole, &play(adapter, fixture, &[head, tail]), &format!("cut at byte {at}"));
    }
    let lines: Vec<&str> = whole.chunks.lines().collect();
    let chunks: Vec<Value> = lines
        .iter()
        .map(|line| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("chunk is not JSON ({error}): {line}"))
        })
        .collect();
    if whole.failure.is_none() {
        obeys_grammar(&chunks, whole.ending.as_ref());
    }
    found.push(("canonical_chunks", Value::Array(chunks)));
    found.push(("usage", whole.usage.as_ref().map_or(Value::Null, usage_value)));
    found.push(("stream_losses", losses_value(&whole.losses)));
    found.push(("stream_failure", whole.failure.as_ref().map_or(Value::Null, failure_value)));
    let ending = match &whole.ending {
        None => Value::Null,
        Some(Ending::Complete) => Value::from("complete"),
        Some(Ending::Failed(failure)) => json!({ "failed": failure_value(failure) }),
    };
    found.push(("ending", ending));
}

fn agree(whole: &Outcome, cut: &Outcome, how: &str) {
    assert!(
        whole == cut,
        "the stream depends on how it is cut ({how})\n  whole: {whole:?}\n  cut:   {cut:?}"
    );
}

fn play<A: Adapter>(adapter: &A, fixture: &Fixture, slices: &[&[u8]]) -> Outcome {
    let mut outcome =
        Outcome { chunks: String::new(), usage: None, losses: Vec::new(), ending: None, failure: None };
    let opened = adapter.open_stream(&fixture.route(), fixture.operation(), &fixture.response_headers());
    let mut stream = match opened {
        Ok(stream) => stream,
        Err(failure) => {
            outcome.failure = Some(failure);
            return outcome;
        }
    };
    let mut take = |step: Result<Step, Failure>| {
        match step {
            Ok(step) => outcome.take(step),
            Err(failure) => outcome.failure = Some(failure),
        }
        outcome.failure.is_none()
    };
    if slices.iter().all(|slice| take(stream.push(slice))) {
        take(stream.finish());
    }
    outcome
}

impl Outcome {
    fn take(&mut self, step: Step) {
        let said = !step.chunks.is_empty() || step.usage.is_some() || step.ending.is_some();
        assert!(self.ending.is_none() || !said, "something came after the ending: {step:?}");
        assert!(step.chunks.is_empty() || step.chunks.ends_with(b"\n"), "a line of a step is not closed");
        match std::str::from_utf8(&step.chunks) {
            Ok(lines) => self.chunks.push_str(lines),
            Err(error) => panic!("chunks are not UTF-8: {error}"),
        }
        self.usage = step.usage.or(self.usage.take());
        self.losses.extend(step.losses);
        self.ending = step.ending.or(self.ending.take());
    }
}

/// The rules of a canonical stream that can be checked on chunks alone.
fn obeys_grammar(chunks: &[Value], ending: Option<&Ending>) {
    let mut opened: Vec<u64> = Vec::new();
    let mut finished: Vec<u64> = Vec::new();
    for (place, chunk) in chunks.iter().enumerate() {
        for key in ["id", "object", "created", "model", "choices"] {
            assert!(chunk.get(key).is_some(), "chunk {place} has no `{key}`: {chunk}");
        }
        for key in ["id", "model"] {
            assert!(chunk[key] == chunks[0][key], "chunk {place} has another `{key}`: {chunk}");
        }
        let choices = chunk["choices"].as_array().map(Vec::as_slice).unwrap_or_default();
        let has_usage = chunk.get("usage").is_some_and(|usage| !usage.is_null());
        assert!(has_usage == choices.is_empty(), "usage stands in a chunk of its own: {chunk}");
        assert!(!has_usage || place + 1 == chunks.len(), "usage stands in the last chunk: {chunk}");
        for choice in choices {
            let index = choice["index"].as_u64().unwrap_or_else(|| panic!("a choice has no index: {chunk}"));
            if !opened.contains(&index) {
                opened.push(index);
                assert!(
                    choice["delta"]["role"] == "assistant",
                    "the first chunk of choice {index} has no role: {chunk}"
                );
            }
            assert!(!finished.contains(&index), "choice {index} goes on after its end: {chunk}");
            if choice.get("finish_reason").is_some_and(|reason| !reason.is_null()) {
                finished.push(index);
            }
        }
    }
    if ending == Some(&Ending::Complete) {
        assert!(opened.len() == finished.len(), "complete, but a choice has no finish_reason");
    }
}
