//! Who uses the store: a file beside it that says so. The lock is sled's; this only gives it a name.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// So long whoever closes a store may take to let go of it.
const LETTING_GO: Duration = Duration::from_secs(2);
/// How often it is tried meanwhile.
const AGAIN: Duration = Duration::from_millis(20);

/// Writes that it is this process.
pub(super) fn sign(path: &Path) {
    let command: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let name = command.first().and_then(|first| first.rsplit('/').next()).unwrap_or("?").to_owned();
    let words = command.iter().skip(1).map(String::as_str);
    let line = std::iter::once(name.as_str()).chain(words).collect::<Vec<_>>().join(" ");
    // It only makes an error clearer; without it the lock still holds.
    let written = fs::write(path, format!("{}\n{line}\n", std::process::id()));
    if let Err(error) = written {
        tracing::debug!(%error, path = %path.display(), "who uses the store could not be written");
    }
}

/// Takes the name away, if it is still ours.
pub(super) fn unsign(path: &Path) {
    if read(path).is_some_and(|(process, _)| process == std::process::id()) {
        let _ = fs::remove_file(path);
    }
}

/// In words: `process 17 (causeway serve)`.
pub(super) fn named(path: &Path) -> String {
    match read(path) {
        Some((process, command)) if command.is_empty() => format!("process {process}"),
        Some((process, command)) => format!("process {process} (`{command}`)"),
        None => "a process that left no name".to_owned(),
    }
}

/// What somebody else may have. Who has it and no name any more has closed it and is about to let go, and so has this
/// process itself when it opens again what broke: that is waited for.
pub(super) fn when_let_go<T>(path: &Path, attempt: impl Fn() -> Option<T>) -> Option<T> {
    let since = Instant::now();
    loop {
        let taken = attempt();
        let held = read(path).is_some_and(|(process, _)| process != std::process::id());
        if taken.is_some() || held || since.elapsed() > LETTING_GO {
            return taken;
        }
        std::thread::sleep(AGAIN);
    }
}

fn read(path: &Path) -> Option<(u32, String)> {
    let text = fs::read_to_string(path).ok()?;
    let (process, command) = text.split_once('\n')?;
    Some((process.trim().parse().ok()?, command.trim().to_owned()))
}
