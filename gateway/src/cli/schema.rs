//! temp
use std::process::ExitCode;
pub(super) fn schema() -> ExitCode {
    ExitCode::SUCCESS
}
pub(super) fn show(_: &crate::app::Origin) -> ExitCode {
    ExitCode::SUCCESS
}
