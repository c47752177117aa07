//! What is no adapter of this contract is refused by name, before it serves anybody.

use std::time::{Duration, Instant};

use super::forged::{describing, patched, spinning};
use super::{digest, hostile};
use crate::support::gateway::run;

/// A configuration with one provider behind `acme.wasm`.
fn configuration(more: &str) -> String {
    format!(
        "[plugins.acme]\nsource = \"file:./acme.wasm\"\n{more}\
         [providers.acme]\nurl = \"http://127.0.0.1:1\"\n[models.m]\ntargets = [\"acme/m\"]\n"
    )
}

/// `serve` and `plugin inspect` both refuse these bytes, in one line that says these things.
#[track_caller]
fn refuse(component: &[u8], words: &[&str]) {
    let configuration = configuration("");
    let files: [(&str, &[u8]); 2] = [("causeway.toml", configuration.as_bytes()), ("acme.wasm", component)];
    for (arguments, status) in
        [(["serve", "-c", "causeway.toml"].as_slice(), 2), (&["plugin", "inspect", "acme.wasm"], 1)]
    {
        let began = Instant::now();
        let output = run(arguments, &files, &[]);
        let said = String::from_utf8_lossy(&output.stderr);
        let lines: Vec<&str> = said.lines().filter(|line| line.starts_with("causeway: ")).collect();
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {said}");
        assert_eq!(lines.len(), 1, "{arguments:?}: {said}");
        for word in ["`acme`"].iter().chain(words) {
            assert!(lines[0].contains(word), "{arguments:?} does not say {word:?}: {said}");
        }
        assert!(lines[0].len() < 1_000, "{} bytes: {said}", lines[0].len());
        assert!(began.elapsed() < Duration::from_secs(20), "{arguments:?} took {:?}", began.elapsed());
    }
}

#[test]
fn another_version_of_the_contract() {
    let other = patched(&hostile(), "@0.1.0", "@0.9.0");
    refuse(&other, &["was built for causeway:adapter 0.9.0", "this gateway takes 0.1.0"]);
}

#[test]
fn an_import_beyond_the_log() {
    let other = patched(&hostile(), "causeway:adapter/host@0.1.0", "wasi:filesystem/types@0.2.0");
    refuse(&other, &["imports `wasi:filesystem/types@0.2.0`"]);
}

#[test]
fn an_import_of_another_version() {
    let other = patched(&hostile(), "causeway:adapter/host@0.1.0", "causeway:adapter/host@0.2.0");
    refuse(&other, &["was built for causeway:adapter 0.2.0"]);
}

#[test]
fn a_missing_export() {
    let other = patched(&hostile(), "causeway:adapter/translate@", "causeway:adapter/tranquile@");
    refuse(&other, &["does not export causeway:adapter/translate"]);
}

#[test]
fn a_missing_function() {
    refuse(&patched(&hostile(), "map-error", "map-terms"), &["does not fit the contract"]);
}

#[test]
fn files_that_are_no_components() {
    let whole = hostile();
    let words = ["not a wasm component"];
    refuse(b"", &words);
    refuse(b"#!/bin/sh\necho hello\n", &words);
    refuse(b"\0asm\x01\0\0\0", &words);
    refuse(&whole[..whole.len() / 2], &words);
    refuse(&[&whole[..8], &[0xff; 4096]].concat(), &words);
    // WAT is text for people; a plugin is a binary.
    refuse(b"(component)", &words);
    refuse(b"\0asm\x0d\0\x01\0", &["does not export"]);
}

#[test]
fn another_digest() {
    let component = hostile();
    let configuration = configuration(&format!("digest = \"{}\"\n", digest(b"another file")));
    let files: [(&str, &[u8]); 2] = [("causeway.toml", configuration.as_bytes()), ("acme.wasm", &component)];
    let output = run(&["serve", "-c", "causeway.toml"], &files, &[]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("`acme`") && said.contains("acme.wasm"), "{said}");
    assert!(said.contains(&digest(&component)) && said.contains(&digest(b"another file")), "{said}");
}

#[test]
fn a_file_that_is_not_there() {
    let output =
        run(&["serve", "-c", "causeway.toml"], &[("causeway.toml", configuration("").as_bytes())], &[]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("acme.wasm") && said.contains("No such file"), "{said}");
    let output = run(&["plugin", "inspect", "acme.wasm"], &[], &[]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("acme.wasm") && said.contains("No such file"), "{said}");
}

#[test]
fn a_start_that_never_ends() {
    refuse(&spinning(&hostile()), &["used up its 50ms in instantiate"]);
}

#[test]
fn a_describe_that_harms() {
    refuse(&describing(&hostile(), "loop"), &["used up its 50ms in describe"]);
    refuse(&describing(&hostile(), "trap"), &["trapped in describe"]);
    refuse(&describing(&hostile(), "memory"), &["bytes of memory in describe"]);
    refuse(&describing(&hostile(), "path"), &["illegal path \"//evil.example/v1\""]);
}

/// A manifest that says nonsense fails where it is read.
#[test]
fn a_manifest_that_is_nonsense() {
    let component = describing(&hostile(), "schema");
    let configuration = configuration("");
    let files: [(&str, &[u8]); 2] = [("causeway.toml", configuration.as_bytes()), ("acme.wasm", &component)];
    let output = run(&["serve", "-c", "causeway.toml"], &files, &[]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("providers.acme") && said.contains("options schema is not JSON"), "{said}");
}

#[test]
fn a_configure_that_harms() {
    let component = hostile();
    for (mode, words) in [
        ("loop", "used up its 50ms in configure"),
        ("memory", "bytes of memory in configure"),
        ("trap", "trapped in configure"),
        ("panic", "trapped in configure"),
        ("recursion", "trapped in configure"),
        ("handles", "configure"),
        ("refuse", "these options are not to my taste"),
    ] {
        let configuration =
            format!("{}[providers.acme.options]\nmode = \"{mode}\"\nin = \"configure\"\n", configuration(""));
        let files: [(&str, &[u8]); 2] =
            [("causeway.toml", configuration.as_bytes()), ("acme.wasm", &component)];
        let output = run(&["serve", "-c", "causeway.toml"], &files, &[]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{mode}: {said}");
        assert!(said.contains("providers.acme") && said.contains(words), "{mode}: {said}");
    }
}

/// What the file is, said by the engine that would run it.
#[test]
fn an_honest_file_is_inspected() {
    let component = hostile();
    let output = run(&["plugin", "inspect", "acme.wasm"], &[("acme.wasm", &component)], &[]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for word in ["hostile 0.1.0", "causeway:adapter@0.1.0", &digest(&component), &component.len().to_string()]
    {
        assert!(said.contains(word), "{word}: {said}");
    }
}
