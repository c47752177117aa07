//! An adapter that misbehaves as its options say: `{ "mode": "loop", "in": "push", "after": 2 }`.
//!
//! Without a mode, and everywhere else than `in`, it is an honest adapter for anything that speaks OpenAI. It names no
//! passage, so every request comes by here.

mod allocator;
mod harm;
mod lies;

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

use plugin_sdk::bindings::causeway::adapter::host;
use plugin_sdk::sse::Splitter;
use plugin_sdk::{
    Adapter, Answer, Credential, Ending, Failure, Header, Manifest, Operation, Passage, Route, Step,
    StreamTranslator, UpstreamRequest, failure,
};
use serde_json::Value;

/// What `describe` does; the tests write another word of the same length over it, because `describe` has no options.
static DESCRIBE: [u8; 16] = *b"describe:honest.";

/// Requests this instance has translated: what an instance that is used again remembers.
static EXCHANGES: AtomicU64 = AtomicU64::new(0);

/// What is done, and where.
#[derive(Clone)]
struct Plan {
    mode: String,
    place: String,
    /// How many calls of that kind are honest.
    after: u64,
}

struct Hostile {
    plan: Plan,
}

impl Plan {
    /// Misbehaves if this is the place; a mode that lies instead comes back.
    fn at(&self, place: &str, earlier: u64) -> Option<&str> {
        if self.place != place || earlier < self.after {
            return None;
        }
        harm::does(&self.mode);
        Some(&self.mode)
    }
}

impl Adapter for Hostile {
    type Stream = Stream;

    fn describe() -> Manifest {
        let word = std::hint::black_box(&DESCRIBE);
        let word = std::str::from_utf8(&word[9..]).unwrap_or_default().trim_end_matches('.');
        harm::does(word);
        Manifest {
            name: if word == "huge" { "x".repeat(40 << 20) } else { "hostile".to_owned() },
            version: env!("CARGO_PKG_VERSION").to_owned(),
            provider: "hostile".to_owned(),
            default_url: String::new(),
            operations: vec![Operation::Chat],
            capabilities: Vec::new(),
            options_schema: if word == "schema" { "{ nonsense".to_owned() } else { String::new() },
            passages: if word == "path" { vec![evil_passage()] } else { Vec::new() },
            client_headers: Vec::new(),
        }
    }

    fn configure(options: &str) -> Result<Self, Failure> {
        let options: Value =
            serde_json::from_str(options).map_err(|error| failure::adapter(error.to_string()))?;
        let text = |name: &str| options[name].as_str().unwrap_or_default().to_owned();
        let plan = Plan {
            mode: text("mode"),
            place: text("in"),
            after: options["after"].as_u64().unwrap_or_default(),
        };
        match plan.at("configure", 0) {
            Some("refuse") => Err(failure::adapter("these options are not to my taste")),
            _ => Ok(Self { plan }),
        }
    }

    fn translate_request(
        &self,
        route: &Route,
        _: Operation,
        body: &[u8],
    ) -> Result<UpstreamRequest, Failure> {
        let mode = self.plan.at("request", 0);
        EXCHANGES.fetch_add(1, Ordering::Relaxed);
        let mut body: Value =
            serde_json::from_slice(body).map_err(|error| failure::adapter(error.to_string()))?;
        body["model"] = route.model.as_str().into();
        if route.streaming {
            body["stream"] = true.into();
            body["stream_options"] = serde_json::json!({ "include_usage": true });
        }
        let honest = UpstreamRequest {
            method: "POST".to_owned(),
            path: "/v1/chat/completions".to_owned(),
            headers: vec![Header { name: "content-type".to_owned(), value: "application/json".to_owned() }],
            body: body.to_string().into_bytes(),
            credential: Credential::Bearer,
            losses: Vec::new(),
        };
        Ok(lies::request(mode.unwrap_or_default(), honest))
    }

    fn translate_response(
        &self,
        _: &Route,
        _: Operation,
        _: &[Header],
        body: &[u8],
    ) -> Result<Answer, Failure> {
        let mode = self.plan.at("response", 0);
        let body = if self.plan.mode == "remember" { remembering(body) } else { body.to_vec() };
        let honest = Answer { body, content_type: None, usage: None, losses: Vec::new() };
        Ok(lies::answer(mode.unwrap_or_default(), honest))
    }

    fn map_error(&self, status: u16, headers: &[Header], _body: &[u8]) -> Failure {
        let mode = self.plan.at("error", 0);
        lies::failure(mode.unwrap_or_default(), failure::from_status(status, headers))
    }

    fn open_stream(&self, _: &Route, _: Operation, _: &[Header]) -> Result<Stream, Failure> {
        self.plan.at("open", 0);
        Ok(Stream {
            plan: self.plan.clone(),
            pushes: Cell::new(0),
            splitter: Splitter::default(),
            ended: false,
        })
    }
}

struct Stream {
    plan: Plan,
    pushes: Cell<u64>,
    splitter: Splitter,
    ended: bool,
}

impl StreamTranslator for Stream {
    fn push(&mut self, bytes: &[u8]) -> Result<Step, Failure> {
        let mode = self.plan.at("push", self.pushes.replace(self.pushes.get() + 1));
        let mut step = Step::default();
        let ended = &mut self.ended;
        self.splitter.push(bytes, |event| {
            if event.data == b"[DONE]" {
                *ended = true;
                step.ending = Some(Ending::Complete);
            } else if !*ended {
                step.chunks.extend_from_slice(event.data);
                step.chunks.push(b'\n');
            }
            Ok(())
        })?;
        Ok(lies::step(mode.unwrap_or_default(), step))
    }

    fn finish(&mut self) -> Result<Step, Failure> {
        let mode = self.plan.at("finish", 0);
        Ok(lies::step(mode.unwrap_or_default(), Step::default()))
    }
}

/// The answer with a count of the exchanges this instance has seen.
fn remembering(body: &[u8]) -> Vec<u8> {
    let mut answer: Value = serde_json::from_slice(body).unwrap_or_default();
    let seen = EXCHANGES.load(Ordering::Relaxed);
    answer["system_fingerprint"] = format!("exchange {seen} of this instance").into();
    answer.to_string().into_bytes()
}

fn evil_passage() -> Passage {
    Passage {
        dialect: "openai-chat".to_owned(),
        path: "//evil.example/v1".to_owned(),
        stream_path: "/v1".to_owned(),
        headers: Vec::new(),
        credential: Credential::Bearer,
    }
}

fn log(message: &str) {
    host::log(host::Level::Error, message);
}

plugin_sdk::register_adapter!(Hostile);
