//! Canonical embeddings ⇄ `/v2/embed` (<https://docs.cohere.com/reference/embed>).

use plugin_sdk::chat::{Content, Json, Part, PartBody, Text};
use plugin_sdk::embeddings::{self, EmbeddingRequest, Entry, Purpose, tokens_unsupported};
use plugin_sdk::{Answer, Failure, Losses, Route, UpstreamRequest, failure, json, object};
use serde::Serialize;
use serde_json::{Value, json};

use super::Meta;
use crate::{VENDOR, error};

/// The request.
#[derive(Serialize)]
struct Embed<'a> {
    model: &'a str,
    input_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    texts: Option<Vec<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inputs: Option<Vec<Value>>,
    embedding_types: [&'static str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    output_dimension: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    truncate: Option<String>,
}

object! {
    /// The answer.
    Embedded {
        id: Option<Text<'a>> = "id",
        embeddings: Option<Vectors<'a>> = "embeddings",
        meta: Option<Meta<'a>> = "meta",
        texts: Option<Json<'a>> = "texts",
        images: Option<Json<'a>> = "images",
        response_type: Option<Json<'a>> = "response_type",
    }
}

object! {
    /// Vectors by type; one of them was asked for.
    Vectors {
        float: Vec<Json<'a>> = "float",
        base64: Vec<Json<'a>> = "base64",
    }
}

pub(super) fn request(route: &Route, body: &[u8]) -> Result<UpstreamRequest, Failure> {
    let asked = EmbeddingRequest::parse(body)?;
    let mut losses = Losses::default();
    losses.add_if(&asked.user, "user", "cohere has no end users");
    losses.add_if(&asked.title, "title", "cohere has no title");
    losses.add_fields(&asked.rest, "", "cohere has no such field");
    let texts: Option<Vec<&str>> = asked.input.0.iter().map(plain).collect();
    let inputs = match &texts {
        Some(_) => None,
        None => Some(inputs(&asked, &mut losses)?),
    };
    let base64 = asked.encoding_format.as_ref().is_some_and(|format| *format == "base64");
    let embed = Embed {
        model: &route.model,
        input_type: input_type(&asked, &mut losses),
        texts,
        inputs,
        embedding_types: [if base64 { "base64" } else { "float" }],
        output_dimension: asked.dimensions,
        truncate: asked.truncate.as_ref().map(|end| end.to_ascii_uppercase()),
    };
    super::post("/v2/embed", json::to_vec(&embed)?, &asked.vendor, losses)
}

fn plain<'r>(entry: &'r Entry<'_>) -> Option<&'r str> {
    match entry {
        Entry::Text(text) => Some(text),
        _ => None,
    }
}

/// Cohere demands to know what the vectors are for.
fn input_type<'r>(asked: &'r EmbeddingRequest<'_>, losses: &mut Losses) -> &'r str {
    let (sent, same) = match asked.purpose() {
        Some(Ok(Purpose::SearchDocument)) => ("search_document", true),
        Some(Ok(Purpose::SearchQuery)) => ("search_query", true),
        Some(Ok(Purpose::Classification)) => ("classification", true),
        Some(Ok(Purpose::Clustering)) => ("clustering", true),
        Some(Ok(Purpose::QuestionAnswering | Purpose::FactVerification | Purpose::CodeRetrievalQuery)) => {
            ("search_query", false)
        }
        Some(Err("image")) => ("image", true),
        Some(Ok(Purpose::SemanticSimilarity) | Err(_)) | None => ("search_document", false),
    };
    if !same {
        losses.add("input_type", format!("cohere needs one it knows; `{sent}` was sent"));
    }
    sent
}

/// Texts and images together: all entries are lists of parts then.
fn inputs(asked: &EmbeddingRequest<'_>, losses: &mut Losses) -> Result<Vec<Value>, Failure> {
    let mut inputs = Vec::with_capacity(asked.input.0.len());
    for (index, entry) in asked.input.0.iter().enumerate() {
        let path = format!("input[{index}]");
        let content = match entry {
            Entry::Tokens(_) => return Err(tokens_unsupported(&path, VENDOR)),
            Entry::Text(text) => vec![json!({ "type": "text", "text": &**text })],
            Entry::Document(document) => {
                losses.add_if(&document.title, format!("{path}.title"), "cohere has no title");
                losses.add_fields(&document.rest, &path, "cohere has no such field");
                match &document.content {
                    Some(Content::Text(text)) => vec![json!({ "type": "text", "text": &**text })],
                    Some(Content::Parts(parts)) => {
                        let parts = parts.iter().enumerate();
                        parts
                            .map(|(place, each)| part(each, &format!("{path}.content[{place}]")))
                            .collect::<Result<_, _>>()?
                    }
                    None => Vec::new(),
                }
            }
        };
        inputs.push(json!({ "content": content }));
    }
    Ok(inputs)
}

fn part(part: &Part<'_>, path: &str) -> Result<Value, Failure> {
    match &part.body {
        PartBody::Text(text) => Ok(json!({ "type": "text", "text": &**text })),
        PartBody::Image(image) => Ok(json!({ "type": "image_url", "image_url": { "url": &*image.url } })),
        _ => Err(failure::unsupported(path, "cohere embeds texts and images")),
    }
}

pub(super) fn answer(model: &str, body: &[u8]) -> Result<Answer, Failure> {
    let came: Embedded<'_> = json::answer("answer", body)?;
    let Some(vectors) = came.embeddings else { return Err(error::inside(body)) };
    let vectors = if vectors.float.is_empty() { vectors.base64 } else { vectors.float };
    if vectors.is_empty() {
        return Err(failure::malformed("the provider's answer has no embeddings"));
    }
    let input = came.meta.and_then(|meta| meta.input());
    embeddings::answer(model, vectors, input, Vec::new())
}
