//! One dialect and one adapter, without a network: what is asked, what is answered, what is streamed.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use causeway::adapter::{Ending, Limits, Pool, Registry, Route, Runtime, Source, Step};
use causeway::dialect::{self, AnswerFacts, Dialect};
use causeway::domain::http::Loss;
use causeway::domain::{Envelope, Operation, RequestHead};
use causeway::error::GatewayError;
use http::{HeaderMap, Method};
use parking_lot::Mutex;
use serde_json::{Value, json};

pub(crate) const CHAT: &str = "/v1/chat/completions";
pub(crate) const RESPONSES: &str = "/v1/responses";
pub(crate) const MESSAGES: &str = "/v1/messages";
pub(crate) const GEMINI: &str = "/v1beta/models/m:generateContent";
pub(crate) const GEMINI_STREAM: &str = "/v1beta/models/m:streamGenerateContent?alt=sse";

/// An adapter, the model it is asked for, and its options.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Vendor {
    pub(crate) adapter: &'static str,
    pub(crate) model: &'static str,
    pub(crate) options: &'static str,
}

const fn vendor(adapter: &'static str, model: &'static str) -> Vendor {
    Vendor { adapter, model, options: "{}" }
}

pub(crate) const ANTHROPIC: Vendor = vendor("anthropic", "claude-sonnet-4-5");
pub(crate) const AZURE: Vendor = vendor("azure-openai", "gpt-5-prod");
pub(crate) const BEDROCK: Vendor = vendor("bedrock", "eu.anthropic.claude-sonnet-4-5-20250929-v1:0");
pub(crate) const COHERE: Vendor = vendor("cohere", "command-a-03-2025");
pub(crate) const GOOGLE: Vendor = vendor("gemini", "gemini-2.5-flash");
pub(crate) const GOOGLE_3: Vendor = vendor("gemini", "gemini-3-pro");
pub(crate) const MISTRAL: Vendor = vendor("mistral", "mistral-large-latest");
pub(crate) const OLLAMA: Vendor = vendor("ollama", "qwen3:8b");
pub(crate) const OPENAI: Vendor = vendor("openai", "gpt-5.1");

/// One of each.
pub(crate) const ALL: [Vendor; 8] = [ANTHROPIC, AZURE, BEDROCK, COHERE, GOOGLE, MISTRAL, OLLAMA, OPENAI];

/// What the vendor gets.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) body: Value,
    pub(crate) losses: Vec<Loss>,
}

impl Asked {
    /// True when a loss names this field.
    pub(crate) fn lost(&self, field: &str) -> bool {
        self.losses.iter().any(|loss| loss.field.contains(field))
    }
}

impl Vendor {
    fn pool(self) -> Pool {
        /// By adapter and options.
        type Pools = HashMap<(&'static str, &'static str), Pool>;
        static POOLS: OnceLock<(Registry, Mutex<Pools>)> = OnceLock::new();
        let cache = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache/causeway/compiled");
        let (registry, pools) =
            POOLS.get_or_init(|| (Registry::new(Runtime::start(Some(&cache)).unwrap()), Mutex::default()));
        let limits = Limits { budget: Duration::from_secs(5), ..Limits::default() };
        let mut pools = pools.lock();
        let pool = pools.entry((self.adapter, self.options)).or_insert_with(|| {
            let loaded = registry.load(self.adapter, &Source::Bundled, limits).unwrap();
            Pool::open(loaded, self.options.to_owned(), limits).unwrap()
        });
        pool.clone()
    }

    fn route(self, dialect: &dyn Dialect, streaming: bool) -> Route {
        Route { model: self.model.to_owned(), streaming, dialect: dialect.id(), headers: Vec::new() }
    }

    /// A client's request as this vendor gets it.
    pub(crate) fn asked(self, path: &str, body: &Value) -> Result<Asked, GatewayError> {
        self.asked_raw(path, &body.to_string())
    }

    /// The same for bytes that are no tree of ours.
    pub(crate) fn asked_raw(self, path: &str, body: &str) -> Result<Asked, GatewayError> {
        let (dialect, envelope) = read(path, body)?;
        let canonical = dialect.canonical(&envelope)?;
        let route = self.route(dialect, envelope.stream);
        let mut lease = self.pool().checkout()?;
        let (request, losses) = lease.translator()?.translate_request(&route, Operation::Chat, &canonical)?;
        // A body may be deeper than this parser likes.
        let body = serde_json::from_slice(&request.body).unwrap_or_default();
        Ok(Asked { body, losses })
    }

    /// The same for a request that must be taken.
    #[track_caller]
    pub(crate) fn gets(self, path: &str, body: &Value) -> Asked {
        self.asked(path, body).unwrap_or_else(|error| panic!("{} refuses: {error}", self.adapter))
    }

    /// The vendor's whole answer as the client gets it.
    #[track_caller]
    pub(crate) fn answers(self, path: &str, asked: &Value, answer: &Value) -> Value {
        let (dialect, envelope) = read(path, &asked.to_string()).unwrap();
        let mut lease = self.pool().checkout().unwrap();
        let translator = lease.translator().unwrap();
        let route = self.route(dialect, false);
        let body = answer.to_string();
        let answer = translator
            .translate_response(&route, Operation::Chat, &HeaderMap::new(), body.as_bytes())
            .unwrap();
        let whole = dialect.whole_for(&facts(), &envelope, &answer.body).unwrap();
        serde_json::from_slice(&whole).unwrap()
    }

    /// The vendor's stream in these slices, as chunks.
    pub(crate) fn chunks<'b>(self, slices: impl IntoIterator<Item = &'b [u8]>) -> Result<Step, GatewayError> {
        let mut lease = self.pool().checkout()?;
        let translator = lease.translator()?;
        let route = self.route(dialect::ALL[0], true);
        translator.open_stream(&route, Operation::Chat, &HeaderMap::new())?;
        let mut all = Step::default();
        let mut add = |step: Step| {
            all.chunks.extend(step.chunks);
            all.losses.extend(step.losses);
            all.usage = step.usage.or(all.usage);
            all.ending = step.ending.or(all.ending.take());
        };
        for slice in slices {
            add(translator.push(slice)?);
        }
        add(translator.finish()?);
        Ok(all)
    }

    /// The vendor's stream as the client gets it; what does not end well ends in an error event.
    pub(crate) fn streams<'b>(
        self,
        path: &str,
        asked: &Value,
        slices: impl IntoIterator<Item = &'b [u8]>,
    ) -> String {
        let (dialect, envelope) = read(path, &asked.to_string()).unwrap();
        let mut writer = dialect.stream(&facts(), &envelope);
        let mut out = Vec::new();
        let step = self.chunks(slices).unwrap();
        for line in step.chunks.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            writer.chunk(line, &mut out).unwrap();
        }
        match step.ending {
            Some(Ending::Complete) => writer.finish(&mut out),
            Some(Ending::Failed(error)) => writer.fail(&error, "r", &mut out),
            None => {
                writer.fail(&GatewayError::gateway(causeway::error::Kind::Malformed, "cut"), "r", &mut out)
            }
        }
        String::from_utf8(out).unwrap()
    }

    /// The vendor's refusal, judged.
    pub(crate) fn refuses(self, status: u16, headers: &HeaderMap, body: &Value) -> GatewayError {
        let mut lease = self.pool().checkout().unwrap();
        lease.translator().unwrap().map_error(status, headers, body.to_string().as_bytes())
    }
}

fn read(path: &str, body: &str) -> Result<(&'static dyn Dialect, Envelope), GatewayError> {
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    let head = RequestHead {
        method: Method::POST,
        path: path.to_owned(),
        query: query.map(str::to_owned),
        headers: HeaderMap::new(),
    };
    let dialect = dialect::of(&head)?.dialect;
    let envelope = dialect.read(&head, Bytes::copy_from_slice(body.as_bytes()))?;
    Ok((dialect, envelope))
}

fn facts() -> AnswerFacts {
    AnswerFacts { request_id: "r".into(), created: 1, model: "m".into(), waited: Duration::ZERO }
}

/// A chat request with these messages and fields.
pub(crate) fn chat(messages: Value, fields: Value) -> Value {
    with(json!({ "model": "m", "messages": messages }), fields)
}

/// A Messages request with these turns and fields.
pub(crate) fn messages(turns: Value, fields: Value) -> Value {
    with(json!({ "model": "m", "max_tokens": 4096, "messages": turns }), fields)
}

/// With these fields too.
pub(crate) fn with(mut body: Value, fields: Value) -> Value {
    if let (Some(body), Value::Object(fields)) = (body.as_object_mut(), fields) {
        body.extend(fields);
    }
    body
}

/// A question.
pub(crate) fn user(content: impl Into<Value>) -> Value {
    json!({ "role": "user", "content": content.into() })
}

/// A function of chat with one parameter.
pub(crate) fn function(name: &str) -> Value {
    json!({ "type": "function", "function": { "name": name, "description": "says", "parameters":
        { "type": "object", "properties": { "city": { "type": "string" } } } } })
}

/// A call of chat.
pub(crate) fn call(id: &str, name: &str, arguments: &str) -> Value {
    json!({ "id": id, "type": "function", "function": { "name": name, "arguments": arguments } })
}

/// A turn of calls in chat.
pub(crate) fn calling(calls: Value) -> Value {
    json!({ "role": "assistant", "content": null, "tool_calls": calls })
}

/// A result in chat.
pub(crate) fn result(id: &str, content: impl Into<Value>) -> Value {
    json!({ "role": "tool", "tool_call_id": id, "content": content.into() })
}

/// Two calls and their results, in this order.
pub(crate) fn two_calls(results: [&str; 2]) -> Value {
    let calls = json!([
        call("call_a", "weather", r#"{"city":"Rome"}"#),
        call("call_b", "clock", r#"{"city":"Oslo"}"#)
    ]);
    let said = |id: &str| result(id, format!("result of {id}"));
    let turns = json!([user("go"), calling(calls), said(results[0]), said(results[1])]);
    chat(turns, json!({ "tools": [function("weather"), function("clock")] }))
}

/// Server-sent events of these objects; Anthropic's have their type as name.
pub(crate) fn sse(events: &[Value]) -> String {
    let event = |event: &Value| match event["type"].as_str() {
        Some(name) => format!("event: {name}\ndata: {event}\n\n"),
        None => format!("data: {event}\n\n"),
    };
    events.iter().map(event).collect()
}

/// A stream of Anthropic's that says these pieces.
pub(crate) fn anthropic_stream(pieces: &[&str]) -> String {
    let start = json!({ "id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": { "input_tokens": 3, "output_tokens": 1 } });
    let mut events = vec![
        json!({ "type": "message_start", "message": start }),
        json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "text", "text": "" } }),
    ];
    let delta = |text: &&str| json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": text } });
    events.extend(pieces.iter().map(delta));
    events.extend([
        json!({ "type": "content_block_stop", "index": 0 }),
        json!({ "type": "message_delta", "delta": { "stop_reason": "end_turn" }, "usage": { "output_tokens": 4 } }),
        json!({ "type": "message_stop" }),
    ]);
    sse(&events)
}

/// A stream of OpenAI's that says these pieces.
pub(crate) fn openai_stream(pieces: &[&str]) -> String {
    let chunk = |delta: Value, finish: Value| {
        json!({ "id": "c", "object": "chat.completion.chunk", "created": 1, "model": "gpt",
            "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }] })
    };
    let mut events = vec![chunk(json!({ "role": "assistant", "content": "" }), Value::Null)];
    events.extend(pieces.iter().map(|text| chunk(json!({ "content": text }), Value::Null)));
    events.push(chunk(json!({}), json!("stop")));
    events.push(
        json!({ "id": "c", "object": "chat.completion.chunk", "created": 1, "model": "gpt", "choices": [],
        "usage": { "prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7 } }),
    );
    sse(&events) + "data: [DONE]\n\n"
}

/// One frame of AWS's event streams, with its checksums.
pub(crate) fn frame(kind: &str, payload: &Value) -> Vec<u8> {
    let mut headers = Vec::new();
    for (name, value) in
        [(":event-type", kind), (":content-type", "application/json"), (":message-type", "event")]
    {
        headers.push(u8::try_from(name.len()).unwrap());
        headers.extend(name.as_bytes());
        headers.push(7);
        headers.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
        headers.extend(value.as_bytes());
    }
    let payload = payload.to_string().into_bytes();
    let mut frame = Vec::new();
    frame.extend(u32::try_from(16 + headers.len() + payload.len()).unwrap().to_be_bytes());
    frame.extend(u32::try_from(headers.len()).unwrap().to_be_bytes());
    frame.extend(checksum(&frame).to_be_bytes());
    frame.extend(headers);
    frame.extend(payload);
    frame.extend(checksum(&frame).to_be_bytes());
    frame
}

/// CRC-32 (IEEE), bit by bit.
fn checksum(bytes: &[u8]) -> u32 {
    let step = |sum: u32| if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 };
    !bytes.iter().fold(!0, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), |sum, _| step(sum)))
}

/// The data of a client's stream, event by event; `[DONE]` is a string.
pub(crate) fn data(stream: &str) -> Vec<Value> {
    let events = super::sse::events(stream);
    events
        .iter()
        .map(|event| serde_json::from_str(&event.data).unwrap_or_else(|_| json!(event.data)))
        .collect()
}

/// The text of a chat client's stream.
pub(crate) fn chat_text(stream: &str) -> String {
    let said = |event: &Value| event["choices"][0]["delta"]["content"].as_str().map(str::to_owned);
    data(stream).iter().filter_map(said).collect()
}

/// Every text below a value.
pub(crate) fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(list) => list.iter().flat_map(texts).collect(),
        Value::Object(map) => map.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

/// Every name of a field below a value.
pub(crate) fn keys(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(list) => list.iter().flat_map(keys).collect(),
        Value::Object(map) => {
            map.iter().flat_map(|(name, value)| std::iter::once(name.as_str()).chain(keys(value))).collect()
        }
        _ => Vec::new(),
    }
}
