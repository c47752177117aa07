//! A lean provider for benchmarks: it speaks OpenAI's, Anthropic's and Gemini's API as fast as it can, and checks nothing.
//! (`causeway mock` is the one that is strict.)
//!
//! `upstream LISTEN`. Knobs: `POST /knobs?chunks=64&gap=10&delay=0&text=1100`: pieces of a stream, milliseconds between
//! them, milliseconds before an answer, bytes of a whole answer's text.
//!
//! Every piece of a streamed text says `@<nanoseconds of the monotonic clock>;`, so that a client on the same machine
//! can tell how old it is, also when a gateway has translated it.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use memchr::memmem;
use rustix::time::{ClockId, clock_gettime};
use tokio::time::{Instant, Sleep, sleep};

struct Knobs {
    chunks: AtomicU64,
    gap: AtomicU64,
    delay: AtomicU64,
    text: AtomicU64,
}

static KNOBS: Knobs = Knobs {
    chunks: AtomicU64::new(64),
    gap: AtomicU64::new(0),
    delay: AtomicU64::new(0),
    text: AtomicU64::new(1100),
};

#[derive(Clone, Copy, PartialEq)]
enum Api {
    OpenAi,
    Anthropic,
    Gemini,
}

/// The moment a client on this machine reads on its own clock.
fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec.unsigned_abs() * 1_000_000_000 + now.tv_nsec.unsigned_abs()
}

/// An answer's text, in JSON's spelling.
fn text() -> String {
    const LINE: &str =
        "The quick brown fox jumps over the lazy dog; \\\"pack my box\\\" with five dozen jugs.\\n";
    LINE.repeat((KNOBS.text.load(Relaxed) as usize).div_ceil(LINE.len()).max(1))
}

fn whole(api: Api) -> String {
    let text = text();
    match api {
        Api::OpenAi => format!(
            "{{\"id\":\"chatcmpl-bench000000000000000000000\",\"object\":\"chat.completion\",\"created\":1760000000,\"model\":\"gpt-4o-mini\",\"choices\":[{{\"index\":0,\"message\":{{\"role\":\"assistant\",\"content\":\"{text}\",\"refusal\":null,\"annotations\":[]}},\"logprobs\":null,\"finish_reason\":\"stop\"}}],\"usage\":{{\"prompt_tokens\":120,\"completion_tokens\":256,\"total_tokens\":376,\"prompt_tokens_details\":{{\"cached_tokens\":0,\"audio_tokens\":0}},\"completion_tokens_details\":{{\"reasoning_tokens\":0,\"audio_tokens\":0,\"accepted_prediction_tokens\":0,\"rejected_prediction_tokens\":0}}}},\"service_tier\":\"default\",\"system_fingerprint\":\"fp_bench\"}}"
        ),
        Api::Anthropic => format!(
            "{{\"id\":\"msg_bench0000000000000000000\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude-sonnet-4-5\",\"content\":[{{\"type\":\"text\",\"text\":\"{text}\"}}],\"stop_reason\":\"end_turn\",\"stop_sequence\":null,\"usage\":{{\"input_tokens\":120,\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":0,\"output_tokens\":256,\"service_tier\":\"standard\"}}}}"
        ),
        Api::Gemini => format!(
            "{{\"candidates\":[{{\"content\":{{\"parts\":[{{\"text\":\"{text}\"}}],\"role\":\"model\"}},\"finishReason\":\"STOP\",\"index\":0}}],\"usageMetadata\":{{\"promptTokenCount\":120,\"candidatesTokenCount\":256,\"totalTokenCount\":376}},\"modelVersion\":\"gemini-2.5-flash\",\"responseId\":\"bench000000000000000\"}}"
        ),
    }
}

/// The piece of that number: the opening, `last` pieces of text, the end; none behind it.
fn piece(api: Api, number: u64, last: u64) -> Option<Bytes> {
    const OPENAI: &str = "data: {\"id\":\"chatcmpl-bench000000000000000000000\",\"object\":\"chat.completion.chunk\",\"created\":1760000000,\"model\":\"gpt-4o-mini\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_bench\",";
    let mut out = String::with_capacity(512);
    let now = now();
    let tokens = 120 + last;
    // Writing to a string cannot fail.
    let _ = match (api, number) {
        (_, number) if number > last + 1 => return None,
        (Api::OpenAi, 0) => write!(
            out,
            "{OPENAI}\"choices\":[{{\"index\":0,\"delta\":{{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null}},\"logprobs\":null,\"finish_reason\":null}}],\"usage\":null}}\n\n"
        ),
        (Api::OpenAi, number) if number <= last => write!(
            out,
            "{OPENAI}\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\" token @{now};\"}},\"logprobs\":null,\"finish_reason\":null}}],\"usage\":null}}\n\n"
        ),
        (Api::OpenAi, _) => write!(
            out,
            "{OPENAI}\"choices\":[{{\"index\":0,\"delta\":{{}},\"logprobs\":null,\"finish_reason\":\"stop\"}}],\"usage\":null}}\n\n{OPENAI}\"choices\":[],\"usage\":{{\"prompt_tokens\":120,\"completion_tokens\":{last},\"total_tokens\":{tokens}}}}}\n\ndata: [DONE]\n\n"
        ),
        (Api::Anthropic, 0) => write!(
            out,
            "event: message_start\ndata: {{\"type\":\"message_start\",\"message\":{{\"id\":\"msg_bench0000000000000000000\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude-sonnet-4-5\",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{{\"input_tokens\":120,\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":0,\"output_tokens\":1}}}}}}\n\nevent: content_block_start\ndata: {{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{{\"type\":\"text\",\"text\":\"\"}}}}\n\n"
        ),
        (Api::Anthropic, number) if number <= last => write!(
            out,
            "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{{\"type\":\"text_delta\",\"text\":\" token @{now};\"}}}}\n\n"
        ),
        (Api::Anthropic, _) => write!(
            out,
            "event: content_block_stop\ndata: {{\"type\":\"content_block_stop\",\"index\":0}}\n\nevent: message_delta\ndata: {{\"type\":\"message_delta\",\"delta\":{{\"stop_reason\":\"end_turn\",\"stop_sequence\":null}},\"usage\":{{\"output_tokens\":{last}}}}}\n\nevent: message_stop\ndata: {{\"type\":\"message_stop\"}}\n\n"
        ),
        (Api::Gemini, number) if number <= last => write!(
            out,
            "data: {{\"candidates\":[{{\"content\":{{\"parts\":[{{\"text\":\" token @{now};\"}}],\"role\":\"model\"}},\"index\":0}}],\"usageMetadata\":{{\"promptTokenCount\":120,\"totalTokenCount\":120}},\"modelVersion\":\"gemini-2.5-flash\"}}\n\n"
        ),
        (Api::Gemini, _) => write!(
            out,
            "data: {{\"candidates\":[{{\"content\":{{\"parts\":[],\"role\":\"model\"}},\"finishReason\":\"STOP\",\"index\":0}}],\"usageMetadata\":{{\"promptTokenCount\":120,\"candidatesTokenCount\":{last},\"totalTokenCount\":{tokens}}},\"modelVersion\":\"gemini-2.5-flash\"}}\n\n"
        ),
    };
    Some(Bytes::from(out))
}

/// A whole answer, or a stream whose pieces are written one by one.
enum Answer {
    Whole(Option<Bytes>),
    Stream(Stream),
}

struct Stream {
    api: Api,
    next: u64,
    chunks: u64,
    gap: Duration,
    due: Instant,
    sleep: Pin<Box<Sleep>>,
    /// A piece was given and its successor is not yet due.
    waits: bool,
}

impl Stream {
    fn new(api: Api) -> Self {
        Self {
            api,
            next: 0,
            chunks: KNOBS.chunks.load(Relaxed),
            gap: Duration::from_millis(KNOBS.gap.load(Relaxed)),
            due: Instant::now(),
            sleep: Box::pin(sleep(Duration::ZERO)),
            waits: false,
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if self.waits && self.gap.is_zero() {
            // One look in between, so that hyper writes each piece by itself.
            self.waits = false;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.waits && self.sleep.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        let piece = piece(self.api, self.next, self.chunks);
        self.next += 1;
        self.waits = true;
        if !self.gap.is_zero() {
            self.due += self.gap;
            self.sleep.as_mut().reset(self.due);
        }
        Poll::Ready(piece)
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let bytes = match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take()),
            Self::Stream(stream) => stream.poll(context),
        };
        bytes.map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Stream(_) => SizeHint::default(),
        }
    }
}

fn json(text: impl Into<Bytes>) -> Response<Answer> {
    let mut response = Response::new(Answer::Whole(Some(text.into())));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn turn(query: &str) {
    for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        let knob = match name {
            "chunks" => &KNOBS.chunks,
            "gap" => &KNOBS.gap,
            "delay" => &KNOBS.delay,
            "text" => &KNOBS.text,
            _ => continue,
        };
        if let Ok(value) = value.parse() {
            knob.store(value, Relaxed);
        }
    }
}

/// Does the request's body say `"stream": true`?
fn wants_stream(body: &[u8]) -> bool {
    memmem::find_iter(body, b"\"stream\"").any(|at| {
        let rest = body[at + 8..].trim_ascii_start();
        rest.strip_prefix(b":").is_some_and(|rest| rest.trim_ascii_start().starts_with(b"true"))
    })
}

async fn answer(request: Request<Incoming>) -> Result<Response<Answer>, Infallible> {
    let path = request.uri().path();
    let (api, streams) = if path.ends_with("/chat/completions") {
        (Api::OpenAi, false)
    } else if path.ends_with("/messages") {
        (Api::Anthropic, false)
    } else if path.ends_with(":generateContent") {
        (Api::Gemini, false)
    } else if path.ends_with(":streamGenerateContent") {
        (Api::Gemini, true)
    } else if path == "/knobs" {
        turn(request.uri().query().unwrap_or_default());
        return Ok(json("{}"));
    } else {
        let mut response = json("{\"error\":{\"message\":\"no such path\"}}");
        *response.status_mut() = StatusCode::NOT_FOUND;
        return Ok(response);
    };
    let (mut incoming, mut body) = (request.into_body(), BytesMut::new());
    while let Some(Ok(frame)) = incoming.frame().await {
        if let Ok(data) = frame.into_data() {
            body.extend_from_slice(&data);
        }
    }
    let delay = KNOBS.delay.load(Relaxed);
    if delay > 0 {
        sleep(Duration::from_millis(delay)).await;
    }
    if !streams && !wants_stream(&body) {
        return Ok(json(whole(api)));
    }
    let mut response = Response::new(Answer::Stream(Stream::new(api)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(response)
}

fn main() -> std::io::Result<()> {
    let listen = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:27500".to_owned());
    // One thread: it is not what is measured, and it shares the machine with what is.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async move {
        let listener = tokio::net::TcpListener::bind(&listen).await?;
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                sleep(Duration::from_millis(50)).await;
                continue;
            };
            let _ = stream.set_nodelay(true);
            tokio::spawn(async move {
                // Every way a connection can end is a way a client can leave.
                let http = hyper::server::conn::http1::Builder::new();
                let _ = http.serve_connection(TokioIo::new(stream), service_fn(answer)).await;
            });
        }
    })
}
