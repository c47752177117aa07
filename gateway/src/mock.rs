//! The built-in fake provider: one HTTP server that looks like OpenAI, Anthropic, Gemini, Amazon Bedrock, Cohere and
//! Ollama. For the demo, the tests and the benchmarks; it is also `causeway mock`.
//!
//! | path | vendor |
//! |---|---|
//! | `POST …/chat/completions`, `…/completions` | OpenAI |
//! | `POST …/messages`, `…/messages/count_tokens` | Anthropic |
//! | `POST …/models/{model}:generateContent`, `:streamGenerateContent`, `:countTokens` | Gemini |
//! | `POST …/api/chat`, `…/api/generate`, `GET …/api/tags` | Ollama |
//! | `POST …/model/{model}/converse`, `…/converse-stream` | Amazon Bedrock |
//! | `POST …/v2/chat` | Cohere |
//! | `GET …/models`, `…/models/{model}` | Gemini under `/v1beta`, Anthropic with an `anthropic-version`, else OpenAI |
//!
//! It is deterministic: the answer follows from the request (and only ids and times from the number of the request).
//!
//! **Steering.** [`Settings`] hold for all requests. A header `x-mock-<name>` changes one of them for one request, and
//! so does `@<name>=<value>` behind the model's name, which also survives a gateway in between:
//! `mock@fault=cut:3@chunks=10@text=two%20words`. Names: `first-token`, `rate`, `chunks`, `piece` (bytes of each piece
//! of text), `text`, `fault` (see [`Fault`]), `usage`, `finish` (`refusal`, `blocked`). Values are percent-decoded.
//!
//! **Words in a model's name.** `unknown…` is not known (404). `…think…` reasons without being asked, and takes
//! `reasoning_content` back (OpenAI). `…deepseek…` demands it back with tool calls. `…redacted…` reasons in an encrypted
//! block (Anthropic). `…gemini-3…` and `…think…` give ids and signatures to calls and demand the signatures (Gemini).
//!
//! **Words in the user's text.** `call:<tool>` calls that tool, `call:<tool>{"a":1}` with these arguments; several make
//! several calls. Else `weather` or `tool` calls the first tool and `parallel` two; so does a forced tool choice. A
//! turn of tool results is answered by quoting them.
//!
//! **Tokens** are bytes of text divided by four. Anthropic's cache marks are remembered and counted; a
//! `prompt_cache_key` (OpenAI) finds half of the prompt, a `cachedContent` (Gemini) is 64 tokens.
//!
//! **Strictness.** What the vendor refuses is refused in the vendor's words, as far as it shows a wrong translation;
//! `strict` off ends that.

mod anthropic;
mod bedrock;
mod cohere;
mod decide;
mod fault;
mod gemini;
mod ollama;
mod openai;
mod operations;
mod prompt;
mod record;
mod reply;
mod route;
mod sample;
mod script;
mod serve;
mod settings;
mod signature;
mod tree;
mod vendor;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

pub use fault::Fault;
pub use record::{Received, Served};
pub use settings::Settings;

use decide::Desk;
use record::Recorder;
use serve::Shared;

/// The fake provider.
pub struct Mock;

impl Mock {
    /// Binds `address` (port 0 finds a free one) and serves on the current tokio runtime.
    ///
    /// # Errors
    /// When the address is taken or there is no runtime.
    pub fn start(settings: Settings, address: SocketAddr) -> io::Result<Running> {
        let runtime = Handle::try_current().map_err(io::Error::other)?;
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let shared = Arc::new(Shared { desk: Desk::new(settings), recorder: Arc::new(Recorder::default()) });
        let task = runtime.spawn(serve::accept(listener, Arc::clone(&shared)));
        Ok(Running { address, shared, task })
    }
}

/// A mock that serves; it stops when this is dropped.
pub struct Running {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The last 4096 requests, oldest first.
    pub fn requests(&self) -> Vec<Received> {
        self.shared.recorder.requests()
    }

    /// Counts from now on what each request takes.
    pub fn count(&self) {
        self.shared.recorder.count();
    }

    /// What each request took since then, in the order in which they came.
    pub fn served(&self) -> Vec<Served> {
        self.shared.recorder.served()
    }

    /// Forgets the requests so far.
    pub fn clear(&self) {
        self.shared.recorder.clear();
    }

    /// Connections that are open now.
    pub fn open_connections(&self) -> usize {
        self.shared.recorder.open_connections()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[cfg(test)]
mod tests;
