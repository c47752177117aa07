//! Builds the adapter that misbehaves, beside the bundled ones, and tells the tests where it is.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            println!("cargo::error={}", problem.replace('\n', "; "));
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), String> {
    let home = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let root = home.parent().ok_or("the tests' folder has no parent")?;
    for watched in ["tests/hostile", "plugin-sdk/src", "plugin-sdk/Cargo.toml", "wit", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={}", root.join(watched).display());
    }
    let out = PathBuf::from(variable("OUT_DIR")?);
    let built = plugin_sdk::build::component(&home.join("hostile"), &target_of(&out).join("adapters"))?;
    // A copy of its own: the shared folder may hold a later build when the tests read it.
    let copy = out.join("hostile.wasm");
    std::fs::copy(&built, &copy).map_err(|error| format!("{}: {error}", built.display()))?;
    println!("cargo::rustc-env=HOSTILE={}", copy.display());
    Ok(())
}

/// The target folder, which all profiles share.
fn target_of(out: &Path) -> PathBuf {
    let target = out.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file());
    target.unwrap_or(out).to_owned()
}

fn variable(name: &str) -> Result<String, String> {
    std::env::var(name).map_err(|_| format!("{name} is not set; run this through cargo"))
}
