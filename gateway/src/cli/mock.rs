//! `causeway mock`: the built-in fake provider as a server of its own.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Args;

use crate::mock::{Mock, Settings};

/// Serve a fake OpenAI, Anthropic, Gemini and Ollama: for demos, tests and benchmarks without a key
#[derive(Debug, Args)]
pub(super) struct MockArguments {
    /// Address to listen on; port 0 finds a free one
    #[arg(long, default_value = "127.0.0.1:9999")]
    pub listen: SocketAddr,
    /// How it answers.
    #[command(flatten)]
    pub settings: Settings,
}

/// Serves until interrupted.
pub(super) fn run(arguments: MockArguments) -> ExitCode {
    match serve(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "causeway mock: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(arguments: MockArguments) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let running = Mock::start(arguments.settings, arguments.listen)
            .map_err(|error| io::Error::new(error.kind(), format!("cannot listen on {}: {error}", arguments.listen)))?;
        writeln!(
            io::stderr(),
            "mock provider on http://{0}\n  OpenAI     http://{0}/v1\n  Anthropic  http://{0}\n  Gemini     http://{0}\n  Ollama     http://{0}\nany key will do; Ctrl-C ends it",
            running.address()
        )?;
        tokio::signal::ctrl_c().await
    })
}
