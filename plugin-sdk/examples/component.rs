//! Builds adapters by hand: `cargo run -p plugin-sdk --features build --example component -- plugins/openai …`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let folders: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    match plugin_sdk::build::components(&folders, Path::new("target/adapters")) {
        Ok(built) => {
            for path in built {
                eprintln!("{}", path.display());
            }
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
