//! Writes to a store until it is killed, and tells what was acknowledged: for the tests of a crash.
//!
//! `store-writer FOLDER [all]` opens the store, says what it finds (with `all` after reading every record), and then
//! writes. A line `ack <writer> <number>` is printed when the store has said that it is on the disk. Each write is one
//! batch: two accounts whose sum never changes, and an entry that is never removed.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use causeway::store::{Batch, Class, Key, Scan, Sled, Space, Store, clock};

const WRITERS: u64 = 4;
/// What the two accounts of a writer hold together.
const SUM: u64 = 1_000_000;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let Some(folder) = words.next() else { return ExitCode::from(2) };
    let all = words.next().as_deref() == Some("all");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = runtime.map_err(|error| error.to_string()).and_then(|runtime| {
        let store = open(Path::new(&folder))?;
        runtime.block_on(run(&store, all))
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            say(&format!("problem {problem}"));
            ExitCode::FAILURE
        }
    }
}

fn open(folder: &Path) -> Result<Sled, String> {
    let start = Instant::now();
    let store = Sled::open(folder, clock()).map_err(|error| error.to_string())?;
    say(&format!("open {}", start.elapsed().as_millis()));
    Ok(store)
}

async fn run(store: &Sled, all: bool) -> Result<(), String> {
    let mut last = Vec::new();
    for writer in 0..WRITERS {
        let number = found(store, writer, all).await?;
        say(&format!("found {writer} {number}"));
        last.push(number);
    }
    if !store.missing().is_empty() {
        return Err(format!("missing: {:?}", store.missing()));
    }
    say("writing");
    let writers = last.into_iter().zip(0..).map(|(last, writer)| write(store, writer, last));
    let mut writers: Vec<_> = writers.map(Box::pin).collect();
    std::future::poll_fn(|context| {
        // They end only by failing.
        for writer in &mut writers {
            if let std::task::Poll::Ready(problem) = writer.as_mut().poll(context) {
                return std::task::Poll::Ready(Err(problem));
            }
        }
        std::task::Poll::Pending
    })
    .await
}

/// Writes for ever.
async fn write(store: &Sled, writer: u64, last: u64) -> String {
    for number in last + 1.. {
        let first = number.wrapping_mul(7919) % SUM;
        let batch = Batch::default()
            .put(account(writer, "first"), format!("{number} {first}"), None)
            .put(entry(writer, number), number.to_string(), None)
            .put(account(writer, "second"), format!("{number} {}", SUM - first), None);
        if let Err(error) = store.write(batch, Class::Durable).await {
            return error.to_string();
        }
        say(&format!("ack {writer} {number}"));
        // Traffic that nobody waits for.
        let noise = Batch::default().put(
            Space::Vault.key(&["noise", &number.to_string()]),
            "x".repeat(200),
            Space::Vault.life(),
        );
        let _ = store.note(noise);
        let _ = store.increment(Space::Counter.key(&["all"]), 1, None).await;
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
    "the numbers are used up".to_owned()
}

/// The last number of a writer, after a look at everything that must be true.
async fn found(store: &Sled, writer: u64, all: bool) -> Result<u64, String> {
    let keys = vec![account(writer, "first"), account(writer, "second")];
    let accounts = store.get_all(keys).await.map_err(|error| error.to_string())?;
    let mut read = Vec::new();
    for account in accounts.into_iter().flatten() {
        let text = String::from_utf8_lossy(&account).into_owned();
        let halves =
            text.split_once(' ').and_then(|(a, b)| Some((a.parse::<u64>().ok()?, b.parse::<u64>().ok()?)));
        read.push(halves.ok_or_else(|| format!("account {writer} holds `{text}`"))?);
    }
    let number = match read.as_slice() {
        [] => 0,
        [(one, first), (other, second)] if one == other && first + second == SUM => *one,
        torn => return Err(format!("the accounts of {writer} are torn: {torn:?}")),
    };
    let newest = store.get(entry(writer, number)).await.map_err(|error| error.to_string())?;
    if number > 0 && newest.is_none() {
        return Err(format!("entry {number} of {writer} is missing"));
    }
    if all {
        every(store, writer, number).await?;
    }
    Ok(number)
}

async fn every(store: &Sled, writer: u64, number: u64) -> Result<(), String> {
    let (mut after, mut next) = (None, 1);
    loop {
        let prefix = Space::Response.key(&[&writer.to_string()]);
        let page =
            store.scan(Scan { prefix, after, limit: 1000 }).await.map_err(|error| error.to_string())?;
        for (_, value) in &page.entries {
            if value.as_ref() != next.to_string().as_bytes() {
                return Err(format!("entry {next} of {writer} is missing"));
            }
            next += 1;
        }
        let Some(more) = page.next else { break };
        after = Some(more);
    }
    if next == number + 1 {
        Ok(())
    } else {
        Err(format!("{writer} has {} entries and not {number}", next - 1))
    }
}

fn account(writer: u64, which: &str) -> Key {
    Space::Rest.key(&[&writer.to_string(), which])
}

fn entry(writer: u64, number: u64) -> Key {
    Space::Response.key(&[&writer.to_string(), &format!("{number:012}")])
}

fn say(line: &str) {
    // One write, so that a kill leaves whole lines.
    let _ = std::io::stdout().write_all(format!("{line}\n").as_bytes());
}
