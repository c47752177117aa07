//! The faults as bytes, in the form of a provider that speaks OpenAI's dialect.

use crate::support::upstream::Step;

/// What comes of a fault when there is no other target.
#[derive(Clone, Copy, Debug)]
pub(super) enum Makes {
    /// It harms nobody.
    Answer,
    /// It is an error.
    Error,
    /// Dialects may differ: bytes that are passed on are not looked at as closely as those that are translated.
    Either,
}

pub(super) struct Fault {
    pub(super) name: &'static str,
    pub(super) makes: Makes,
    /// What is sent for a whole answer, or for a stream.
    pub(super) script: fn(bool) -> Vec<Step>,
}

pub(crate) const WHOLE: &str = "{\"id\":\"1\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"fine\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1,\"total_tokens\":2}}";
pub(crate) const FIRST: &str = "data: {\"id\":\"1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"fi\"},\"finish_reason\":null}]}\n\n";
pub(crate) const LAST: &str = "data: {\"id\":\"1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"ne\"},\"finish_reason\":\"stop\"}]}\n\n";
pub(crate) const DONE: &str = "data: [DONE]\n\n";

fn stream() -> String {
    [FIRST, LAST, DONE].concat()
}

pub(crate) fn body(streamed: bool) -> String {
    if streamed { stream() } else { WHOLE.to_owned() }
}

fn content_type(streamed: bool) -> &'static str {
    if streamed { "text/event-stream" } else { "application/json" }
}

pub(crate) fn sent(bytes: impl AsRef<[u8]>) -> Vec<Step> {
    vec![Step::send(bytes), Step::Close]
}

/// A head with these lines, and a body until the close.
pub(crate) fn head(status: &str, streamed: bool, more: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-type: {}\r\n{more}\r\n", content_type(streamed))
}

/// A whole reply with its length.
pub(crate) fn reply(status: &str, content_type: &str, body: &[u8]) -> Vec<Step> {
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    vec![Step::send([head.as_bytes(), body].concat()), Step::Close]
}

pub(crate) fn ok(streamed: bool, body: impl AsRef<[u8]>) -> Vec<Step> {
    reply("200 OK", content_type(streamed), body.as_ref())
}

/// JSON as a whole answer, or as the data of the first event.
fn json(streamed: bool, whole: &str, chunk: &str) -> Vec<Step> {
    ok(streamed, if streamed { format!("data: {chunk}\n\n{LAST}{DONE}") } else { whole.to_owned() })
}

pub(super) fn good(streamed: bool) -> Vec<Step> {
    ok(streamed, body(streamed))
}

/// The answer with its usage replaced.
fn usage(streamed: bool, usage: &str) -> Vec<Step> {
    let whole = WHOLE.replace("{\"prompt_tokens\":1,\"completion_tokens\":1,\"total_tokens\":2}", usage);
    let last = format!(
        "data: {{\"id\":\"1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[],\"usage\":{usage}}}\n\n"
    );
    ok(streamed, if streamed { [FIRST, LAST, &last, DONE].concat() } else { whole })
}

/// The answer with its message (or first delta) replaced.
fn message(streamed: bool, message: &str) -> Vec<Step> {
    let whole = WHOLE.replace("{\"role\":\"assistant\",\"content\":\"fine\"}", message);
    let first = FIRST.replace("{\"role\":\"assistant\",\"content\":\"fi\"}", message);
    ok(streamed, if streamed { [&first, LAST, DONE].concat() } else { whole })
}

const fn fault(name: &'static str, makes: Makes, script: fn(bool) -> Vec<Step>) -> Fault {
    Fault { name, makes, script }
}

use Makes::{Answer, Either, Error};

/// Connections and heads.
const HEADS: &[Fault] = &[
    fault("a close at once", Error, |_| vec![Step::Close]),
    fault("a reset at once", Error, |_| vec![Step::Reset]),
    fault("silence", Either, |streamed| if streamed { vec![Step::Hang] } else { good(false) }),
    fault("half a head", Error, |_| sent("HTTP/1.1 200 OK\r\ncontent-ty")),
    fault("no HTTP", Error, |_| sent("SSH-2.0-OpenSSH_9.6\r\n\r\n")),
    fault("a head of binary", Error, |_| sent([0, 159, 146, 150, 13, 10, 13, 10])),
    fault("a head and a close", Error, |streamed| sent(head("200 OK", streamed, "content-length: 100\r\n"))),
    fault("a head and a reset", Error, |streamed| {
        vec![Step::send(head("200 OK", streamed, "content-length: 100\r\n")), Step::Reset]
    }),
    fault("a head and silence", Either, |streamed| {
        let silent = vec![Step::send(head("200 OK", streamed, "transfer-encoding: chunked\r\n")), Step::Hang];
        if streamed { silent } else { good(false) }
    }),
    fault("a redirect", Error, |_| {
        sent(
            "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/latest/meta-data\r\ncontent-length: 0\r\n\r\n",
        )
    }),
    fault("no content", Error, |_| sent("HTTP/1.1 204 No Content\r\n\r\n")),
    fault("not modified", Error, |_| sent("HTTP/1.1 304 Not Modified\r\n\r\n")),
    fault("an upgrade", Error, |_| {
        sent("HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n")
    }),
    fault("a status that is none", Error, |streamed| reply("999 Nothing", content_type(streamed), b"{}")),
    fault("a flood of interim heads", Either, |streamed| {
        let mut steps = vec![Step::send("HTTP/1.1 100 Continue\r\n\r\n".repeat(200))];
        steps.extend(good(streamed));
        steps
    }),
    fault("a header of 200 KB", Either, |streamed| {
        let body = body(streamed);
        let more = format!("x-long: {}\r\ncontent-length: {}\r\n", "x".repeat(200_000), body.len());
        sent(head("200 OK", streamed, &more) + &body)
    }),
    fault("three hundred headers", Either, |streamed| {
        let body = body(streamed);
        let more = format!("{}content-length: {}\r\n", "x-many: y\r\n".repeat(300), body.len());
        sent(head("200 OK", streamed, &more) + &body)
    }),
    fault("a header with NUL", Either, |streamed| {
        sent(head("200 OK", streamed, "x: a\0b\r\n") + &body(streamed))
    }),
];

/// The framing of bodies.
const FRAMING: &[Fault] = &[
    fault("a length that is too long", Error, |streamed| {
        let body = if streamed { FIRST.to_owned() } else { WHOLE.to_owned() };
        sent(head("200 OK", streamed, &format!("content-length: {}\r\n", body.len() + 50)) + &body)
    }),
    fault("a length that is too short", Error, |streamed| {
        let body = body(streamed);
        sent(head("200 OK", streamed, &format!("content-length: {}\r\n", body.len() / 2)) + &body)
    }),
    fault("two lengths", Either, |streamed| {
        let body = body(streamed);
        sent(
            head("200 OK", streamed, &format!("content-length: 5\r\ncontent-length: {}\r\n", body.len()))
                + &body,
        )
    }),
    fault("a length below zero", Either, |streamed| {
        sent(head("200 OK", streamed, "content-length: -5\r\n") + &body(streamed))
    }),
    fault("a length and chunks", Either, |streamed| {
        let body = body(streamed);
        let chunks = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
        sent(head("200 OK", streamed, "content-length: 5\r\ntransfer-encoding: chunked\r\n") + &chunks)
    }),
    fault("a chunk whose size is no number", Error, |streamed| {
        sent(head("200 OK", streamed, "transfer-encoding: chunked\r\n") + "zz\r\nhello\r\n0\r\n\r\n")
    }),
    fault("a chunk of endless size", Error, |streamed| {
        sent(
            head("200 OK", streamed, "transfer-encoding: chunked\r\n")
                + "ffffffffffffffffffff\r\nhello\r\n0\r\n\r\n",
        )
    }),
    fault("chunks without an end", Error, |streamed| {
        sent(head("200 OK", streamed, "transfer-encoding: chunked\r\n") + "5\r\nhello\r\n")
    }),
    fault("a body without any framing", Answer, |streamed| {
        sent(head("200 OK", streamed, "") + &body(streamed))
    }),
    fault("bytes that claim to be gzip", Either, |streamed| {
        let body = body(streamed);
        let more = format!("content-encoding: gzip\r\ncontent-length: {}\r\n", body.len());
        sent(head("200 OK", streamed, &more) + &body)
    }),
    fault("a web page", Error, |_| {
        reply("200 OK", "text/html", b"<!DOCTYPE html><html><body>busy</body></html>")
    }),
    fault("plain text", Error, |_| reply("200 OK", "text/plain", b"busy")),
    fault("an empty body", Error, |streamed| ok(streamed, "")),
    fault("a good body of the wrong type", Either, |streamed| {
        reply("200 OK", "text/plain", body(streamed).as_bytes())
    }),
    fault("the other form than was asked for", Either, |streamed| ok(!streamed, body(!streamed))),
];

/// Errors with odd bodies.
const ERRORS: &[Fault] = &[
    fault("an error of 1 MB", Error, |_| reply("500 Oops", "application/json", &b"x".repeat(1 << 20))),
    fault("an error without a body", Error, |_| reply("500 Oops", "application/json", b"")),
    fault("an error as a web page", Error, |_| reply("502 Bad Gateway", "text/html", b"<html>bad</html>")),
    fault("an error that is not UTF-8", Error, |_| {
        reply("500 Oops", "application/json", &[b'"', 255, 254, b'"'])
    }),
    fault("an error with a message of 100 KB", Error, |_| {
        let message = "m".repeat(100_000);
        reply(
            "500 Oops",
            "application/json",
            format!("{{\"error\":{{\"message\":\"{message}\"}}}}").as_bytes(),
        )
    }),
    fault("an error of odd types", Error, |_| {
        reply(
            "429 Slow down",
            "application/json",
            b"{\"error\":{\"message\":5,\"type\":[],\"code\":{\"a\":1},\"param\":false}}",
        )
    }),
    fault("an error that is cut", Error, |_| {
        sent("HTTP/1.1 500 Oops\r\ncontent-length: 100\r\n\r\n{\"error\":")
    }),
    fault("an error with an absurd wait", Error, |_| {
        sent(
            "HTTP/1.1 503 Busy\r\nretry-after: 99999999999999999999999\r\nretry-after-ms: -5\r\ncontent-length: 0\r\n\r\n",
        )
    }),
    fault("an error inside a good status", Error, |streamed| {
        let error = "{\"error\":{\"message\":\"inside\",\"type\":\"server_error\",\"code\":503}}";
        json(streamed, error, error)
    }),
];

/// What is said.
const CONTENT: &[Fault] = &[
    fault("JSON that is cut", Error, |streamed| json(streamed, &WHOLE[..60], "{\"id\":\"1\",\"choi")),
    fault("JSON that is none", Error, |streamed| json(streamed, "{]", "{]")),
    fault("JSON of endless depth", Error, |streamed| {
        let deep = "[".repeat(100_000);
        json(streamed, &deep, &deep)
    }),
    fault("another JSON", Either, |streamed| json(streamed, "[1,2]", "[1,2]")),
    fault("null", Either, |streamed| json(streamed, "null", "null")),
    fault("an empty object", Either, |streamed| json(streamed, "{}", "{}")),
    fault("no choices", Either, |streamed| json(streamed, "{\"choices\":[]}", "{\"choices\":[]}")),
    fault("a number as content", Either, |streamed| {
        message(streamed, "{\"role\":\"assistant\",\"content\":5}")
    }),
    fault("null as content", Either, |streamed| {
        message(streamed, "{\"role\":\"assistant\",\"content\":null}")
    }),
    fault("a call whose arguments are no JSON", Either, |streamed| {
        message(
            streamed,
            "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"index\":0,\"id\":\"c\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":\"}}]}",
        )
    }),
    fault("unknown fields everywhere", Answer, |streamed| {
        message(
            streamed,
            "{\"role\":\"assistant\",\"content\":\"fi\",\"odd\":{\"a\":[1e5,null]},\"annotations\":[]}",
        )
    }),
    fault("usage over all bounds", Either, |streamed| {
        usage(
            streamed,
            "{\"prompt_tokens\":9223372036854775808,\"completion_tokens\":18446744073709551615,\"total_tokens\":1}",
        )
    }),
    fault("usage below zero", Either, |streamed| {
        usage(streamed, "{\"prompt_tokens\":-1,\"completion_tokens\":-5,\"total_tokens\":-6}")
    }),
    fault("usage as a fraction", Either, |streamed| {
        usage(streamed, "{\"prompt_tokens\":1e308,\"completion_tokens\":0.5}")
    }),
    fault("usage as text", Either, |streamed| {
        usage(streamed, "{\"prompt_tokens\":\"many\",\"completion_tokens\":null}")
    }),
    fault("no usage", Answer, |streamed| usage(streamed, "null")),
    fault("characters that are none", Either, |streamed| {
        let body = body(streamed).into_bytes();
        let at = body.windows(2).position(|pair| pair == b"fi").unwrap();
        let mut broken = body;
        broken[at] = 255;
        ok(streamed, broken)
    }),
    fault("a mark of byte order in front", Either, |streamed| {
        ok(streamed, format!("\u{feff}{}", body(streamed)))
    }),
];

/// Streams; a whole answer is good here.
const STREAMS: &[Fault] = &[
    fault("no [DONE]", Either, |streamed| {
        ok(streamed, if streamed { [FIRST, LAST].concat() } else { WHOLE.to_owned() })
    }),
    fault("[DONE] twice", Answer, |streamed| {
        ok(streamed, if streamed { stream() + DONE } else { WHOLE.to_owned() })
    }),
    fault("events behind [DONE]", Either, |streamed| {
        ok(streamed, if streamed { stream() + FIRST } else { WHOLE.to_owned() })
    }),
    fault("[DONE] and silence", Either, |streamed| {
        let steps = Step::send(
            head("200 OK", streamed, "transfer-encoding: chunked\r\n")
                + &format!("{:x}\r\n{}\r\n", body(streamed).len(), body(streamed)),
        );
        if streamed { vec![steps, Step::Hang] } else { good(false) }
    }),
    fault("comments and pings only", Either, |streamed| {
        ok(streamed, if streamed { ": ping\n\n".repeat(50) } else { WHOLE.to_owned() })
    }),
    fault("an event without data", Answer, |streamed| {
        ok(
            streamed,
            if streamed { format!("event: nothing\n\nid: 7\n\n{}", stream()) } else { WHOLE.to_owned() },
        )
    }),
    fault("an event of 20 MB", Either, |streamed| {
        let long = FIRST.replace("\"fi\"", &format!("\"{}\"", "x".repeat(20 << 20)));
        ok(streamed, if streamed { [&long, LAST, DONE].concat() } else { WHOLE.to_owned() })
    }),
    fault("a line that never ends", Either, |streamed| {
        ok(
            streamed,
            if streamed { format!("{FIRST}data: {}", "x".repeat(20 << 20)) } else { WHOLE.to_owned() },
        )
    }),
    fault("ten thousand events at once", Answer, |streamed| {
        ok(
            streamed,
            if streamed { format!("{}{LAST}{DONE}", FIRST.repeat(10_000)) } else { WHOLE.to_owned() },
        )
    }),
    fault("carriage returns alone", Answer, |streamed| {
        ok(streamed, if streamed { stream().replace('\n', "\r") } else { WHOLE.to_owned() })
    }),
    fault("garbage between good events", Either, |streamed| {
        ok(streamed, if streamed { format!("{FIRST}data: {{]\n\n{LAST}{DONE}") } else { WHOLE.to_owned() })
    }),
    fault("an error of a server's own form", Either, |streamed| {
        ok(
            streamed,
            if streamed {
                format!("{FIRST}data: {{\"object\":\"error\",\"message\":\"no\",\"code\":500}}\n\n")
            } else {
                WHOLE.to_owned()
            },
        )
    }),
];

pub(super) const FAULTS: &[&[Fault]] = &[HEADS, FRAMING, ERRORS, CONTENT, STREAMS];
