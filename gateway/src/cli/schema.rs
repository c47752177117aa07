//! `causeway config`: print the JSON schema, the annotated example file, or what is in force.

use std::process::ExitCode;

use super::check;
use crate::app::Origin;
use crate::config;

/// What to print.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wanted<'a> {
    /// The JSON schema, for editors: `causeway config schema`.
    Schema,
    /// Every key with its default and a comment: `causeway config show --annotated`.
    Annotated,
    /// The configuration in force, defaults filled in, secrets masked: `causeway config show --effective`.
    Effective {
        /// Where it comes from.
        from: &'a Origin,
        /// Say for each key where it comes from: `--origin`.
        origin: bool,
    },
}

/// Prints it. 0: printed. 1: it could not be written. 2: the configuration cannot be used.
pub(super) fn run(wanted: Wanted<'_>) -> ExitCode {
    let text = match wanted {
        Wanted::Schema => Ok(config::schema_text()),
        Wanted::Annotated => config::annotated(),
        Wanted::Effective { from, origin } => match from.load() {
            Ok(loaded) => config::effective(&loaded, origin),
            Err(error) => {
                check::tell(&error);
                return ExitCode::from(2);
            }
        },
    };
    match text {
        Ok(text) => check::print(&text),
        Err(_) => ExitCode::FAILURE,
    }
}
