//! Answers of everything but chat: OpenAI's are canonical; here their usage is read and errors inside a 200 are found.

use plugin_sdk::chat::{Json, Text};
use plugin_sdk::rerank::{Cost, Ranked, Ranking};
use plugin_sdk::{Answer, Failure, Header, Operation, Usage, failure, json, object};

use crate::error;

object! {
    /// What every JSON answer of these operations may hold.
    Envelope {
        id: Option<Text<'a>> = "id",
        object: Text<'a> = "object",
        model: Text<'a> = "model",
        data: Option<Json<'a>> = "data",
        results: Option<Json<'a>> = "results",
        text: Option<Json<'a>> = "text",
        usage: Option<Tokens<'a>> = "usage",
        error: Option<Json<'a>> = "error",
        meta: Option<Meta<'a>> = "meta",
    }
}

object! {
    /// Usage, under the names of embeddings or those of images and sound.
    Tokens {
        prompt_tokens: Option<u64> = "prompt_tokens",
        completion_tokens: Option<u64> = "completion_tokens",
        input_tokens: Option<u64> = "input_tokens",
        output_tokens: Option<u64> = "output_tokens",
        total_tokens: Option<u64> = "total_tokens",
        input_tokens_details: Option<Details<'a>> = "input_tokens_details",
        input_token_details: Option<Details<'a>> = "input_token_details",
        output_tokens_details: Option<Details<'a>> = "output_tokens_details",
    }
}

object! {
    /// Tokens by kind.
    Details {
        audio_tokens: Option<u64> = "audio_tokens",
        image_tokens: Option<u64> = "image_tokens",
        cached_tokens: Option<u64> = "cached_tokens",
    }
}

object! {
    /// Where servers that copied Cohere tell what a ranking cost.
    Meta {
        tokens: Option<Tokens<'a>> = "tokens",
        billed_units: Option<Json<'a>> = "billed_units",
    }
}

object! {
    /// One result of a ranking.
    Placed {
        index: u64 = "index",
        relevance_score: Json<'a> = "relevance_score",
        score: Option<Json<'a>> = "score",
        document: Option<Json<'a>> = "document",
    }
}

/// The whole answer.
pub(crate) fn answer(operation: Operation, headers: &[Header], body: &[u8]) -> Result<Answer, Failure> {
    let content_type = header(headers, "content-type").unwrap_or_default();
    let is_json = content_type.contains("json") || (content_type.is_empty() && body.starts_with(b"{"));
    let may_be_other =
        matches!(operation, Operation::Speech | Operation::Transcription | Operation::Translation);
    if may_be_other && !is_json {
        let default = if operation == Operation::Speech { "audio/mpeg" } else { "text/plain; charset=utf-8" };
        let content_type = if content_type.is_empty() { default } else { content_type };
        let content_type = Some(content_type.to_owned());
        return Ok(Answer { body: body.to_vec(), content_type, usage: None, losses: Vec::new() });
    }
    let envelope: Envelope<'_> = json::answer("answer", body)?;
    if envelope.error.is_some() || envelope.object == "error" {
        return Err(error::inside(body));
    }
    let (field, there) = match operation {
        Operation::Rerank => return ranking(envelope),
        Operation::Moderation => ("results", envelope.results.is_some()),
        Operation::Transcription | Operation::Translation => ("text", envelope.text.is_some()),
        Operation::Speech => ("sound", false),
        Operation::Chat | Operation::CountTokens => return Err(failure::not_translated("openai", operation)),
        _ => ("data", envelope.data.is_some()),
    };
    if !there {
        return Err(failure::malformed(format!("the provider's answer has no {field}")));
    }
    let usage = envelope.usage.as_ref().map(told);
    Ok(Answer { body: body.to_vec(), content_type: None, usage, losses: Vec::new() })
}

fn header<'h>(headers: &'h [Header], name: &str) -> Option<&'h str> {
    headers.iter().find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value.trim())
}

fn told(tokens: &Tokens<'_>) -> Usage {
    let input = tokens.input_tokens_details.as_ref().or(tokens.input_token_details.as_ref());
    let output = tokens.output_tokens_details.as_ref();
    Usage {
        input: tokens.prompt_tokens.or(tokens.input_tokens),
        output: tokens.completion_tokens.or(tokens.output_tokens),
        cache_read: input.and_then(|details| details.cached_tokens),
        audio_input: input.and_then(|details| details.audio_tokens),
        image_input: input.and_then(|details| details.image_tokens),
        audio_output: output.and_then(|details| details.audio_tokens),
        image_output: output.and_then(|details| details.image_tokens),
        ..Usage::default()
    }
}

/// `results` (Cohere, Jina, vLLM) or `data` (Voyage), the score under either name.
fn ranking(envelope: Envelope<'_>) -> Result<Answer, Failure> {
    let list = envelope.results.or(envelope.data).and_then(|list| list.read::<Vec<Placed<'_>>>());
    let Some(list) = list else { return Err(failure::malformed("the provider's answer has no results")) };
    let results = list.into_iter().map(|placed| Ranked {
        index: placed.index,
        relevance_score: placed.score.unwrap_or(placed.relevance_score),
        document: placed.document,
    });
    let meta = envelope.meta.unwrap_or_default();
    let tokens = envelope.usage.or(meta.tokens).unwrap_or_default();
    let input = tokens.prompt_tokens.or(tokens.input_tokens).or(tokens.total_tokens);
    let units = meta.billed_units.map(|units| units.to_value());
    let search_units = units.as_ref().and_then(|units| json::number_at(units, "search_units"));
    let ranking = Ranking {
        id: envelope.id,
        model: envelope.model,
        results: results.collect(),
        usage: Some(Cost { input, total_tokens: tokens.total_tokens.or(input), search_units }),
    };
    ranking.into_answer(Vec::new())
}
