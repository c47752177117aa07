//! The programs that are measured: started, watched, and ended with us.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::process::{Child as Process, Command, Stdio};
use std::thread;

use causeway::bench::process;
use parking_lot::Mutex;
use rustix::process::{Pid, Signal, kill_process};

/// Every program of ours that runs, for an end by Ctrl-C.
static RUNNING: Mutex<Vec<u32>> = Mutex::new(Vec::new());

/// A program that runs; it and all it started end when this is dropped.
pub(crate) struct Child {
    process: Process,
}

impl Child {
    /// Starts `command` (words between blanks) in `folder`; what it says goes to `<folder>/output.log`.
    pub(crate) fn start(
        command: &str,
        environment: &BTreeMap<String, String>,
        folder: &Path,
    ) -> Result<Self, String> {
        let mut words = command.split_whitespace();
        let program = words.next().ok_or("an empty command")?;
        let log = File::create(folder.join("output.log")).map_err(|error| error.to_string())?;
        let again = log.try_clone().map_err(|error| error.to_string())?;
        let mut command = Command::new(program);
        command.args(words).envs(environment).current_dir(folder);
        command.stdin(Stdio::null()).stdout(log).stderr(again);
        let process = command.spawn().map_err(|error| format!("{program}: {error}"))?;
        RUNNING.lock().push(process.id());
        Ok(Self { process })
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Has it ended by itself?
    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.process.try_wait(), Ok(None))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        end(self.id());
        let _ = self.process.wait();
        RUNNING.lock().retain(|running| *running != self.process.id());
    }
}

/// Without a word: a drain of open streams would only take time, and each start has a fresh folder. Parents first:
/// some start another child for one that is gone.
fn end(root: u32) {
    for process in process::tree(root) {
        let process = i32::try_from(process).ok().and_then(Pid::from_raw);
        if let Some(process) = process {
            let _ = kill_process(process, Signal::KILL);
        }
    }
}

/// From now on Ctrl-C and a plain kill end the programs first.
pub(crate) fn end_with_us() {
    thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let Ok(runtime) = runtime else { return };
        runtime.block_on(async {
            let terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
            let Ok(mut terminated) = terminated else { return };
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminated.recv() => {}
            }
            RUNNING.lock().drain(..).for_each(end);
            std::process::exit(130);
        });
    });
}
