//! Against neighbours on the same machine: priority for what is measured, where it may be had.

use std::process::{Command, Stdio};

use causeway::bench::process;
use rustix::process::{Resource, Rlimit, getrlimit, setpriority_process, setrlimit};

const FILES: u64 = 65_536;

/// Before anything is started, so that everything inherits it. What was got, in words.
pub(crate) fn prefer() -> String {
    // Ten thousand streams are twenty thousand open files of a gateway. Who may not raise the limit gets what there is.
    let many = Rlimit { current: Some(FILES), maximum: Some(FILES) };
    if setrlimit(Resource::Nofile, many).is_err() {
        let most = getrlimit(Resource::Nofile).maximum;
        let _ = setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most });
    }
    // Where sessions are scheduled as groups, niceness counts between them only through this file.
    let grouped = std::fs::write("/proc/self/autogroup", "-20").is_ok();
    match (setpriority_process(None, -20).is_ok(), grouped) {
        (false, _) => "as all programs".to_owned(),
        (true, false) => "nice -20".to_owned(),
        (true, true) => "nice -20, its session too".to_owned(),
    }
}

/// So many streams can be open at once: each is two open files of a gateway, which needs some more.
pub(crate) fn most_streams() -> usize {
    const OTHERS: u64 = 2000;
    let files = getrlimit(Resource::Nofile).current.unwrap_or(FILES);
    usize::try_from(files.saturating_sub(OTHERS) / 2).unwrap_or(usize::MAX)
}

/// Programs that run in real time (`SCHED_RR`) until this is dropped, and so does this one.
pub(crate) struct Raised {
    processes: Vec<u32>,
}

impl Raised {
    pub(crate) fn new(roots: impl Iterator<Item = u32>) -> Self {
        let mut processes: Vec<u32> = roots.flat_map(process::tree).collect();
        processes.push(std::process::id());
        processes.iter().for_each(|process| schedule(*process, &["-r", "-p", "10"]));
        Self { processes }
    }
}

impl Drop for Raised {
    fn drop(&mut self) {
        self.processes.iter().for_each(|process| schedule(*process, &["-o", "-p", "0"]));
    }
}

/// There is no safe call for it in the standard library or in rustix; `chrt` is on every Linux.
fn schedule(process: u32, how: &[&str]) {
    let mut command = Command::new("chrt");
    command.arg("-a").args(how).arg(process.to_string()).stdout(Stdio::null()).stderr(Stdio::null());
    let _ = command.status();
}
