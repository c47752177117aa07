//! The vendors' own clients, Vercel's AI SDK and LangChain against every provider, through the gateway. Their checks are
//! in `tests/sdk`.
//!
//! The Python clients come from PyPI into a virtual environment below `target/`, the JavaScript ones from npm.

use std::path::Path;
use std::process::{Command, Output};

use super::support::{Gateway, KEY, packages, provider_key, upstream};

/// Names as the vendors have them; the mock knows the rest of each name by its ending.
const MODELS: [(&str, &str, &str); 4] = [
    ("openai", "gpt-*", "gpt-mock"),
    ("anthropic", "claude-*", "claude-mock"),
    ("gemini", "gemini-*", "gemini-mock"),
    ("ollama", "llama-*", "llama-mock"),
];

#[tokio::test]
async fn the_python_clients_get_what_they_expect_from_every_provider() {
    match tokio::task::spawn_blocking(|| packages::python("sdk")).await.unwrap() {
        Ok(python) => check(150, move || with_python(&python)).await,
        Err(reason) => packages::skip("the Python clients", &reason),
    }
}

#[tokio::test]
async fn the_python_clients_get_vectors_pictures_sound_and_counts() {
    match tokio::task::spawn_blocking(|| packages::python("sdk")).await.unwrap() {
        Ok(python) => check(12, move || in_python(&python, "operations.py")).await,
        Err(reason) => packages::skip("the Python clients", &reason),
    }
}

#[tokio::test]
async fn the_javascript_clients_get_what_they_expect_from_every_provider() {
    match tokio::task::spawn_blocking(|| packages::node("sdk")).await.unwrap() {
        Ok(home) => check(200, move || with_node(&home)).await,
        Err(reason) => packages::skip("the JavaScript clients", &reason),
    }
}

fn with_python(python: &Path) -> Command {
    let mut command = in_python(python, "check.py");
    command.args(["--faults", "--verbose"]);
    command
}

fn in_python(python: &Path, script: &str) -> Command {
    let mut command = packages::bare(python);
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONUTF8", "1");
    command.arg(packages::folder("sdk").join(script));
    command
}

/// Node.js looks for packages beside the script, so the scripts go where the packages are.
fn with_node(home: &Path) -> Command {
    for entry in std::fs::read_dir(packages::folder("sdk")).unwrap() {
        let script = entry.unwrap().path();
        if script.extension().is_some_and(|extension| extension == "mjs") {
            std::fs::copy(&script, home.join(script.file_name().unwrap())).unwrap();
        }
    }
    let mut command = packages::bare(Path::new("node"));
    command.arg(home.join("check.mjs"));
    command
}

/// Runs checks against a gateway; all pass, and at least so many: a loop over nothing would succeed too.
async fn check(least: usize, checks: impl FnOnce() -> Command + Send + 'static) {
    let mock = upstream::mock();
    let gateway = Gateway::start(&configuration(&upstream::url(&mock))).await;
    let url = gateway.url();
    let output = tokio::task::spawn_blocking(move || run(checks(), &url)).await.unwrap();
    let (said, complaint) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let failed: Vec<&str> = said.lines().filter(|line| line.starts_with("FAILED")).collect();
    assert!(
        output.status.success(),
        "{} checks of the clients failed\n{}\n--- all of it\n{said}{complaint}",
        failed.len(),
        failed.join("\n")
    );
    let passed = said.lines().filter(|line| line.starts_with("ok ")).count();
    assert!(passed >= least, "only {passed} checks ran\n{said}");
}

fn run(mut command: Command, url: &str) -> Output {
    let models: Vec<String> = MODELS.iter().map(|(provider, _, name)| format!("{provider}={name}")).collect();
    command.args(["--base-url", url, "--key", KEY, "--models"]).arg(models.join(","));
    command.output().unwrap()
}

/// Names reach the mock with all their endings; what fails is told at once. A pattern is in no list of models, so the
/// plain names stand beside them.
fn configuration(upstream: &str) -> String {
    let mut text = format!("[keys.tests]\nsecret = \"{KEY}\"\n");
    for (name, pattern, plain) in MODELS {
        let key = provider_key(name);
        text.push_str(&format!(
            "[providers.{name}]\nplugin = \"{name}\"\nurl = \"{upstream}\"\nkeys = [\"{key}\"]\n"
        ));
        for model in [pattern, plain] {
            text.push_str(&format!("[models.\"{model}\"]\ntargets = [\"{name}/*\"]\nretry.attempts = 1\n"));
        }
    }
    text
}
