//! Counts the instructions of single steps with valgrind: unlike times, they do not depend on who else uses the machine.
//!
//!     cargo bench --profile instructions --bench instructions              compare with results/instructions.json
//!     cargo bench --profile instructions --bench instructions -- --write   make that the new record
//!
//! Exit status 1 when a step needs over 3 % more than is recorded. A step is run in two processes, once more often than in
//! the other; the difference is the step, without what starting took.

mod sample;
mod steps;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, ExitCode};

use steps::{STEPS, Step};

/// `rep movsb` counts each byte as an instruction, and whether memory is copied with it depends on the processor.
const NO_REP: &str =
    "glibc.cpu.x86_rep_movsb_threshold=0x7fffffff:glibc.cpu.x86_rep_stosb_threshold=0x7fffffff";

/// So much more is too much.
const TOLERATED: f64 = 0.03;

type Counts = BTreeMap<String, u64>;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let Some(at) = words.iter().position(|word| word == "--step") {
        let named = words.get(at + 1).and_then(|name| STEPS.iter().find(|step| step.name == name));
        let times = words.get(at + 2).and_then(|times| times.parse().ok());
        let (Some(step), Some(times)) = (named, times) else { return complain("--step NAME TIMES") };
        (step.run)(times);
        return ExitCode::SUCCESS;
    }
    let counted = match count() {
        Ok(counted) => counted,
        Err(problem) => return complain(&problem),
    };
    let record = Path::new(env!("CARGO_MANIFEST_DIR")).join("results/instructions.json");
    if words.iter().any(|word| word == "--write") {
        let text = serde_json::to_string_pretty(&counted).expect("names and numbers");
        return match std::fs::write(&record, text + "\n") {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => complain(&format!("{}: {error}", record.display())),
        };
    }
    match recorded(&record) {
        Ok(recorded) => compare(&counted, &recorded),
        Err(problem) => complain(&format!("{}: {problem}", record.display())),
    }
}

fn recorded(path: &Path) -> Result<Counts, String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    serde_json::from_str(&text).map_err(|error| error.to_string())
}

fn complain(problem: &str) -> ExitCode {
    eprintln!("{problem}");
    ExitCode::from(2)
}

fn count() -> Result<Counts, String> {
    let mut counts = Counts::new();
    for step in STEPS {
        let counted = count_of(step)?;
        eprintln!("{:<28} {counted:>12}", step.name);
        counts.insert(step.name.to_owned(), counted);
    }
    Ok(counts)
}

/// Instructions of one time.
fn count_of(step: &Step) -> Result<u64, String> {
    // The first process compiles adapters for the others.
    instructions(step, 1)?;
    let few = instructions(step, step.times)?;
    let many = instructions(step, step.times * 3)?;
    Ok(many.saturating_sub(few) / u64::from(step.times * 2))
}

/// Instructions of a process that does the step so many times.
fn instructions(step: &Step, times: u32) -> Result<u64, String> {
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new("valgrind");
    command.env("GLIBC_TUNABLES", NO_REP);
    command.args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]);
    let output = command.arg(this).arg("--step").arg(step.name).arg(times.to_string()).output();
    let output =
        output.map_err(|error| format!("valgrind did not start ({error}); install the package valgrind"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{}: {said}", step.name));
    }
    // `==1== I refs:        1,234,567`
    let line = said.lines().find_map(|line| line.split_once("refs:")).ok_or_else(|| said.to_string())?;
    line.1.trim().replace(',', "").parse().map_err(|_| format!("valgrind says {said}"))
}

fn compare(counted: &Counts, recorded: &Counts) -> ExitCode {
    let mut worse = false;
    println!("{:<28} {:>12} {:>12} {:>8}", "instructions of", "recorded", "now", "");
    for (name, now) in counted {
        let Some(before) = recorded.get(name) else {
            println!("{name:<28} {:>12} {now:>12}   new: record it with `-- --write`", "");
            continue;
        };
        let change = *now as f64 / *before as f64 - 1.0;
        let judged = match change {
            change if change > TOLERATED => "  too many",
            change if change < -TOLERATED => "  fewer: record it with `-- --write`",
            _ => "",
        };
        worse |= change > TOLERATED;
        println!("{name:<28} {before:>12} {now:>12} {:>+7.1}%{judged}", change * 100.0);
    }
    ExitCode::from(u8::from(worse))
}
