//! `causeway config export` and `causeway store rotate-key`: at the gateway that runs, else at its store.

use std::process::ExitCode;

use super::admin;
use crate::app::Origin;
use crate::app::settings::{now, offline};
use crate::config::{Config, Stored};

/// Prints what was made through the admin API as TOML. `all`: the whole configuration in force.
pub(super) fn export(origin: &Origin, all: bool) -> ExitCode {
    let loaded = match origin.load_over(Some(&Stored::default())) {
        Ok(loaded) => loaded,
        Err(error) => {
            super::check::tell(&error);
            return ExitCode::from(2);
        }
    };
    match exported(&loaded.config, all) {
        Ok(text) => super::check::print(&text),
        Err(problem) => {
            super::complain(&[problem]);
            ExitCode::FAILURE
        }
    }
}

fn exported(config: &Config, all: bool) -> Result<String, String> {
    let path = if all { "/admin/api/config/export?all=true" } else { "/admin/api/config/export" };
    match admin::ask_for_text(config, "GET", path, None) {
        Err(problem) if is_nobody_there(&problem) && !all => {
            offline(config)?.export().map_err(|error| error.to_string())
        }
        answer => answer,
    }
}

/// Seals every secret of the store with the newest master key; the key that seals now, how many records, and the keys
/// that are of no more use.
///
/// # Errors
/// Why not, in one line.
pub(super) fn rotate(config: &Config) -> Result<serde_json::Value, String> {
    match admin::ask(config, "POST", "/admin/api/secrets/rotate") {
        Err(problem) if is_nobody_there(&problem) => {
            let settings = offline(config)?;
            let rotated = now(settings.rotate())?.map_err(|error| error.to_string())?;
            serde_json::to_value(rotated).map_err(|error| error.to_string())
        }
        answer => answer,
    }
}

fn is_nobody_there(problem: &str) -> bool {
    problem.starts_with("no gateway answers")
}
