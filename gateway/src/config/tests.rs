//! Bad files and what is said about them, good files and what they mean.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::*;
use crate::domain::{Micros, Secret};

mod bad;
mod good;
mod hostile;
mod values;

/// The folder of the example files.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../config")
}

fn file(name: &str) -> String {
    std::fs::read_to_string(folder().join(name)).expect(name)
}

/// Everything the example files ask of the environment.
fn environment(name: &str) -> Option<String> {
    let known = HashMap::from([
        ("ANTHROPIC_API_KEY", "sk-ant-0123456789abcdef"),
        ("CAUSEWAY_ADMIN_PASSWORD", "correct horse battery staple"),
        ("CAUSEWAY_KEY", "cw-me-0123456789abcdef"),
        ("CAUSEWAY_KEY_CI", "cw-ci-0123456789abcdef"),
        ("CAUSEWAY_KEY_WEB", "cw-web-0123456789abcdef"),
        ("CAUSEWAY_MASTER_KEY", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"),
        ("CAUSEWAY_REDIS_URL", "redis://10.0.0.5:6379"),
        ("EMPTY", ""),
        ("OIDC_CLIENT_SECRET", "secret-of-a-client"),
        ("OPENAI_API_KEY", "sk-0123456789abcdef"),
        ("OPENAI_KEY_1", "sk-1-0123456789abcdef"),
        ("OPENAI_KEY_2", "sk-2-0123456789abcdef"),
        ("SHORT", "hunter2"),
        ("THREE", "3"),
    ]);
    known.get(name).map(|value| (*value).to_owned())
}

/// The text with `${file:…}` pointing at a file that is there.
fn with_file(text: &str) -> String {
    let path = std::env::temp_dir().join(format!("causeway-config-test-{}", std::process::id()));
    std::fs::write(&path, "azure-key-from-a-file\n").expect("a writable temporary folder");
    text.replace("/run/secrets/azure", &path.display().to_string())
}

fn read(text: &str) -> Config {
    parse(text, "a.toml", &[], &environment).unwrap_or_else(|error| panic!("{error}")).config
}

fn refuse(text: &str) -> ConfigError {
    parse(text, "a.toml", &[], &environment).expect_err("a refusal")
}

/// Compares a generated file with what is in the repository, or writes it when `CAUSEWAY_BLESS` is set.
fn is_current(path: &Path, generated: &str) {
    if std::env::var_os("CAUSEWAY_BLESS").is_some() {
        std::fs::write(path, generated).expect("a writable repository");
    }
    let stored = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        stored == generated,
        "{} is not current: run the tests with CAUSEWAY_BLESS=1 and look at the difference",
        path.display()
    );
}
