//! A stream of 64 events from Anthropic, event by event and in reads of 4 KiB: native, and in the sandbox.
//!
//! `to_openai` is the whole way: the sandbox, and the canonical chunks written as the client's events.

mod sample;

use anthropic_messages::Anthropic;
use bytes::Bytes;
use causeway::adapter::{Lease, Step};
use causeway::dialect::openai_chat::OpenAiChat;
use causeway::dialect::{AnswerFacts, Dialect};
use causeway::domain::Operation;
use divan::{Bencher, black_box};
use plugin_sdk::{Adapter, StreamTranslator};

fn main() {
    divan::main();
}

const FORMS: [&str; 2] = ["events", "reads"];

fn slices(form: &str) -> Vec<Bytes> {
    let events = sample::anthropic_events();
    assert_eq!(events.len(), 64);
    if form == "events" { events } else { sample::in_reads(&events) }
}

#[divan::bench(args = FORMS)]
fn native(bencher: Bencher, form: &str) {
    let (slices, route) = (slices(form), sample::route());
    let adapter = Anthropic::configure("{}").expect("options");
    bencher.bench_local(|| {
        let mut stream = adapter.open_stream(&route, sample::CHAT, &[]).expect("a stream");
        let steps: Vec<_> =
            slices.iter().map(|slice| stream.push(black_box(slice)).expect("a step")).collect();
        (steps, stream.finish())
    });
}

#[divan::bench(args = FORMS)]
fn warm(bencher: Bencher, form: &str) {
    let slices = slices(form);
    let pool = sample::warm();
    bencher.bench_local(|| {
        play(pool.checkout().expect("an instance"), &slices, &mut |step| drop(black_box(step)))
    });
}

#[divan::bench(args = FORMS)]
fn to_openai(bencher: Bencher, form: &str) {
    let slices = slices(form);
    let pool = sample::warm();
    let envelope = sample::envelope(Bytes::new());
    let facts = AnswerFacts {
        request_id: "01".to_owned(),
        created: 1,
        model: "fast".to_owned(),
        ..AnswerFacts::default()
    };
    bencher.bench_local(|| {
        let mut writer = OpenAiChat.stream(&facts, &envelope);
        let mut written = 0;
        play(pool.checkout().expect("an instance"), &slices, &mut |step| {
            let mut out = Vec::new();
            for line in step.chunks.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                writer.chunk(line, &mut out).expect("a chunk");
            }
            written += out.len();
        });
        written
    });
}

fn play(mut lease: Lease, slices: &[Bytes], each: &mut dyn FnMut(Step)) {
    let translator = lease.translator().expect("an instance");
    translator
        .open_stream(&sample::sandbox_route(), Operation::Chat, &http::HeaderMap::new())
        .expect("a stream");
    for slice in slices {
        each(translator.push(black_box(slice)).expect("a step"));
    }
    each(translator.finish().expect("a step"));
}
