//! `causeway config`: print the JSON schema, the annotated example file, or what is in force.

use std::path::Path;
use std::process::ExitCode;

use super::check;
use crate::config;

/// What to print.
#[derive(Clone, Copy, Debug)]
pub enum Wanted<'a> {
    /// The JSON schema, for editors: `causeway config schema`.
    Schema,
    /// Every key with its default and a comment: `causeway config show --annotated`.
    Annotated,
    /// The configuration in force, defaults filled in, secrets masked: `causeway config show --effective`.
    Effective {
        /// The file, or the one that would be found.
        path: Option<&'a Path>,
        /// `a.b.c=value` lines.
        overrides: &'a [String],
        /// Say for each key where it comes from: `--origin`.
        origin: bool,
    },
}

/// Prints it. 0: printed. 1: it could not be written. 2: the configuration cannot be used.
pub fn run(wanted: Wanted<'_>) -> ExitCode {
    let text = match wanted {
        Wanted::Schema => Ok(config::schema_text()),
        Wanted::Annotated => config::annotated(),
        Wanted::Effective { path, overrides, origin } => match check::load(path, overrides) {
            Ok(loaded) => config::effective(&loaded, origin),
            Err(error) => {
                check::explain(&error);
                return ExitCode::from(2);
            }
        },
    };
    match text {
        Ok(text) => check::print(&text),
        Err(_) => ExitCode::FAILURE,
    }
}
