//! Vectors that follow from a text: the same text has the same vector everywhere, and its length is one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Shape, need, tokens};
use crate::mock::vendor::{Complaint, list, text};

/// Numbers in a vector, when none is asked for.
const LENGTH: usize = 8;

/// The answer in a vendor's shape.
pub(super) fn answer(shape: Shape, fields: &Value) -> Result<Value, Complaint> {
    match shape {
        Shape::OpenAi => openai(fields),
        Shape::Cohere => cohere(fields),
        Shape::Ollama => {
            let texts = texts(fields, "input")?;
            let vectors: Vec<_> = texts.iter().map(|text| vector(text, LENGTH)).collect();
            Ok(json!({ "model": text(fields, "model"), "embeddings": vectors, "total_duration": 1_000_000,
                "load_duration": 1_000, "prompt_eval_count": count(&texts) }))
        }
        Shape::Gemini => Ok(json!({ "embedding": gemini(fields, "")? })),
        Shape::GeminiBatch => {
            let requests = list(fields, "requests");
            if requests.is_empty() {
                return Err(Complaint::invalid(
                    "* BatchEmbedContentsRequest.requests: at least one is required",
                ));
            }
            let embedded: Result<Vec<Value>, Complaint> = requests
                .iter()
                .map(|request| {
                    need(request, "model")?;
                    gemini(request, "requests[].")
                })
                .collect();
            Ok(json!({ "embeddings": embedded? }))
        }
    }
}

fn openai(fields: &Value) -> Result<Value, Complaint> {
    need(fields, "model")?;
    let texts = match fields.get("input") {
        // Token numbers are taken for what they are: their own text.
        Some(Value::Array(items)) if items.first().is_some_and(Value::is_u64) => {
            vec![Value::from(items.clone()).to_string()]
        }
        Some(Value::Array(items)) if items.first().is_some_and(Value::is_array) => {
            items.iter().map(Value::to_string).collect()
        }
        _ => texts(fields, "input")?,
    };
    let length =
        fields.get("dimensions").and_then(Value::as_u64).and_then(|length| usize::try_from(length).ok());
    let base64 = match text(fields, "encoding_format") {
        "" | "float" => false,
        "base64" => true,
        _ => return Err(Complaint::invalid("encoding_format must be float or base64").at("encoding_format")),
    };
    let data: Vec<Value> = texts
        .iter()
        .enumerate()
        .map(|(index, text)| {
            let vector = vector(text, length.unwrap_or(LENGTH).min(4_096));
            let packed =
                || STANDARD.encode(vector.iter().flat_map(|float| float.to_le_bytes()).collect::<Vec<u8>>());
            let embedding = if base64 { Value::from(packed()) } else { json!(vector) };
            json!({ "object": "embedding", "index": index, "embedding": embedding })
        })
        .collect();
    let counted = count(&texts);
    Ok(json!({ "object": "list", "data": data, "model": text(fields, "model"),
        "usage": { "prompt_tokens": counted, "total_tokens": counted } }))
}

fn cohere(fields: &Value) -> Result<Value, Complaint> {
    need(fields, "model")?;
    need(fields, "input_type")?;
    let texts = if fields.get("texts").is_some() {
        texts(fields, "texts")?
    } else {
        let inputs = list(fields, "inputs").iter();
        let joined =
            |input: &Value| list(input, "content").iter().map(|part| text(part, "text")).collect::<String>();
        inputs.map(joined).collect()
    };
    if texts.is_empty() {
        return Err(Complaint::invalid("texts or inputs must be given").at("texts"));
    }
    let vectors: Vec<_> = texts.iter().map(|text| vector(text, LENGTH)).collect();
    Ok(json!({ "id": "mock-embed", "embeddings": { "float": vectors }, "texts": texts,
        "meta": { "api_version": { "version": "2" }, "billed_units": { "input_tokens": count(&texts) } } }))
}

fn gemini(request: &Value, at: &str) -> Result<Value, Complaint> {
    let parts = request.get("content").map(|content| list(content, "parts")).unwrap_or_default();
    if parts.is_empty() {
        return Err(Complaint::invalid(format!("* EmbedContentRequest.{at}content: contents is required")));
    }
    let said: String = parts.iter().map(|part| text(part, "text")).collect();
    let length = request.get("outputDimensionality").and_then(Value::as_u64);
    let length = length.and_then(|length| usize::try_from(length).ok()).unwrap_or(LENGTH).min(4_096);
    Ok(json!({ "values": vector(&said, length) }))
}

fn texts(fields: &Value, name: &'static str) -> Result<Vec<String>, Complaint> {
    let texts = match fields.get(name) {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(items)) => {
            let texts: Option<Vec<_>> = items.iter().map(|item| item.as_str().map(str::to_owned)).collect();
            texts.unwrap_or_default()
        }
        _ => Vec::new(),
    };
    if texts.is_empty() || texts.iter().any(String::is_empty) {
        return Err(
            Complaint::invalid(format!("'${name}' is invalid: expected text or a list of texts")).at(name)
        );
    }
    Ok(texts)
}

fn count(texts: &[String]) -> usize {
    texts.iter().map(|text| tokens(text)).sum()
}

/// Of length one, from a hash of the text.
fn vector(text: &str, length: usize) -> Vec<f32> {
    let mut bytes = vec![0_u8; length];
    blake3::Hasher::new().update(text.as_bytes()).finalize_xof().fill(&mut bytes);
    let raw: Vec<f32> = bytes.iter().map(|byte| f32::from(*byte) - 127.5).collect();
    let norm = raw.iter().map(|float| float * float).sum::<f32>().sqrt();
    raw.into_iter().map(|float| float / norm).collect()
}
