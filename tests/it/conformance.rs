//! What survives translation: the committed table is what comes out, and the suite can fail.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Output;

use crate::support::gateway::{Folder, run};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// `causeway conform` with the fixtures of the tree.
fn conform(arguments: &[&str]) -> Output {
    let (fixtures, plugins) = (root().join("tests/conformance"), root().join("plugins"));
    let places =
        ["conform", "--fixtures", fixtures.to_str().unwrap(), "--plugins", plugins.to_str().unwrap()];
    run(&[&places, arguments].concat(), &[], &[])
}

#[test]
fn nothing_is_lost_without_a_word_and_the_committed_table_is_what_comes_out() {
    let output = conform(&["--check"]);
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
}

#[test]
fn every_dialect_is_in_the_list_that_the_suite_walks() {
    let listed: BTreeSet<String> =
        causeway::dialect::ALL.iter().map(|dialect| dialect.id().to_owned()).collect();
    let folder = root().join("gateway/src/dialect");
    let mut written = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let Some((_, behind)) = text.split_once("fn id(&self) -> &'static str {") else { continue };
        written.insert(behind.split('"').nth(1).unwrap().to_owned());
    }
    assert!(written.len() >= 4, "{written:?}");
    assert_eq!(listed, written);
}

#[test]
fn an_adapter_without_fixtures_fails_by_name() {
    let nothing = Folder::new();
    let output = conform(&["openai", "--own", nothing.path().to_str().unwrap(), "--only", "text"]);
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("adapter `openai`") && said.contains("places.json"), "{said}");
}

#[test]
fn a_value_that_is_not_in_its_place_fails() {
    let own = Folder::new();
    for file in ["answers.json", "errors.json"] {
        let from = root().join("plugins/gemini/conformance").join(file);
        std::fs::copy(from, own.path().join(file)).unwrap();
    }
    let places = std::fs::read_to_string(root().join("plugins/gemini/conformance/places.json")).unwrap();
    let moved = places.replace("\"generationConfig.topK\"", "\"generationConfig.elsewhere\"");
    assert_ne!(places, moved);
    std::fs::write(own.path().join("places.json"), moved).unwrap();
    let output = conform(&["gemini", "--own", own.path().to_str().unwrap(), "--only", "top-k"]);
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let expected =
        "anthropic-messages → gemini, request/top-k: `top_k` (37) is not in its place and no loss names it";
    assert!(said.contains(expected), "{said}");
}
