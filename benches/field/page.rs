//! The page for users: figures side by side, what each step costs, how much a machine carries, and how it was measured.

use std::fmt::Write as _;

use crate::record::Record;
use crate::table::{self, short};
use crate::targets::Target;

/// Of a core, in the sizing guide: the rest is for peaks.
const BUSY: f64 = 0.6;

/// `docs/performance.md`; `picture` is where the plot stands, from there.
pub(crate) fn performance(record: &Record, targets: &[Target], picture: &str, raw: &str) -> String {
    let mut out = String::from("# Performance\n\n<!-- Written by `field --page`; do not edit. -->\n\n");
    let _ = writeln!(
        out,
        "Measured on {} on {}; commit {}, {}. Medians of {} rounds in one run in which all took turns; \
         [raw figures]({raw}). Your machine has other figures: ratios travel, microseconds do not.\n",
        record.date, record.machine, record.commit, record.compiler, record.rounds
    );
    table::unfit(&mut out, record);
    let _ = writeln!(out, "![gateways side by side]({picture})\n");
    summary(&mut out, record);
    steps(&mut out, record);
    sizing(&mut out, record);
    table::targets(&mut out, record, targets);
    method(&mut out, record);
    table::details(&mut out, record);
    out
}

/// A heading and where its figure is.
type Cell = (&'static str, &'static str, &'static str, f64);

const SUMMARY: [Cell; 10] = [
    ("CPU µs/request", "pass.saturate", "cpu_us", 1.0),
    ("translated", "translated.saturate", "cpu_us", 1.0),
    ("CPU µs/chunk, paced", "pass.paced", "cpu_us", 1.0),
    ("translated", "translated.paced", "cpu_us", 1.0),
    ("p50 µs at 200/s", "pass.rate-200", "p50_us", 1.0),
    ("at 2,000/s", "pass.rate-2000", "p50_us", 1.0),
    ("chunk age p50 µs", "pass.paced", "age_p50_us", 1.0),
    ("start ms", "start", "milliseconds", 1.0),
    ("idle MB", "start", "idle_bytes", 1e6),
    ("KB an open stream", "pass.held-1000", "bytes_each", 1e3),
];

fn summary(out: &mut String, record: &Record) {
    out.push_str("## Side by side\n\n| |");
    SUMMARY.iter().for_each(|(heading, ..)| out.push_str(&format!(" {heading} |")));
    let _ = writeln!(out, " what was on |\n|---|{}---|", "---:|".repeat(SUMMARY.len()));
    for peer in record.measured() {
        let cells = SUMMARY.iter().map(|(_, scenario, figure, scale)| {
            record.median(&peer.name, scenario, figure).map_or("–".to_owned(), |value| short(value / scale))
        });
        let cells: Vec<String> = cells.collect();
        let _ = writeln!(out, "| {} | {} | {} |", peer.name, cells.join(" | "), peer.on);
    }
    out.push('\n');
}

/// What each step adds, as the difference of two peers or scenarios.
fn steps(out: &mut String, record: &Record) {
    let cpu = |peer: &str, scenario: &str| record.median(peer, scenario, "cpu_us");
    let (request, paced) = ("pass.saturate", "pass.paced");
    let steps = [
        ("a request through bare Pingora", cpu("bare", request), Some(0.0)),
        (
            "key, limits, budget, prices, ledger, metrics, log, same dialect",
            cpu("causeway", request),
            cpu("bare", request),
        ),
        (
            "translation of request and answer in WASM",
            cpu("causeway", "translated.saturate"),
            cpu("causeway", request),
        ),
        (
            "an adapter instance of its own for the exchange",
            cpu("causeway-isolated", "translated.saturate"),
            cpu("causeway", "translated.saturate"),
        ),
        ("a paced chunk through bare Pingora", cpu("bare", paced), Some(0.0)),
        ("looking at each chunk, same dialect", cpu("causeway", paced), cpu("bare", paced)),
        ("translation of a chunk in WASM", cpu("causeway", "translated.paced"), cpu("causeway", paced)),
    ];
    let found: Vec<(&str, f64)> =
        steps.into_iter().filter_map(|(step, with, without)| Some((step, with? - without?))).collect();
    if found.is_empty() {
        return;
    }
    out.push_str("## What each step costs\n\n| step | CPU µs |\n|---|---:|\n");
    for (step, cost) in found {
        let _ = writeln!(out, "| {step} | {} |", short(cost));
    }
    out.push('\n');
}

fn sizing(out: &mut String, record: &Record) {
    let causeway = |scenario: &str, figure: &str| record.median("causeway", scenario, figure);
    let Some(request) = causeway("pass.saturate", "cpu_us") else { return };
    let a_second = |micros: f64| short((BUSY * 1e6 / micros / 10.0).floor() * 10.0);
    let _ = writeln!(
        out,
        "## How much a core carries\n\nAt {:.0} % of one core of that machine, the rest being for peaks:\n\n| | |\n|---|---:|",
        BUSY * 100.0
    );
    let mut line = |what: &str, value: String| {
        let _ = writeln!(out, "| {what} | {value} |");
    };
    line("requests a second, same dialect", a_second(request));
    if let Some(micros) = causeway("translated.saturate", "cpu_us") {
        line("requests a second, translated", a_second(micros));
    }
    if let Some(micros) = causeway("pass.paced", "cpu_us") {
        line("chunks a second, same dialect", a_second(micros));
        line("streams of 50 chunks a second", short((BUSY * 1e6 / micros / 50.0).floor()));
    }
    if let Some(micros) = causeway("translated.paced", "cpu_us") {
        line("streams of 50 chunks a second, translated", short((BUSY * 1e6 / micros / 50.0).floor()));
    }
    if let (Some(idle), Some(each)) =
        (causeway("pass.saturate", "after_bytes"), causeway("pass.held-1000", "bytes_each"))
    {
        let with = |streams: f64| format!("{} MB", short((idle + streams * each) / 1e6));
        line("memory for 1,000 open streams", with(1e3));
        line("memory for 10,000 open streams", with(1e4));
    }
    out.push('\n');
}

fn method(out: &mut String, record: &Record) {
    let _ = writeln!(
        out,
        "## Method\n\n\
         `cargo run --release -p gateway-benches --bin field` made these figures, and this page with `--page`. \
         [benches/README.md](../benches/README.md) says how to run it and how to add a gateway.\n\n\
         - Client, gateway and provider run on one machine, over loopback. The provider answers at once, so that what is \
         measured is the gateway; a real one takes a thousand times as long.\n\
         - A request is of 600 bytes, a whole answer of about 1.7 KB, a stream of 64 chunks. Paced streams get a chunk each \
         10 ms, 64 streams at a time; burst streams as fast as they come.\n\
         - At a fixed rate the loop is open: latency counts from the moment a request was due. CPU is user and system time \
         of the process tree over what was answered, at 64 connections for requests. Memory is PSS.\n\
         - Chunk age is the time from the provider's write to the client's read.\n\
         - Each scenario lasts {} s a round; priority: {}. One error or one lost chunk, and there is no figure.",
        record.seconds, record.priority
    );
    out.push('\n');
}
