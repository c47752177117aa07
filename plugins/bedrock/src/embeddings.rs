//! Canonical embeddings ⇄ `InvokeModel` of the models that make vectors: Titan's take one text, Cohere's a list
//! (<https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html>,
//! `…/model-parameters-embed.html`).

use plugin_sdk::chat::{Content, Json, PartBody, Text, data_url};
use plugin_sdk::embeddings::{self, EmbeddingRequest, Entry, Purpose, tokens_unsupported};
use plugin_sdk::{Answer, Failure, Header, Loss, Losses, Route, failure, json, object};
use serde_json::{Map, Value, json};

use crate::VENDOR;
use crate::request::merge_own;

object! {
    /// The answer of either maker.
    Embedded {
        embedding: Option<Json<'a>> = "embedding",
        embeddings: Option<Json<'a>> = "embeddings",
        count: Option<u64> = "inputTextTokenCount",
        message: Option<Text<'a>> = "message",
    }
}

object! {
    /// Cohere's vectors by type.
    Vectors {
        float: Vec<Json<'a>> = "float",
    }
}

/// One request's body.
pub(crate) fn request(route: &Route, body: &[u8]) -> Result<(Vec<u8>, Vec<Loss>), Failure> {
    let asked = EmbeddingRequest::parse(body)?;
    let mut losses = Losses::default();
    losses.add_if(&asked.user, "user", "bedrock has no end users");
    losses.add_fields(&asked.rest, "", "bedrock has no such field");
    losses.add_foreign(&asked.vendor, VENDOR, "");
    let model = route.model.as_str();
    let tree = if model.contains("titan-embed-image") {
        titan_image(&asked, &mut losses)?
    } else if model.contains("titan-embed") {
        titan(&asked, model, &mut losses)?
    } else if model.contains("cohere.embed") {
        cohere(&asked, model, &mut losses)?
    } else {
        let message = format!("`{model}` is no model whose vectors this adapter knows (Titan, Cohere)");
        return Err(failure::unsupported("model", message));
    };
    let body = merge_own(json::to_vec(&tree)?, asked.vendor.get(VENDOR), &mut losses)?;
    Ok((body, losses.into_vec()))
}

fn only_one(asked: &EmbeddingRequest<'_>) -> Result<(), Failure> {
    match asked.input.0.len() {
        1 => Ok(()),
        _ => Err(failure::unsupported("input", "titan embeds one entry a request")),
    }
}

fn lose_purpose(asked: &EmbeddingRequest<'_>, losses: &mut Losses) {
    losses.add_if(&asked.input_type, "input_type", "titan's vectors are for everything");
    losses.add_if(&asked.truncate, "truncate", "titan cuts nothing off");
}

fn titan(asked: &EmbeddingRequest<'_>, model: &str, losses: &mut Losses) -> Result<Value, Failure> {
    only_one(asked)?;
    lose_purpose(asked, losses);
    let text = asked.texts("titan", losses)?.pop().unwrap_or_default();
    let mut tree = json!({ "inputText": text });
    if model.contains("titan-embed-text-v1") {
        losses.add_if(&asked.dimensions, "dimensions", "this model's vectors have one length");
    } else if let Some(length) = asked.dimensions {
        tree["dimensions"] = length.into();
    }
    Ok(tree)
}

/// A text, an image, or both.
fn titan_image(asked: &EmbeddingRequest<'_>, losses: &mut Losses) -> Result<Value, Failure> {
    only_one(asked)?;
    lose_purpose(asked, losses);
    losses.add_if(&asked.title, "title", "titan has no title");
    let mut tree = Map::new();
    match asked.input.0.first() {
        Some(Entry::Text(text)) => _ = tree.insert("inputText".to_owned(), (&**text).into()),
        Some(Entry::Document(document)) => {
            losses.add_if(&document.title, "input[0].title", "titan has no title");
            losses.add_fields(&document.rest, "input[0]", "titan has no such field");
            if let Some(content) = &document.content {
                titan_parts(content, &mut tree)?;
            }
        }
        _ => return Err(tokens_unsupported("input[0]", "titan")),
    }
    if let Some(length) = asked.dimensions {
        tree.insert("embeddingConfig".to_owned(), json!({ "outputEmbeddingLength": length }));
    }
    Ok(tree.into())
}

fn titan_parts(content: &Content<'_>, tree: &mut Map<String, Value>) -> Result<(), Failure> {
    let parts = match content {
        Content::Text(text) => {
            tree.insert("inputText".to_owned(), (&**text).into());
            return Ok(());
        }
        Content::Parts(parts) => parts,
    };
    for (place, part) in parts.iter().enumerate() {
        let path = format!("input[0].content[{place}]");
        let (name, value) = match &part.body {
            PartBody::Text(text) => ("inputText", &**text),
            PartBody::Image(image) => match data_url(&image.url) {
                Some((_, data)) => ("inputImage", data),
                None => {
                    return Err(failure::unsupported(path, "titan fetches no links; send the image itself"));
                }
            },
            _ => return Err(failure::unsupported(path, "titan embeds a text and an image")),
        };
        if tree.insert(name.to_owned(), value.into()).is_some() {
            return Err(failure::unsupported(path, "titan embeds one text and one image"));
        }
    }
    Ok(())
}

fn cohere(asked: &EmbeddingRequest<'_>, model: &str, losses: &mut Losses) -> Result<Value, Failure> {
    let mut tree = json!({
        "texts": asked.texts("cohere", losses)?,
        "input_type": purpose(asked, losses),
        "embedding_types": ["float"],
    });
    if let Some(end) = &asked.truncate {
        tree["truncate"] = end.to_ascii_uppercase().into();
    }
    if model.contains("v3") {
        losses.add_if(&asked.dimensions, "dimensions", "this model's vectors have one length");
    } else if let Some(length) = asked.dimensions {
        tree["output_dimension"] = length.into();
    }
    Ok(tree)
}

/// Cohere demands to know what the vectors are for.
fn purpose(asked: &EmbeddingRequest<'_>, losses: &mut Losses) -> &'static str {
    let (sent, same) = match asked.purpose() {
        Some(Ok(Purpose::SearchDocument)) => ("search_document", true),
        Some(Ok(Purpose::SearchQuery)) => ("search_query", true),
        Some(Ok(Purpose::Classification)) => ("classification", true),
        Some(Ok(Purpose::Clustering)) => ("clustering", true),
        Some(Ok(Purpose::QuestionAnswering | Purpose::FactVerification | Purpose::CodeRetrievalQuery)) => {
            ("search_query", false)
        }
        Some(Ok(Purpose::SemanticSimilarity) | Err(_)) | None => ("search_document", false),
    };
    if !same {
        losses.add("input_type", format!("cohere needs one it knows; `{sent}` was sent"));
    }
    sent
}

/// One answer. Bedrock counts what a model read in a header.
pub(crate) fn answer(route: &Route, headers: &[Header], body: &[u8]) -> Result<Answer, Failure> {
    let came: Embedded<'_> = json::answer("answer", body)?;
    let counted = headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("x-amzn-bedrock-input-token-count"))
        .and_then(|header| header.value.trim().parse().ok());
    let lists = |all: &Json<'_>| -> Option<Vec<Value>> { all.read() };
    let vectors: Vec<Json<'_>> = match (came.embedding, came.embeddings) {
        (Some(vector), _) => vec![vector],
        // One type asked for comes as a list, or under its name.
        (None, Some(all)) => match all.read::<Vectors<'_>>() {
            Some(by_type) => by_type.float,
            None => lists(&all).unwrap_or_default().into_iter().map(Json::Value).collect(),
        },
        (None, None) => Vec::new(),
    };
    if vectors.is_empty() {
        let told = came.message.as_deref().unwrap_or("the provider's answer has no embedding");
        return Err(failure::malformed(told));
    }
    embeddings::answer(&route.model, vectors, came.count.or(counted), Vec::new())
}
