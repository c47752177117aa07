//! Everything beyond chat, in each vendor's shape: vectors that follow from the text, a picture, a sound, a ranking.

mod form;
mod vectors;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};

use super::vendor::{Complaint, list, text};
use crate::domain::Operation;

/// Whose shape an answer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    OpenAi,
    Gemini,
    /// `:batchEmbedContents`.
    GeminiBatch,
    Cohere,
    Ollama,
}

/// What is asked, and in whose shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) operation: Operation,
    pub(super) shape: Shape,
}

/// A body and its type.
pub(super) struct Made {
    pub(super) content_type: &'static str,
    pub(super) body: Bytes,
}

/// One transparent pixel.
const PIXEL: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\x9cc\0\x01\0\0\x05\0\x01\r\n-\xb4\0\0\0\0IEND\xaeB`\x82";

/// The operation a path asks for.
pub(super) fn at(path: &str) -> Option<Asked> {
    let ends = |end: &str| path.ends_with(end);
    let asked = |operation, shape| Some(Asked { operation, shape });
    match () {
        () if ends("/v2/embed") => asked(Operation::Embeddings, Shape::Cohere),
        () if ends("/api/embed") => asked(Operation::Embeddings, Shape::Ollama),
        () if ends(":embedContent") => asked(Operation::Embeddings, Shape::Gemini),
        () if ends(":batchEmbedContents") => asked(Operation::Embeddings, Shape::GeminiBatch),
        () if ends("/embeddings") => asked(Operation::Embeddings, Shape::OpenAi),
        () if ends("/rerank") => asked(Operation::Rerank, Shape::Cohere),
        () if ends("/moderations") => asked(Operation::Moderation, Shape::OpenAi),
        () if ends("/images/generations") => asked(Operation::ImageGeneration, Shape::OpenAi),
        () if ends("/images/edits") => asked(Operation::ImageEdit, Shape::OpenAi),
        () if ends("/images/variations") => asked(Operation::ImageVariation, Shape::OpenAi),
        () if ends("/audio/speech") => asked(Operation::Speech, Shape::OpenAi),
        () if ends("/audio/transcriptions") => asked(Operation::Transcription, Shape::OpenAi),
        () if ends("/audio/translations") => asked(Operation::Translation, Shape::OpenAi),
        () => None,
    }
}

/// The request as one JSON object: forms become objects too, their files `{ filename, size }`.
pub(super) fn fields(content_type: &str, body: &Bytes) -> Result<Value, Complaint> {
    if content_type.starts_with("multipart/form-data") {
        return form::read(content_type, body);
    }
    let read = serde_json::from_slice(body);
    read.map_err(|error| {
        Complaint::invalid(format!("We could not parse the JSON body of your request: {error}"))
    })
}

/// The answer.
pub(super) fn answer(asked: Asked, fields: &Value, created: u64) -> Result<Made, Complaint> {
    match asked.operation {
        Operation::Embeddings => vectors::answer(asked.shape, fields).map(|body| json_of(&body)),
        Operation::Rerank => rerank(fields).map(|body| json_of(&body)),
        Operation::Moderation => moderate(fields).map(|body| json_of(&body)),
        Operation::ImageGeneration | Operation::ImageEdit | Operation::ImageVariation => {
            draw(asked.operation, fields, created).map(|body| json_of(&body))
        }
        Operation::Speech => speak(fields),
        Operation::Transcription | Operation::Translation => hear(fields),
        Operation::Chat | Operation::CountTokens => Err(Complaint::new(404, "no such operation")),
    }
}

fn json_of(body: &Value) -> Made {
    Made { content_type: "application/json", body: body.to_string().into() }
}

/// A text that must be there.
fn need<'a>(fields: &'a Value, name: &'static str) -> Result<&'a str, Complaint> {
    let said = text(fields, name);
    if said.is_empty() {
        return Err(Complaint::invalid(format!("you must provide `{name}`")).at(name));
    }
    Ok(said)
}

/// A token for every four bytes, and at least one.
fn tokens(text: &str) -> usize {
    text.len().div_ceil(4).max(1)
}

/// Documents that share more words with the query come first.
fn rerank(fields: &Value) -> Result<Value, Complaint> {
    let query = need(fields, "query")?.to_lowercase();
    let documents = list(fields, "documents");
    if documents.is_empty() {
        return Err(Complaint::invalid("documents must not be empty").at("documents"));
    }
    let words: Vec<&str> = query.split_whitespace().collect();
    let said = |document: &Value| document.as_str().unwrap_or_else(|| text(document, "text")).to_lowercase();
    let mut results: Vec<(usize, usize)> = documents
        .iter()
        .enumerate()
        .map(|(index, document)| (index, words.iter().filter(|word| said(document).contains(**word)).count()))
        .collect();
    results.sort_by_key(|(index, score)| (std::cmp::Reverse(*score), *index));
    let most = fields.get("top_n").and_then(Value::as_u64).and_then(|most| usize::try_from(most).ok());
    results.truncate(most.unwrap_or(usize::MAX));
    #[expect(clippy::cast_precision_loss, reason = "a query has few words")]
    let score = |found: usize| found as f64 / words.len().max(1) as f64;
    let results: Vec<Value> = results
        .into_iter()
        .map(|(index, found)| json!({ "index": index, "relevance_score": score(found) }))
        .collect();
    let counted: usize = documents.iter().map(|document| tokens(&said(document))).sum();
    Ok(json!({
        "id": "mock-rerank",
        "results": results,
        "meta": { "api_version": { "version": "2" }, "billed_units": { "search_units": 1 },
            "tokens": { "input_tokens": counted + tokens(&query) } },
    }))
}

/// What speaks of violence is flagged.
fn moderate(fields: &Value) -> Result<Value, Complaint> {
    let inputs: Vec<String> = match fields.get("input") {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(items)) if !items.is_empty() => {
            items.iter().map(|item| item.as_str().unwrap_or_else(|| text(item, "text")).to_owned()).collect()
        }
        _ => return Err(Complaint::invalid("you must provide `input`").at("input")),
    };
    let results: Vec<Value> = inputs
        .iter()
        .map(|input| {
            let flagged = input.to_lowercase().contains("violence");
            let score = if flagged { 0.98 } else { 0.01 };
            json!({ "flagged": flagged, "categories": { "violence": flagged, "hate": false },
                "category_scores": { "violence": score, "hate": 0.001 } })
        })
        .collect();
    let model = fields.get("model").and_then(Value::as_str).unwrap_or("omni-moderation-latest");
    Ok(json!({ "id": "modr-mock", "model": model, "results": results }))
}

fn draw(operation: Operation, fields: &Value, created: u64) -> Result<Value, Complaint> {
    if operation != Operation::ImageVariation {
        need(fields, "prompt")?;
    }
    if operation != Operation::ImageGeneration && fields.get("image").is_none() {
        return Err(Complaint::invalid("you must provide `image`").at("image"));
    }
    let count = match fields.get("n") {
        None => 1,
        Some(count) => count
            .as_u64()
            .or_else(|| count.as_str()?.parse().ok())
            .filter(|count| (1..=10).contains(count))
            .ok_or_else(|| Complaint::invalid("n must be between 1 and 10").at("n"))?,
    };
    let pictures: Vec<Value> = (0..count).map(|_| json!({ "b64_json": STANDARD.encode(PIXEL) })).collect();
    let input = tokens(text(fields, "prompt"));
    Ok(json!({
        "created": created,
        "data": pictures,
        "size": fields.get("size").cloned().unwrap_or_else(|| "1024x1024".into()),
        "usage": { "input_tokens": input, "output_tokens": 272 * count, "total_tokens": input as u64 + 272 * count,
            "input_tokens_details": { "text_tokens": input, "image_tokens": 0 } },
    }))
}

/// A tenth of a second of silence for every ten letters, under the head of its format.
fn speak(fields: &Value) -> Result<Made, Complaint> {
    let input = need(fields, "input")?;
    need(fields, "voice")?;
    let (content_type, head): (_, &[u8]) = match text(fields, "response_format") {
        "" | "mp3" => ("audio/mpeg", b"ID3\x04\0\0\0\0\0\0"),
        "wav" => ("audio/wav", b"RIFF\xff\xff\xff\xffWAVE"),
        "opus" => ("audio/ogg", b"OggS\0\x02"),
        "flac" => ("audio/flac", b"fLaC"),
        "aac" => ("audio/aac", b"\xff\xf1"),
        "pcm" => ("audio/pcm", b""),
        _ => return Err(Complaint::invalid("unknown response_format").at("response_format")),
    };
    let mut body = head.to_vec();
    body.resize(head.len() + input.len().div_ceil(10) * 4_800, 0);
    Ok(Made { content_type, body: body.into() })
}

/// The file's name and size are what the mock hears.
fn hear(fields: &Value) -> Result<Made, Complaint> {
    let file = fields.get("file").filter(|file| file.is_object());
    let file = file.ok_or_else(|| Complaint::invalid("you must provide `file`").at("file"))?;
    let size = file.get("size").and_then(Value::as_u64).unwrap_or_default();
    let heard = format!("This is what {} says in {size} bytes.", text(file, "filename"));
    if text(fields, "stream") == "true" {
        let events = format!(
            "data: {}\n\ndata: {}\n\n",
            json!({ "type": "transcript.text.delta", "delta": heard }),
            json!({ "type": "transcript.text.done", "text": heard, "usage": { "type": "tokens", "input_tokens": 14,
                "output_tokens": tokens(&heard) } }),
        );
        return Ok(Made { content_type: "text/event-stream; charset=utf-8", body: events.into() });
    }
    let plain = |content_type, body: String| Ok(Made { content_type, body: body.into() });
    match text(fields, "response_format") {
        "" | "json" => Ok(json_of(&json!({ "text": heard, "usage": { "type": "tokens", "input_tokens": 14,
            "input_token_details": { "text_tokens": 0, "audio_tokens": 14 }, "output_tokens": tokens(&heard),
            "total_tokens": 14 + tokens(&heard) } }))),
        "verbose_json" => Ok(json_of(&json!({ "task": "transcribe", "language": "english", "duration": 1.0,
            "text": heard, "segments": [{ "id": 0, "start": 0.0, "end": 1.0, "text": heard }],
            "usage": { "type": "duration", "seconds": 1 } }))),
        "text" => plain("text/plain; charset=utf-8", format!("{heard}\n")),
        "srt" => plain("text/plain; charset=utf-8", format!("1\n00:00:00,000 --> 00:00:01,000\n{heard}\n\n")),
        "vtt" => plain(
            "text/plain; charset=utf-8",
            format!("WEBVTT\n\n00:00:00.000 --> 00:00:01.000\n{heard}\n\n"),
        ),
        _ => Err(Complaint::invalid("unknown response_format").at("response_format")),
    }
}

#[cfg(test)]
mod tests;
