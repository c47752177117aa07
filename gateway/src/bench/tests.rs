//! What a load generator must get right: frames, events, sizes, and errors that are not figures.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use super::events::{self, Events};
use super::framing::Framing;
use super::*;

/// All of a body, fed in pieces of `size` bytes.
fn body(head: &str, wire: &[u8], size: usize) -> (Vec<u8>, bool) {
    let (mut framing, mut found) = (Framing::of(head), Vec::new());
    for piece in wire.chunks(size) {
        framing.take(piece, &mut |bytes| {
            found.extend_from_slice(bytes);
            true
        });
    }
    (found, framing.is_over())
}

#[test]
fn a_body_is_found_however_it_is_cut() {
    let chunked = b"5;name=value\r\nhello\r\nA\r\n, 12345678\r\n0\r\nx-trailer: 1\r\n\r\n";
    for size in 1..chunked.len() {
        let head = "http/1.1 200 ok\r\ntransfer-encoding: chunked\r\n";
        assert_eq!(body(head, chunked, size), (b"hello, 12345678".to_vec(), true), "{size}");
        let broken = body(head, &chunked[..chunked.len() - 2], size);
        assert!(!broken.1, "{size}");
    }
    assert_eq!(body("http/1.1 200 ok\r\ncontent-length: 3\r\n", b"abcdef", 2), (b"abc".to_vec(), true));
    assert_eq!(body("http/1.1 200 ok\r\n", b"abc", 2), (b"abc".to_vec(), false));
}

#[test]
fn events_are_found_however_they_are_cut() {
    let wire =
        b": ping\n\ndata: a @123456789;\n\nevent: message_stop\r\ndata: {\"type\":\"message_stop\"}\r\n\r\n";
    for size in 1..wire.len() {
        let (mut pending, mut found) = (Events::default(), Vec::new());
        wire.chunks(size).for_each(|piece| pending.push(piece, |event| found.push(event.to_vec())));
        let told: Vec<_> = found
            .iter()
            .map(|event| (events::has_data(event), events::mark(event), events::is_last(event)))
            .collect();
        assert_eq!(
            told,
            [(false, None, false), (true, Some(123_456_789), false), (true, None, true)],
            "{size}"
        );
    }
}

#[test]
fn questions_are_as_long_as_wished() {
    for api in [Api::OpenAi, Api::Anthropic, Api::Gemini] {
        for bytes in [600, 1 << 10, 10 << 10, 1 << 20] {
            let body = Question { api, model: "m", stream: true, bytes }.body();
            let off = body.len().abs_diff(bytes);
            assert!(off < bytes / 5, "{api}: {} for {bytes}", body.len());
            let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(value["stream"] == true, api != Api::Gemini);
        }
    }
}

/// A server on a free port that answers every request with these bytes.
fn server(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1/chat/completions", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut buffer = [0; 4096];
                // The requests of this test come in one read.
                while stream.read(&mut buffer).is_ok_and(|read| read > 0) {
                    if stream.write_all(answer.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    url
}

fn load(answer: &'static str, pattern: Pattern, stream: bool) -> Outcome {
    let request = Request::post(&server(answer), &[], b"{}").unwrap();
    Load { request, pattern, connections: 2, duration: Duration::from_millis(100), stream }.run().unwrap()
}

#[test]
fn a_rate_asks_exactly_so_often_and_answers_are_measured() {
    let outcome = load("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", Pattern::Rate(200.0), false);
    assert_eq!((outcome.answered, outcome.errors.count), (20, 0));
    assert_eq!((outcome.size, outcome.latency.count), (Range { least: 5, most: 5 }, 20));
    assert!(outcome.latency.p50 > 0.0 && outcome.latency.p50 <= outcome.latency.most);
}

#[test]
fn errors_are_counted_and_quoted_and_are_no_answers() {
    let answer = "HTTP/1.1 429 Too Many Requests\r\ncontent-length: 9\r\n\r\nslow down";
    let outcome = load(answer, Pattern::Rate(100.0), false);
    assert_eq!((outcome.answered, outcome.errors.count, outcome.latency.count), (0, 10, 0));
    assert_eq!(outcome.errors.kinds.get("429"), Some(&10));
    assert_eq!(outcome.errors.first.as_deref(), Some("status 429: slow down"));
}

/// Two events as one answer.
fn events_of(first: &str, last: &str) -> &'static str {
    let body = format!("data: {first}\n\n{last}");
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).leak()
}

#[test]
fn a_stream_that_breaks_off_or_tells_an_error_is_no_answer() {
    let whole = load(events_of("{\"a\":1}", "data: [DONE]\n\n"), Pattern::Rate(100.0), true);
    assert_eq!((whole.answered, whole.events, whole.chunks.most, whole.between.count), (10, 20, 2, 10));
    // The blank line behind the end is missing.
    let cut = load(events_of("{\"a\":1}", "data: [DONE]\n"), Pattern::Rate(100.0), true);
    assert_eq!((cut.answered, cut.errors.kinds.get("stream")), (0, Some(&10)));
    let failed = load(events_of("{\"error\":1}", "data: [DONE]\n\n"), Pattern::Rate(100.0), true);
    assert_eq!((failed.answered, failed.errors.kinds.get("stream")), (0, Some(&10)));
}

#[test]
fn a_rate_that_is_not_held_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    // One answer each 80 ms, on one connection, where fifty a second are due.
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut buffer = [0; 4096];
            while stream.read(&mut buffer).is_ok_and(|read| read > 0) {
                std::thread::sleep(Duration::from_millis(80));
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
            }
        }
    });
    let request = Request::post(&url, &[], b"{}").unwrap();
    let duration = Duration::from_millis(400);
    let load = Load { request, pattern: Pattern::Rate(50.0), connections: 1, duration, stream: false };
    let outcome = load.run().unwrap();
    assert_eq!(outcome.answered + outcome.errors.count, 20, "{outcome:?}");
    assert_eq!(outcome.errors.kinds.get("late"), Some(&outcome.errors.count));
    assert!(outcome.errors.count > 0 && outcome.errors.first.unwrap().contains("not held"));
}

#[test]
fn what_is_no_plain_url_is_refused() {
    for url in ["https://127.0.0.1/", "127.0.0.1:80", "http:///x", "http://a b/"] {
        assert!(Request::post(url, &[], b"").is_err(), "{url}");
    }
    let broken = [("x".to_owned(), "a\r\nb: c".to_owned())];
    assert!(Request::post("http://127.0.0.1:1/", &broken, b"").is_err());
}

#[test]
fn this_process_takes_something() {
    let own = std::process::id();
    assert_eq!(process::tree(own).first(), Some(&own));
    assert!(process::memory(own) > 1 << 20);
    let started = now();
    while process::cpu(own).sum() == 0.0 && now() - started < 5_000_000_000 {}
    assert!(process::cpu(own).sum() > 0.0);
    let machine = Machine::here();
    assert!(machine.cores > 0 && machine.memory_bytes > 1 << 20 && !machine.kernel.is_empty(), "{machine:?}");
}
