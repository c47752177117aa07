//! Load the configuration, build the app, run until told to stop.

use std::process::ExitCode;

use crate::app::{self, Origin, Refused};
use crate::config::{LogFormat, Stored};
use crate::observe;

/// The store cannot be used; `sysexits.h` calls it a configuration error of the system's. A supervisor need not try again.
const UNUSABLE: u8 = 78;

pub(super) fn run(origin: Origin, recover: bool) -> ExitCode {
    // Providers may all have been made through the admin API.
    let loaded = match origin.load_over(Some(&Stored::default())) {
        Ok(loaded) => loaded,
        Err(error) => {
            super::check::tell(&error);
            return ExitCode::from(2);
        }
    };
    let format = match loaded.config.log.format {
        Some(LogFormat::Json) => observe::Format::Json,
        Some(LogFormat::Pretty) => observe::Format::Pretty,
        None if super::on_a_terminal() => observe::Format::Pretty,
        None => observe::Format::Json,
    };
    observe::start(loaded.config.log.level.as_str(), format);
    match &origin.path {
        Some(path) => tracing::info!(path = %path.display(), "configuration"),
        None => tracing::info!(
            "no configuration file; starting with the mock provider and the keys in the environment"
        ),
    }
    let served = app::serve(loaded, origin, recover);
    observe::flush();
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(Refused::Configuration(problems)) => {
            super::complain(&problems);
            ExitCode::from(2)
        }
        Err(Refused::Store(problem)) => {
            super::complain(&[problem]);
            ExitCode::from(UNUSABLE)
        }
    }
}
