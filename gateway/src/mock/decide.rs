//! From a request to what is sent back, without any network.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use hyper::http::request::Parts;
use serde_json::Value;

use super::fault::Fault;
use super::operations::{self, Asked};
use super::prompt::Prompt;
use super::record::Served;
use super::reply::{self, Stamp};
use super::route::{self, Wanted};
use super::script::{self, Step};
use super::settings::{Knobs, Settings, bare};
use super::vendor::{Complaint, Memory, Target, Vendor};

/// What happens to one request.
pub(super) enum Verdict {
    Answer(Answer),
    /// It is never answered.
    Hang,
    /// The connection closes.
    Close,
}

/// A response, its body still to be played.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) steps: Vec<Step>,
    /// The length the head announces; absent for streams.
    pub(super) length: Option<usize>,
    /// What it takes, where it is a model's.
    pub(super) served: Served,
}

/// What lives as long as the mock.
pub(super) struct Desk {
    settings: Settings,
    memory: Memory,
    serial: AtomicU64,
}

/// One request on its way to an answer.
struct Case<'a> {
    desk: &'a Desk,
    vendor: &'static dyn Vendor,
    head: &'a Parts,
    stamp: Stamp,
}

impl Desk {
    pub(super) fn new(settings: Settings) -> Self {
        Self { settings, memory: Memory::default(), serial: AtomicU64::new(1) }
    }

    /// `body` is absent when it was too large. `now` is Unix time in seconds.
    pub(super) fn decide(&self, head: &Parts, body: Option<&Bytes>, now: u64) -> Verdict {
        let query = head.uri.query().unwrap_or_default();
        let route = route::of(&head.method, head.uri.path(), query, &head.headers);
        let serial = self.serial.fetch_add(1, Ordering::Relaxed);
        let case = Case { desk: self, vendor: route.vendor, head, stamp: Stamp { serial, created: now } };
        let verdict = match body {
            Some(body) => case.verdict(route.wanted, body, query),
            None => Err(Complaint::new(413, "Request exceeds the maximum size")),
        };
        verdict.unwrap_or_else(|complaint| case.refusal(&complaint))
    }

    /// Every so many requests fail, evenly spread.
    fn fails(&self, serial: u64) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "no mock lives for 2^52 requests")]
        let failed = |count: u64| (count as f64 * self.settings.error_rate).floor();
        failed(serial) > failed(serial.saturating_sub(1))
    }
}

impl Case<'_> {
    fn verdict(&self, wanted: Wanted, body: &Bytes, query: &str) -> Result<Verdict, Complaint> {
        self.authenticate(query)?;
        let (target, counted) = match wanted {
            Wanted::Answer(target) => (target, false),
            Wanted::Count(target) => (target, true),
            Wanted::Other(asked, target) => return self.other(asked, &target, body),
            Wanted::Models => return self.plain(self.vendor.models().compact()),
            Wanted::Model(name) => {
                let name = name.trim_start_matches("models/");
                self.known(name)?;
                return self.plain(self.vendor.one_model(name).compact());
            }
            Wanted::Nothing => {
                return Err(Complaint::new(404, format!("Unknown path: {}", self.head.uri.path())));
            }
            Wanted::OtherMethod => {
                return Err(Complaint::new(405, format!("Method {} is not allowed here", self.head.method)));
            }
        };
        let json: Value =
            serde_json::from_slice(body).map_err(|error| self.vendor.not_json(&error.to_string()))?;
        if counted {
            return self.count(&json, &target);
        }
        let model = if target.model.is_empty() {
            self.vendor.model(&json).unwrap_or_default()
        } else {
            target.model.clone()
        };
        let knobs = self.knobs(&model)?;
        if let Some(verdict) = self.early(&knobs)? {
            return Ok(verdict);
        }
        self.known(&model)?;
        if self.desk.settings.strict {
            self.vendor.check(&self.head.headers, &json, &model)?;
        }
        let prompt = self.vendor.read(&json, &target, &self.desk.memory);
        Ok(Verdict::Answer(self.answer(&prompt, &knobs)))
    }

    fn authenticate(&self, query: &str) -> Result<(), Complaint> {
        let settings = &self.desk.settings;
        let key = self.vendor.key(&self.head.headers, query);
        let right = match (&settings.key, &key) {
            (Some(wanted), Some(key)) => wanted.expose() == key,
            (Some(_), None) => false,
            (None, key) => key.is_some() || !settings.require_key,
        };
        if right { Ok(()) } else { Err(self.vendor.wrong_key(key.as_deref())) }
    }

    fn knobs(&self, model: &str) -> Result<Knobs, Complaint> {
        Knobs::of(&self.desk.settings, &self.head.headers, model).map_err(Complaint::invalid)
    }

    /// Names that begin with `unknown` are not known; all others are.
    fn known(&self, model: &str) -> Result<(), Complaint> {
        let name = bare(model);
        if name.starts_with("unknown") { Err(self.vendor.unknown_model(name)) } else { Ok(()) }
    }

    /// Faults that strike before the request is looked at.
    fn early(&self, knobs: &Knobs) -> Result<Option<Verdict>, Complaint> {
        let answer = |content_type, text: &'static str| {
            let mut answer = self.whole(200, content_type, Vec::new());
            answer.length = Some(text.len());
            answer.steps = vec![Step::Send(Bytes::from_static(text.as_bytes()))];
            Ok(Some(Verdict::Answer(answer)))
        };
        if self.desk.fails(self.stamp.serial) {
            return Err(Complaint::on_purpose(500));
        }
        match knobs.fault {
            Some(Fault::Status(status)) => Err(Complaint::on_purpose(status)),
            Some(Fault::Hang) => Ok(Some(Verdict::Hang)),
            Some(Fault::Close) => Ok(Some(Verdict::Close)),
            Some(Fault::Garbage) => {
                answer("application/json", "{\"id\": \"mock\", \"choices\": [{\"index\": 0, \"mess")
            }
            Some(Fault::Html) => answer(
                "text/html; charset=utf-8",
                "<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>\n",
            ),
            Some(Fault::Blank) => answer("application/json", ""),
            _ => Ok(None),
        }
    }

    fn answer(&self, prompt: &Prompt, knobs: &Knobs) -> Answer {
        let reply = reply::to(prompt, knobs, self.vendor.variable(), self.stamp);
        let content_type = self.vendor.content_type(Some(prompt));
        let on_purpose =
            Complaint::on_purpose(if self.vendor.variable() == "ANTHROPIC_API_KEY" { 529 } else { 503 });
        if prompt.stream {
            let first = knobs.fault == Some(Fault::ErrorEvent(0));
            let error = self.vendor.error_frame(&on_purpose, prompt, first);
            let mut headers = self.vendor.headers(self.stamp.serial, self.stamp.created);
            headers.push(("cache-control", "no-cache".to_owned()));
            let stream = script::Stream { events: self.vendor.stream(prompt, &reply), error };
            let served = served(prompt, &reply, stream.events.len());
            return Answer {
                status: 200,
                content_type,
                headers,
                steps: script::stream(stream, knobs),
                length: None,
                served,
            };
        }
        if let Some(Fault::ErrorEvent(_)) = knobs.fault {
            // Some vendors answer 200 and put the error into the body.
            return self.whole(200, content_type, self.vendor.error(&on_purpose, self.stamp.serial));
        }
        let body = self.vendor.whole(prompt, &reply);
        let mut answer = self.whole(200, content_type, Vec::new());
        answer.length = Some(body.len());
        answer.steps = script::whole(body, knobs, reply.pieces.len());
        answer.served = served(prompt, &reply, 1);
        answer
    }

    /// Everything beyond chat: the same faults as far as they make sense there, and large bodies in pieces.
    fn other(&self, asked: Asked, target: &Target, body: &Bytes) -> Result<Verdict, Complaint> {
        let content_type = self.head.headers.get("content-type").and_then(|value| value.to_str().ok());
        let fields = operations::fields(content_type.unwrap_or_default(), body)?;
        let named = self.vendor.model(&fields).unwrap_or_default();
        let model = if target.model.is_empty() { named } else { target.model.clone() };
        let knobs = self.knobs(&model)?;
        if let Some(verdict) = self.early(&knobs)? {
            return Ok(verdict);
        }
        self.known(&model)?;
        let made = operations::answer(asked, &fields, self.stamp.created)?;
        let mut answer = self.whole(200, made.content_type, Vec::new());
        answer.length = Some(made.body.len());
        answer.steps = script::whole(made.body.into(), &knobs, 1);
        Ok(Verdict::Answer(answer))
    }

    fn count(&self, json: &Value, target: &Target) -> Result<Verdict, Complaint> {
        let model = if target.model.is_empty() {
            self.vendor.model(json).unwrap_or_default()
        } else {
            target.model.clone()
        };
        self.known(&model)?;
        let inner = json.get("generateContentRequest").unwrap_or(json);
        let prompt = self.vendor.read(inner, target, &Memory::default());
        self.plain(self.vendor.count(prompt.tokens()).compact())
    }

    fn plain(&self, body: Vec<u8>) -> Result<Verdict, Complaint> {
        if let Some(verdict) = self.early(&self.knobs("")?)? {
            return Ok(verdict);
        }
        Ok(Verdict::Answer(self.whole(200, self.vendor.content_type(None), body)))
    }

    fn refusal(&self, complaint: &Complaint) -> Verdict {
        let body = self.vendor.error(complaint, self.stamp.serial);
        let mut answer = self.whole(complaint.status, self.vendor.content_type(None), body);
        answer.headers.extend(self.vendor.error_headers(complaint));
        Verdict::Answer(answer)
    }

    fn whole(&self, status: u16, content_type: &'static str, body: Vec<u8>) -> Answer {
        Answer {
            status,
            content_type,
            headers: self.vendor.headers(self.stamp.serial, self.stamp.created),
            length: Some(body.len()),
            steps: vec![Step::Send(body.into())],
            served: Served { status, ..Served::default() },
        }
    }
}

/// What an answer takes, whether it says so or not.
fn served(prompt: &Prompt, reply: &reply::Reply, pieces: usize) -> Served {
    Served {
        label: prompt.said.split_whitespace().next().unwrap_or_default().to_owned(),
        status: 200,
        input: reply.took.input,
        output: reply.took.output,
        told: reply.tokens.is_some(),
        pieces: u64::try_from(pieces).unwrap_or(u64::MAX),
        ..Served::default()
    }
}
