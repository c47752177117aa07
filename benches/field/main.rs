//! The field: Causeway beside other gateways, in one run on one machine.
//!
//! `cargo run --release -p gateway-benches --bin field` measures all that is installed of `peers.toml`, peer after peer
//! and round after round, and writes raw figures, a table and a plot to `benches/results`. See `benches/README.md`.

mod children;
mod crowd;
mod measure;
mod page;
mod peers;
mod plot;
mod priority;
mod record;
mod scenario;
mod table;
mod targets;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use causeway::bench::Machine;
use clap::Parser;

use measure::Field;
use peers::{Peer, Places};
use record::{PeerFacts, Record};
use scenario::Wanted;

/// Measure gateways side by side: CPU, latency, memory and start, against one provider on this machine
#[derive(Debug, Parser)]
struct Arguments {
    /// Peers of the file to measure; none: all
    peer: Vec<String>,
    /// Every peer is measured once in each round
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Only these scenarios: `saturate`, `rate`, `paced`, `burst`, `body`, `held`, `pass.rate-200`, `none`
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// How long each scenario lasts
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// The file with the peers
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/peers.toml"))]
    peers: PathBuf,
    /// The file with the targets
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/targets.toml"))]
    targets: PathBuf,
    /// Where results go
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/results"))]
    results: PathBuf,
    /// Where peers from registries are: `litellm/` (a Python environment), `portkey/` (`node_modules`)
    #[arg(long, default_value = "target/peers")]
    installed: PathBuf,
    /// The first of fifty ports on 127.0.0.1
    #[arg(long, default_value_t = 27500)]
    port: u16,
    /// Measure latency in real time (`SCHED_RR`), on a machine with neighbours; needs root
    #[arg(long)]
    realtime: bool,
    /// Take the binaries as they are
    #[arg(long)]
    no_build: bool,
    /// Measure nothing; write table and plot of this file anew
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Also write the page for users there: `docs/performance.md`
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("field: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), String> {
    if let Some(file) = &arguments.report {
        return report(arguments, &Record::read(file)?, &file.with_extension(""));
    }
    children::end_with_us();
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let binaries = own.parent().ok_or("this program is nowhere")?;
    if !arguments.no_build {
        build(binaries)?;
    }
    let installed = std::path::absolute(&arguments.installed).map_err(|error| error.to_string())?;
    let target = binaries.parent().unwrap_or(binaries);
    let work = target.join("field");
    let (file, base) = (arguments.peers.as_path(), arguments.port);
    let peers = peers::read(&Places { file, binaries, installed: &installed, work: &work, base })?;
    if let Some(unknown) = arguments.peer.iter().find(|name| peers.iter().all(|peer| peer.name != **name)) {
        return Err(format!("there is no peer `{unknown}` in {}", file.display()));
    }
    let priority = priority::prefer();
    let mut field = Field::start(binaries, &work, arguments.port)?;
    field.seconds = arguments.seconds;
    field.wanted = Wanted(arguments.only.clone());
    field.realtime = arguments.realtime;
    let mut record = facts(arguments, binaries, priority);
    println!("{}\n{}", record.machine, record.commit);
    let peers = chosen(arguments, peers, &field, &mut record);
    let name = free_name(&arguments.results, &record.date)?;
    for round in 0..arguments.rounds {
        for peer in &peers {
            let rows = field.measure(peer, round);
            rows.iter().for_each(|row| println!("{}", table::line(row)));
            record.rows.extend(rows);
        }
        record.rounds = round + 1;
        // After each round, so that a run that is ended early is not lost.
        let text = serde_json::to_vec(&record).map_err(|error| error.to_string())?;
        write(&name.with_extension("json"), &text)?;
    }
    report(arguments, &record, &name)
}

/// Builds what is measured, in the profile of this program.
fn build(binaries: &Path) -> Result<(), String> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["build", "-p", "gateway", "-p", "gateway-benches", "--bins"]);
    if binaries.ends_with("release") {
        command.arg("--release");
    }
    command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let status = command.status().map_err(|error| format!("cargo: {error}"))?;
    if status.success() { Ok(()) } else { Err("what is measured could not be built".to_owned()) }
}

/// Those that are wished, are here, and answer; the others are told.
fn chosen(arguments: &Arguments, peers: Vec<Peer>, field: &Field, record: &mut Record) -> Vec<Peer> {
    let wished = |peer: &Peer| arguments.peer.is_empty() || arguments.peer.contains(&peer.name);
    let mut chosen = Vec::new();
    for peer in peers.into_iter().filter(wished) {
        let left_out = peer.lacks().or_else(|| field.rehearse(&peer).err());
        if let Some(why) = &left_out {
            println!("{}: left out, {why}", peer.name);
        }
        record.peers.push(PeerFacts {
            name: peer.name.clone(),
            on: peer.on.clone(),
            version: peer.version.as_deref().filter(|_| left_out.is_none()).and_then(said),
            binary_bytes: peer.binary.as_ref().and_then(|file| Some(fs::metadata(file).ok()?.len())),
            left_out: left_out.clone(),
        });
        if left_out.is_none() {
            chosen.push(peer);
        }
    }
    chosen
}

fn facts(arguments: &Arguments, binaries: &Path, priority: String) -> Record {
    let changed = said("git status --porcelain --untracked-files=no").is_some();
    let commit = said("git rev-parse --short HEAD").unwrap_or_default();
    Record {
        version: 1,
        date: jiff::Zoned::now().date().to_string(),
        commit: format!("{commit}{}", if changed { ", with changes" } else { "" }),
        compiler: said("rustc --version").unwrap_or_default(),
        profile: binaries.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        seconds: arguments.seconds,
        priority: if arguments.realtime { format!("{priority}, latency in real time") } else { priority },
        machine: Machine::here(),
        ..Record::default()
    }
}

/// The first line a command says.
fn said(command: &str) -> Option<String> {
    let mut words = command.split_whitespace();
    let mut command = Command::new(words.next()?);
    let output = command.args(words).current_dir(env!("CARGO_MANIFEST_DIR")).output().ok()?;
    let text = [output.stdout, output.stderr].concat();
    let line = String::from_utf8_lossy(&text).lines().next()?.trim().to_owned();
    output.status.success().then_some(line).filter(|line| !line.is_empty())
}

/// `<date>`, or `<date>-2` when that one is there.
fn free_name(results: &Path, date: &str) -> Result<PathBuf, String> {
    fs::create_dir_all(results).map_err(|error| format!("{}: {error}", results.display()))?;
    let names = std::iter::once(date.to_owned()).chain((2..).map(|number| format!("{date}-{number}")));
    let mut free = names.map(|name| results.join(name)).filter(|name| !name.with_extension("json").exists());
    free.next().ok_or_else(|| "no name is free".to_owned())
}

fn report(arguments: &Arguments, record: &Record, name: &Path) -> Result<(), String> {
    let targets = targets::read(&arguments.targets)?;
    let text = table::page(record, &targets);
    write(&name.with_extension("md"), text.as_bytes())?;
    write(&name.with_extension("svg"), plot::picture(record).as_bytes())?;
    if let Some(page) = &arguments.page {
        let beside = |extension: &str| relative(page, &name.with_extension(extension));
        let text = page::performance(record, &targets, &beside("svg")?, &beside("json")?);
        write(page, text.as_bytes())?;
    }
    println!("\n{text}\n{}", name.with_extension("json").display());
    Ok(())
}

/// The way to `file` from a page, as links want it.
fn relative(page: &Path, file: &Path) -> Result<String, String> {
    let absolute = |path: &Path| std::path::absolute(path).map_err(|error| error.to_string());
    let (page, file) = (absolute(page)?, absolute(file)?);
    let folder = page.parent().unwrap_or(&page);
    let shared = folder.components().zip(file.components()).take_while(|(one, other)| one == other).count();
    let up = folder.components().skip(shared).map(|_| "..".to_owned());
    let down = file.components().skip(shared).map(|part| part.as_os_str().to_string_lossy().into_owned());
    Ok(up.chain(down).collect::<Vec<_>>().join("/"))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    path.parent()
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| fs::write(path, bytes))
        .map_err(|error| format!("{}: {error}", path.display()))
}
