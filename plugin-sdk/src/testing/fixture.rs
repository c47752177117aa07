//! The shape of a golden file, comparing it with what came out, and writing it anew.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Found, pretty};
use crate::{Header, Operation, Route, base64};

/// One golden file. Inputs are kept as they were written; expectations may be absent (nothing came, nothing expected).
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fixture {
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<String>,
    pub(super) kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<OperationName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    options: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<RouteFacts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) canonical: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vendor_request: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    losses: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_failure: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vendor_response_headers: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vendor_response: Option<Body>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vendor_response_base64: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vendor_events: Option<Events>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vendor_bytes_base64: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) vendor_error: Option<VendorError>,
    #[serde(skip_serializing_if = "Option::is_none")]
    canonical_response: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer_content_type: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    canonical_chunks: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ending: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer_losses: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer_failure: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_losses: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_failure: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Value>,
}

/// Which functions are called.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Chat,
    Stream,
    Error,
}

/// What is done; chat when absent. `kind` says which functions are called, whatever the operation.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
enum OperationName {
    CountTokens,
    Embeddings,
    Rerank,
    Moderation,
    ImageGeneration,
    ImageEdit,
    ImageVariation,
    Speech,
    Transcription,
    Translation,
}

/// `route`, every field with a default.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RouteFacts {
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    streaming: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dialect: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<String, String>,
}

/// A vendor's error answer.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VendorError {
    pub(super) status: u16,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) headers: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) body: Option<Body>,
}

/// JSON, or a string of raw bytes.
#[derive(Debug, Deserialize, Serialize)]
#[serde(transparent)]
pub(super) struct Body(Box<RawValue>);

impl Body {
    pub(super) fn bytes(&self) -> Vec<u8> {
        match serde_json::from_str::<String>(self.0.get()) {
            Ok(text) => text.into_bytes(),
            Err(_) => self.0.get().as_bytes().to_vec(),
        }
    }
}

/// Raw bytes of a stream: one string, or a list of strings to be joined by line feeds (easier to read).
#[derive(Debug, Deserialize, Serialize)]
#[serde(untagged)]
enum Events {
    Raw(String),
    Lines(Vec<String>),
}

impl Events {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Raw(text) => text.clone().into_bytes(),
            Self::Lines(lines) => lines.join("\n").into_bytes(),
        }
    }
}

/// A map of headers as the contract has them.
pub(super) fn headers(map: &BTreeMap<String, String>) -> Vec<Header> {
    map.iter().map(|(name, value)| Header { name: name.clone(), value: value.clone() }).collect()
}

impl Fixture {
    pub(super) fn options_text(&self) -> String {
        self.options.as_ref().map_or("{}", |raw| raw.get()).to_owned()
    }

    pub(super) fn operation(&self) -> Operation {
        match self.operation {
            None => Operation::Chat,
            Some(OperationName::CountTokens) => Operation::CountTokens,
            Some(OperationName::Embeddings) => Operation::Embeddings,
            Some(OperationName::Rerank) => Operation::Rerank,
            Some(OperationName::Moderation) => Operation::Moderation,
            Some(OperationName::ImageGeneration) => Operation::ImageGeneration,
            Some(OperationName::ImageEdit) => Operation::ImageEdit,
            Some(OperationName::ImageVariation) => Operation::ImageVariation,
            Some(OperationName::Speech) => Operation::Speech,
            Some(OperationName::Transcription) => Operation::Transcription,
            Some(OperationName::Translation) => Operation::Translation,
        }
    }

    /// The bytes of a whole answer, from either key.
    pub(super) fn response_bytes(&self) -> Option<Vec<u8>> {
        match (&self.vendor_response, &self.vendor_response_base64) {
            (Some(body), _) => Some(body.bytes()),
            (None, Some(text)) => {
                let bytes = base64::decode(text);
                Some(bytes.unwrap_or_else(|| panic!("`vendor_response_base64` is not base64")))
            }
            (None, None) => None,
        }
    }

    /// The bytes of a stream, from either key.
    pub(super) fn stream_bytes(&self) -> Option<Vec<u8>> {
        match (&self.vendor_events, &self.vendor_bytes_base64) {
            (Some(events), _) => Some(events.bytes()),
            (None, Some(text)) => {
                let bytes = base64::decode(text);
                Some(bytes.unwrap_or_else(|| panic!("`vendor_bytes_base64` is not base64")))
            }
            (None, None) => None,
        }
    }

    pub(super) fn response_headers(&self) -> Vec<Header> {
        self.vendor_response_headers.as_ref().map(headers).unwrap_or_default()
    }

    pub(super) fn route(&self) -> Route {
        let facts = self.route.as_ref();
        let text = |value: Option<&String>, default: &str| value.map_or(default, String::as_str).to_owned();
        Route {
            model: text(facts.and_then(|facts| facts.model.as_ref()), "upstream-model"),
            streaming: facts.and_then(|facts| facts.streaming).unwrap_or(matches!(self.kind, Kind::Stream)),
            dialect: text(facts.and_then(|facts| facts.dialect.as_ref()), "openai-chat"),
            headers: facts.map(|facts| headers(&facts.headers)).unwrap_or_default(),
        }
    }

    /// The expectations, by key. One list, so that a new key cannot be forgotten in one place.
    fn expectations(&mut self) -> [(&'static str, &mut Option<Value>); 13] {
        [
            ("vendor_request", &mut self.vendor_request),
            ("losses", &mut self.losses),
            ("request_failure", &mut self.request_failure),
            ("canonical_response", &mut self.canonical_response),
            ("answer_content_type", &mut self.answer_content_type),
            ("canonical_chunks", &mut self.canonical_chunks),
            ("usage", &mut self.usage),
            ("ending", &mut self.ending),
            ("answer_losses", &mut self.answer_losses),
            ("answer_failure", &mut self.answer_failure),
            ("stream_losses", &mut self.stream_losses),
            ("stream_failure", &mut self.stream_failure),
            ("failure", &mut self.failure),
        ]
    }

    /// One line per place where expectation and result differ.
    pub(super) fn differences(mut self, found: &Found) -> Vec<String> {
        let mut lines = Vec::new();
        for (key, expected) in self.expectations() {
            let mut expected = expected.take().filter(|value| !nothing(value)).unwrap_or_default();
            for place in ["/kind", "/credential", "/failed/kind"] {
                if let Some(Value::String(word)) = expected.pointer_mut(place) {
                    *word = bare(word).to_owned();
                }
            }
            let actual = found.iter().find(|(name, value)| *name == key && !nothing(value));
            let actual = actual.map(|(_, value)| value.clone()).unwrap_or_default();
            pretty::differences(key, &expected, &actual, &mut lines);
        }
        lines
    }

    /// Writes the file anew with what came out.
    pub(super) fn bless(mut self, file: &Path, found: Found) {
        for (key, expected) in self.expectations() {
            let actual = found.iter().find(|(name, value)| *name == key && !nothing(value));
            *expected = actual.map(|(_, value)| value.clone());
        }
        let Ok(text) = serde_json::to_string_pretty(&self) else { return };
        if let Err(error) = std::fs::write(file, text + "\n") {
            panic!("{}: {error}", file.display());
        }
    }
}

/// `FailureKind::RateLimited` is written `RateLimited`; either is understood.
pub(super) fn bare(word: &str) -> &str {
    ["FailureKind::", "Credential::"].iter().find_map(|name| word.strip_prefix(name)).unwrap_or(word)
}

/// `null` and an empty list say the same as an absent key.
fn nothing(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}
