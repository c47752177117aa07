//! Gemini's `:embedContent` and `:batchEmbedContents`. Source: Gemini API reference, "Embeddings".

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::vectors::Embeddings;
use crate::dialect::asks;
use crate::dialect::gemini_generate::GeminiGenerate;
use crate::dialect::{AnswerFacts, Dialect, Passing};
use crate::domain::envelope::percent_decode;
use crate::domain::{Asks, Envelope, Operation, RequestHead, Usage};
use crate::error::{GatewayError, Kind};

/// Texts as vectors, as Google's clients ask.
pub(super) struct GeminiEmbed {
    /// `:batchEmbedContents`.
    pub(super) many: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Batch {
    requests: Vec<Single>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Single {
    model: Option<String>,
    content: Option<Content>,
    task_type: Option<String>,
    title: Option<String>,
    output_dimensionality: Option<u64>,
}

#[derive(Deserialize)]
struct Content {
    #[serde(default)]
    parts: Vec<Part>,
}

#[derive(Deserialize)]
struct Part {
    text: Option<String>,
}

impl GeminiEmbed {
    fn requests(&self, body: &[u8]) -> Result<Vec<Single>, GatewayError> {
        let describe = |error: serde_json::Error| {
            GatewayError::client(
                Kind::InvalidRequest,
                format!("the body is not what this path takes: {error}"),
            )
        };
        let requests = if self.many {
            serde_json::from_slice::<Batch>(body).map_err(describe)?.requests
        } else {
            vec![serde_json::from_slice::<Single>(body).map_err(describe)?]
        };
        if requests.is_empty() {
            return Err(GatewayError::invalid("requests", "`requests` must not be empty"));
        }
        for (index, request) in requests.iter().enumerate() {
            if request.content.as_ref().is_none_or(|content| content.parts.is_empty()) {
                let at = self.at(index, "content");
                return Err(GatewayError::invalid(at.clone(), format!("`{at}` is missing or has no parts")));
            }
        }
        Ok(requests)
    }

    fn at(&self, index: usize, field: &str) -> String {
        if self.many { format!("requests[{index}].{field}") } else { field.to_owned() }
    }

    fn text(&self, index: usize, request: &Single) -> Result<String, GatewayError> {
        let parts = request.content.as_ref().map_or(&[][..], |content| &content.parts);
        parts.iter().enumerate().try_fold(String::new(), |mut text, (part, said)| {
            let said = said.text.as_deref().ok_or_else(|| {
                let at = format!("{}.parts[{part}]", self.at(index, "content"));
                let message = format!("`{at}` is no text, which is all this model can be given");
                GatewayError { param: Some(at), ..GatewayError::client(Kind::Unsupported, message) }
            })?;
            text.push_str(said);
            Ok(text)
        })
    }
}

/// Google's word in canonical form; a word without a counterpart stays as it came.
fn input_type(task: &str) -> String {
    match task {
        "RETRIEVAL_QUERY" => "search_query".to_owned(),
        "RETRIEVAL_DOCUMENT" => "search_document".to_owned(),
        "QUESTION_ANSWERING"
        | "FACT_VERIFICATION"
        | "CODE_RETRIEVAL_QUERY"
        | "SEMANTIC_SIMILARITY"
        | "CLASSIFICATION"
        | "CLUSTERING" => task.to_ascii_lowercase(),
        other => other.to_owned(),
    }
}

impl Dialect for GeminiEmbed {
    fn id(&self) -> &'static str {
        if self.many { "gemini-batch-embed" } else { "gemini-embed" }
    }

    fn asks(&self, envelope: &Envelope) -> Asks {
        asks::of(envelope, self.operation(), asks::fields::OPERATIONS)
    }

    fn operation(&self) -> Operation {
        Operation::Embeddings
    }

    fn read(&self, head: &RequestHead, body: Bytes) -> Result<Envelope, GatewayError> {
        let unknown = || GatewayError::client(Kind::PathNotFound, format!("no such path: {}", head.path));
        let (_, rest) = head.path.split_once("/models/").ok_or_else(unknown)?;
        let rest = percent_decode(rest);
        let (model, _) = rest.rsplit_once(':').filter(|(model, _)| !model.is_empty()).ok_or_else(unknown)?;
        let requests = self.requests(&body)?;
        // A name inside must be the provider's own, and the path's; only a body without one passes as it is.
        let passable = requests.iter().all(|request| request.model.is_none());
        Ok(Envelope { passable, ..Envelope::whole(body, model.to_owned(), None) })
    }

    fn canonical(&self, envelope: &Envelope) -> Result<Bytes, GatewayError> {
        let requests = self.requests(&envelope.body)?;
        let texts = requests.iter().enumerate().map(|(index, request)| self.text(index, request));
        let texts: Vec<String> = texts.collect::<Result<_, _>>()?;
        let mut canonical = json!({ "model": envelope.model, "input": texts, "encoding_format": "float" });
        let first = requests.first();
        let said = |request: &Single| {
            (request.task_type.clone(), request.title.clone(), request.output_dimensionality)
        };
        // Canonical embeddings say these once for all texts.
        let differs =
            first.is_some_and(|first| requests.iter().position(|other| said(other) != said(first)).is_some());
        if differs {
            let message =
                "the requests differ in taskType, title or outputDimensionality; send them one by one";
            return Err(GatewayError {
                param: Some("requests".to_owned()),
                ..GatewayError::client(Kind::Unsupported, message)
            });
        }
        if let (Some(first), Value::Object(fields)) = (first, &mut canonical) {
            let (task, title, dimensions) = said(first);
            let task = task.map(|task| input_type(&task));
            for (name, value) in [
                ("input_type", task.map(Value::from)),
                ("title", title.map(Value::from)),
                ("dimensions", dimensions.map(Value::from)),
            ] {
                fields.extend(value.map(|value| (name.to_owned(), value)));
            }
        }
        Ok(canonical.to_string().into())
    }

    fn whole(&self, _facts: &AnswerFacts, canonical: &[u8]) -> Result<Vec<u8>, GatewayError> {
        let read = Embeddings::read(canonical)?;
        let vectors =
            read.data.iter().map(|embedding| Ok(format!(r#"{{"values":{}}}"#, embedding.numbers()?)));
        let mut vectors: Vec<String> = vectors.collect::<Result<_, GatewayError>>()?;
        if self.many {
            return Ok(format!(r#"{{"embeddings":[{}]}}"#, vectors.join(",")).into_bytes());
        }
        let first = vectors.drain(..).next();
        let first = first.ok_or_else(|| GatewayError::plugin("the adapter's answer holds no embedding"))?;
        Ok(format!(r#"{{"embedding":{first}}}"#).into_bytes())
    }

    fn error(&self, error: &GatewayError, request_id: &str) -> Vec<u8> {
        GeminiGenerate.error(error, request_id)
    }

    fn error_status(&self, error: &GatewayError) -> u16 {
        GeminiGenerate.error_status(error)
    }

    fn whole_usage(&self, body: &[u8]) -> Option<Usage> {
        GeminiGenerate.whole_usage(body)
    }

    fn passing(&self, data: &[u8], usage: &mut Usage) -> Passing {
        GeminiGenerate.passing(data, usage)
    }
}
