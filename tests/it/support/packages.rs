//! Foreign clients from PyPI and npm, installed below `target/` by the first test that needs them.
//!
//! A test without its clients says so and counts as skipped; with `CAUSEWAY_REQUIRE_SDKS=1` that is a failure.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use parking_lot::Mutex;

/// The Node.js that the clients are made for.
const NODE: u32 = 20;

/// One installation at a time: two tests may want the same.
static INSTALLING: Mutex<()> = Mutex::new(());

/// A folder beside `tests/it`.
pub(crate) fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The Python of a virtual environment with what stands in the folder's `requirements.txt`; what kept it from being made
/// otherwise.
pub(crate) fn python(name: &str) -> Result<PathBuf, String> {
    let requirements = folder(name).join("requirements.txt");
    let home = installed(name, std::slice::from_ref(&requirements), |home| {
        run(Command::new("python3").args(["-m", "venv"]).arg(home), "no Python with venv")?;
        let mut install = Command::new(home.join("bin/python"));
        install.args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "-r"]);
        run(install.arg(&requirements), "the clients cannot be installed from PyPI")
    })?;
    Ok(home.join("bin/python"))
}

/// A folder with the `node_modules` that the folder's `package-lock.json` wants; what kept it from being made otherwise.
pub(crate) fn node(name: &str) -> Result<PathBuf, String> {
    let files = ["package.json", "package-lock.json", ".npmrc"].map(|file| folder(name).join(file));
    let version = run(Command::new("node").arg("--version"), "no Node.js")?;
    let major = version.trim().trim_start_matches('v').split('.').next().and_then(|major| major.parse().ok());
    if major.is_none_or(|major: u32| major < NODE) {
        return Err(format!("Node.js is {}, and the clients want {NODE} or newer", version.trim()));
    }
    installed(name, &files, |home| {
        std::fs::create_dir_all(home).map_err(|error| error.to_string())?;
        for file in &files {
            let name = file.file_name().unwrap_or_default();
            std::fs::copy(file, home.join(name)).map_err(|error| error.to_string())?;
        }
        run(
            Command::new("npm").args(["ci", "--loglevel=error"]).current_dir(home),
            "the clients cannot be installed from npm",
        )
    })
}

/// A folder of its own for these files' content, filled once.
fn installed(
    name: &str,
    files: &[PathBuf],
    install: impl FnOnce(&Path) -> Result<String, String>,
) -> Result<PathBuf, String> {
    let mut hash = DefaultHasher::new();
    for file in files {
        std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?.hash(&mut hash);
    }
    let kind = files.first().and_then(|file| file.extension()).unwrap_or_default().to_string_lossy();
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{kind}-{:016x}", hash.finish()));
    let ready = home.join("ready");
    let _alone = INSTALLING.lock();
    if !ready.is_file() {
        // What an interrupted run left behind is of no use.
        let _ = std::fs::remove_dir_all(&home);
        install(&home)?;
        std::fs::write(&ready, "").map_err(|error| error.to_string())?;
    }
    Ok(home)
}

/// What a command printed; its last words when it failed.
pub(crate) fn run(command: &mut Command, problem: &str) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{problem}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let last = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
    Err(format!("{problem}: {last}"))
}

/// A command with nothing of the environment the tests run in but the way to its programs: keys and addresses in it
/// would reach the clients.
pub(crate) fn bare(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command.env("NO_PROXY", "*");
    command
}

/// Says that a test was not run, or fails where it must run.
pub(crate) fn skip(test: &str, reason: &str) {
    let required = std::env::var("CAUSEWAY_REQUIRE_SDKS").is_ok_and(|value| value == "1");
    assert!(!required, "CAUSEWAY_REQUIRE_SDKS=1, and {reason}");
    // Straight to the terminal: what a passing test prints is not shown.
    let line = format!("\nSKIPPED {test}: {reason}.\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
}

#[test]
fn an_installation_that_fails_says_why() {
    let problem =
        run(Command::new("python3-that-is-not-there").arg("-V"), "no Python with venv").unwrap_err();
    assert!(problem.starts_with("no Python with venv: "), "{problem}");
    let problem = run(Command::new("sh").args(["-c", "echo one; echo two >&2; exit 1"]), "no").unwrap_err();
    assert_eq!(problem, "no: two");
}
