//! Everything but chat. The canonical forms are OpenAI's own, so bodies mostly go as they came; those with files become forms.

mod answer;
mod form;

use plugin_sdk::chat::{Fields, Json};
use plugin_sdk::embeddings::{EmbeddingRequest, Entry};
use plugin_sdk::rerank::RerankRequest;
use plugin_sdk::{Failure, Losses, Operation, Route, UpstreamRequest, failure, json};
use serde_json::{Map, Value};

use crate::options::Options;
use crate::request::{merge_own, post};

pub(crate) use answer::answer;

/// The whole request.
pub(crate) fn request(
    options: &Options,
    route: &Route,
    operation: Operation,
    body: &[u8],
) -> Result<UpstreamRequest, Failure> {
    let Some(endpoint) = endpoint(operation) else {
        return Err(failure::not_translated("openai", operation));
    };
    let fields: Fields<'_> = json::request(body)?;
    if fields.get("stream").and_then(Json::read) == Some(true) {
        return Err(failure::unsupported("stream", "streams of this operation are not translated"));
    }
    let mut losses = Losses::default();
    let vendor: Fields<'_> = fields.get("vendor").and_then(Json::read).unwrap_or_default();
    losses.add_foreign(&vendor, "openai", "");
    let draft =
        Draft { path: options.path(endpoint), model: &route.model, fields, own: vendor.get("openai") };
    match operation {
        Operation::Embeddings => draft.embeddings(body, losses),
        Operation::Rerank => RerankRequest::parse(body).and_then(|_| draft.send(&[], losses)),
        Operation::Moderation => draft.require("input")?.send(&[], losses),
        Operation::Speech => draft.require("input")?.require("voice")?.send(&[], losses),
        Operation::ImageGeneration => draft.require("prompt")?.images(losses),
        _ => form::request(draft, operation, losses),
    }
}

/// What stands behind the path's first part.
fn endpoint(operation: Operation) -> Option<&'static str> {
    Some(match operation {
        Operation::Embeddings => "embeddings",
        // Not OpenAI's, but what vLLM, Jina, SiliconFlow and Together have beside its API.
        Operation::Rerank => "rerank",
        Operation::Moderation => "moderations",
        Operation::ImageGeneration => "images/generations",
        Operation::ImageEdit => "images/edits",
        Operation::ImageVariation => "images/variations",
        Operation::Speech => "audio/speech",
        Operation::Transcription => "audio/transcriptions",
        Operation::Translation => "audio/translations",
        Operation::Chat | Operation::CountTokens => return None,
    })
}

/// A request while it is made.
struct Draft<'a> {
    path: String,
    model: &'a str,
    fields: Fields<'a>,
    own: Option<&'a Json<'a>>,
}

/// Fields of images OpenAI has no name for.
const IMAGE_EXTENSIONS: [&str; 3] = ["aspect_ratio", "negative_prompt", "seed"];

impl Draft<'_> {
    fn require(self, field: &str) -> Result<Self, Failure> {
        match self.fields.get(field).filter(|value| !value.is_null()) {
            Some(_) => Ok(self),
            None => Err(failure::invalid(field, format!("{field}: is missing"))),
        }
    }

    /// All fields but those left out, which are lost.
    fn send(self, left_out: &[&str], mut losses: Losses) -> Result<UpstreamRequest, Failure> {
        let mut kept = Fields::default();
        kept.push("model", Value::from(self.model));
        for (name, value) in self.fields.present() {
            match name {
                "model" | "vendor" | "stream" => {}
                _ if left_out.contains(&name) => losses.add(name, format!("openai has no {name}")),
                _ => kept.push(name.to_owned(), value.clone()),
            }
        }
        let body = merge_own(json::to_vec(&kept)?, self.own)?;
        Ok(post(self.path, body, losses))
    }

    fn embeddings(mut self, body: &[u8], mut losses: Losses) -> Result<UpstreamRequest, Failure> {
        let request = EmbeddingRequest::parse(body)?;
        // Titles and parts are extensions; without them the input is OpenAI's already.
        if request.input.0.iter().any(|entry| matches!(entry, Entry::Document(_))) {
            let texts = request.texts("openai", &mut losses)?;
            let place = self.fields.0.iter().position(|(name, _)| *name == "input");
            if let Some((_, input)) = place.and_then(|place| self.fields.0.get_mut(place)) {
                *input = Json::Value(texts.into());
            }
        }
        self.send(&["input_type", "title", "truncate"], losses)
    }

    fn images(mut self, mut losses: Losses) -> Result<UpstreamRequest, Failure> {
        self.bytes_only(&mut losses);
        self.send(&IMAGE_EXTENSIONS, losses)
    }

    /// The `gpt-image` models give bytes and refuse to be asked how.
    fn bytes_only(&mut self, losses: &mut Losses) {
        let model = self.model.rsplit('/').next().unwrap_or(self.model);
        if !model.starts_with("gpt-image") && !model.starts_with("chatgpt-image") {
            return;
        }
        self.fields.0.retain(|(name, value)| {
            let asked = *name == "response_format";
            if asked && value.read::<String>().as_deref() == Some("url") {
                losses.add("response_format", "this model answers with the image itself");
            }
            !asked
        });
    }
}

/// A tree of `vendor.openai`, for forms.
fn own_fields(own: Option<&Json<'_>>) -> Map<String, Value> {
    match own.map(Json::to_value) {
        Some(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}
