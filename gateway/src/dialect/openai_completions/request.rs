//! A request: its facts in one scan, and the whole of it as canonical chat.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::dialect::object::{Object, Path, span_of, text};
use crate::domain::Envelope;
use crate::error::{GatewayError, Kind};

/// Reads the facts.
pub(super) fn read(body: Bytes) -> Result<Envelope, GatewayError> {
    let mut fields = Object::of_body(&body)?;
    let root = Path::Root;
    let path = Path::Field(&root, "model");
    let raw = fields.take("model", root)?.ok_or_else(|| path.wrong("you must provide a `model`"))?;
    let model = text(raw, path)?.into_owned();
    if model.is_empty() {
        return Err(path.wrong("`model` must not be empty"));
    }
    let model_span = Some(span_of(raw, &body));
    let path = Path::Field(&root, "prompt");
    let prompt = fields.take("prompt", root)?.ok_or_else(|| path.wrong("you must provide a `prompt`"))?;
    if !prompt.get().starts_with(['"', '[']) {
        return Err(path.wrong("expected a string or a list"));
    }
    let stream = fields.take_bool("stream", root)?.unwrap_or(false);
    let include_usage = match fields.take("stream_options", root)? {
        None => false,
        Some(raw) => {
            let path = Path::Field(&root, "stream_options");
            Object::read(raw, path)?.take_bool("include_usage", path)?.unwrap_or(false)
        }
    };
    let max_output = match fields.take("max_tokens", root)? {
        None => None,
        Some(raw) => Some(
            serde_json::from_str(raw.get())
                .map_err(|_| Path::Field(&root, "max_tokens").wrong("expected a whole number of tokens"))?,
        ),
    };
    let envelope = Envelope::whole(body.clone(), model, model_span);
    Ok(Envelope { stream, include_usage, max_output, ..envelope })
}

/// A request whose fields have the same names in both of OpenAI's APIs, but for those written here.
struct Chat<'a> {
    model: &'a str,
    prompt: Cow<'a, str>,
    stream: bool,
    /// How many rivals of each token are told.
    logprobs: Option<u64>,
    rest: Object<'a>,
}

#[derive(Serialize)]
struct Said<'a> {
    role: &'static str,
    content: &'a str,
}

impl Serialize for Chat<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap as _;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("model", self.model)?;
        map.serialize_entry("messages", &[Said { role: "user", content: &self.prompt }])?;
        if self.stream {
            map.serialize_entry("stream", &true)?;
        }
        if let Some(rivals) = self.logprobs {
            map.serialize_entry("logprobs", &true)?;
            map.serialize_entry("top_logprobs", &rivals)?;
        }
        for (name, value) in &self.rest.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// The request as canonical chat.
pub(super) fn canonical(envelope: &Envelope) -> Result<Bytes, GatewayError> {
    let mut fields = Object::of_body(&envelope.body)?;
    let root = Path::Root;
    for known in ["model", "stream"] {
        fields.take(known, root)?;
    }
    let prompt = fields.take("prompt", root)?.map_or(Ok(Cow::Borrowed("")), one_prompt)?;
    let echo = fields.take_bool("echo", root)?.unwrap_or(false);
    let logprobs = match fields.take("logprobs", root)? {
        None => None,
        Some(raw) => Some(
            serde_json::from_str::<u64>(raw.get())
                .map_err(|_| Path::Field(&root, "logprobs").wrong("expected a whole number"))?,
        ),
    };
    if echo && logprobs.is_some() {
        return Err(unsupported(
            "logprobs",
            "a model that chats tells no log probabilities of what is echoed",
        ));
    }
    if fields.take_string("suffix", root)?.is_some_and(|suffix| suffix.get() != "\"\"") {
        return Err(unsupported("suffix", "a model that chats cannot fill the middle of a text"));
    }
    let wanted = fields.get("n").map_or("1", RawValue::get);
    if fields.take("best_of", root)?.is_some_and(|best_of| best_of.get() != wanted) {
        return Err(unsupported("best_of", "a model that chats does not choose among its own answers"));
    }
    for foreign in ["messages", "tools", "functions"] {
        if fields.get(foreign).is_some() {
            let message = "this belongs to a conversation; ask /v1/chat/completions";
            return Err(Path::Field(&root, foreign).wrong(message));
        }
    }
    fields.0.retain(|(_, value)| value.get() != "null");
    let chat = Chat { model: &envelope.model, prompt, stream: envelope.stream, logprobs, rest: fields };
    serde_json::to_vec(&chat).map(Bytes::from).map_err(|error| {
        GatewayError::gateway(Kind::Internal, format!("canonical request not written: {error}"))
    })
}

/// A string, alone or in a list.
fn one_prompt(raw: &RawValue) -> Result<Cow<'_, str>, GatewayError> {
    let root = Path::Root;
    let path = Path::Field(&root, "prompt");
    if raw.get().starts_with('"') {
        return text(raw, path);
    }
    let list: Vec<&RawValue> =
        serde_json::from_str(raw.get()).map_err(|_| path.wrong("expected a string or a list"))?;
    let (first, others) = list.split_first().ok_or_else(|| path.wrong("the list of prompts is empty"))?;
    if !first.get().starts_with('"') {
        return Err(unsupported(
            "prompt[0]",
            "a prompt in tokens is only understood by the model they are made for",
        ));
    }
    if !others.is_empty() {
        let why = "a model that chats answers one prompt a request; send them one by one";
        return Err(unsupported("prompt[1]", why));
    }
    text(first, Path::Item(&path, 0))
}

/// Fine for a provider that has this API, and impossible for all others.
fn unsupported(field: &str, why: &str) -> GatewayError {
    let refused = GatewayError::client(Kind::Unsupported, format!("{field}: {why}"));
    GatewayError { param: Some(field.to_owned()), ..refused }
}

/// The prompt, when the client wants it before each answer.
pub(super) fn echoed(envelope: &Envelope) -> Option<Cow<'_, str>> {
    let mut fields = Object::of_body(&envelope.body).ok()?;
    if fields.take_bool("echo", Path::Root).ok()? != Some(true) {
        return None;
    }
    one_prompt(fields.get("prompt")?).ok()
}
