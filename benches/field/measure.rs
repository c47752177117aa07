//! One peer in one round: started, asked in every way, ended.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use causeway::bench::process::{self, Cpu};
use causeway::bench::{Api, Held, Load, Outcome, Pattern, Question, Request};

use crate::children::Child;
use crate::peers::{KEY, Peer, Road};
use crate::priority;
use crate::record::Row;
use crate::scenario::{Pair, Scenario, Wanted};

/// Text pieces of every stream.
pub(crate) const CHUNKS: u64 = 64;
/// A request as agents' first ones are.
const USUAL: usize = 600;
/// After its start and before a look at its memory.
const SETTLE: Duration = Duration::from_secs(1);

type Figures = BTreeMap<String, f64>;

/// The provider behind all peers, and how they are measured.
pub(crate) struct Field {
    provider: Child,
    port: u16,
    pub(crate) seconds: f64,
    pub(crate) wanted: Wanted,
    pub(crate) realtime: bool,
}

/// A peer that runs.
struct Running<'a> {
    peer: &'a Peer,
    /// Ended with this.
    child: Option<Child>,
    /// From its start to its first answer.
    took: Duration,
}

impl Running<'_> {
    fn process(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id).or(self.peer.process)
    }
}

impl Field {
    /// Starts the provider.
    pub(crate) fn start(binaries: &Path, work: &Path, port: u16) -> Result<Self, String> {
        let folder = work.join("upstream");
        std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Err(format!("port {port} is taken; `--port` names another range of fifty"));
        }
        let command = format!("{} 127.0.0.1:{port}", binaries.join("upstream").display());
        let provider = Child::start(&command, &BTreeMap::new(), &folder)?;
        let field = Self { provider, port, seconds: 5.0, wanted: Wanted::default(), realtime: false };
        let deadline = Instant::now() + Duration::from_secs(10);
        while field.knobs(0).is_err() {
            if Instant::now() > deadline {
                return Err("the provider does not listen".to_owned());
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(field)
    }

    /// Sets the milliseconds between two pieces of a stream.
    fn knobs(&self, gap: u64) -> Result<(), String> {
        let ask = || {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
            let line = format!("POST /knobs?chunks={CHUNKS}&gap={gap} HTTP/1.1");
            write!(stream, "{line}\r\nhost: provider\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        let answer = ask().map_err(|error: std::io::Error| error.to_string())?;
        if answer.starts_with("HTTP/1.1 200") { Ok(()) } else { Err(answer) }
    }

    /// A start and an answer that nobody measures: what is compiled once is compiled now.
    pub(crate) fn rehearse(&self, peer: &Peer) -> Result<(), String> {
        self.run(peer).map(|_| ())
    }

    /// Everything that is wanted of a peer.
    pub(crate) fn measure(&self, peer: &Peer, round: usize) -> Vec<Row> {
        let mut rows = Vec::new();
        let row = |scenario: &str, found: Result<(Figures, Option<Outcome>), String>| {
            let (peer, scenario) = (peer.name.clone(), scenario.to_owned());
            match found {
                Ok((figures, outcome)) => Row { round, peer, scenario, figures, fault: None, outcome },
                Err(fault) => Row { round, peer, scenario, fault: Some(fault), ..Row::default() },
            }
        };
        let (held, others): (Vec<_>, Vec<_>) =
            self.scenarios(peer).into_iter().partition(|(_, scenario)| matches!(scenario, Scenario::Held(_)));
        match self.run(peer) {
            Err(fault) => return vec![row("start", Err(fault))],
            Ok(running) => {
                if running.process().is_some() {
                    rows.push(row("start", Ok((at_start(&running), None))));
                }
                let mut warmed = None;
                for (pair, scenario) in others {
                    if warmed != Some(pair) {
                        self.warm(peer, pair);
                        warmed = Some(pair);
                    }
                    let found = self.load(&running, pair, scenario);
                    rows.push(row(
                        &format!("{pair}.{scenario}"),
                        found.map(|(figures, outcome)| (figures, Some(outcome))),
                    ));
                }
            }
        }
        for (pair, scenario) in held {
            let found = self.run(peer).and_then(|running| self.hold(&running, pair, scenario));
            rows.push(row(&format!("{pair}.{scenario}"), found.map(|figures| (figures, None))));
        }
        rows
    }

    fn scenarios(&self, peer: &Peer) -> Vec<(Pair, Scenario)> {
        let only = Wanted(peer.only.clone());
        let wished = |pair, scenario: Scenario| {
            road(peer, pair).is_some_and(|road| road.stream || !scenario.streams())
                && scenario.suits(pair, peer.slow)
                // Its memory must be seen.
                && (!matches!(scenario, Scenario::Held(_)) || peer.command.is_some() || peer.process.is_some())
                && self.wanted.takes(pair, scenario)
                && only.takes(pair, scenario)
        };
        let pairs = [Pair::Pass, Pair::Translated].into_iter();
        let all = pairs.flat_map(|pair| Scenario::ALL.map(|scenario| (pair, scenario)));
        all.filter(|(pair, scenario)| wished(*pair, *scenario)).collect()
    }

    /// Starts a peer and waits for its first answer.
    fn run<'a>(&self, peer: &'a Peer) -> Result<Running<'a>, String> {
        self.knobs(0)?;
        let pair = if peer.pass.is_some() { Pair::Pass } else { Pair::Translated };
        let request = request(peer, pair, false, USUAL)?;
        peer.lay_out()?;
        if peer.command.is_some() && request.ask().is_ok() {
            return Err(format!("somebody else answers at {}", peer.url));
        }
        let began = Instant::now();
        let command = peer.command.as_ref();
        let mut child =
            command.map(|command| Child::start(command, &peer.environment, &peer.folder)).transpose()?;
        let deadline = began + Duration::from_secs_f64(peer.ready);
        loop {
            let said = match request.ask() {
                Ok((200, _)) => return Ok(Running { peer, child, took: began.elapsed() }),
                Ok((status, body)) => format!("status {status}: {}", String::from_utf8_lossy(&body)),
                Err(error) => error.to_string(),
            };
            if child.as_mut().is_some_and(Child::has_ended) {
                return Err(format!(
                    "it ended at its start; see {}",
                    peer.folder.join("output.log").display()
                ));
            }
            if Instant::now() > deadline {
                return Err(format!("no answer within {} s: {said}", peer.ready));
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Code and connections are warm after it; what goes wrong in it goes wrong again where it is told.
    fn warm(&self, peer: &Peer, pair: Pair) {
        let duration = Duration::from_secs_f64((self.seconds / 5.0).min(1.0));
        if let Ok(request) = request(peer, pair, false, USUAL) {
            let load = Load { request, pattern: Pattern::Saturate, connections: 16, duration, stream: false };
            let _ = load.run();
        }
    }

    fn load(
        &self,
        running: &Running<'_>,
        pair: Pair,
        scenario: Scenario,
    ) -> Result<(Figures, Outcome), String> {
        let peer = running.peer;
        let bytes = if let Scenario::Body(bytes) = scenario { bytes } else { USUAL };
        let (pattern, connections) = match scenario {
            Scenario::Rate(rate) => (Pattern::Rate(f64::from(rate)), if rate > 200 { 32 } else { 16 }),
            Scenario::Paced if peer.slow => (Pattern::Saturate, 16),
            Scenario::Burst => (Pattern::Saturate, 32),
            Scenario::Body(_) => (Pattern::Saturate, 8),
            _ => (Pattern::Saturate, 64),
        };
        let load = Load {
            request: request(peer, pair, scenario.streams(), bytes)?,
            pattern,
            connections,
            // There are many sizes.
            duration: Duration::from_secs_f64(if bytes == USUAL { self.seconds } else { self.seconds / 2.0 }),
            stream: scenario.streams(),
        };
        self.knobs(if scenario == Scenario::Paced { 10 } else { 0 })?;
        let (own, provider) = (running.process(), self.provider.id());
        let _raised = (self.realtime && matches!(scenario, Scenario::Rate(_) | Scenario::Paced))
            .then(|| priority::Raised::new(own.into_iter().chain([provider])));
        let cpu = || (own.map(process::cpu), process::cpu(provider));
        let before = cpu();
        let outcome = load.run()?;
        let after = cpu();
        comparable(&outcome, scenario.streams())?;
        // Without a gateway the provider's own share is what is told.
        let direct = peer.command.is_none() && peer.process.is_none();
        let taken = if direct { Some(after.1 - before.1) } else { after.0.zip(before.0).map(|(a, b)| a - b) };
        let mut figures = figures(&outcome, taken, after.1 - before.1);
        if let (Scenario::Saturate, Some(own)) = (scenario, own) {
            figures.insert("after_bytes".to_owned(), process::memory(own) as f64);
        }
        Ok((figures, outcome))
    }

    /// What open streams take.
    fn hold(&self, running: &Running<'_>, pair: Pair, scenario: Scenario) -> Result<Figures, String> {
        let Scenario::Held(streams) = scenario else { return Err("nothing is held".to_owned()) };
        let process = running.process().ok_or("its memory cannot be seen")?;
        // A chunk now and then for each, and not more than a thousand a second.
        self.knobs((streams as u64).max(1000))?;
        thread::sleep(SETTLE);
        let before = process::memory(process);
        let most = streams.min(priority::most_streams());
        let held = Held::open(&request(running.peer, pair, true, USUAL)?, most)?;
        thread::sleep(SETTLE);
        let each = process::memory(process).saturating_sub(before) as f64 / held.count() as f64;
        // Where open files do not allow all of them, what the others would take is reckoned.
        let all = before as f64 + each * streams as f64;
        let figures = [("bytes", all), ("bytes_each", each), ("streams", held.count() as f64)];
        Ok(figures.map(|(name, value)| (name.to_owned(), value)).into())
    }
}

fn at_start(running: &Running<'_>) -> Figures {
    let Some(process) = running.process() else { return Figures::new() };
    thread::sleep(SETTLE);
    let mut figures = vec![("idle_bytes", process::memory(process) as f64)];
    if running.child.is_some() {
        figures.push(("milliseconds", running.took.as_secs_f64() * 1000.0));
    }
    figures.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn road(peer: &Peer, pair: Pair) -> Option<&Road> {
    if pair == Pair::Pass { peer.pass.as_ref() } else { peer.translated.as_ref() }
}

fn request(peer: &Peer, pair: Pair, stream: bool, bytes: usize) -> Result<Request, String> {
    let road = road(peer, pair).ok_or("there is no such road")?;
    let api = Api::OpenAi;
    let mut headers = api.headers(KEY);
    headers.extend(road.headers.clone());
    let question = Question { api, model: road.model(pair == Pair::Translated), stream, bytes };
    Request::post(&format!("{}{}", peer.url, road.path), &headers, &question.body())
}

/// Errors are no figures, and neither is a stream that lost something.
fn comparable(outcome: &Outcome, stream: bool) -> Result<(), String> {
    let errors = &outcome.errors;
    if errors.count > 0 {
        let first = errors.first.as_deref().unwrap_or_default();
        let asked = errors.count + outcome.answered;
        return Err(format!("{} errors in {asked} requests, first: {first}", errors.count));
    }
    if outcome.answered == 0 {
        return Err("nothing was answered".to_owned());
    }
    let wanted = CHUNKS * outcome.answered;
    if stream && outcome.marked != wanted {
        return Err(format!("{} pieces of text came, and not {wanted}", outcome.marked));
    }
    Ok(())
}

fn figures(outcome: &Outcome, taken: Option<Cpu>, provider: Cpu) -> Figures {
    let count = if outcome.marked > 0 { outcome.marked } else { outcome.answered } as f64;
    let mut figures = vec![
        ("per_second", count / outcome.seconds),
        ("p50_us", outcome.latency.p50),
        ("p99_us", outcome.latency.p99),
        ("p999_us", outcome.latency.p999),
        ("upstream_us", provider.sum() * 1e6 / count),
    ];
    if let Some(cpu) = taken {
        figures.push(("cpu_us", cpu.sum() * 1e6 / count));
        figures.push(("user_share", if cpu.sum() > 0.0 { cpu.user / cpu.sum() } else { 0.0 }));
    }
    if outcome.marked > 0 {
        figures.extend([
            ("first_p50_us", outcome.first_event.p50),
            ("first_p99_us", outcome.first_event.p99),
            ("age_p50_us", outcome.age.p50),
            ("age_p99_us", outcome.age.p99),
        ]);
    }
    figures.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
