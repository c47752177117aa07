//! A real Redis or Valkey server on a free port, with a folder of its own; it ends with its owner.
//!
//! The unit tests of the store use this file too, so it needs nothing but the standard library.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// The names under which systems have it.
const PROGRAMS: [&str; 4] =
    ["redis-server", "/usr/bin/redis-server", "valkey-server", "/usr/bin/valkey-server"];
/// A server that has not answered by then hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running server.
pub(crate) struct Server {
    program: &'static str,
    child: Child,
    port: u16,
    folder: PathBuf,
    settings: Vec<String>,
}

impl Server {
    /// Starts one; `None` when this machine has none, which is said, or fails where it must not be.
    pub(crate) fn start(test: &str) -> Option<Self> {
        Self::start_with(test, &[])
    }

    /// The same with more settings, as on its command line.
    pub(crate) fn start_with(test: &str, settings: &[&str]) -> Option<Self> {
        let Some(program) = program() else {
            skip(test);
            return None;
        };
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("causeway-redis-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let settings: Vec<String> = settings.iter().map(|setting| (*setting).to_owned()).collect();
        // Somebody else may take the port in between; then it is another.
        for _ in 0..20 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let child = launch(program, port, &folder, &settings);
            let mut server =
                Self { program, child, port, folder: folder.clone(), settings: settings.clone() };
            if server.answers() {
                return Some(server);
            }
            server.folder = PathBuf::new();
        }
        panic!("{program} does not start in {}", folder.display());
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Ends it as a crash would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again with what it wrote to its file.
    pub(crate) fn start_again(&mut self) {
        self.child = launch(self.program, self.port, &self.folder, &self.settings);
        assert!(self.answers(), "the server does not come back");
    }

    /// It hangs.
    pub(crate) fn pause(&self) {
        self.signal("-STOP");
    }

    /// It hangs no more.
    pub(crate) fn resume(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let done = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(done.success());
    }

    /// What it says to a command, as it comes over the wire.
    pub(crate) fn ask(&self, command: &[&str]) -> String {
        self.try_ask(command).expect("the server does not answer")
    }

    fn try_ask(&self, command: &[&str]) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut bytes = format!("*{}\r\n", command.len());
        for part in command {
            bytes.push_str(&format!("${}\r\n{part}\r\n", part.len()));
        }
        stream.write_all(bytes.as_bytes()).ok()?;
        let mut reader = BufReader::new(stream);
        let mut text = String::new();
        read(&mut reader, &mut text)?;
        Some(text)
    }

    fn answers(&mut self) -> bool {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if self.child.try_wait().unwrap().is_some() {
                return false;
            }
            if self.try_ask(&["PING"]).is_some_and(|said| said.contains("PONG") || said.contains("NOAUTH")) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if !self.folder.as_os_str().is_empty() {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

fn program() -> Option<&'static str> {
    PROGRAMS.into_iter().find(|program| {
        let asked =
            Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        asked.is_ok_and(|status| status.success())
    })
}

fn launch(program: &str, port: u16, folder: &std::path::Path, settings: &[String]) -> Child {
    let mut command = Command::new(program);
    command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--dir"]).arg(folder);
    command.args(["--save", "", "--appendonly", "yes", "--loglevel", "warning"]).args(settings);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// One reply and all that is in it, a line each.
fn read(reader: &mut BufReader<TcpStream>, text: &mut String) -> Option<()> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let line = line.trim_end();
    let count = line.get(1..).and_then(|count| count.parse::<i64>().ok());
    match (line.as_bytes().first()?, count) {
        (b'$', Some(length @ 0..)) => {
            let mut bytes = vec![0; usize::try_from(length).ok()? + 2];
            reader.read_exact(&mut bytes).ok()?;
            text.push_str(String::from_utf8_lossy(&bytes).trim_end());
            text.push('\n');
        }
        (b'*', Some(count)) => {
            for _ in 0..count {
                read(reader, text)?;
            }
        }
        _ => {
            text.push_str(line);
            text.push('\n');
        }
    }
    Some(())
}

/// Says that a test was not run, or fails where it must run.
fn skip(test: &str) {
    let reason = "this machine has neither redis-server nor valkey-server";
    let required = std::env::var("CAUSEWAY_REQUIRE_SDKS").is_ok_and(|value| value == "1");
    assert!(!required, "CAUSEWAY_REQUIRE_SDKS=1, and {reason}");
    // Straight to the terminal: what a passing test prints is not shown.
    let line = format!("\nSKIPPED {test}: {reason}. No real server was tried.\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
}
