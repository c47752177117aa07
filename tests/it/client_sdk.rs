//! The vendors' own Python clients against every provider, through the gateway. Their checks are in `tests/sdk`.
//!
//! The test makes itself a virtual environment below `target/` and fills it from PyPI. Without Python or without PyPI it
//! says so and counts as skipped; with `CAUSEWAY_REQUIRE_SDKS=1` that is a failure.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::support::{Gateway, KEY, Shape, provider, upstream};

/// Names as the vendors have them; the mock knows the rest of each name by its ending.
const MODELS: [(Shape, &str, &str); 3] = [
    (Shape::OpenAi, "gpt-*", "gpt-mock"),
    (Shape::Anthropic, "claude-*", "claude-mock"),
    (Shape::Gemini, "gemini-*", "gemini-mock"),
];

#[tokio::test]
async fn the_official_clients_get_what_they_expect_from_every_provider() {
    let python = match tokio::task::spawn_blocking(environment).await.unwrap() {
        Ok(python) => python,
        Err(reason) => return skip(&reason),
    };
    let mock = upstream::mock();
    let gateway = Gateway::start(&configuration(&upstream::url(&mock))).await;
    let url = gateway.url();
    let (operations, conversations) = tokio::task::spawn_blocking(move || {
        (
            check(&python, "operations.py", &[], &url),
            check(&python, "check.py", &["--faults", "--verbose"], &url),
        )
    })
    .await
    .unwrap();
    // Nine pairs with a dozen checks each; a loop over nothing would succeed too.
    judge(&conversations, 100);
    judge(&operations, 10);
}

fn judge(output: &Output, at_least: usize) {
    let (said, complaint) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let failed: Vec<&str> = said.lines().filter(|line| line.starts_with("FAILED")).collect();
    assert!(
        output.status.success(),
        "{} checks of the official clients failed\n{}\n--- all of it\n{said}{complaint}",
        failed.len(),
        failed.join("\n")
    );
    let passed = said.lines().filter(|line| line.starts_with("ok ")).count();
    assert!(passed > at_least, "only {passed} checks ran\n{said}");
}

/// Names reach the mock with all their endings; what fails is told at once. A pattern is in no list of models, so the
/// plain names stand beside them.
fn configuration(upstream: &str) -> String {
    let mut text = format!("[keys.tests]\nsecret = \"{KEY}\"\n");
    for (shape, pattern, plain) in MODELS {
        let name = shape.word();
        text.push_str(&provider(name, shape, upstream));
        for model in [pattern, plain] {
            text.push_str(&format!("[models.\"{model}\"]\ntargets = [\"{name}/*\"]\nretry.attempts = 1\n"));
        }
    }
    text
}

fn check(python: &Path, script: &str, more: &[&str], url: &str) -> Output {
    let models: Vec<String> =
        MODELS.iter().map(|(shape, _, name)| format!("{}={name}", shape.word())).collect();
    let mut command = bare(python);
    command.arg(folder().join(script)).args(["--base-url", url, "--key", KEY]).args(more);
    command.arg("--models").arg(models.join(","));
    command.output().unwrap()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk")
}

/// Keys and addresses in the environment would reach the clients.
fn bare(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONUTF8", "1").env("NO_PROXY", "*");
    command
}

/// The Python of a virtual environment that holds the clients; what kept it from being made otherwise.
fn environment() -> Result<PathBuf, String> {
    let requirements = folder().join("requirements.txt");
    let mut hash = DefaultHasher::new();
    std::fs::read(&requirements).unwrap().hash(&mut hash);
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("sdk-{:016x}", hash.finish()));
    let (python, ready) = (home.join("bin/python"), home.join("ready"));
    if ready.is_file() && python.is_file() {
        return Ok(python);
    }
    // What an interrupted run left behind is of no use.
    let _ = std::fs::remove_dir_all(&home);
    run(Command::new("python3").args(["-m", "venv"]).arg(&home), "no Python with venv")?;
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "-r"]);
    run(install.arg(&requirements), "the clients cannot be installed from PyPI")?;
    std::fs::write(&ready, "").unwrap();
    Ok(python)
}

fn run(command: &mut Command, problem: &str) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{problem}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let last = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
    Err(format!("{problem}: {last}"))
}

fn skip(reason: &str) {
    let required = std::env::var("CAUSEWAY_REQUIRE_SDKS").is_ok_and(|value| value == "1");
    assert!(!required, "CAUSEWAY_REQUIRE_SDKS=1, and {reason}");
    // Straight to the terminal: what a passing test prints is not shown.
    let line = format!("\nSKIPPED client_sdk: {reason}. The official clients were not tried.\n");
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
