//! Adapters through the sandbox: the honest ones say what they say natively, the hostile one harms nobody.

mod committed;
mod crowd;
mod cut;
mod fixtures;
mod forged;
mod refused;

use std::path::Path;

use sha2::{Digest, Sha256};

/// The adapter that misbehaves as its options say (`tests/hostile`).
const HOSTILE: &str = env!("HOSTILE");

fn hostile() -> Vec<u8> {
    std::fs::read(HOSTILE).unwrap()
}

/// `sha256:…` as a configuration has it.
fn digest(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// The hostile adapter twice: as anybody's file, and pinned by its digest, which keeps its instances warm.
const PLUGINS: [&str; 2] = ["stranger", "pinned"];

/// Both of [`PLUGINS`], under limits that are soon met.
fn plugins() -> String {
    let path = Path::new(HOSTILE).display();
    let digest = digest(&hostile());
    let limits = "memory = \"16MiB\"\nbudget = \"50ms\"\n";
    format!(
        "[plugins.stranger]\nsource = \"file:{path}\"\n{limits}\
         [plugins.pinned]\nsource = \"file:{path}\"\ndigest = \"{digest}\"\n{limits}"
    )
}
