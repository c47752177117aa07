//! Everything beyond conversations: each endpoint is a dialect of its own, with an [`Operation`](crate::domain::Operation).
//!
//! Canonical bodies are OpenAI's of the same name (`wit/canonical-operations.md`), so for OpenAI's clients there is
//! nothing to turn: their bytes are read for what routing needs and go on as they are.

mod audio;
mod count_tokens;
mod embeddings;
mod facts;
mod forms;
mod gemini_embed;
mod images;
mod moderations;
mod multipart;
mod ollama_embed;
mod rerank;
mod token_estimate;
mod vectors;

use super::Dialect;
use crate::error::{GatewayError, Kind};

/// The operation a routed path asks for; none for conversations and lists.
pub(super) fn at(path: &str) -> Option<&'static dyn Dialect> {
    Some(match path {
        "/v1/embeddings" => &embeddings::OpenAiEmbeddings,
        "/v1/moderations" => &moderations::OpenAiModerations,
        "/v1/images/generations" => &images::GENERATIONS,
        "/v1/images/edits" => &images::EDITS,
        "/v1/images/variations" => &images::VARIATIONS,
        "/v1/audio/speech" => &audio::OpenAiSpeech,
        "/v1/audio/transcriptions" => &audio::TRANSCRIPTIONS,
        "/v1/audio/translations" => &audio::TRANSLATIONS,
        "/v1/rerank" | "/v2/rerank" => &rerank::CohereRerank,
        "/v1/messages/count_tokens" => &count_tokens::AnthropicCountTokens,
        "/api/embed" => &ollama_embed::OllamaEmbed { legacy: false },
        "/api/embeddings" => &ollama_embed::OllamaEmbed { legacy: true },
        _ if path.ends_with(":countTokens") => &count_tokens::GeminiCountTokens,
        _ if path.ends_with(":embedContent") => &gemini_embed::GeminiEmbed { many: false },
        _ if path.ends_with(":batchEmbedContents") => &gemini_embed::GeminiEmbed { many: true },
        _ => return None,
    })
}

/// Events of these endpoints are passed on and never made here.
fn no_events(field: &str) -> GatewayError {
    let message = "streaming is only possible with a provider that speaks this API itself";
    GatewayError { param: Some(field.to_owned()), ..GatewayError::client(Kind::Unsupported, message) }
}

/// Stands where a stream would be written. Nothing asks for one here: these answers are whole or raw.
pub(super) struct Unstreamed;

impl super::StreamWriter for Unstreamed {
    fn chunk(&mut self, _line: &[u8], _out: &mut Vec<u8>) -> Result<(), GatewayError> {
        Err(GatewayError::gateway(Kind::Internal, "this operation has no streamed answer"))
    }

    fn finish(&mut self, _out: &mut Vec<u8>) {}

    fn fail(&mut self, _error: &GatewayError, _request_id: &str, _out: &mut Vec<u8>) {}
}

/// Paths that clients also write without the version segment.
pub(super) const VERSIONLESS: [&str; 5] = ["/embeddings", "/moderations", "/images", "/audio", "/rerank"];

#[cfg(test)]
mod tests;
