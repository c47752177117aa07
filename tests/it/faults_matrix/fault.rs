//! The faults, played by a provider that speaks OpenAI's dialect.

use std::time::Duration;

use crate::fault::script::{DONE, FIRST, LAST, WHOLE, body, head, ok, reply, sent};
use crate::support::upstream::Step;

/// What comes of a fault when there is no other target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comes {
    /// It harms nobody.
    Answer,
    /// It is an error, before anything was sent.
    Error,
    /// It is the client's own fault, wherever it asks.
    Refused,
    /// A stream breaks after its beginning was sent; a whole answer is good.
    Broken,
    /// A stream is an error before anything was sent; a whole answer is good.
    Unsaid,
    /// Dialects may differ.
    Either,
}

impl Comes {
    /// What comes of it in this case.
    pub(super) fn when(self, streamed: bool) -> Self {
        match self {
            Self::Unsaid if streamed => Self::Error,
            Self::Unsaid | Self::Broken if !streamed => Self::Answer,
            other => other,
        }
    }
}

/// Where a fault happens.
#[derive(Clone, Copy)]
pub(super) enum At {
    /// After a whole request; the argument says whether a stream was asked for.
    Script(fn(bool) -> Vec<Step>),
    /// As soon as somebody connects.
    Connection(fn() -> Vec<Step>),
    /// The same where TLS is spoken.
    Tls(fn() -> Vec<Step>),
    /// At a port nobody listens on.
    Closed,
    /// At a name nobody has.
    Unknown,
    /// At a port whose connections nobody takes.
    Full,
}

pub(super) struct Fault {
    pub(super) name: &'static str,
    pub(super) comes: Comes,
    pub(super) at: At,
}

const fn script(name: &'static str, comes: Comes, script: fn(bool) -> Vec<Step>) -> Fault {
    Fault { name, comes, at: At::Script(script) }
}

use Comes::{Answer, Broken, Either, Error, Refused, Unsaid};

/// An error with this status line, these headers and a message of OpenAI's form.
fn status(line: &str, headers: &str) -> Vec<Step> {
    said(line, headers, "it did not work")
}

fn said(line: &str, headers: &str, message: &str) -> Vec<Step> {
    let body =
        format!("{{\"error\":{{\"message\":\"{message}\",\"type\":null,\"param\":null,\"code\":null}}}}");
    sent(format!(
        "HTTP/1.1 {line}\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    ))
}

/// The good answer in this encoding, or what is said to be one.
fn encoded(streamed: bool, encoding: &str, body: &[u8]) -> Vec<Step> {
    let more = format!("content-encoding: {encoding}\r\ncontent-length: {}\r\n", body.len());
    sent([head("200 OK", streamed, &more).as_bytes(), body].concat())
}

/// The good answer with this usage.
fn usage(streamed: bool, usage: &str) -> Vec<Step> {
    let told = "{\"prompt_tokens\":1,\"completion_tokens\":1,\"total_tokens\":2}";
    let last = format!(
        "data: {{\"id\":\"1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[],\"usage\":{usage}}}\n\n"
    );
    let text = if streamed { [FIRST, LAST, &last, DONE].concat() } else { WHOLE.replace(told, usage) };
    ok(streamed, text)
}

/// A good whole answer, or this stream.
fn stream(streamed: bool, events: &str) -> Vec<Step> {
    ok(streamed, if streamed { events } else { WHOLE })
}

/// A stream in the middle of which this happens; a whole answer is good.
fn breaks(streamed: bool, steps: &[Step]) -> Vec<Step> {
    if !streamed {
        return ok(false, WHOLE);
    }
    let begun = head("200 OK", true, "transfer-encoding: chunked\r\n");
    let first = format!("{:x}\r\n{FIRST}\r\n", FIRST.len());
    // A pause, so that the first event is on its way before the fault.
    let pause = Step::Wait(Duration::from_millis(100));
    [&[Step::send(begun), Step::send(first), pause], steps].concat()
}

pub(super) const FAULTS: &[Fault] = &[
    // The connection.
    Fault { name: "a refused connection", comes: Error, at: At::Closed },
    Fault { name: "an unknown name", comes: Error, at: At::Unknown },
    Fault { name: "a connection nobody takes", comes: Error, at: At::Full },
    Fault { name: "a reset at once", comes: Error, at: At::Connection(|| vec![Step::Reset]) },
    Fault { name: "a close at once", comes: Error, at: At::Connection(|| vec![Step::Close]) },
    Fault { name: "silence at once", comes: Error, at: At::Connection(|| vec![Step::Hang]) },
    Fault { name: "no TLS", comes: Error, at: At::Tls(|| sent("HTTP/1.1 400 Bad Request\r\n\r\n")) },
    Fault { name: "a TLS handshake that hangs", comes: Error, at: At::Tls(|| vec![Step::Hang]) },
    script("a reset after the request", Error, |_| vec![Step::Reset]),
    script("a close after the request", Error, |_| vec![Step::Close]),
    script("silence after the request", Error, |_| vec![Step::Hang]),
    script("a reset after the head", Error, |streamed| {
        vec![Step::send(head("200 OK", streamed, "content-length: 100\r\n")), Step::Reset]
    }),
    script("silence after the head", Error, |streamed| {
        vec![Step::send(head("200 OK", streamed, "transfer-encoding: chunked\r\n")), Step::Hang]
    }),
    script("one byte a second", Error, |streamed| {
        let slowly = body(streamed).into_bytes().into_iter().take(20).flat_map(|byte| {
            [Step::send(format!("1\r\n{}\r\n", char::from(byte))), Step::Wait(Duration::from_secs(1))]
        });
        let head = Step::send(head("200 OK", streamed, "transfer-encoding: chunked\r\n"));
        std::iter::once(head).chain(slowly).collect()
    }),
    script("endless headers", Error, |_| {
        let mut steps = vec![Step::send("HTTP/1.1 200 OK\r\n")];
        steps.extend(vec![Step::send("x-more: and more\r\n".repeat(4096)); 40]);
        steps.push(Step::Hang);
        steps
    }),
    script("half a head", Error, |_| sent("HTTP/1.1 200 OK\r\ncontent-ty")),
    script("another protocol", Error, |_| sent("SSH-2.0-OpenSSH_9.6\r\n\r\n")),
    // The status.
    script("429", Error, |_| status("429 Too Many Requests", "")),
    script("429 for seconds", Error, |_| status("429 Too Many Requests", "retry-after: 2\r\n")),
    script("429 until a date", Error, |_| {
        status("429 Too Many Requests", "retry-after: Wed, 21 Oct 2099 07:28:00 GMT\r\n")
    }),
    script("429 for thirty years", Error, |_| status("429 Too Many Requests", "retry-after: 1000000000\r\n")),
    script("429 until before", Error, |_| status("429 Too Many Requests", "retry-after: -5\r\n")),
    script("429 for lack of money", Error, |_| {
        said("429 Too Many Requests", "", "You exceeded your current quota")
    }),
    script("500", Error, |_| status("500 Internal Server Error", "")),
    script("502 as a web page", Error, |_| reply("502 Bad Gateway", "text/html", b"<html>bad</html>")),
    script("503 for seconds", Error, |_| status("503 Service Unavailable", "retry-after: 1\r\n")),
    script("504", Error, |_| status("504 Gateway Timeout", "")),
    script("529", Error, |_| status("529 Overloaded", "")),
    script("401", Error, |_| status("401 Unauthorized", "")),
    script("402", Error, |_| status("402 Payment Required", "")),
    script("403", Error, |_| status("403 Forbidden", "")),
    script("404", Error, |_| said("404 Not Found", "", "The model `m` does not exist")),
    script("400 for lack of money", Error, |_| {
        said("400 Bad Request", "", "Your credit balance is too low to access the API")
    }),
    script("400", Refused, |_| said("400 Bad Request", "", "messages: something is wrong")),
    script("413", Refused, |_| said("413 Payload Too Large", "", "the body is too large")),
    script("422", Refused, |_| said("422 Unprocessable Entity", "", "temperature: out of range")),
    script("400 for a prompt too long", Refused, |_| {
        said("400 Bad Request", "", "This model's maximum context length is 10 tokens")
    }),
    script("a redirect to the cloud's own server", Error, |_| {
        sent("HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/latest\r\ncontent-length: 0\r\n\r\n")
    }),
    // The body.
    script("a web page", Error, |_| reply("200 OK", "text/html", b"<!DOCTYPE html><html>busy</html>")),
    script("JSON that is none", Error, |streamed| {
        ok(streamed, if streamed { "data: {]\n\n".to_owned() } else { "{]".to_owned() })
    }),
    script("JSON that is cut", Error, |streamed| {
        ok(streamed, if streamed { FIRST[..60].to_owned() } else { WHOLE[..60].to_owned() })
    }),
    script("a character that is none", Either, |streamed| {
        let mut broken = body(streamed).into_bytes();
        let at = broken.windows(2).position(|pair| pair == b"fi").unwrap();
        broken[at] = 255;
        ok(streamed, broken)
    }),
    script("a character cut in two", Error, |streamed| {
        let text = body(streamed).replace("fi", "é");
        let at = text.find('é').unwrap() + 1;
        ok(streamed, &text.as_bytes()[..at])
    }),
    script("gzip that is cut", Error, |streamed| {
        encoded(streamed, "gzip", &[31, 139, 8, 0, 0, 0, 0, 0, 0, 3])
    }),
    script("an unknown encoding", Either, |streamed| encoded(streamed, "zebra", body(streamed).as_bytes())),
    script("a length too long", Either, |streamed| {
        let body = body(streamed);
        sent(head("200 OK", streamed, &format!("content-length: {}\r\n", body.len() + 50)) + &body)
    }),
    script("a length too short", Either, |streamed| {
        let body = body(streamed);
        sent(head("200 OK", streamed, &format!("content-length: {}\r\n", body.len() / 2)) + &body)
    }),
    script("the wrong type", Either, |streamed| reply("200 OK", "text/plain", body(streamed).as_bytes())),
    script("usage that is missing", Answer, |streamed| usage(streamed, "null")),
    script("usage over all bounds", Either, |streamed| {
        usage(streamed, "{\"prompt_tokens\":9223372036854775808,\"completion_tokens\":18446744073709551615}")
    }),
    script("usage below zero", Either, |streamed| {
        usage(streamed, "{\"prompt_tokens\":-1,\"completion_tokens\":-5}")
    }),
    script("usage beyond numbers", Either, |streamed| {
        usage(streamed, "{\"prompt_tokens\":1e308,\"completion_tokens\":0.5}")
    }),
    script("an error in a good answer", Error, |streamed| {
        let error = "{\"error\":{\"message\":\"overloaded\",\"type\":\"server_error\",\"code\":503}}";
        ok(streamed, if streamed { format!("data: {error}\n\n") } else { error.to_owned() })
    }),
    script("a trigger in a good answer", Error, |streamed| {
        let (content, told) = ("\"content\":\"fi", "\"content\":\"The  backend is on\\nHoliday: fi");
        ok(streamed, body(streamed).replace(content, told))
    }),
    script("an answer without content", Error, |streamed| {
        ok(
            streamed,
            body(streamed).replace("\"fine\"", "\"\"").replace("\"fi\"", "\"\"").replace("\"ne\"", "\"\""),
        )
    }),
    script("no event at all", Unsaid, |streamed| stream(streamed, "")),
    script("signs of life only", Unsaid, |streamed| stream(streamed, &": ping\n\n".repeat(50))),
    // The stream.
    script("an event of 17 MB", Either, |streamed| {
        let long = FIRST.replace("\"fi\"", &format!("\"{}\"", "x".repeat(17 << 20)));
        stream(streamed, &[&long, LAST, DONE].concat())
    }),
    script("three thousand events at once", Answer, |streamed| {
        stream(streamed, &format!("{}{LAST}{DONE}", FIRST.repeat(3_000)))
    }),
    script("no [DONE]", Answer, |streamed| stream(streamed, &[FIRST, LAST].concat())),
    script("[DONE] twice", Answer, |streamed| stream(streamed, &[FIRST, LAST, DONE, DONE].concat())),
    script("a reset in the middle", Broken, |streamed| breaks(streamed, &[Step::Reset])),
    script("a close in the middle", Broken, |streamed| breaks(streamed, &[Step::Close])),
    script("silence in the middle", Broken, |streamed| breaks(streamed, &[Step::Hang])),
    script("half an event in the middle", Broken, |streamed| {
        breaks(streamed, &[Step::send("14\r\ndata: {\"id\":\"1\",\"cho\r\n0\r\n\r\n"), Step::Close])
    }),
    script("nonsense in the middle", Broken, |streamed| {
        breaks(streamed, &[Step::send("a\r\ndata: {]\n\n\r\n"), Step::Hang])
    }),
    script("an error in the middle", Broken, |streamed| {
        let error = "data: {\"error\":{\"message\":\"no more\",\"type\":\"server_error\",\"code\":500}}\n\n";
        breaks(streamed, &[Step::send(format!("{:x}\r\n{error}\r\n0\r\n\r\n", error.len())), Step::Close])
    }),
];
