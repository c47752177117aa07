//! The matrix: every fault of a provider, to every client, whole and streamed, with and without another target behind it.
//!
//! Each case ends in time with a valid answer or a valid error of the client's own dialect; where the fault is not the
//! client's the other target answers; nothing is asked again once a byte was sent; and each attempt is recorded once.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::Semaphore;

use super::support::upstream;
use super::support::{Gateway, KEY, PATIENCE, Shape, provider, steady};

mod fault;
mod place;
mod tongue;

use fault::{Comes, FAULTS, Fault};
use place::Place;
use tongue::{Got, Tongue};

/// Cases that run at the same time.
const SIDE_BY_SIDE: usize = 64;

/// One fault to one client.
#[derive(Clone, Copy, Debug)]
struct Case {
    number: usize,
    fault: usize,
    tongue: Tongue,
    streamed: bool,
    /// Another target stands behind the faulty one.
    both: bool,
}

impl Case {
    /// Every one there is.
    fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for fault in 0..FAULTS.len() {
            for tongue in Tongue::ALL {
                for (streamed, both) in [(false, false), (false, true), (true, false), (true, true)] {
                    all.push(Self { number: all.len(), fault, tongue, streamed, both });
                }
            }
        }
        all
    }

    fn fault(&self) -> &'static Fault {
        &FAULTS[self.fault]
    }

    /// What the prompt says, so that providers know whose request it is.
    fn tag(&self) -> String {
        format!("case-{:05}.", self.number)
    }

    fn model(&self) -> String {
        format!("{}-{}", if self.both { "both" } else { "alone" }, self.fault)
    }

    fn shown(&self) -> String {
        let behind = if self.both { "with another target" } else { "alone" };
        let way = if self.streamed { "streamed" } else { "whole" };
        format!("{} to {:?}, {way}, {behind} ({})", self.fault().name, self.tongue, self.tag())
    }
}

/// What came of a case.
struct Outcome {
    got: Got,
    request_id: String,
}

/// A provider for each fault and a healthy one; each fault is a model alone, and one with the healthy target behind it.
fn configured(places: &[Place], healthy: &str) -> String {
    let mut text = format!("[keys.tests]\nsecret = \"{KEY}\"\n");
    for (number, place) in places.iter().enumerate() {
        text.push_str(&provider(&format!("f{number}"), Shape::OpenAi, &place.url()));
        text.push_str("error_triggers = [\"the backend is on holiday\"]\n");
        // Where nothing hangs, much is sent, and a busy machine may take its time.
        let hangs = FAULTS[number].comes == Comes::Error;
        let (connect, first, total) = if hangs { ("1s", "2s", "3s") } else { ("10s", "20s", "25s") };
        text.push_str(&format!(
            "timeouts = {{ connect = \"{connect}\", first_token = \"{first}\", idle = \"2s\", total = \"{total}\" }}\n"
        ));
        for (name, fallback) in [("alone", "[]"), ("both", "[\"healthy/mock\"]")] {
            text.push_str(&format!(
                "[models.{name}-{number}]\ntargets = [\"f{number}/m\"]\nfallback = {fallback}\n\
                 retry = {{ attempts = 1 }}\n"
            ));
        }
    }
    // Each case finds the faulty provider as it was at first.
    steady(&text) + &provider("healthy", Shape::Anthropic, healthy)
}

/// Asks, and checks what one answer alone can show.
async fn run(gateway: &Gateway, case: Case) -> Outcome {
    let shown = case.shown();
    let (path, body) = case.tongue.asks(&case.model(), &case.tag(), case.streamed);
    let client = gateway.client().with_key();
    let asked = async { client.open("POST", &path, body.to_string().as_bytes()).await.rest().await };
    let reply = tokio::time::timeout(PATIENCE, asked).await.unwrap_or_else(|_| panic!("{shown}: no end"));
    let got = case.tongue.got(case.streamed, &reply, &shown);
    match (case.fault().comes.when(case.streamed), got) {
        (Comes::Either, _) | (Comes::Answer, Got::Answer) => {}
        (Comes::Error, Got::Error(status)) if !case.both => {
            // OpenAI says 400 for a model that is not there.
            assert!(!refused(status) || reply.text().contains("model_not_found"), "{shown}: {got:?}");
        }
        (Comes::Error, Got::Answer) if case.both => {}
        (Comes::Refused, Got::Error(status)) => assert!(refused(status), "{shown}: {got:?}"),
        (Comes::Broken, Got::Broken) => {}
        // All of it may be read in one piece: then nothing was sent yet, and the next target could be asked.
        (Comes::Broken, Got::Answer) if case.both => {}
        (Comes::Broken, Got::Error(_)) if !case.both => {}
        _ => panic!("{shown}: {got:?} {}", reply.text()),
    }
    Outcome { got, request_id: reply.header("x-request-id").to_owned() }
}

/// The statuses that are the client's own.
fn refused(status: u16) -> bool {
    matches!(status, 400 | 413 | 422)
}

/// How often each case is named in what a provider got.
fn counted(requests: impl Iterator<Item = Vec<u8>>) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for request in requests {
        let text = String::from_utf8_lossy(&request);
        if let Some(at) = text.find("case-") {
            *counts.entry(text[at..at + 11].to_owned()).or_default() += 1;
        }
    }
    counts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_ends_in_an_answer_or_a_valid_error_and_is_counted_once() {
    let mut places = Vec::new();
    for fault in FAULTS {
        places.push(Place::of(fault).await);
    }
    let healthy = upstream::mock();
    let gateway = Arc::new(Gateway::start(&configured(&places, &upstream::url(&healthy))).await);
    let cases = Case::all();
    assert!(FAULTS.len() >= 40 && cases.len() >= 480);
    let turns = Arc::new(Semaphore::new(SIDE_BY_SIDE));
    let mut running = Vec::new();
    for case in cases {
        let (gateway, turns) = (Arc::clone(&gateway), Arc::clone(&turns));
        // A task of its own, so that all failures are seen at once.
        running.push((
            case,
            tokio::spawn(async move {
                let _turn = turns.acquire_owned().await.unwrap();
                run(&gateway, case).await
            }),
        ));
    }
    let (mut ended, mut failed) = (Vec::new(), Vec::new());
    for (case, task) in running {
        match task.await {
            Ok(outcome) => ended.push((case, outcome)),
            Err(_) => failed.push(case.shown()),
        }
    }
    assert!(failed.is_empty(), "{} of the cases: {failed:#?}", failed.len());
    gateway.until_metric("causeway_requests_total", &[], ended.len() as f64).await;
    gateway.until_metric("causeway_inflight", &[], 0.0).await;
    let asked: Vec<_> = places.iter().map(|place| place.requests().map(counted)).collect();
    let asked_behind = counted(healthy.requests().into_iter().map(|request| request.body.to_vec()));
    let lines = lines(&gateway);
    let wrong: Vec<_> = ended
        .iter()
        .filter_map(|(case, outcome)| {
            wrong(*case, outcome, asked[case.fault].as_ref(), &asked_behind, &lines)
        })
        .collect();
    assert!(wrong.is_empty(), "{} of the cases: {wrong:#?}", wrong.len());
    assert!(!gateway.lines().iter().any(|line| line.contains("panicked")));
}

/// The lines of all requests, by their id.
fn lines(gateway: &Gateway) -> HashMap<String, Vec<Value>> {
    let mut lines: HashMap<String, Vec<Value>> = HashMap::new();
    for line in gateway.log() {
        if let Some(id) = line["request_id"].as_str().filter(|_| line["attempts"].is_u64()) {
            lines.entry(id.to_owned()).or_default().push(line);
        }
    }
    lines
}

/// What is wrong with the counts of a case.
fn wrong(
    case: Case,
    outcome: &Outcome,
    asked: Option<&HashMap<String, usize>>,
    asked_behind: &HashMap<String, usize>,
    lines: &HashMap<String, Vec<Value>>,
) -> Option<String> {
    let behind = asked_behind.get(&case.tag()).copied().unwrap_or(0);
    let first = asked.map(|asked| asked.get(&case.tag()).copied().unwrap_or(0));
    let mut problems = Vec::new();
    if first.is_some_and(|first| first != 1) {
        problems.push(format!("the faulty provider got {first:?} requests"));
    }
    let another = match (case.fault().comes.when(case.streamed), outcome.got) {
        (Comes::Error, _) => Some(usize::from(case.both)),
        (Comes::Either | Comes::Broken, Got::Answer) => None,
        _ => Some(0),
    };
    if another.is_some_and(|another| another != behind) || behind > usize::from(case.both) {
        problems.push(format!("the healthy provider got {behind} requests"));
    }
    match lines.get(&outcome.request_id).map(Vec::as_slice) {
        Some([line]) if line["attempts"] == 1 + behind => {}
        lines => problems.push(format!("its lines in the log are {lines:?}")),
    }
    (!problems.is_empty()).then(|| format!("{}: {}", case.shown(), problems.join(", ")))
}
