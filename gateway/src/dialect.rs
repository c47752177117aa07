//! The client API a request is written in.
//!
//! A [`Dialect`] reads a client's request (facts at first, canonical chat only when the chosen provider speaks
//! something else) and writes canonical answers back in the client's own form. It knows no provider.

pub mod anthropic_messages;
mod asks;
pub mod bedrock_converse;
pub mod bound;
mod chat;
pub mod cohere_chat;
pub mod gemini_generate;
mod lanes;
pub mod lost;
pub mod model_list;
pub mod nothing;
mod object;
mod ollama;
pub mod ollama_chat;
pub mod ollama_generate;
pub mod openai_chat;
pub mod openai_completions;
mod openai_error;
pub mod openai_responses;
mod operations;
pub mod passage;
mod said;
mod seal;
mod splice;
pub mod sse;
pub mod told;
pub mod wishes;
pub(crate) mod word;

use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;

use crate::domain::http::Loss;
use crate::domain::{Asks, Edit, Envelope, Operation, RequestHead, Usage};
use crate::error::GatewayError;

/// What an answer needs to know beside its body.
#[derive(Clone, Debug, Default)]
pub struct AnswerFacts {
    /// Our request id; stands in when the provider gave no id.
    pub request_id: String,
    /// Unix time in seconds; adapters have no clock.
    pub created: u64,
    /// The model name the client asked for.
    pub model: String,
    /// How long the client had waited when the answer came, or its stream began.
    pub waited: Duration,
}

/// What one event of a passed-through stream is.
#[derive(Debug)]
pub enum Passing {
    /// Nothing yet: a ping, a comment, an opening frame without content.
    Quiet,
    /// The answer itself.
    Content,
    /// All has been said, and what follows only counts it: a clean end of the connection is a success already.
    Stopped,
    /// The event after which a clean end of the connection is a success.
    End,
    /// The provider reports an error inside the stream.
    Failed(GatewayError),
}

/// One client API.
pub trait Dialect: Send + Sync {
    /// Its id, the same word adapters use in `passage.dialect`.
    fn id(&self) -> &'static str;

    /// What its requests ask for.
    fn operation(&self) -> Operation {
        Operation::Chat
    }

    /// The facts of a request, in one scan, without a tree. `head.path` was routed to this dialect.
    ///
    /// # Errors
    /// 400 with the path of the field when the body is not JSON or lacks what routing needs.
    fn read(&self, head: &RequestHead, body: Bytes) -> Result<Envelope, GatewayError>;

    /// What a request asks for, beyond the facts: one more scan of the body, which never fails. Made when a plan needs it.
    fn asks(&self, envelope: &Envelope) -> Asks {
        Asks::of(envelope, self.operation())
    }

    /// Whether its clients bring opaque reasoning state back. Where they have no place for it, the vault keeps it.
    fn carries_state(&self) -> bool {
        true
    }

    /// The body as a provider of this dialect may see it: without state of other vendors, which this gateway gave the
    /// client sealed. Nothing: it is so already. `model` is the provider's own name.
    fn native(&self, _body: &[u8], _model: &str) -> Option<Bytes> {
        None
    }

    /// The request as canonical chat.
    ///
    /// # Errors
    /// 400 with the path of the field.
    fn canonical(&self, envelope: &Envelope) -> Result<Bytes, GatewayError>;

    /// A canonical `chat.completion` as this dialect's whole answer.
    ///
    /// # Errors
    /// When the canonical answer is not what the contract says (an adapter's fault).
    fn whole(&self, facts: &AnswerFacts, canonical: &[u8]) -> Result<Vec<u8>, GatewayError>;

    /// [`Dialect::whole`] for a dialect whose answers repeat what was asked.
    ///
    /// # Errors
    /// As [`Dialect::whole`].
    fn whole_for(
        &self,
        facts: &AnswerFacts,
        _envelope: &Envelope,
        canonical: &[u8],
    ) -> Result<Vec<u8>, GatewayError> {
        self.whole(facts, canonical)
    }

    /// An answer the gateway can give itself when no provider can. Only what is named an estimate by everybody.
    fn estimate(&self, _envelope: &Envelope) -> Option<Vec<u8>> {
        None
    }

    /// A writer for one stream of canonical chunks. Only conversations have any.
    fn stream(&self, _facts: &AnswerFacts, _envelope: &Envelope) -> Box<dyn StreamWriter> {
        Box::new(operations::Unstreamed)
    }

    /// An answer that needs no model: Ollama's clients load one with a request that asks nothing. `_created` is Unix time
    /// in seconds.
    fn without_model(&self, _envelope: &Envelope, _created: u64) -> Option<Vec<u8>> {
        None
    }

    /// An error as a whole answer.
    fn error(&self, error: &GatewayError, request_id: &str) -> Vec<u8>;

    /// The status this dialect gives an error.
    fn error_status(&self, error: &GatewayError) -> u16 {
        error.kind.status()
    }

    /// Headers an error is told by, beside status and body.
    fn error_headers(&self, _error: &GatewayError) -> Vec<(&'static str, &'static str)> {
        Vec::new()
    }

    /// Usage in one of this dialect's own whole answers, read on the side of a passage.
    fn whole_usage(&self, body: &[u8]) -> Option<Usage>;

    /// What of an answer is paid by the piece: pictures, characters, seconds, searches. `body` is a whole answer of this
    /// dialect's own or the canonical one, which are alike where there are pieces; `None`: nobody reads it.
    fn pieces(&self, _envelope: &Envelope, _body: Option<&[u8]>) -> Usage {
        Usage::default()
    }

    /// Looks at one event of this dialect's own stream on its way through: its data without framing, or the whole frame
    /// where the framing names the event. `usage` is updated with what the event says.
    fn passing(&self, data: &[u8], usage: &mut Usage) -> Passing;

    /// The path in this dialect's own body of a parameter of canonical chat, where the value is spelled the same.
    /// `None`: it has none.
    fn own_path(&self, _canonical: &str) -> Option<String> {
        None
    }

    /// What of a request [`Dialect::canonical`] leaves out.
    fn dropped(&self, _envelope: &Envelope) -> Vec<Loss> {
        Vec::new()
    }

    /// What of a canonical answer this dialect can show. `None`: all of it.
    fn keeps(&self) -> Option<&'static lost::Keeps> {
        None
    }

    /// The client's own body asks for usage in the stream.
    fn asks_for_usage(&self, _envelope: &Envelope) -> bool {
        false
    }

    /// What to change in the body so that a stream of this dialect's own tells usage. `None`: it does so unasked, or the
    /// client asked for it.
    fn ask_usage(&self, _envelope: &Envelope) -> Option<Edit> {
        None
    }

    /// Notes which choices one event of a stream of this dialect's own begins and ends, where vendors forget the
    /// terminator.
    fn choices(&self, _data: &[u8], _choices: &mut passage::Choices) {}

    /// What such a stream ends with.
    fn terminator(&self) -> &'static [u8] {
        b""
    }

    /// What one event of a stream says only because of [`Dialect::ask_usage`]; all of `data`: the whole event.
    fn unasked(&self, _data: &[u8]) -> Option<Range<usize>> {
        None
    }
}

/// Writes canonical chunks as one client's stream.
pub trait StreamWriter: Send {
    /// `text/event-stream`, `application/json` or `application/x-ndjson`.
    fn content_type(&self) -> &'static str {
        "text/event-stream"
    }

    /// One canonical chunk (one line, without its `\n`).
    ///
    /// # Errors
    /// When the chunk is not what the contract says (an adapter's fault).
    fn chunk(&mut self, line: &[u8], out: &mut Vec<u8>) -> Result<(), GatewayError>;

    /// How long the answer took, told right before [`StreamWriter::finish`].
    fn took(&mut self, _took: Duration) {}

    /// The success terminator, with everything held back until then.
    fn finish(&mut self, out: &mut Vec<u8>);

    /// After [`StreamWriter::finish`]: the whole answer, where the dialect's answers are kept.
    fn whole(&mut self) -> Option<Vec<u8>> {
        None
    }

    /// An error event and never a success terminator.
    fn fail(&mut self, error: &GatewayError, request_id: &str, out: &mut Vec<u8>);

    /// A sign of life while the provider is silent. Nothing, where the framing has none.
    fn keep_alive(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b": keep-alive\n\n");
    }
}

/// Every client API for conversations; `causeway conform` walks it.
pub const ALL: &[&dyn Dialect] = &[
    &anthropic_messages::AnthropicMessages,
    &bedrock_converse::BedrockConverse,
    &cohere_chat::CohereChat,
    &gemini_generate::GeminiGenerate,
    &ollama_chat::OllamaChat,
    &ollama_generate::OllamaGenerate,
    &openai_chat::OpenAiChat,
    &openai_completions::OpenAiCompletions,
    &openai_responses::OpenAiResponses,
];

/// What a path asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// A conversation or another operation: the body is read and a model answers.
    Converse,
    /// The list of models.
    Models,
    /// One model of the list, by the last part of the path.
    Model,
    /// Something about an answer that was kept.
    Kept,
    /// A sign of life at the root.
    Probe,
    /// Ollama: what is known of the model in the body.
    Show,
    /// Ollama: which models are in memory.
    Loaded,
    /// Ollama: the version of its API.
    Version,
}

/// A dialect and what is asked in it.
#[derive(Clone, Copy)]
pub struct Api {
    /// Who reads and writes the bodies.
    pub dialect: &'static dyn Dialect,
    /// What is asked.
    pub endpoint: Endpoint,
}

/// The path as it is routed: prefixes of vendors and doubled or missing version segments put right.
///
/// # Errors
/// 404 for paths that could mean two things to two readers (`//`, dot segments, encoded slashes).
pub fn routed_path(path: &str) -> Result<String, GatewayError> {
    let lower = path.to_ascii_lowercase();
    let ambiguous = path.contains("//")
        || path.contains(['\\', ';'])
        || path.split('/').any(|segment| segment == "." || segment == "..")
        || ["%2e", "%00", "%5c"].iter().any(|encoded| lower.contains(encoded));
    if ambiguous || !path.starts_with('/') {
        return Err(unknown_path(path));
    }
    let mut rest = path.trim_end_matches('/');
    if rest == "/ollama" {
        return Ok(String::new());
    }
    for vendor in ["/openai", "/anthropic", "/gemini", "/ollama"] {
        if let Some(after) = rest.strip_prefix(vendor).filter(|after| after.starts_with('/')) {
            rest = after;
        }
    }
    // These keep their prefix on paths that are not their own, so that they are refused in their own words.
    for (vendor, own) in [("/bedrock", "/model/"), ("/cohere", "/v2/")] {
        if let Some(after) = rest.strip_prefix(vendor).filter(|after| after.starts_with(own)) {
            rest = after;
        }
    }
    while rest.starts_with("/v1/v1") {
        rest = rest.get(3..).unwrap_or("");
    }
    let versionless = ["/chat/completions", "/completions", "/responses", "/messages", "/models"]
        .iter()
        .chain(&operations::VERSIONLESS)
        .any(|known| rest == *known || rest.strip_prefix(known).is_some_and(|after| after.starts_with('/')));
    Ok(if versionless { format!("/v1{rest}") } else { rest.to_owned() })
}

/// The API a request is written in. `head.path` is a routed path.
///
/// # Errors
/// 404 for an unknown path, 405 for a known one with another method.
pub fn of(head: &RequestHead) -> Result<Api, GatewayError> {
    let dialect = speaker(head);
    let path = head.path.as_str();
    let endpoint = match path {
        "" => Endpoint::Probe,
        "/v1/chat/completions" | "/v1/responses" | "/v1/messages" | "/v2/chat" => Endpoint::Converse,
        "/v1/responses/compact" => Endpoint::Converse,
        "/v1/completions" | "/api/chat" | "/api/generate" => Endpoint::Converse,
        "/v1/models" | "/v1beta/models" | "/api/tags" => Endpoint::Models,
        "/api/show" => Endpoint::Show,
        "/api/ps" => Endpoint::Loaded,
        "/api/version" => Endpoint::Version,
        _ if operations::at(path).is_some() => Endpoint::Converse,
        _ if openai_responses::kept::wanted(path).is_some() => Endpoint::Kept,
        _ if path.ends_with(":generateContent") || path.ends_with(":streamGenerateContent") => {
            Endpoint::Converse
        }
        _ if converses(path) => Endpoint::Converse,
        _ if model_in(path).is_some_and(|model| !model.contains(':')) => Endpoint::Model,
        _ => return Err(unknown_path(path)),
    };
    let fits = match endpoint {
        Endpoint::Converse | Endpoint::Show => head.method == http::Method::POST,
        Endpoint::Kept => openai_responses::takes(head),
        _ => head.method == http::Method::GET || head.method == http::Method::HEAD,
    };
    if !fits {
        return Err(GatewayError::client(
            crate::error::Kind::MethodNotAllowed,
            format!("{} is not possible on {path}", head.method),
        ));
    }
    Ok(Api { dialect, endpoint })
}

/// `/model/{id}/converse` and `/model/{id}/converse-stream`; the id may hold slashes that are not escaped.
fn converses(path: &str) -> bool {
    let model = path.strip_prefix("/model/").and_then(|rest| rest.rsplit_once('/'));
    model.is_some_and(|(model, call)| !model.is_empty() && matches!(call, "converse" | "converse-stream"))
}

/// The part of the path behind `/v1/models/` or `/v1beta/models/`.
pub fn model_in(path: &str) -> Option<&str> {
    let model = path.strip_prefix("/v1/models/").or_else(|| path.strip_prefix("/v1beta/models/"))?;
    (!model.is_empty()).then_some(model)
}

/// Whose errors a client understands, judged by its path and headers; also for paths we do not know.
pub fn speaker(head: &RequestHead) -> &'static dyn Dialect {
    let path = head.path.as_str();
    if let Some(operation) = operations::at(path) {
        return operation;
    }
    // A path that belongs to one vendor says more than a header: any client may bring its key in any of them.
    let gemini = path.starts_with("/v1beta") || path.ends_with("enerateContent");
    let anthropic = path.starts_with("/v1/messages");
    let openai = path.starts_with("/v1/chat/");
    let responses = path.starts_with("/v1/responses");
    if path.starts_with("/v1/completions") {
        return &openai_completions::OpenAiCompletions;
    } else if path.starts_with("/api/generate") {
        return &ollama_generate::OllamaGenerate;
    } else if path == "/api" || path.starts_with("/api/") {
        return &ollama_chat::OllamaChat;
    }
    let bedrock = path.starts_with("/model/") || path.starts_with("/bedrock/");
    let cohere = path.starts_with("/v2/") || path.starts_with("/cohere/");
    let shared = !(gemini || anthropic || openai || responses || bedrock || cohere);
    if bedrock || shared && head.header("amz-sdk-invocation-id").is_some() {
        &bedrock_converse::BedrockConverse
    } else if cohere {
        &cohere_chat::CohereChat
    } else if gemini || shared && head.header("x-goog-api-key").is_some() {
        &gemini_generate::GeminiGenerate
    } else if anthropic || shared && head.header("anthropic-version").is_some() {
        &anthropic_messages::AnthropicMessages
    } else if path == "/v1/responses/compact" {
        &openai_responses::Compaction
    } else if responses {
        &openai_responses::OpenAiResponses
    } else {
        &openai_chat::OpenAiChat
    }
}

fn unknown_path(path: &str) -> GatewayError {
    GatewayError::client(
        crate::error::Kind::PathNotFound,
        format!(
            "there is no {path} here; try /v1/chat/completions, /v1/responses, /v1/messages, /v1beta/models/{{model}}:generateContent, /v2/chat, /model/{{model}}/converse, /api/chat, /v1/completions or /v1/models"
        ),
    )
}

#[cfg(test)]
mod tests;
