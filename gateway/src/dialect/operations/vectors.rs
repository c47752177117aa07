//! Canonical embeddings: read once, written in each client's shape.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::dialect::AnswerFacts;
use crate::domain::Usage;
use crate::error::GatewayError;

/// How a client wants its numbers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// JSON numbers.
    Float,
    /// Little-endian 32-bit floats in base64, as OpenAI's SDKs ask for by default.
    Base64,
}

/// A canonical answer.
#[derive(Deserialize)]
pub(super) struct Embeddings<'a> {
    #[serde(borrow)]
    pub(super) data: Vec<Embedding<'a>>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
}

/// One vector.
#[derive(Deserialize)]
pub(super) struct Embedding<'a> {
    index: Option<u64>,
    #[serde(borrow)]
    embedding: &'a RawValue,
}

impl<'a> Embeddings<'a> {
    /// Reads an adapter's answer, in the order of its indexes.
    pub(super) fn read(canonical: &'a [u8]) -> Result<Self, GatewayError> {
        let mut read: Self = serde_json::from_slice(canonical).map_err(|error| {
            GatewayError::plugin(format!("the adapter's answer is no canonical list of embeddings: {error}"))
        })?;
        read.data.sort_by_key(|embedding| embedding.index.unwrap_or(0));
        Ok(read)
    }

    /// Prompt tokens, when the provider counted them.
    pub(super) fn prompt_tokens(&self) -> Option<u64> {
        let usage: Counted = serde_json::from_str(self.usage?.get()).ok()?;
        usage.prompt_tokens.or(usage.total_tokens)
    }
}

impl Embedding<'_> {
    /// The vector as JSON numbers, borrowed when it is already that.
    pub(super) fn numbers(&self) -> Result<std::borrow::Cow<'_, RawValue>, GatewayError> {
        if self.embedding.get().starts_with('[') {
            return Ok(std::borrow::Cow::Borrowed(self.embedding));
        }
        let floats = self.floats()?;
        serde_json::value::to_raw_value(&floats).map(std::borrow::Cow::Owned).map_err(|_| broken())
    }

    fn floats(&self) -> Result<Vec<f32>, GatewayError> {
        let text: std::borrow::Cow<'_, str> =
            serde_json::from_str(self.embedding.get()).map_err(|_| broken())?;
        let bytes = STANDARD.decode(text.as_bytes()).map_err(|_| broken())?;
        let (floats, rest) = bytes.as_chunks::<4>();
        if !rest.is_empty() {
            return Err(broken());
        }
        Ok(floats.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
    }

    fn base64(&self) -> Result<std::borrow::Cow<'_, RawValue>, GatewayError> {
        if self.embedding.get().starts_with('"') {
            return Ok(std::borrow::Cow::Borrowed(self.embedding));
        }
        let floats: Vec<f32> = serde_json::from_str(self.embedding.get()).map_err(|_| broken())?;
        let bytes: Vec<u8> = floats.iter().flat_map(|float| float.to_le_bytes()).collect();
        serde_json::value::to_raw_value(&STANDARD.encode(bytes))
            .map(std::borrow::Cow::Owned)
            .map_err(|_| broken())
    }
}

fn broken() -> GatewayError {
    GatewayError::plugin(
        "an embedding of the adapter is neither a list of numbers nor base64 of 32-bit floats",
    )
}

/// In OpenAI's shape. `asked` is the body it answers: OpenAI's clients want a count of tokens, so one is estimated from it
/// when the provider told none.
pub(super) fn openai(
    facts: &AnswerFacts,
    canonical: &[u8],
    form: Form,
    asked: &[u8],
) -> Result<Vec<u8>, GatewayError> {
    let read = Embeddings::read(canonical)?;
    let mut out = Vec::with_capacity(canonical.len());
    out.extend_from_slice(br#"{"object":"list","data":["#);
    for (index, embedding) in read.data.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        let vector = if form == Form::Base64 { embedding.base64()? } else { embedding.numbers()? };
        out.extend_from_slice(format!(r#"{{"object":"embedding","index":{index},"embedding":"#).as_bytes());
        out.extend_from_slice(vector.get().as_bytes());
        out.push(b'}');
    }
    let usage = read.usage.and_then(|raw| serde_json::from_str::<Value>(raw.get()).ok());
    let usage = usage.filter(Value::is_object).unwrap_or_else(|| {
        let tokens = super::token_estimate::of_input(asked);
        json!({ "prompt_tokens": tokens, "total_tokens": tokens })
    });
    let rest = json!({ "model": facts.model, "usage": usage }).to_string();
    out.extend_from_slice(b"],");
    out.extend_from_slice(rest.get(1..).unwrap_or("}").as_bytes());
    Ok(out)
}

#[derive(Deserialize)]
struct Counted {
    prompt_tokens: Option<u64>,
    total_tokens: Option<u64>,
}

/// Usage in a whole answer of OpenAI's.
pub(super) fn usage(body: &[u8]) -> Option<Usage> {
    #[derive(Deserialize)]
    struct Body {
        usage: Option<Counted>,
    }
    let usage = serde_json::from_slice::<Body>(body).ok()?.usage?;
    let input = usage.prompt_tokens.or(usage.total_tokens);
    Some(Usage { input, output: Some(0), ..Usage::default() })
}
