//! Canonical embeddings as `embedContent`, several as `batchEmbedContents`
//! (<https://ai.google.dev/api/embeddings>).

use plugin_sdk::chat::{Content as Said, Json, Text};
use plugin_sdk::embeddings::{self, Document, EmbeddingRequest, Entry, Purpose, tokens_unsupported};
use plugin_sdk::{Answer, Failure, Losses, Route, UpstreamRequest, json, object};

use crate::VENDOR;
use crate::request::{Model, parts};
use crate::wire::{Content, UsageMetadata};

object! {
    /// `EmbedContentRequest`.
    Embed {
        model: Text<'a> = "model",
        content: Content<'a> = "content",
        task_type: Option<Text<'a>> = "taskType",
        title: Option<Text<'a>> = "title",
        dimensions: Option<u64> = "outputDimensionality",
    }
}

object! {
    /// `BatchEmbedContentsRequest`.
    Batch {
        requests: Vec<Embed<'a>> = "requests",
    }
}

object! {
    /// The answer to either.
    Embedded {
        embedding: Option<Vector<'a>> = "embedding",
        embeddings: Vec<Vector<'a>> = "embeddings",
        usage: Option<UsageMetadata<'a>> = "usageMetadata",
        error: Option<Json<'a>> = "error",
    }
}

object! {
    /// One vector.
    Vector {
        values: Json<'a> = "values",
    }
}

pub(super) fn request(route: &Route, body: &[u8]) -> Result<UpstreamRequest, Failure> {
    let asked = EmbeddingRequest::parse(body)?;
    let model = Model::new(&route.model);
    let mut losses = Losses::default();
    losses.add_if(&asked.user, "user", "gemini has no end users");
    losses.add_if(&asked.truncate, "truncate", "gemini decides itself what it cuts off");
    losses.add_fields(&asked.rest, "", "gemini has no such field");
    let task_type = task_type(&asked, &mut losses);
    let name = model.resource();
    let entries = asked.input.0.iter().enumerate();
    let requests: Vec<Embed<'_>> = entries
        .map(|(index, entry)| {
            let (content, title) = content(entry, &format!("input[{index}]"), &mut losses)?;
            Ok(Embed {
                model: (&*name).into(),
                content,
                task_type: task_type.clone(),
                title: title.or_else(|| asked.title.clone()),
                dimensions: asked.dimensions,
                ..Embed::default()
            })
        })
        .collect::<Result<_, Failure>>()?;
    let (method, body) = match <[Embed<'_>; 1]>::try_from(requests) {
        Ok([single]) => ("embedContent", json::to_vec(&single)?),
        Err(requests) => ("batchEmbedContents", json::to_vec(&Batch { requests, ..Batch::default() })?),
    };
    super::post(route, model.method(method), body, &asked.vendor, losses)
}

/// `SEMANTIC_SIMILARITY` and the like; words without a canonical meaning go as Google would spell them.
fn task_type(asked: &EmbeddingRequest<'_>, losses: &mut Losses) -> Option<Text<'static>> {
    Some(match asked.purpose()? {
        Ok(Purpose::SearchQuery) => "RETRIEVAL_QUERY".into(),
        Ok(Purpose::SearchDocument) => "RETRIEVAL_DOCUMENT".into(),
        Ok(Purpose::Classification) => "CLASSIFICATION".into(),
        Ok(Purpose::Clustering) => "CLUSTERING".into(),
        Ok(Purpose::SemanticSimilarity) => "SEMANTIC_SIMILARITY".into(),
        Ok(Purpose::QuestionAnswering) => "QUESTION_ANSWERING".into(),
        Ok(Purpose::FactVerification) => "FACT_VERIFICATION".into(),
        Ok(Purpose::CodeRetrievalQuery) => "CODE_RETRIEVAL_QUERY".into(),
        Err(word) if word.eq_ignore_ascii_case("task_type_unspecified") => return None,
        Err(word) => {
            losses.add("input_type", format!("gemini knows no `{word}`"));
            return None;
        }
    })
}

fn content<'a>(
    entry: &'a Entry<'a>,
    path: &str,
    losses: &mut Losses,
) -> Result<(Content<'a>, Option<Text<'a>>), Failure> {
    let document: &Document<'_> = match entry {
        Entry::Tokens(_) => return Err(tokens_unsupported(path, VENDOR)),
        Entry::Text(text) => return Ok((of(vec![parts::text(text)]), None)),
        Entry::Document(document) => document,
    };
    losses.add_fields(&document.rest, path, "gemini has no such field");
    let pieces = match &document.content {
        Some(Said::Text(text)) => vec![parts::text(text)],
        Some(Said::Parts(said)) => {
            let mut pieces = Vec::with_capacity(said.len());
            for (index, part) in said.iter().enumerate() {
                pieces.extend(parts::piece(part, &format!("{path}.content[{index}]"), losses)?);
            }
            pieces
        }
        None => Vec::new(),
    };
    Ok((of(pieces), document.title.clone()))
}

fn of(parts: Vec<crate::wire::Part<'_>>) -> Content<'_> {
    Content { parts, ..Content::default() }
}

pub(super) fn answer(route: &Route, body: &[u8]) -> Result<Answer, Failure> {
    let came: Embedded<'_> = json::answer("answer", body)?;
    super::no_error(came.error.as_ref())?;
    let vectors: Vec<Vector<'_>> = came.embedding.into_iter().chain(came.embeddings).collect();
    if vectors.is_empty() {
        return Err(plugin_sdk::failure::malformed("the provider's answer has no embedding"));
    }
    let input = came.usage.and_then(|usage| usage.prompt);
    embeddings::answer(&route.model, vectors.into_iter().map(|vector| vector.values), input, Vec::new())
}
