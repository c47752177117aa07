//! What was found, for eyes and for programs.

use std::fmt::Write as _;

use super::Report;
use super::compare::{Side, Times};

pub(super) fn json(report: &Report) -> String {
    // Plain numbers and texts can always be written.
    serde_json::to_string_pretty(report).unwrap_or_default() + "\n"
}

pub(super) fn text(report: &Report) -> String {
    let setup = &report.setup;
    let mut out = format!("{}\n", report.machine);
    let how =
        setup.rate.map_or("as fast as answers come".to_owned(), |rate| format!("{rate} requests a second"));
    let kind = if setup.stream { "streams" } else { "whole answers" };
    let _ = writeln!(
        out,
        "{} at {}: {kind}, requests of about {} bytes, {how}, {} connections, {} × {} s",
        setup.dialect,
        setup.url,
        setup.request_bytes,
        setup.connections,
        report.rounds.len(),
        setup.seconds
    );
    if let Some(round) = report.rounds.first() {
        let events =
            if setup.stream { format!(", {} events", round.with.chunks.most) } else { String::new() };
        let _ = writeln!(out, "an answer has {} bytes{events}", round.with.size.most);
    }
    out.push('\n');
    let columns = [Some(&report.with), report.without.as_ref(), report.overhead.as_ref()];
    if report.without.is_some() {
        let _ = writeln!(out, "{:24}{:>10}{:>10}{:>10}", "", "with", "without", "overhead");
    }
    line(&mut out, "answers a second", columns, &|side| Some(side.per_second));
    for (name, times) in [
        ("latency", (|side| Some(side.latency)) as fn(&Side) -> Option<Times>),
        ("first event", |side| side.first_event),
        ("between events", |side| side.between_events),
    ] {
        for (word, percentile) in [
            ("p50", (|times| times.p50) as fn(Times) -> f64),
            ("p90", |times| times.p90),
            ("p99", |times| times.p99),
            ("p99.9", |times| times.p999),
        ] {
            line(&mut out, &format!("{name} {word} µs"), columns, &|side| times(side).map(percentile));
        }
    }
    process(&mut out, report);
    out
}

fn line(out: &mut String, name: &str, columns: [Option<&Side>; 3], figure: &dyn Fn(&Side) -> Option<f64>) {
    let cells: Vec<String> =
        columns.into_iter().filter_map(|side| figure(side?)).map(|value| format!("{value:>10.1}")).collect();
    if !cells.is_empty() {
        let _ = writeln!(out, "{name:24}{}", cells.concat());
    }
}

fn process(out: &mut String, report: &Report) {
    let costs: Vec<f64> = report.rounds.iter().filter_map(|round| round.cpu).collect();
    if !costs.is_empty() {
        let mean = costs.iter().sum::<f64>() / costs.len() as f64;
        let _ = writeln!(out, "{:24}{mean:>10.1}", "CPU µs a request");
    }
    if let Some(bytes) = report.rounds.iter().filter_map(|round| round.memory_bytes).max() {
        let _ = writeln!(out, "{:24}{:>10.1}", "memory MB", bytes as f64 / 1e6);
    }
}
