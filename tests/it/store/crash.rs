//! Two hundred times a process is killed while it writes: what was acknowledged is there, and nothing is torn.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::super::support::gateway::Folder;

const ROUNDS: u64 = 200;

#[test]
fn what_was_acknowledged_survives_two_hundred_kills() {
    let folder = Folder::new();
    let store = folder.path().join("sled");
    let mut acknowledged: BTreeMap<String, u64> = BTreeMap::new();
    let (mut slowest, mut kills_while_writing) = (0, 0);
    for round in 0..=ROUNDS {
        // All of it is read now and then, and at the end.
        let all = round % 20 == 0;
        let mut child = start(&store, all);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut said = Vec::new();
        for line in lines.by_ref() {
            let writing = line == "writing";
            said.push(line);
            if writing {
                break;
            }
        }
        for line in &said {
            let words: Vec<&str> = line.split(' ').collect();
            match words.as_slice() {
                ["open", milliseconds] => slowest = slowest.max(milliseconds.parse::<u64>().unwrap()),
                ["found", writer, number] => {
                    let number: u64 = number.parse().unwrap();
                    let known = acknowledged.get(*writer).copied().unwrap_or(0);
                    assert!(
                        number >= known,
                        "round {round}: writer {writer} is at {number}, {known} was acknowledged"
                    );
                }
                ["writing"] => {}
                _ => panic!("round {round}: {line}"),
            }
        }
        assert_eq!(said.last().map(String::as_str), Some("writing"), "round {round}: {said:?}");
        // At another point of its work each time.
        std::thread::sleep(Duration::from_micros(3000 + round * 7919 % 60_000));
        child.kill().unwrap();
        child.wait().unwrap();
        let before: u64 = acknowledged.values().sum();
        for line in lines {
            let words: Vec<&str> = line.split(' ').collect();
            let ["ack", writer, number] = words.as_slice() else { panic!("round {round}: {line}") };
            acknowledged.insert((*writer).to_owned(), number.parse().unwrap());
        }
        kills_while_writing += u64::from(acknowledged.values().sum::<u64>() > before);
    }
    let total: u64 = acknowledged.values().sum();
    println!("{total} writes were acknowledged and found; the slowest start took {slowest} ms");
    assert!(kills_while_writing > ROUNDS / 2, "only {kills_while_writing} rounds wrote anything");
}

fn start(store: &std::path::Path, all: bool) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_store-writer"));
    command.arg(store).args(all.then_some("all")).env_clear();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap()
}
