//! What a request wishes of its targets: the body's `provider` object and `models` list, read and taken out, in whatever
//! dialect the rest is. The names are those of OpenRouter's API (openrouter.ai/docs, "Provider Routing" and "Model
//! Routing").

use bytes::Bytes;
use serde_json::value::RawValue;

use super::object::{Object, Path, span_of, text};
use super::word::{self, Word};
use crate::domain::{Micros, Sort, Wishes};
use crate::error::GatewayError;

const PROVIDER: &str = "provider";
const MODELS: &str = "models";

/// One of them stands in a body that wishes something.
static NAMES: [Word; 2] = [Word::new("\"provider\""), Word::new("\"models\"")];

/// The body without its wishes, and the wishes. Every other byte stays.
///
/// # Errors
/// What is no wish, with its path.
pub fn take(body: Bytes) -> Result<(Bytes, Option<Wishes>), GatewayError> {
    if !word::any(&NAMES, &body) {
        return Ok((body, None));
    }
    // A body that is no object is the dialect's to refuse.
    let Ok(mut object) = Object::of_body(&body) else { return Ok((body, None)) };
    let mut spans: Vec<_> = object
        .0
        .iter()
        .filter(|(name, _)| name == PROVIDER || name == MODELS)
        .map(|(_, value)| span_of(value, &body))
        .collect();
    if spans.is_empty() {
        return Ok((body, None));
    }
    let mut wishes = Wishes::default();
    if let Some(models) = object.take(MODELS, Path::Root)? {
        wishes.models = list(models, Path::Field(&Path::Root, MODELS))?;
    }
    if let Some(provider) = object.take(PROVIDER, Path::Root)? {
        preferences(provider, &mut wishes)?;
    }
    spans.sort_by_key(|span| span.start);
    let mut left = body.to_vec();
    for value in spans.into_iter().rev() {
        cut(&mut left, value);
    }
    Ok((left.into(), Some(wishes)))
}

/// Cuts out one member of an object, found by its value, with one of the commas beside it.
fn cut(body: &mut Vec<u8>, value: std::ops::Range<usize>) {
    let before = |at: usize| body.get(..at).unwrap_or_default();
    let spaces = |bytes: &[u8]| bytes.iter().rev().take_while(|byte| byte.is_ascii_whitespace()).count();
    let colon = value.start.saturating_sub(spaces(before(value.start)) + 1);
    let quote = colon.saturating_sub(spaces(before(colon)) + 1);
    let name = memchr::memrchr(b'"', before(quote)).unwrap_or(quote);
    let behind = body.get(value.end..).unwrap_or_default();
    let gap = behind.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let gone = if behind.get(gap) == Some(&b',') {
        name..value.end + gap + 1
    } else {
        let comma = name.saturating_sub(spaces(before(name)) + 1);
        if body.get(comma) == Some(&b',') { comma..value.end } else { name..value.end }
    };
    body.drain(gone);
}

fn preferences(raw: &RawValue, wishes: &mut Wishes) -> Result<(), GatewayError> {
    let path = Path::Field(&Path::Root, PROVIDER);
    let mut provider = Object::read(raw, path)?;
    let mut words = |name: &str| {
        let value = provider.take(name, path)?;
        value.map(|value| list(value, Path::Field(&path, name))).transpose()
    };
    wishes.order = words("order")?.unwrap_or_default();
    wishes.only = words("only")?;
    wishes.ignore = words("ignore")?.unwrap_or_default();
    wishes.no_fallbacks = provider.take_bool("allow_fallbacks", path)? == Some(false);
    wishes.require_parameters = provider.take_bool("require_parameters", path)? == Some(true);
    if let Some(sort) = provider.take_text("sort", path)? {
        let wrong = || Path::Field(&path, "sort").wrong(format!("expected {}", Sort::WORDS));
        wishes.sort = Some(Sort::named(&sort).ok_or_else(wrong)?);
    }
    if let Some(prices) = provider.take("max_price", path)? {
        let path = Path::Field(&path, "max_price");
        let mut prices = Object::read(prices, path)?;
        let mut money = |name: &str| {
            let value = prices.take(name, path)?;
            value.map(|value| amount(value, Path::Field(&path, name))).transpose()
        };
        wishes.max_prompt = money("prompt")?;
        wishes.max_completion = money("completion")?;
        wishes.max_request = money("request")?;
        prices.close(path)?;
    }
    provider.close(path)
}

/// A list of names.
fn list(raw: &RawValue, path: Path<'_>) -> Result<Vec<String>, GatewayError> {
    let elements: Vec<&RawValue> =
        serde_json::from_str(raw.get()).map_err(|_| path.wrong("expected a list of names"))?;
    let mut names = Vec::with_capacity(elements.len());
    for (index, element) in elements.into_iter().enumerate() {
        names.push(text(element, Path::Item(&path, index))?.into_owned());
    }
    Ok(names)
}

/// Dollars, as a number or as text, without a float on the way.
fn amount(raw: &RawValue, path: Path<'_>) -> Result<Micros, GatewayError> {
    let written = raw.get().trim_matches('"');
    let amount: Micros = written.parse().map_err(|why: String| path.wrong(why))?;
    if amount.get() < 0 {
        return Err(path.wrong("expected an amount of US dollars, 0 or more"));
    }
    Ok(amount)
}

#[cfg(test)]
mod tests;
