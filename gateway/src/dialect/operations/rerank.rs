//! `POST /v2/rerank` and `/v1/rerank`, as Cohere has it and Jina, Voyage, vLLM and others copied it.
//! Source: Cohere's API reference, "Rerank API (v2)".

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::facts;
use crate::dialect::asks;
use crate::dialect::object::Path;
use crate::dialect::{AnswerFacts, Dialect, Passing, openai_error};
use crate::domain::{Asks, Envelope, Operation, RequestHead, Usage};
use crate::error::GatewayError;

/// Documents in the order of their relevance.
pub(super) struct CohereRerank;

impl Dialect for CohereRerank {
    fn id(&self) -> &'static str {
        "cohere-rerank"
    }

    fn asks(&self, envelope: &Envelope) -> Asks {
        asks::of(envelope, self.operation(), asks::fields::OPERATIONS)
    }

    fn operation(&self) -> Operation {
        Operation::Rerank
    }

    fn read(&self, _head: &RequestHead, body: Bytes) -> Result<Envelope, GatewayError> {
        let mut fields = facts::fields(&body)?;
        let envelope = facts::envelope(&body, &mut fields, None)?;
        facts::need_text(&fields, "query")?;
        facts::count(&fields, "top_n")?;
        let root = Path::Root;
        let path = Path::Field(&root, "documents");
        let documents: Vec<&RawValue> = serde_json::from_str(facts::need(&fields, "documents")?.get())
            .map_err(|_| path.wrong("expected a list of documents"))?;
        if documents.is_empty() {
            return Err(path.wrong("must not be empty"));
        }
        match documents.iter().position(|document| !document.get().starts_with(['"', '{'])) {
            Some(at) => Err(Path::Item(&path, at).wrong("expected a string or an object")),
            None => Ok(envelope),
        }
    }

    fn canonical(&self, envelope: &Envelope) -> Result<Bytes, GatewayError> {
        Ok(envelope.body.clone())
    }

    fn whole(&self, _facts: &AnswerFacts, canonical: &[u8]) -> Result<Vec<u8>, GatewayError> {
        Ok(canonical.to_vec())
    }

    fn whole_for(
        &self,
        facts: &AnswerFacts,
        envelope: &Envelope,
        canonical: &[u8],
    ) -> Result<Vec<u8>, GatewayError> {
        let fields = facts::fields(&envelope.body)?;
        if !facts::flag(&fields, "return_documents")? {
            return self.whole(facts, canonical);
        }
        let documents: Vec<Value> =
            serde_json::from_str(facts::need(&fields, "documents")?.get()).unwrap_or_default();
        let mut answer: Value = serde_json::from_slice(canonical)
            .map_err(|error| GatewayError::plugin(format!("the adapter's ranking is not JSON: {error}")))?;
        let results = answer.get_mut("results").and_then(Value::as_array_mut);
        for result in results.into_iter().flatten().filter_map(Value::as_object_mut) {
            let index =
                result.get("index").and_then(Value::as_u64).and_then(|index| usize::try_from(index).ok());
            let Some(document) = index.and_then(|index| documents.get(index)) else { continue };
            let document = if document.is_string() { json!({ "text": document }) } else { document.clone() };
            result.entry("document").or_insert(document);
        }
        Ok(answer.to_string().into_bytes())
    }

    fn error(&self, error: &GatewayError, request_id: &str) -> Vec<u8> {
        // Cohere's clients read `message`, the others `error`; both find theirs.
        let mut body: Value =
            serde_json::from_slice(&openai_error::body(error, request_id)).unwrap_or_default();
        body["message"] = error.message.clone().into();
        body.to_string().into_bytes()
    }

    fn whole_usage(&self, body: &[u8]) -> Option<Usage> {
        let body: Body = serde_json::from_slice(body).ok()?;
        let tokens = body.usage.and_then(|usage| usage.prompt_tokens.or(usage.total_tokens));
        let billed = body.meta.and_then(|meta| meta.tokens?.input_tokens);
        let input = tokens.or(billed)?;
        Some(Usage { input: Some(input), output: Some(0), ..Usage::default() })
    }

    fn pieces(&self, _envelope: &Envelope, body: Option<&[u8]>) -> Usage {
        let told = body.and_then(|body| serde_json::from_slice::<Body>(body).ok());
        let billed = |body: Body| {
            let own = body.usage.and_then(|usage| usage.search_units);
            own.or_else(|| body.meta?.billed_units?.search_units)
        };
        Usage { searches: told.and_then(billed), ..Usage::default() }
    }

    fn passing(&self, data: &[u8], _usage: &mut Usage) -> Passing {
        openai_error::reported(data).map_or(Passing::Content, Passing::Failed)
    }
}

#[derive(Deserialize)]
struct Body {
    usage: Option<Counted>,
    meta: Option<Meta>,
}

#[derive(Deserialize)]
struct Counted {
    prompt_tokens: Option<u64>,
    total_tokens: Option<u64>,
    search_units: Option<u64>,
}

#[derive(Deserialize)]
struct Meta {
    tokens: Option<Tokens>,
    billed_units: Option<Billed>,
}

#[derive(Deserialize)]
struct Billed {
    search_units: Option<u64>,
}

#[derive(Deserialize)]
struct Tokens {
    input_tokens: Option<u64>,
}
