//! The gateway's command line under a second name, for the tests beside it.

use std::process::ExitCode;

fn main() -> ExitCode {
    causeway::cli::run()
}
