//! What Ollama's two dialects (`/api/chat` and `/api/generate`) share: settings, answers, streams, errors.
//!
//! Sources: <https://docs.ollama.com/api>, its OpenAPI description, and Ollama's own `api/types.go`.
//!
//! **Durations** are measured and never made up: `total_duration` from the request to the last byte of the answer,
//! in a stream also `prompt_eval_duration` (until the first piece) and `eval_duration` (from then on). Nothing was loaded
//! for the request, so `load_duration` is absent, which is how Ollama writes zero. `created_at` is the time of the request.
//!
//! **Without a place in Ollama's answers**: citations, blocks of other vendors, choices but the first. State of other
//! vendors (signatures of thoughts and calls) stands in `reasoning_details` and `extra_content`, as in the OpenAI
//! dialect, in a stream with the last object; a client that sends a message back unchanged returns it.

pub(super) mod answer;
pub(super) mod canonical;
pub(super) mod error;
pub(super) mod facts;
pub(super) mod image;
pub(super) mod passing;
pub(super) mod reply;
pub(super) mod said;
pub(super) mod settings;
pub mod show;
mod state;
pub(super) mod stream;

/// The version of Ollama's API that is spoken here; clients ask for it before they use newer fields.
pub(super) const VERSION: &str = "0.12.11";

/// Which of the two dialects an answer is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// `message: { role, content, thinking, tool_calls }`
    Chat,
    /// `response` and `thinking`
    Generate,
}
