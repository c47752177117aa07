//! From crate to component, for build scripts and tools: a nested cargo build for `wasm32-unknown-unknown`, then `wit-component`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use wit_component::ComponentEncoder;

use crate::json;

const TARGET: &str = "wasm32-unknown-unknown";

/// The profile, said on the command line too: a crate outside this workspace does not have it in its manifest.
const PROFILE: [&str; 7] = [
    "profile.adapter.inherits=\"release\"",
    "profile.adapter.debug=false",
    "profile.adapter.opt-level=3",
    "profile.adapter.lto=\"fat\"",
    "profile.adapter.codegen-units=1",
    "profile.adapter.panic=\"abort\"",
    "profile.adapter.strip=true",
];

/// What an outer cargo sets for its build scripts and what must not reach the inner one. `RUSTC_WORKSPACE_WRAPPER`
/// is clippy-driver under `cargo clippy`; flags and target folder are the host's.
const LEAKING: [&str; 7] = [
    "CARGO_ENCODED_RUSTFLAGS",
    "RUSTFLAGS",
    "CARGO_TARGET_DIR",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_BUILD_TARGET",
    "CARGO_BUILD_RUSTFLAGS",
    "RUSTC_WORKSPACE_WRAPPER",
];

/// Every folder directly below `plugins` that holds a `Cargo.toml`: its name and path, in order of name.
///
/// # Errors
/// One line, when the folder cannot be read.
pub fn adapters(plugins: &Path) -> Result<Vec<(String, PathBuf)>, String> {
    let entries = std::fs::read_dir(plugins).map_err(|error| format!("{}: {error}", plugins.display()))?;
    let mut found: Vec<(String, PathBuf)> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.join("Cargo.toml").is_file())
        .filter_map(|path| Some((path.file_name()?.to_str()?.to_owned(), path)))
        .collect();
    found.sort();
    Ok(found)
}

/// Builds one crate into `<target>/<name of its folder>.wasm` and says where that is.
///
/// # Errors
/// Lines for a person: what to install, or what cargo or the encoder said.
pub fn component(crate_folder: &Path, target: &Path) -> Result<PathBuf, String> {
    let mut built = components(&[crate_folder.to_owned()], target)?;
    built.pop().ok_or_else(|| format!("{}: nothing was built", crate_folder.display()))
}

/// Builds several crates of one workspace in one cargo run; the order is kept.
///
/// # Errors
/// As [`component`].
pub fn components(crate_folders: &[PathBuf], target: &Path) -> Result<Vec<PathBuf>, String> {
    let folders: Vec<PathBuf> =
        crate_folders.iter().map(|folder| absolute(folder)).collect::<Result<_, _>>()?;
    let Some(first) = folders.first() else { return Ok(Vec::new()) };
    std::fs::create_dir_all(target).map_err(|error| format!("{}: {error}", target.display()))?;
    let target = absolute(target)?;
    require_target()?;
    let modules = modules(first, &folders, &target)?;
    folders.iter().map(|folder| encode(folder, &modules, &target)).collect()
}

fn absolute(path: &Path) -> Result<PathBuf, String> {
    path.canonicalize().map_err(|error| format!("{}: {error}", path.display()))
}

/// The standard library for the target, installed through rustup where it is missing.
fn require_target() -> Result<(), String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc"));
    let output = Command::new(rustc).args(["--print", "target-libdir", "--target", TARGET]).output();
    let installed =
        output.is_ok_and(|output| Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir());
    if installed {
        return Ok(());
    }
    let added = Command::new("rustup").args(["target", "add", TARGET]).stdout(Stdio::null()).status();
    match added {
        Ok(status) if status.success() => Ok(()),
        _ => Err(format!(
            "adapters are built for {TARGET}, which is not installed: run `rustup target add {TARGET}`"
        )),
    }
}

/// Path of a crate's manifest and of its module.
type Modules = Vec<(PathBuf, PathBuf)>;

fn modules(first: &Path, folders: &[PathBuf], target: &Path) -> Result<Modules, String> {
    let mut command = cargo("build", first);
    command.args([
        "--lib",
        "--target",
        TARGET,
        "--profile",
        "adapter",
        "--message-format",
        "json-render-diagnostics",
    ]);
    command.arg("--target-dir").arg(target);
    for setting in PROFILE {
        command.args(["--config", setting]);
    }
    for name in package_names(first, folders)? {
        command.arg("--package").arg(name);
    }
    Ok(output_of(command)?.lines().filter_map(module).collect())
}

fn cargo(word: &str, crate_folder: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    command.arg(word).arg("--manifest-path").arg(crate_folder.join("Cargo.toml"));
    for name in LEAKING {
        command.env_remove(name);
    }
    command
}

/// Standard output is captured: a build script's own output belongs to the outer cargo.
fn output_of(mut command: Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("cargo did not start: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo for {TARGET} failed\n{}", String::from_utf8_lossy(&output.stderr)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A folder's name is the adapter's, its package may be called otherwise.
fn package_names(first: &Path, folders: &[PathBuf]) -> Result<Vec<String>, String> {
    let mut command = cargo("metadata", first);
    command.args(["--no-deps", "--format-version", "1"]);
    let metadata: Value =
        serde_json::from_str(&output_of(command)?).map_err(|error| format!("cargo metadata: {error}"))?;
    let packages =
        json::at(&metadata, "packages").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let name_of = |folder: &PathBuf| {
        let manifest = folder.join("Cargo.toml");
        let package = packages.iter().find(|package| {
            json::text_at(package, "manifest_path")
                .is_some_and(|path| absolute(Path::new(path)).is_ok_and(|path| path == manifest))
        });
        let name = package.and_then(|package| json::text_at(package, "name"));
        name.map(str::to_owned)
            .ok_or_else(|| format!("{}: not in the workspace of {}", folder.display(), first.display()))
    };
    folders.iter().map(name_of).collect()
}

/// The module a message of cargo tells of, if it does.
fn module(line: &str) -> Option<(PathBuf, PathBuf)> {
    let message: Value = serde_json::from_str(line).ok()?;
    if json::text_at(&message, "reason") != Some("compiler-artifact") {
        return None;
    }
    let files = json::at(&message, "filenames")?.as_array()?;
    let module = files.iter().filter_map(Value::as_str).find(|file| file.ends_with(".wasm"))?;
    Some((PathBuf::from(json::text_at(&message, "manifest_path")?), PathBuf::from(module)))
}

fn encode(folder: &Path, modules: &Modules, target: &Path) -> Result<PathBuf, String> {
    let manifest = folder.join("Cargo.toml");
    let shown = folder.display();
    let module = modules.iter().find(|(built, _)| absolute(built).is_ok_and(|built| built == manifest));
    let Some((_, module)) = module else {
        return Err(format!(
            "{shown}: no module came out; is `crate-type = [\"cdylib\", \"rlib\"]` in its manifest?"
        ));
    };
    let bytes = std::fs::read(module).map_err(|error| format!("{}: {error}", module.display()))?;
    let mut encoder = ComponentEncoder::default();
    let component = encoder
        .module(&bytes)
        .and_then(|encoder| encoder.validate(true).encode())
        .map_err(|error| format!("{shown}: {error:#}"))?;
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let path = target.join(format!("{name}.wasm"));
    write_if_changed(&path, &component)?;
    Ok(path)
}

/// A half-written component must never be read, and an unchanged one must keep its time stamp.
fn write_if_changed(path: &Path, bytes: &[u8]) -> Result<(), String> {
    if std::fs::read(path).is_ok_and(|present| present == bytes) {
        return Ok(());
    }
    let draft = path.with_extension(format!("wasm.{}", std::process::id()));
    std::fs::write(&draft, bytes)
        .and_then(|()| std::fs::rename(&draft, path))
        .map_err(|error| format!("{}: {error}", path.display()))
}
