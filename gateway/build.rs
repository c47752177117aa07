//! Builds every adapter in `plugins/` to a component and lists them, compressed, for embedding as the bundled set.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// zstd's level: a third of the components' size is left; higher ones take longer for little.
const LEVEL: i32 = 6;

fn main() -> ExitCode {
    match bundle() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            println!("cargo::error={}", problem.replace('\n', "; "));
            ExitCode::FAILURE
        }
    }
}

fn bundle() -> Result<(), String> {
    let home = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let root = home.parent().ok_or("the gateway's folder has no parent")?;
    for watched in ["plugins", "plugin-sdk/src", "plugin-sdk/Cargo.toml", "wit", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={}", root.join(watched).display());
    }
    let out = PathBuf::from(variable("OUT_DIR")?);
    let (names, folders): (Vec<_>, Vec<_>) =
        plugin_sdk::build::adapters(&root.join("plugins"))?.into_iter().unzip();
    let components = plugin_sdk::build::components(&folders, &target_of(&out).join("adapters"))?;
    let mut list = String::from("static BUNDLED: &[(&str, &[u8])] = &[\n");
    for (name, component) in names.iter().zip(&components) {
        let packed = out.join(format!("{name}.wasm.zst"));
        std::fs::read(component)
            .and_then(|bytes| zstd::bulk::compress(&bytes, LEVEL))
            .and_then(|bytes| std::fs::write(&packed, bytes))
            .map_err(|error| format!("{}: {error}", component.display()))?;
        writeln!(list, "    ({name:?}, include_bytes!({:?})),", packed.display().to_string())
            .map_err(|error| error.to_string())?;
    }
    list.push_str("];\n");
    std::fs::write(out.join("bundled.rs"), list).map_err(|error| error.to_string())
}

/// The target folder, which all profiles share: an adapter is built once for debug, release and tests.
fn target_of(out: &Path) -> PathBuf {
    let target = out.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file());
    target.unwrap_or(out).to_owned()
}

fn variable(name: &str) -> Result<String, String> {
    std::env::var(name).map_err(|_| format!("{name} is not set; run this through cargo"))
}
