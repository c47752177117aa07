//! A request passed on: the client's own bytes to a provider that speaks its dialect, and a look at what comes back.

use http::HeaderMap;

use super::answer::JSON;
use crate::dialect::word::Word;
use crate::dialect::{Dialect, Passing};
use crate::domain::http::{UpstreamRequest, climbs};
use crate::domain::{Edit, Envelope, Framing, Usage};
use crate::error::{GatewayError, Kind};
use crate::state::Provider;

/// Where a body may say that it is an error.
static ERROR: Word = Word::new("\"error\"");

/// The client's own bytes, with only the model name put in. `client` are the headers it sent.
pub(super) fn request(
    dialect: &dyn Dialect,
    envelope: &Envelope,
    client: &HeaderMap,
    provider: &Provider,
    model: &str,
) -> Result<UpstreamRequest, GatewayError> {
    let manifest = provider.adapter.manifest();
    let passage = provider
        .passage(dialect.id())
        .ok_or_else(|| GatewayError::gateway(Kind::Internal, "no passage for this dialect"))?;
    let path = if envelope.stream { &passage.stream_path } else { &passage.path };
    let mut path = with_model(path, model);
    if climbs(&path) {
        let message = format!("`{}` is no name of a model", model);
        return Err(GatewayError::client(Kind::ModelNotFound, message));
    }
    if envelope.stream && envelope.model_span.is_none() && envelope.framing == Framing::Sse {
        path.push_str(if path.contains('?') { "&alt=sse" } else { "?alt=sse" });
    }
    let mut headers = passage.headers.clone();
    for name in &manifest.client_headers {
        let Ok(name) = http::HeaderName::try_from(name.as_str()) else { continue };
        let mut values = client.get_all(&name).into_iter();
        if let Some(first) = values.next() {
            headers.insert(name.clone(), first.clone());
            values.for_each(|value| {
                headers.append(name.clone(), value.clone());
            });
        }
    }
    headers.insert(http::header::CONTENT_TYPE, envelope.content_type.clone().unwrap_or(JSON));
    Ok(UpstreamRequest {
        method: http::Method::POST,
        path,
        headers,
        body: envelope.body_with(model, ask_usage(dialect, envelope, provider)),
        credential: passage.credential.clone(),
    })
}

/// False when the client asks for usage in a way this server refuses; an adapter asks as it wants to be asked.
pub(super) fn takes(dialect: &dyn Dialect, envelope: &Envelope, provider: &Provider) -> bool {
    provider.stream_usage || !dialect.asks_for_usage(envelope)
}

/// Usage is wanted of every stream, also when the client is not told; not so where the provider cannot say it.
pub(super) fn ask_usage(dialect: &dyn Dialect, envelope: &Envelope, provider: &Provider) -> Option<Edit> {
    provider.stream_usage.then(|| dialect.ask_usage(envelope)).flatten()
}

pub(super) fn stream_type(framing: Framing) -> &'static str {
    match framing {
        Framing::Sse => "text/event-stream",
        Framing::JsonArray => "application/json",
        Framing::Ndjson => "application/x-ndjson",
        Framing::EventStream => "application/vnd.amazon.eventstream",
    }
}

/// A passed-on answer is looked at as far as it must be: a JSON object, and not one that reports an error. `read`: it was
/// read to its end before, so it is JSON.
pub(super) fn judge(dialect: &dyn Dialect, body: &[u8], read: bool) -> Result<(), GatewayError> {
    // Who reads JSON and passes strings over does not look at their letters.
    let is_json = |text: &str| read || serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok();
    let text = std::str::from_utf8(body).ok();
    if !text.is_some_and(|text| text.trim_ascii_start().starts_with('{') && is_json(text)) {
        return Err(GatewayError::upstream(Kind::Malformed, "the provider's answer is not a JSON object"));
    }
    // Some vendors answer 200 and say inside that they failed. Text cannot hold an unescaped quote, so this finds keys.
    if ERROR.is_in(body)
        && let Passing::Failed(error) = dialect.passing(body, &mut Usage::default())
    {
        return Err(error);
    }
    Ok(())
}

/// A passed-on stream of another type would reach the client as nonsense.
pub(super) fn demand(headers: &HeaderMap, expected: &str) -> Result<(), GatewayError> {
    let found = headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    if found.is_empty() || found.starts_with(expected) {
        return Ok(());
    }
    Err(GatewayError::upstream(Kind::Malformed, "the provider did not answer with a stream")
        .context(format!("content-type {found:?}")))
}

/// A passage's path with the model's name in it. Where the name is one segment among others (`/model/{model}/converse`)
/// nothing of it may look like another segment; AWS wants every letter escaped that is not unreserved.
fn with_model(path: &str, model: &str) -> String {
    let name = if path.contains("/{model}/") { segment(model) } else { in_path(model) };
    path.replace("{model}", &name)
}

fn segment(model: &str) -> String {
    in_path(model).replace('/', "%2F").replace(':', "%3A").replace('@', "%40")
}

/// A model name in a path: `/` may stand in it, what would end the path may not.
fn in_path(model: &str) -> String {
    model.bytes().fold(String::with_capacity(model.len()), |mut path, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~/:@".contains(&byte) {
            path.push(byte as char);
        } else {
            path.push_str(&format!("%{byte:02X}"));
        }
        path
    })
}
