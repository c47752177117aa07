//! The document of the API held against the API by Schemathesis: every answer is one that it names.
//!
//! Schemathesis comes from PyPI into a virtual environment below `target/`. `CAUSEWAY_SCHEMATHESIS_CASES` says how many
//! examples it makes for each operation; see `tests/README.md`.

use std::path::Path;
use std::process::Command;

use super::start;
use crate::support::gateway::Folder;
use crate::support::{ADMIN_PASSWORD, packages};

/// Examples for each operation, in the usual run.
const USUAL: &str = "3";

#[tokio::test]
async fn every_answer_is_one_that_the_document_names() {
    match tokio::task::spawn_blocking(|| packages::python("schemathesis")).await.unwrap() {
        Ok(python) => check(&python).await,
        Err(reason) => packages::skip("Schemathesis", &reason),
    }
}

async fn check(python: &Path) {
    let (_mock, gateway) = start("[people]\nsign_up = true\n").await;
    let address = gateway.stranger().address().to_owned();
    let cases = std::env::var("CAUSEWAY_SCHEMATHESIS_CASES").unwrap_or_else(|_| USUAL.to_owned());
    let command = python.with_file_name("schemathesis");
    let folder = Folder::new();
    let document = folder.path().join("openapi.json");
    let text = gateway.admin().get("/admin/api/openapi.json").await;
    std::fs::write(&document, &text.body).unwrap();
    let output = tokio::task::spawn_blocking(move || {
        let mut command: Command = packages::bare(&command);
        command.arg("--config-file").arg(packages::folder("schemathesis").join("schemathesis.toml"));
        command.arg("run").arg(&document).args(["--url", &format!("http://{address}")]);
        command.args(["--checks", "all", "--phases", "examples,coverage,fuzzing,stateful"]);
        // Wrong passwords make everybody wait; `sessions` looks at these.
        command.args(["--exclude-path", "/admin/api/session", "--exclude-path", "/admin/api/redeem"]);
        command.args(["--max-examples", &cases, "--seed", "1", "--no-color"]);
        // It keeps examples of its own beside where it runs.
        command
            .env("CAUSEWAY_ADMIN_PASSWORD", ADMIN_PASSWORD)
            .env("PYTHONUTF8", "1")
            .current_dir(folder.path());
        command.output().unwrap()
    });
    let output = output.await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    // A run over nothing would succeed too.
    let generated = said.lines().find_map(|line| line.trim().split_once(" generated")?.0.parse::<u32>().ok());
    assert!(generated.is_some_and(|cases| cases > 1_000), "{said}");
}
