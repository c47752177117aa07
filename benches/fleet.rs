//! A simulated fleet: how soon first tokens come when one of five targets degrades, by strategy, with and without hedging.
//!
//! Plans, what is known of targets, hedging's wait and its budget are the gateway's own; time is simulated, so that
//! half an hour passes in a second and a run is the same each time. The network, the adapters and the two attempts
//! side by side are not in here: `tests/it/hedge.rs` runs those.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use causeway::config;
use causeway::domain::{Asks, Envelope, Operation, RequestHead, VirtualKey};
use causeway::error::{GatewayError, Kind};
use causeway::route::{Clues, Facts, Fleet, Plan, Question, Running, Table, Turns};
use causeway::state;

/// Simulated microseconds.
type Micros = u64;
const SECOND: Micros = 1_000_000;

/// How long clients ask, and how often.
const LENGTH: Micros = 1800 * SECOND;
const PER_SECOND: f64 = 20.0;

/// When the third target is five times as slow, and one in twenty of its requests fails.
const DEGRADED: std::ops::Range<Micros> = 600 * SECOND..1200 * SECOND;
const SLOWER: f64 = 5.0;
const FAILING: f64 = 0.05;

/// How a target's first tokens are distributed: lognormal, and some take much longer.
struct Shape {
    name: &'static str,
    /// Milliseconds.
    median: f64,
    sigma: f64,
    /// Share of stragglers, and how much slower they are.
    tail: (f64, f64),
}

const SHAPES: [Shape; 5] = [
    Shape { name: "north", median: 350.0, sigma: 0.35, tail: (0.02, 6.0) },
    Shape { name: "east", median: 420.0, sigma: 0.45, tail: (0.02, 6.0) },
    Shape { name: "south", median: 300.0, sigma: 0.30, tail: (0.02, 8.0) },
    Shape { name: "west", median: 600.0, sigma: 0.50, tail: (0.01, 5.0) },
    Shape { name: "centre", median: 500.0, sigma: 0.60, tail: (0.01, 5.0) },
];
const THE_ONE_THAT_DEGRADES: usize = 2;

/// What an attempt at a target comes to: the same in every run.
enum Fate {
    Answers { first: Micros, lasts: Micros },
    Fails { after: Micros },
}

fn fate(request: usize, target: usize, now: Micros) -> Fate {
    let shape = &SHAPES[target];
    let mut random = fastrand::Rng::with_seed((request as u64) << 8 | target as u64);
    let degraded = target == THE_ONE_THAT_DEGRADES && DEGRADED.contains(&now);
    let normal = normal(&mut random);
    let straggles = random.f64() < shape.tail.0;
    let fails = random.f64() < FAILING;
    let lasts = millis(3000.0 * (0.6 * self::normal(&mut random)).exp());
    if degraded && fails {
        return Fate::Fails { after: millis(random.f64() * 500.0) };
    }
    let mut first = shape.median * (shape.sigma * normal).exp();
    first *= if straggles { shape.tail.1 } else { 1.0 };
    first *= if degraded { SLOWER } else { 1.0 };
    Fate::Answers { first: millis(first), lasts }
}

/// Box and Muller.
fn normal(random: &mut fastrand::Rng) -> f64 {
    let (one, two) = (1.0 - random.f64(), random.f64());
    (-2.0 * one.ln()).sqrt() * (std::f64::consts::TAU * two).cos()
}

fn millis(millis: f64) -> Micros {
    (millis * 1000.0) as Micros
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Arrives(usize),
    /// The first attempt has not answered in its time.
    Overdue(usize),
    Answers {
        request: usize,
        attempt: usize,
    },
    Fails {
        request: usize,
        attempt: usize,
    },
    Ends {
        request: usize,
        attempt: usize,
    },
}

struct Attempt {
    step: usize,
    began: Micros,
    running: Option<Running>,
}

#[derive(Default)]
struct Request {
    plan: Option<Plan>,
    /// The step of the plan that is asked next.
    next: usize,
    attempts: Vec<Attempt>,
    /// Attempts under way.
    pending: usize,
    arrived: Micros,
    answered: bool,
}

/// What a run came to.
#[derive(Default)]
struct Outcome {
    /// Time to the first token, and whether the request came while a target was degraded.
    first_tokens: Vec<(Micros, bool)>,
    failed: usize,
    asked: usize,
    hedges: usize,
}

struct Run {
    table: Table,
    fleet: Fleet,
    key: VirtualKey,
    head: RequestHead,
    asks: Box<Asks>,
    seed: fastrand::Rng,
    epoch: Instant,
    now: Micros,
    events: BinaryHeap<Reverse<(Micros, u64, Event)>>,
    scheduled: u64,
    requests: Vec<Request>,
    outcome: Outcome,
}

impl Run {
    fn new(strategy: &str, hedge: &str) -> Self {
        let names = SHAPES.iter().map(|shape| shape.name);
        let provider = |name| {
            format!("[providers.{name}]\nplugin = \"openai\"\nurl = \"http://127.0.0.1:1\"\nkeys = [\"x\"]\n")
        };
        let mut text: String = names.clone().map(provider).collect();
        let targets: Vec<_> = names.map(|name| format!("{name}/m")).collect();
        text.push_str(&format!("[models.m]\ntargets = {targets:?}\nbalance = \"{strategy}\"\n{hedge}\n"));
        let configured = config::parse(&text, "fleet.toml", &[], &|_| None).expect("a configuration").config;
        let envelope = Envelope::whole(bytes::Bytes::new(), "m".to_owned(), None);
        let asks = Asks::of(&envelope, Operation::Chat);
        Self {
            table: state::routes_alone(&configured),
            fleet: Fleet::default(),
            key: VirtualKey::named("k"),
            head: RequestHead {
                method: http::Method::POST,
                path: "/v1/chat/completions".to_owned(),
                query: None,
                headers: http::HeaderMap::new(),
            },
            asks: Box::new(asks),
            seed: fastrand::Rng::with_seed(1),
            epoch: Instant::now(),
            now: 0,
            events: BinaryHeap::new(),
            scheduled: 0,
            requests: Vec::new(),
            outcome: Outcome::default(),
        }
    }

    /// The simulated moment, as the gateway counts time.
    fn moment(&self) -> Instant {
        self.epoch + Duration::from_micros(self.now)
    }

    fn schedule(&mut self, after: Micros, event: Event) {
        self.scheduled += 1;
        self.events.push(Reverse((self.now + after, self.scheduled, event)));
    }

    /// Lives through all of it.
    fn live(mut self) -> Outcome {
        let mut random = fastrand::Rng::with_seed(2);
        let mut arrives = 0.0;
        while arrives < LENGTH as f64 {
            let request = self.requests.len();
            self.requests.push(Request { arrived: arrives as Micros, ..Request::default() });
            self.schedule(arrives as Micros, Event::Arrives(request));
            arrives += -(1.0 - random.f64()).ln() / PER_SECOND * SECOND as f64;
        }
        while let Some(Reverse((at, _, event))) = self.events.pop() {
            self.now = at;
            match event {
                Event::Arrives(request) => self.arrives(request),
                Event::Overdue(request) => self.overdue(request),
                Event::Answers { request, attempt } => self.answers(request, attempt),
                Event::Fails { request, attempt } => self.fails(request, attempt),
                Event::Ends { request, attempt } => {
                    let now = self.moment();
                    if let Some(running) = self.requests[request].attempts[attempt].running.take() {
                        running.ended(None, now);
                    }
                }
            }
        }
        self.outcome
    }

    fn arrives(&mut self, request: usize) {
        let (now, clues) = (self.moment(), Clues::default());
        let facts = Facts { asks: &self.asks, dialect: "openai-chat", session: None, now: 0 };
        let (key, head, seed) = (&self.key, &self.head, self.seed.u64(..));
        let question = Question { key, asked: "m", head, now, clues, facts, wishes: None, seed };
        let plan = self.table.plan(&question, &self.fleet, Turns::Taken).expect("a plan");
        let patience = plan.model.hedge.as_ref().and_then(|hedge| {
            self.fleet.hedges(&plan.model.name).earn(hedge.share);
            hedge.patience(&plan.steps[0].state)
        });
        self.requests[request].plan = Some(plan);
        self.ask(request);
        if let Some(patience) = patience {
            self.schedule(patience.as_micros() as Micros, Event::Overdue(request));
        }
    }

    /// The next step of the plan that lets a request in is asked; false: there is none.
    fn ask(&mut self, request: usize) -> bool {
        let (now, moment) = (self.now, self.moment());
        loop {
            let state = &mut self.requests[request];
            let attempt = state.attempts.len();
            let plan = state.plan.as_ref().expect("it has arrived");
            let Some(step) = plan.steps.get(state.next).filter(|_| attempt < 3) else { return false };
            state.next += 1;
            let Ok(running) = step.state.begin(&plan.model.care, step.entry, moment) else { continue };
            let target = SHAPES.iter().position(|shape| shape.name == step.provider.as_ref());
            state.attempts.push(Attempt { step: state.next - 1, began: now, running: Some(running) });
            state.pending += 1;
            self.outcome.asked += 1;
            match fate(request, target.expect("one of them"), now) {
                Fate::Answers { first, lasts } => {
                    self.schedule(first, Event::Answers { request, attempt });
                    self.schedule(first + lasts, Event::Ends { request, attempt });
                }
                Fate::Fails { after } => self.schedule(after, Event::Fails { request, attempt }),
            }
            return true;
        }
    }

    fn overdue(&mut self, request: usize) {
        let state = &self.requests[request];
        // Answered, failed already, or tried elsewhere for that.
        if state.answered || state.attempts.len() != 1 || state.pending == 0 {
            return;
        }
        if self.fleet.hedges(&Arc::from("m")).spend() && self.ask(request) {
            self.outcome.hedges += 1;
        }
    }

    fn answers(&mut self, request: usize, attempt: usize) {
        let (now, moment) = (self.now, self.moment());
        let state = &mut self.requests[request];
        // It was cancelled.
        if state.answered {
            return;
        }
        state.answered = true;
        let took = now - state.arrived;
        self.outcome.first_tokens.push((took, DEGRADED.contains(&state.arrived)));
        let plan = state.plan.as_ref().expect("it has arrived");
        for (at, other) in state.attempts.iter_mut().enumerate() {
            let took = Duration::from_micros(now - other.began);
            if at == attempt {
                if let Some(running) = &other.running {
                    running.answered(took, moment);
                }
            } else if other.running.take().is_some() {
                plan.steps[other.step].state.outlasted(took, moment);
            }
        }
    }

    fn fails(&mut self, request: usize, attempt: usize) {
        let moment = self.moment();
        let state = &mut self.requests[request];
        let Some(running) = state.attempts[attempt].running.take() else { return };
        let error = GatewayError::upstream(Kind::Provider, "the provider failed");
        running.failed(&error, moment);
        state.pending -= 1;
        if state.answered || state.pending > 0 {
            return;
        }
        if !self.ask(request) {
            self.outcome.failed += 1;
        }
    }
}

fn percentile(sorted: &[Micros], percent: f64) -> f64 {
    let rank = (sorted.len() as f64 * percent / 100.0).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1] as f64 / 1000.0
}

fn main() {
    const HEDGE: &str = "hedge = { after = \"p95\", share = 0.05 }";
    let runs = [
        ("weighted", Run::new("weighted", "")),
        ("weighted + hedging", Run::new("weighted", HEDGE)),
        ("least-latency", Run::new("least-latency", "")),
        ("least-latency + hedging", Run::new("least-latency", HEDGE)),
    ];
    println!("First tokens of 5 targets, one of them degraded for a third of the time (ms):\n");
    println!("| | p50 | p99 | p99 while degraded | failed | hedges | extra requests upstream |");
    println!("|---|---|---|---|---|---|---|");
    let mut p99s = Vec::new();
    for (name, run) in runs {
        let outcome = run.live();
        let sorted = |only: bool| {
            let chosen = outcome.first_tokens.iter().filter(|(_, degraded)| !only || *degraded);
            let mut sorted: Vec<_> = chosen.map(|(took, _)| *took).collect();
            sorted.sort_unstable();
            sorted
        };
        let (all, degraded) = (sorted(false), sorted(true));
        let requests = (all.len() + outcome.failed) as f64;
        let (p99, worse) = (percentile(&all, 99.0), percentile(&degraded, 99.0));
        println!(
            "| {name} | {:.0} | {p99:.0} | {worse:.0} | {} | {:.1} % | {:.1} % |",
            percentile(&all, 50.0),
            outcome.failed,
            outcome.hedges as f64 / requests * 100.0,
            (outcome.asked as f64 / requests - 1.0) * 100.0
        );
        p99s.push((p99, worse));
    }
    if let (Some(plain), Some(best)) = (p99s.first(), p99s.last()) {
        println!(
            "\np99 of plain weighted to least-latency + hedging: {:.1} : 1, while degraded {:.1} : 1",
            plain.0 / best.0,
            plain.1 / best.1
        );
    }
}
