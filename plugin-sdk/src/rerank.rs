//! Canonical rerank (`wit/canonical-operations.md`): the request to read, the answer to write.

use serde::Serialize;

use crate::chat::{Fields, Json, Text};
use crate::{Answer, Failure, Loss, Usage, failure, json};

crate::object! {
    /// A request.
    RerankRequest {
        /// The public model name. Send `route.model`, never this.
        model: Text<'a> = "model",
        /// What is asked.
        query: Text<'a> = "query",
        /// Strings, or objects with `text`.
        documents: Vec<Json<'a>> = "documents",
        /// How many results.
        top_n: Option<u64> = "top_n",
        /// The host does this where the vendor does not: an adapter need not.
        return_documents: Option<bool> = "return_documents",
        /// Longer documents are cut.
        max_tokens_per_doc: Option<u64> = "max_tokens_per_doc",
        /// `{ "<vendor>": { … } }`: request fields of a vendor's own API.
        vendor: Fields<'a> = "vendor",
    }
}

impl<'a> RerankRequest<'a> {
    /// Reads and checks a canonical body.
    ///
    /// # Errors
    /// [`crate::FailureKind::InvalidRequest`] with the path of the field in `param`.
    pub fn parse(body: &'a [u8]) -> Result<Self, Failure> {
        let request: Self = json::request(body)?;
        let wrong = |path: &str, why: &str| Err(failure::invalid(path, format!("{path}: {why}")));
        if request.query.is_empty() {
            return wrong("query", "is empty");
        }
        if request.documents.is_empty() {
            return wrong("documents", "there is nothing to rank");
        }
        if request.top_n == Some(0) {
            return wrong("top_n", "must be greater than zero");
        }
        request.texts().map(|_| request)
    }

    /// The text of each document.
    ///
    /// # Errors
    /// [`crate::FailureKind::InvalidRequest`] for one that is neither a string nor has a `text`.
    pub fn texts(&self) -> Result<Vec<Text<'a>>, Failure> {
        let texts = self.documents.iter().enumerate().map(|(index, document)| {
            let text = document.read::<Text<'a>>();
            let text = text.or_else(|| document.read::<Fields<'a>>()?.get("text")?.read());
            let path = format!("documents[{index}]");
            text.ok_or_else(|| {
                failure::invalid(path.clone(), format!("{path}: neither a string nor an object with `text`"))
            })
        });
        texts.collect()
    }
}

/// One document and how well it fits.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Ranked<'a> {
    /// Its place in the request.
    pub index: u64,
    /// How well it fits.
    pub relevance_score: Json<'a>,
    /// The document, where the vendor sent it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<Json<'a>>,
}

/// What the vendor told of the cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Cost {
    /// Tokens of query and documents.
    #[serde(rename = "prompt_tokens", skip_serializing_if = "Option::is_none")]
    pub input: Option<u64>,
    /// The same: there is no output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_tokens: Option<u64>,
    /// Cohere's unit: one query with up to a hundred documents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search_units: Option<u64>,
}

/// A whole answer.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Ranking<'a> {
    /// The provider's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Text<'a>>,
    /// The model.
    pub model: Text<'a>,
    /// By falling score.
    pub results: Vec<Ranked<'a>>,
    /// What it cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Cost>,
}

impl Ranking<'_> {
    /// As the contract has it.
    ///
    /// # Errors
    /// A failure of the adapter when it cannot be written.
    pub fn into_answer(mut self, losses: Vec<Loss>) -> Result<Answer, Failure> {
        self.usage = self.usage.filter(|cost| *cost != Cost::default());
        let input = self.usage.and_then(|cost| cost.input);
        let usage = input.map(|input| Usage { input: Some(input), ..Usage::default() });
        Ok(Answer { body: json::to_vec(&self)?, content_type: None, usage, losses })
    }
}
