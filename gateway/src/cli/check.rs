//! temp
use std::process::ExitCode;
pub(super) fn run(origin: &crate::app::Origin, _json: bool) -> ExitCode {
    match origin.load() {
        Ok(_) => ExitCode::SUCCESS,
        Err(e) => {
            report(&e);
            ExitCode::from(2)
        }
    }
}
pub(super) fn report(error: &crate::config::ConfigError) {
    super::complain(&[error.to_string()]);
}
