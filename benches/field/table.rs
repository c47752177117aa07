//! A record as Markdown: targets first, then peers side by side.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::record::{Record, Row};
use crate::targets::Target;

/// The floor that ratios are to.
const FLOOR: &str = "bare";
const DIRECT: &str = "direct";

/// A column: its heading, and the cell of a peer.
type Column = (String, Box<dyn Fn(&Record, &str) -> Option<String>>);

/// A row as it comes, for who waits.
pub(crate) fn line(row: &Row) -> String {
    let head = format!("[{}] {} {}", row.round + 1, row.peer, row.scenario);
    if let Some(fault) = &row.fault {
        return format!("{head}: no figure: {fault}");
    }
    let shown = ["per_second", "cpu_us", "p50_us", "age_p50_us", "milliseconds", "idle_bytes", "bytes_each"];
    let figures =
        shown.iter().filter_map(|name| Some(format!(" {name}={}", short(*row.figures.get(*name)?))));
    format!("{head}:{}", figures.collect::<String>())
}

/// The whole page.
pub(crate) fn page(record: &Record, targets: &[Target]) -> String {
    let mut out = format!("# The field, {}\n\n", record.date);
    let _ = writeln!(
        out,
        "{}. Commit {}, {}, profile {}.\n",
        record.machine, record.commit, record.compiler, record.profile
    );
    let _ = writeln!(
        out,
        "{} rounds, peers interleaved, {} s a scenario; medians. Client, gateway and provider share the machine; priority: {}. CPU is user + system of the process tree, memory its PSS. × is the ratio to bare Pingora in this run.\n",
        record.rounds, record.seconds, record.priority
    );
    unfit(&mut out, record);
    self::targets(&mut out, record, targets);
    details(&mut out, record);
    out
}

/// A word before figures that are none.
pub(crate) fn unfit(out: &mut String, record: &Record) {
    if record.profile != "release" {
        out.push_str("**Not a release build: these figures say nothing but that the harness works.**\n\n");
    }
}

/// Every table there is, the peers, and what is to be known of them.
pub(crate) fn details(out: &mut String, record: &Record) {
    for (title, columns) in sections() {
        table(out, record, title, &columns);
    }
    peers(out, record);
    notes(out, record);
}

pub(crate) fn targets(out: &mut String, record: &Record, targets: &[Target]) {
    out.push_str("## Targets\n\n| target | at most | found | |\n|---|---:|---:|---|\n");
    for fared in targets.iter().map(|target| target.fared(record)) {
        let unit = if fared.target.unit.is_empty() { "×" } else { &fared.target.unit };
        let found = fared.found.map_or("–".to_owned(), |found| format!("{} {unit}", short(found)));
        let _ = writeln!(
            out,
            "| {} | {} {unit} | {found} | {} |",
            fared.target.what,
            short(fared.most()),
            if record.profile == "release" { fared.word() } else { "not judged" }
        );
    }
    out.push('\n');
}

fn sections() -> Vec<(&'static str, Vec<Column>)> {
    let mut sections = vec![
        ("Requests, same dialect, 64 connections", saturated("pass")),
        ("Requests, OpenAI client, Anthropic upstream, 64 connections", saturated("translated")),
        ("Latency at a fixed rate, from the moment a request was due", rates()),
        ("Streams, same dialect, 64 chunks", streams("pass")),
        ("Streams, OpenAI client, Anthropic upstream, 64 chunks", streams("translated")),
    ];
    let bodies = |pair: &str, sizes: &[&str]| {
        let column = |size: &&str| {
            figure(&format!("{} µs", size.to_uppercase()), format!("{pair}.body-{size}"), "cpu_us", 1.0)
        };
        sizes.iter().map(column).collect::<Vec<Column>>()
    };
    sections.push((
        "CPU of a request by its size, same dialect",
        bodies("pass", &["1k", "10k", "100k", "1m", "10m"]),
    ));
    sections.push((
        "CPU of a request by its size, translated",
        bodies("translated", &["1k", "10k", "100k", "1m"]),
    ));
    sections.push((
        "Start and memory",
        vec![
            figure("start ms", "start", "milliseconds", 1.0),
            figure("idle MB", "start", "idle_bytes", 1e6),
            figure("after saturation MB", "pass.saturate", "after_bytes", 1e6),
            figure("KB an open stream", "pass.held-1000", "bytes_each", 1e3),
            figure("translated KB", "translated.held-1000", "bytes_each", 1e3),
            figure("10,000 streams MB", "pass.held-10000", "bytes", 1e6),
        ],
    ));
    sections
}

fn saturated(pair: &str) -> Vec<Column> {
    let scenario = format!("{pair}.saturate");
    vec![
        figure("CPU µs/request", &scenario, "cpu_us", 1.0),
        times(&scenario, "pass.saturate"),
        range(&scenario, "cpu_us"),
        figure("requests/s", &scenario, "per_second", 1.0),
        figure("p50 ms", &scenario, "p50_us", 1e3),
        figure("p99 ms", &scenario, "p99_us", 1e3),
    ]
}

fn rates() -> Vec<Column> {
    vec![
        figure("50/s p50 µs", "pass.rate-50", "p50_us", 1.0),
        figure("200/s p50 µs", "pass.rate-200", "p50_us", 1.0),
        added("pass.rate-200", "p50_us", "pass.rate-200"),
        figure("200/s p99 µs", "pass.rate-200", "p99_us", 1.0),
        figure("2,000/s p50 µs", "pass.rate-2000", "p50_us", 1.0),
        added("pass.rate-2000", "p50_us", "pass.rate-2000"),
        figure("2,000/s p99 µs", "pass.rate-2000", "p99_us", 1.0),
        figure("translated 200/s p50 µs", "translated.rate-200", "p50_us", 1.0),
    ]
}

fn streams(pair: &str) -> Vec<Column> {
    let (paced, burst) = (format!("{pair}.paced"), format!("{pair}.burst"));
    vec![
        figure("paced: CPU µs/chunk", &paced, "cpu_us", 1.0),
        times(&paced, "pass.paced"),
        figure("first event p50 µs", &paced, "first_p50_us", 1.0),
        figure("chunk age p50 µs", &paced, "age_p50_us", 1.0),
        added(&paced, "age_p50_us", "pass.paced"),
        figure("age p99 µs", &paced, "age_p99_us", 1.0),
        figure("burst: CPU µs/chunk", &burst, "cpu_us", 1.0),
        times(&burst, "pass.burst"),
        figure("chunks/s", &burst, "per_second", 1.0),
    ]
}

fn figure(title: &str, scenario: impl Into<String>, name: &'static str, scale: f64) -> Column {
    let scenario = scenario.into();
    let cell = move |record: &Record, peer: &str| Some(short(record.median(peer, &scenario, name)? / scale));
    (title.to_owned(), Box::new(cell))
}

/// The ratio to the floor.
fn times(scenario: &str, floor: &'static str) -> Column {
    let scenario = scenario.to_owned();
    let cell = move |record: &Record, peer: &str| {
        let floor = record.median(FLOOR, floor, "cpu_us")?;
        Some(format!("{:.2}", record.median(peer, &scenario, "cpu_us")? / floor))
    };
    ("×".to_owned(), Box::new(cell))
}

/// Over what it is without a gateway.
fn added(scenario: &str, name: &'static str, without: &'static str) -> Column {
    let scenario = scenario.to_owned();
    let cell = move |record: &Record, peer: &str| {
        let without = record.median(DIRECT, without, name).filter(|_| peer != DIRECT)?;
        Some(short(record.median(peer, &scenario, name)? - without))
    };
    ("added".to_owned(), Box::new(cell))
}

fn range(scenario: &str, name: &'static str) -> Column {
    let scenario = scenario.to_owned();
    let cell = move |record: &Record, peer: &str| {
        let found = record.all(peer, &scenario, name);
        Some(format!("{}–{}", short(*found.first()?), short(*found.last()?)))
    };
    ("range".to_owned(), Box::new(cell))
}

fn table(out: &mut String, record: &Record, title: &str, columns: &[Column]) {
    let rows: Vec<(&str, Vec<Option<String>>)> = record
        .measured()
        .map(|peer| (peer.name.as_str(), columns.iter().map(|(_, cell)| cell(record, &peer.name)).collect()))
        .filter(|(_, cells): &(_, Vec<Option<String>>)| cells.iter().any(Option::is_some))
        .collect();
    if rows.is_empty() {
        return;
    }
    let headings: Vec<&str> = columns.iter().map(|(heading, _)| heading.as_str()).collect();
    let _ =
        writeln!(out, "## {title}\n\n| | {} |\n|---|{}", headings.join(" | "), "---:|".repeat(columns.len()));
    for (peer, cells) in rows {
        let cells: Vec<String> = cells.into_iter().map(|cell| cell.unwrap_or("–".to_owned())).collect();
        let _ = writeln!(out, "| {peer} | {} |", cells.join(" | "));
    }
    out.push('\n');
}

fn peers(out: &mut String, record: &Record) {
    out.push_str("## Peers\n\n| | what was on | version | binary MB |\n|---|---|---|---:|\n");
    for peer in record.measured() {
        let version = peer.version.as_deref().unwrap_or("–");
        let bytes = peer.binary_bytes.map_or("–".to_owned(), |bytes| short(bytes as f64 / 1e6));
        let _ = writeln!(out, "| {} | {} | {version} | {bytes} |", peer.name, peer.on);
    }
    out.push('\n');
}

fn notes(out: &mut String, record: &Record) {
    let mut notes: Vec<String> = record
        .peers
        .iter()
        .filter_map(|peer| Some(format!("{}: left out, {}", peer.name, peer.left_out.as_ref()?)))
        .collect();
    let mut faults: BTreeMap<(&str, &str), Vec<&Row>> = BTreeMap::new();
    for row in record.rows.iter().filter(|row| row.fault.is_some()) {
        faults.entry((&row.peer, &row.scenario)).or_default().push(row);
    }
    notes.extend(faults.iter().filter_map(|((peer, scenario), rows)| {
        let fault = rows.first()?.fault.as_ref()?.split_whitespace().collect::<Vec<_>>().join(" ");
        Some(format!("{peer} {scenario}: no figure in {} of {} rounds: {fault}", rows.len(), record.rounds))
    }));
    let bent = record.bent();
    if bent > 0 {
        notes.push(format!(
            "{bent} of {} runs are not counted: the provider's own CPU was over 1.25 times its least, so something else on the machine was in them",
            record.rows.len()
        ));
    }
    let fewer = record.rows.iter().find_map(|row| {
        let (held, wanted) = (row.figures.get("streams")?, row.scenario.rsplit_once("held-")?.1.parse::<f64>().ok()?);
        (*held < wanted).then(|| format!("{held:.0} of {wanted:.0} streams could be held within the limit on open files; memory is reckoned for all"))
    });
    notes.extend(fewer);
    if !notes.is_empty() {
        let _ = writeln!(out, "## Notes\n\n- {}", notes.join("\n- "));
    }
}

/// Three digits that count.
pub(crate) fn short(value: f64) -> String {
    let digits = match value.abs() {
        large if large >= 100.0 => 0,
        middle if middle >= 10.0 => 1,
        _ => 2,
    };
    let text = format!("{value:.digits$}");
    let (whole, rest) =
        text.split_once('.').map_or((text.as_str(), None), |(whole, rest)| (whole, Some(rest)));
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |whole| ("-", whole));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    rest.map_or(format!("{sign}{grouped}"), |rest| format!("{sign}{grouped}.{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let all = [0.123, 7.449, 34.27, 1234.5, 1_234_567.0, -12.345, -1000.0].map(short);
        assert_eq!(all, ["0.12", "7.45", "34.3", "1,234", "1,234,567", "-12.3", "-1,000"]);
    }

    #[test]
    fn a_fault_is_told_and_has_no_figure() {
        let fault = Some("3 errors in 3 requests, first: status 500: no".to_owned());
        let row = Row { peer: "a".to_owned(), scenario: "pass.saturate".to_owned(), fault, ..Row::default() };
        let facts = crate::record::PeerFacts { name: "a".to_owned(), ..Default::default() };
        let record = Record { rows: vec![row], peers: vec![facts], rounds: 1, ..Record::default() };
        let page = page(&record, &[]);
        assert!(
            page.contains("no figure in 1 of 1 rounds: 3 errors in 3 requests") && !page.contains("| a | 0"),
            "{page}"
        );
    }
}
