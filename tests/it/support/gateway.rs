//! The gateway as a process: written configuration, free ports, captured log; it ends with the test.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::Value;

use super::client::{Client, Reply};
use super::{ADMIN_PASSWORD, PATIENCE};

/// A running gateway.
pub(crate) struct Gateway {
    child: Child,
    folder: Folder,
    listen: String,
    admin: String,
    output: Arc<Mutex<Vec<String>>>,
}

impl Gateway {
    /// Starts a gateway with this configuration and waits until it is ready. `{listen}` and `{admin}` stand for free
    /// addresses; without them `[server]` and `[admin]` are put in front.
    pub(crate) async fn start(configuration: &str) -> Self {
        Self::start_with(configuration, &[]).await
    }

    /// The same with variables in its environment.
    pub(crate) async fn start_with(configuration: &str, environment: &[(&str, &str)]) -> Self {
        Self::spawn(configuration, &free_address(), environment).await
    }

    /// The same, reached on the admin side at an address of the configuration's own.
    pub(crate) async fn start_at(configuration: &str, admin: &str) -> Self {
        Self::spawn(configuration, admin, &[]).await
    }

    async fn spawn(configuration: &str, admin: &str, environment: &[(&str, &str)]) -> Self {
        let (listen, admin) = (free_address(), admin.to_owned());
        let folder = Folder::new();
        let text = completed(configuration, &listen, &admin);
        std::fs::write(folder.path().join("causeway.toml"), text).unwrap();
        let output = Arc::new(Mutex::new(Vec::new()));
        let child = launch(folder.path(), environment, &output);
        let mut gateway = Self { child, folder, listen, admin, output };
        gateway.until_ready().await;
        gateway
    }

    /// Kills it as a crash would, and starts it again in the same folder.
    pub(crate) async fn crash(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.resume().await;
    }

    /// Lets it end as it is told to, and starts it again in the same folder.
    pub(crate) async fn restart(&mut self) {
        self.terminate();
        super::until("the process ends", || self.child.try_wait().unwrap().is_some()).await;
        self.resume().await;
    }

    /// Starts it again in the same folder after it has ended.
    pub(crate) async fn resume(&mut self) {
        self.child = launch(self.folder.path(), &[], &self.output);
        self.until_ready().await;
    }

    async fn until_ready(&mut self) {
        let ready = async {
            loop {
                if let Some(status) = self.child.try_wait().unwrap() {
                    panic!("the gateway ended with {status}:\n{}", self.lines().join("\n"));
                }
                let asked = Client::new(&self.admin).try_get("/readyz").await;
                if asked.is_some_and(|reply| reply.status == 200) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        // The very first start compiles the adapters.
        let ready = tokio::time::timeout(PATIENCE * 4, ready).await.is_ok();
        assert!(ready, "the gateway is not ready:\n{}", self.lines().join("\n"));
    }

    /// A client of the data plane.
    pub(crate) fn client(&self) -> Client {
        Client::new(&self.listen)
    }

    /// A client of the admin side that has the password.
    pub(crate) fn admin(&self) -> Client {
        self.stranger().with("authorization", &format!("Bearer {ADMIN_PASSWORD}"))
    }

    /// A client of the admin side that has nothing.
    pub(crate) fn stranger(&self) -> Client {
        Client::new(&self.admin)
    }

    /// Where clients come in: `http://127.0.0.1:20000`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.listen)
    }

    /// Puts another configuration into the file's place.
    pub(crate) fn rewrite(&self, configuration: &str) {
        let text = completed(configuration, &self.listen, &self.admin);
        let aside = self.folder.path().join("causeway.toml.new");
        std::fs::write(&aside, text).unwrap();
        std::fs::rename(aside, self.folder.path().join("causeway.toml")).unwrap();
    }

    /// Tells it to read its configuration again.
    pub(crate) fn hangup(&self) {
        self.signal("-HUP");
    }

    /// Tells it to finish what runs and end.
    pub(crate) fn terminate(&self) {
        self.signal("-TERM");
    }

    fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Lets it end as it is told to.
    pub(crate) async fn stop(&mut self) {
        self.terminate();
        super::until("the process ends", || self.child.try_wait().unwrap().is_some()).await;
    }

    /// Where its configuration stands, and what it keeps.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its process id.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Its exit status, if it has ended.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Everything it has printed so far, line by line.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.output.lock().clone()
    }

    /// Its log so far.
    pub(crate) fn log(&self) -> Vec<Value> {
        self.lines().iter().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// The line of one request, once it is there.
    pub(crate) async fn request_line(&self, request_id: &str) -> Value {
        let looking = async {
            loop {
                let found = self.log().into_iter().find(|line| line["request_id"] == request_id);
                match found {
                    Some(line) => return line,
                    None => tokio::time::sleep(Duration::from_millis(10)).await,
                }
            }
        };
        let found = tokio::time::timeout(PATIENCE, looking).await;
        found.unwrap_or_else(|_| panic!("no line for {request_id}:\n{}", self.lines().join("\n")))
    }

    /// The text of `/metrics`.
    pub(crate) async fn metrics(&self) -> String {
        let reply = self.admin().get("/metrics").await;
        assert_eq!(reply.status, 200);
        reply.text()
    }

    /// Waits for the sum of a metric's samples: a request is counted when its answer is out.
    pub(crate) async fn until_metric(&self, name: &str, with: &[&str], sum: f64) {
        let start = std::time::Instant::now();
        while self.metric(name, with).await != sum {
            assert!(start.elapsed() < PATIENCE, "{name} {with:?} is never {sum}:\n{}", self.metrics().await);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// The sum of a metric's samples that hold all of these texts.
    pub(crate) async fn metric(&self, name: &str, with: &[&str]) -> f64 {
        let text = self.metrics().await;
        let samples = text.lines().filter(|line| {
            line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']))
                && with.iter().all(|part| line.contains(part))
        });
        samples.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let lines = self.lines();
            eprintln!("--- the gateway said last:\n{}", lines[lines.len().saturating_sub(30)..].join("\n"));
        }
    }
}

/// Starts the process in a folder that holds its configuration.
fn launch(folder: &Path, environment: &[(&str, &str)], output: &Arc<Mutex<Vec<String>>>) -> Child {
    let mut command = command(folder);
    command.args(["serve", "-c", "causeway.toml"]).envs(environment.iter().copied());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    collect(child.stdout.take().unwrap(), output);
    collect(child.stderr.take().unwrap(), output);
    child
}

/// Runs the command line to its end in a folder that holds these files.
pub(crate) fn run(arguments: &[&str], files: &[(&str, &[u8])], environment: &[(&str, &str)]) -> Output {
    let folder = Folder::new();
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    let mut child = command(folder.path())
        .args(arguments)
        .envs(environment.iter().copied())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A pipe holds 64 KiB: whoever is not read while it writes more never ends.
    let (stdout, stderr) = (whole(child.stdout.take().unwrap()), whole(child.stderr.take().unwrap()));
    let start = std::time::Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if start.elapsed() > PATIENCE * 4 {
            child.kill().unwrap();
            child.wait().unwrap();
            let said = (stdout.join().unwrap(), stderr.join().unwrap());
            panic!("`causeway {}` did not end: {said:?}", arguments.join(" "));
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    Output { status, stdout: stdout.join().unwrap(), stderr: stderr.join().unwrap() }
}

/// Reads to the end, beside whatever else is done.
fn whole(mut pipe: impl Read + Send + 'static) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        bytes
    })
}

/// The process with nothing of the environment the tests run in.
fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_causeway-under-test"));
    command.current_dir(folder).env_clear().stdin(Stdio::null());
    // Adapters compiled once serve all tests.
    command.env("CAUSEWAY_ADMIN_PASSWORD", ADMIN_PASSWORD);
    command.env("XDG_CACHE_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"));
    command
}

fn completed(configuration: &str, listen: &str, admin: &str) -> String {
    let mut text = String::new();
    if !configuration.contains("{listen}") {
        text.push_str("[server]\nlisten = [\"{listen}\"]\n");
    }
    if !configuration.contains("{admin}") {
        text.push_str("[admin]\nlisten = \"{admin}\"\n");
    }
    text.push_str(configuration);
    text.replace("{listen}", listen).replace("{admin}", admin)
}

fn collect(output: impl Read + Send + 'static, lines: &Arc<Mutex<Vec<String>>>) {
    let lines = Arc::clone(lines);
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            lines.lock().push(line);
        }
    });
}

/// An address nobody listens on, below the ports the system gives to outgoing connections.
pub(crate) fn free_address() -> String {
    const FIRST: u16 = 12_000;
    const MANY: u16 = 18_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % u32::from(MANY)).unwrap();
    loop {
        let port = FIRST + (start + NEXT.fetch_add(1, Ordering::Relaxed) % MANY) % MANY;
        let address = format!("127.0.0.1:{port}");
        if TcpListener::bind(&address).is_ok() {
            return address;
        }
    }
}

/// A folder that goes with its owner.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A whole reply that is an answer.
#[track_caller]
pub(crate) fn good(reply: &Reply) -> Value {
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(reply.complete, "the body ends too early: {}", reply.text());
    reply.json()
}
