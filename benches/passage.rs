//! What a request costs whose client and provider speak the same dialect: one scan, one splice, a look at each event.

mod sample;

use bytes::Bytes;
use causeway::dialect::anthropic_messages::AnthropicMessages;
use causeway::dialect::openai_chat::OpenAiChat;
use causeway::dialect::{Dialect, passage::Passage};
use causeway::domain::Framing;
use divan::{Bencher, black_box};

fn main() {
    divan::main();
}

/// The envelope is made of the body, and the provider's model name put in.
#[divan::bench(args = [2 << 10, 50 << 10, 5 << 20])]
fn request(bencher: Bencher, bytes: usize) {
    let body = sample::request(bytes);
    let head = sample::head();
    bencher.bench_local(|| {
        let envelope = OpenAiChat.read(black_box(&head), black_box(body.clone())).expect("an envelope");
        envelope.body_for("gpt-5-2026-08-01")
    });
}

const FORMS: [&str; 2] = ["events", "reads"];

#[divan::bench(args = FORMS)]
fn openai_stream(bencher: Bencher, form: &str) {
    stream(bencher, &OpenAiChat, sample::openai_events(), form);
}

#[divan::bench(args = FORMS)]
fn anthropic_stream(bencher: Bencher, form: &str) {
    stream(bencher, &AnthropicMessages, sample::anthropic_events(), form);
}

fn stream(bencher: Bencher, dialect: &'static dyn Dialect, events: Vec<Bytes>, form: &str) {
    assert_eq!(events.len(), 64);
    let slices = if form == "events" { events } else { sample::in_reads(&events) };
    bencher.bench_local(|| {
        let mut passage = Passage::new(dialect, Framing::Sse);
        let forwarded: usize = slices
            .iter()
            .map(|slice| passage.push(black_box(slice)))
            .map(|forward| forward.held.len() + forward.fresh.len())
            .sum();
        assert!(passage.has_ended(), "the sample has an end");
        (forwarded, passage.finish(), passage.usage())
    });
}
