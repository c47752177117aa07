//! The vendors' own Python clients against every provider, through the gateway. Their checks are in `tests/sdk`.
//!
//! The clients come from PyPI into a virtual environment below `target/`.

use std::path::Path;
use std::process::Output;

use super::support::{Gateway, KEY, Shape, packages, provider, upstream};

/// Names as the vendors have them; the mock knows the rest of each name by its ending.
const MODELS: [(Shape, &str, &str); 3] = [
    (Shape::OpenAi, "gpt-*", "gpt-mock"),
    (Shape::Anthropic, "claude-*", "claude-mock"),
    (Shape::Gemini, "gemini-*", "gemini-mock"),
];

#[tokio::test]
async fn the_official_clients_get_what_they_expect_from_every_provider() {
    let python = match tokio::task::spawn_blocking(|| packages::python("sdk")).await.unwrap() {
        Ok(python) => python,
        Err(reason) => return packages::skip("client_sdk", &reason),
    };
    let mock = upstream::mock();
    let gateway = Gateway::start(&configuration(&upstream::url(&mock))).await;
    let url = gateway.url();
    let output = tokio::task::spawn_blocking(move || check(&python, &url)).await.unwrap();
    let (said, complaint) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let failed: Vec<&str> = said.lines().filter(|line| line.starts_with("FAILED")).collect();
    assert!(
        output.status.success(),
        "{} checks of the official clients failed\n{}\n--- all of it\n{said}{complaint}",
        failed.len(),
        failed.join("\n")
    );
    // Nine pairs with a dozen checks each; a loop over nothing would succeed too.
    let passed = said.lines().filter(|line| line.starts_with("ok ")).count();
    assert!(passed > 100, "only {passed} checks ran\n{said}");
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

fn check(python: &Path, url: &str) -> Output {
    let models: Vec<String> =
        MODELS.iter().map(|(shape, _, name)| format!("{}={name}", shape.word())).collect();
    let mut command = packages::bare(python);
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONUTF8", "1");
    command.arg(packages::folder("sdk").join("check.py")).args([
        "--base-url",
        url,
        "--key",
        KEY,
        "--faults",
        "--verbose",
    ]);
    command.arg("--models").arg(models.join(","));
    command.output().unwrap()
}
