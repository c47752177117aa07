//! Single steps of a request, to be done a number of times.

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use anthropic_messages::Anthropic;
use bytes::Bytes;
use causeway::account::{Held, Ledger};
use causeway::adapter::Pool;
use causeway::dialect::anthropic_messages::AnthropicMessages;
use causeway::dialect::openai_chat::OpenAiChat;
use causeway::dialect::{Dialect, passage::Passage};
use causeway::domain::{Attempt, Cost, Framing, LedgerRow, Operation, Record, Usage};
use causeway::observe::{self, Observer};
use causeway::store::holds::{Hold, Holds, Local, Part, Rule, Settle, Unit};
use causeway::store::{Journal, Memory, clock};
use plugin_sdk::{Adapter, StreamTranslator};

use super::sample;

/// A step and how often it is done, so that what does not belong to it is little beside it.
pub struct Step {
    pub name: &'static str,
    pub times: u32,
    pub run: fn(u32),
}

pub const STEPS: &[Step] = &[
    Step { name: "read and splice 2 KB", times: 2_000, run: |times| read(times, &OpenAiChat, 2 << 10) },
    Step { name: "read and splice 50 KB", times: 200, run: |times| read(times, &OpenAiChat, 50 << 10) },
    Step {
        name: "pass 64 events, openai",
        times: 200,
        run: |times| pass(times, &OpenAiChat, &sample::openai_events()),
    },
    Step {
        name: "pass 64 events, anthropic",
        times: 200,
        run: |times| pass(times, &AnthropicMessages, &sample::anthropic_events()),
    },
    Step { name: "translate 2 KB, native", times: 300, run: |times| translate_natively(times, 2 << 10) },
    Step {
        name: "translate 2 KB, warm",
        times: 300,
        run: |times| translate(times, &sample::warm(), 2 << 10),
    },
    Step { name: "translate 50 KB, native", times: 30, run: |times| translate_natively(times, 50 << 10) },
    Step {
        name: "translate 50 KB, warm",
        times: 30,
        run: |times| translate(times, &sample::warm(), 50 << 10),
    },
    Step { name: "stream 64 events, native", times: 30, run: stream_natively },
    Step { name: "stream 64 events, warm", times: 30, run: stream },
    Step { name: "hold five and settle", times: 2_000, run: hold },
    Step { name: "book a request", times: 2_000, run: book },
    Step { name: "log and count a request", times: 2_000, run: record },
];

/// Nothing here ever waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("it waits"),
    }
}

fn read(times: u32, dialect: &dyn Dialect, bytes: usize) {
    let body = sample::request(bytes);
    let head = sample::head();
    for _ in 0..times {
        let envelope = dialect.read(black_box(&head), black_box(body.clone())).expect("an envelope");
        black_box(envelope.body_for("gpt-5-2026-08-01"));
    }
}

fn pass(times: u32, dialect: &'static dyn Dialect, events: &[Bytes]) {
    for _ in 0..times {
        let mut passage = Passage::new(dialect, Framing::Sse);
        for event in events {
            black_box(passage.push(black_box(event)));
        }
        black_box((passage.finish(), passage.usage()));
    }
}

fn translate_natively(times: u32, bytes: usize) {
    let adapter = Anthropic::configure("{}").expect("options");
    let (body, route) = (sample::request(bytes), sample::route());
    for _ in 0..times {
        black_box(adapter.translate_request(black_box(&route), sample::CHAT, black_box(&body)))
            .expect("a request");
    }
}

fn translate(times: u32, pool: &Pool, bytes: usize) {
    let (body, route) = (sample::request(bytes), sample::sandbox_route());
    for _ in 0..times {
        let mut lease = pool.checkout().expect("an instance");
        let translator = lease.translator().expect("an instance");
        let translated = translator.translate_request(black_box(&route), Operation::Chat, black_box(&body));
        black_box(translated.expect("a request"));
    }
}

fn stream_natively(times: u32) {
    let (events, route) = (sample::anthropic_events(), sample::route());
    let adapter = Anthropic::configure("{}").expect("options");
    for _ in 0..times {
        let mut stream = adapter.open_stream(&route, sample::CHAT, &[]).expect("a stream");
        for event in &events {
            black_box(stream.push(black_box(event)).expect("a step"));
        }
        let _ = black_box(stream.finish());
    }
}

fn stream(times: u32) {
    let (events, route) = (sample::anthropic_events(), sample::sandbox_route());
    let pool = sample::warm();
    for _ in 0..times {
        let mut lease = pool.checkout().expect("an instance");
        let translator = lease.translator().expect("an instance");
        translator.open_stream(&route, Operation::Chat, &http::HeaderMap::new()).expect("a stream");
        for event in &events {
            black_box(translator.push(black_box(event)).expect("a step"));
        }
        black_box(translator.finish().expect("a step"));
    }
}

fn hold(times: u32) {
    let holds = Local::new(clock());
    let part = |place: &str, unit, rule, amount| Part { place: place.into(), unit, rule, amount };
    let rate = Rule::Rate { count: 1 << 40, per: Duration::from_secs(60) };
    let money = Rule::Money { limit: i64::MAX, rolling: None, life: None };
    let parts = vec![
        part("key/requests", Unit::Requests, rate, 1),
        part("key/tokens", Unit::Tokens, rate, 1_000),
        part("key/running", Unit::Concurrent, Rule::Concurrent { most: 1 << 20 }, 1),
        part("key/budget", Unit::Money, money, 1_000),
        part("team/budget", Unit::Money, money, 1_000),
    ];
    for number in 0..times {
        let id = format!("hold-{number}");
        let hold = Hold { id: id.clone(), within: Duration::from_secs(60), parts: parts.clone() };
        now(holds.hold(black_box(hold))).expect("held");
        now(holds.settle(Settle { id, tokens: Some(10), cost: Some(Cost(7)) })).expect("settled");
    }
}

fn usage() -> Usage {
    Usage { input: Some(1_200), output: Some(180), cache_read: Some(900), ..Usage::default() }
}

fn book(times: u32) {
    let observer = Arc::new(Observer::new().expect("metrics"));
    let ledger = Ledger::new(Journal::in_memory(), Arc::new(Memory::new(clock())), observer);
    let named = |name: &str| name.to_owned();
    let row = LedgerRow {
        id: named("01JD0000000000000000000000"),
        request: named("01JD0000000000000000000001"),
        at: 1_795_221_727_000,
        key: named("web"),
        team: Some(named("research")),
        model: named("fast"),
        provider: named("openai"),
        target: named("gpt-5"),
        dialect: named("openai-chat"),
        operation: named("chat"),
        outcome: named("ok"),
        status: Some(200),
        usage: Some(usage()),
        price: Some(named("built-in")),
        cost: Some(Cost(4_200_000)),
        places: vec![named("key/web/budget/2026-11"), named("team/research/budget/2026-11")],
        ..LedgerRow::default()
    };
    let held = Held { row: row.clone(), until: row.at + 600_000 };
    for _ in 0..times {
        drop(ledger.hold(black_box(&held)));
        drop(ledger.settle(black_box(std::slice::from_ref(&row)), "01JD0000000000000000000000"));
    }
}

fn record(times: u32) {
    observe::start("info", observe::Format::Json);
    let observer = Observer::new().expect("metrics");
    let record = Record {
        request_id: "01JD0000000000000000000001".to_owned(),
        dialect: "openai-chat",
        key: "web".into(),
        model: "fast".into(),
        asked: "fast".to_owned(),
        path: "POST /v1/chat/completions".to_owned(),
        status: 200,
        balance: "weighted",
        planned: 1,
        attempts: vec![Attempt {
            provider: "openai".into(),
            model: "gpt-5".to_owned(),
            status: Some(200),
            outcome: "ok",
            error: None,
            took: Duration::from_millis(811),
            translated: false,
            key: Some("1".to_owned()),
            spent: None,
            price: None,
        }],
        took: Duration::from_millis(812),
        first_token: Some(Duration::from_millis(802)),
        overhead: Duration::from_micros(90),
        usage: Some(usage()),
        ..Record::default()
    };
    for _ in 0..times {
        observer.began();
        observer.record(black_box(&record));
    }
}
