//! Fixtures as they lie on disk: features, what a client says and gets, what a vendor takes and answers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::place::Place;
use super::verdict::Row;
use crate::dialect::{self, Dialect};
use crate::domain::{Envelope, RequestHead};
use crate::error::GatewayError;

/// Which way a feature goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Of {
    /// From client to vendor.
    Request,
    /// From vendor to client, whole and streamed.
    Answer,
    /// A vendor's refusal.
    Error,
    /// An answer that comes back in the history of the next request.
    Loop,
}

/// The rows a feature has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Request,
    Whole,
    Stream,
    Error,
    Loop,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Whole => "answer",
            Self::Stream => "stream",
            Self::Error => "error",
            Self::Loop => "loop",
        }
    }
}

/// One thing a client may ask for or a vendor may say.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Feature {
    pub(super) id: String,
    pub(super) about: String,
    pub(super) of: Of,
    /// What is said, by meaning.
    pub(super) says: BTreeMap<String, Said>,
    /// For answers: the request feature with which a client asks for it.
    #[serde(default)]
    pub(super) asks: Option<String>,
    /// For loops: the answer feature that begins it.
    #[serde(default)]
    pub(super) after: Option<String>,
}

impl Feature {
    /// Its row of this kind.
    pub(super) fn row(&self, kind: Kind) -> String {
        format!("{}/{}", kind.word(), self.id)
    }

    fn kinds(&self) -> &'static [Kind] {
        match self.of {
            Of::Request => &[Kind::Request],
            Of::Answer => &[Kind::Whole, Kind::Stream],
            Of::Error => &[Kind::Error],
            Of::Loop => &[Kind::Loop],
        }
    }
}

/// A value that cannot be mistaken, and the losses that speak of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Said {
    pub(super) value: Value,
    /// A loss names it when its field holds one of these.
    #[serde(default)]
    pub(super) losses: Vec<String>,
}

/// All features, in the order of the table.
pub(super) struct Catalogue {
    pub(super) features: Vec<Feature>,
}

impl Catalogue {
    pub(super) fn load(folder: &Path, only: &[String]) -> Result<Self, String> {
        let mut features: Vec<Feature> = read(&folder.join("features.json"))?;
        features.retain(|feature| only.is_empty() || only.iter().any(|part| feature.id.contains(part)));
        Ok(Self { features })
    }

    pub(super) fn rows(&self) -> Vec<Row> {
        let row =
            |feature: &Feature, kind: &Kind| Row { id: feature.row(*kind), about: feature.about.clone() };
        self.features
            .iter()
            .flat_map(|feature| feature.kinds().iter().map(move |kind| row(feature, kind)))
            .collect()
    }
}

/// One dialect's fixtures.
pub(super) struct Speaking {
    pub(super) dialect: &'static dyn Dialect,
    pub(super) requests: Requests,
    pub(super) places: Places,
}

/// `requests.json` of a dialect.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Requests {
    /// Where requests are sent.
    path: String,
    /// What makes a request ask for a stream.
    stream: Streamed,
    /// How an answer goes back into the history of the next request.
    pub(super) echo: Echo,
    requests: BTreeMap<String, Asked>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Streamed {
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    body: serde_json::Map<String, Value>,
}

/// How an answer goes back into the history.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Echo {
    /// Path of the message in an answer.
    pub(super) take: String,
    /// It is a list, whose members go in one by one.
    #[serde(default)]
    pub(super) each: bool,
    /// Put around it: `{ "role": "assistant" }`, with the message as this field.
    #[serde(default)]
    pub(super) around: Option<(String, serde_json::Map<String, Value>)>,
    /// The request's field that holds the conversation.
    pub(super) into: String,
    /// By feature: what the client says next.
    pub(super) then: BTreeMap<String, Vec<Value>>,
}

/// One request, or why it cannot be written.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Asked {
    /// The API has no words for it.
    Unsaid {
        /// Why.
        unsaid: String,
    },
    /// The body.
    Body {
        /// As the client sends it.
        body: serde_json::Map<String, Value>,
        /// Beside the usual ones.
        #[serde(default)]
        headers: BTreeMap<String, String>,
        /// It asks for a stream.
        #[serde(default)]
        streamed: bool,
    },
}

/// `places.json` of a dialect: where a client finds what a vendor said.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Places {
    pub(super) whole: BTreeMap<String, Place>,
    pub(super) stream: BTreeMap<String, Place>,
    pub(super) error: BTreeMap<String, Place>,
}

impl Speaking {
    /// Every dialect there is, each with its fixtures; one without is a problem, and so are fixtures without a dialect.
    pub(super) fn all(folder: &Path) -> Result<Vec<Self>, Vec<String>> {
        let (mut found, mut problems) = (Vec::new(), Vec::new());
        let root = folder.join("dialects");
        for dialect in dialect::ALL {
            match Self::load(&root.join(dialect.id()), *dialect) {
                Ok(speaking) => found.push(speaking),
                Err(problem) => problems.push(format!("dialect `{}`: {problem}", dialect.id())),
            }
        }
        let folders = std::fs::read_dir(&root).into_iter().flatten().flatten();
        for folder in folders.filter(|entry| entry.path().is_dir()) {
            let name = folder.file_name().to_string_lossy().into_owned();
            if !dialect::ALL.iter().any(|dialect| dialect.id() == name) {
                problems.push(format!("there are fixtures for `{name}`, which is no dialect"));
            }
        }
        if problems.is_empty() { Ok(found) } else { Err(problems) }
    }

    fn load(folder: &Path, dialect: &'static dyn Dialect) -> Result<Self, String> {
        let speaking = Self {
            dialect,
            requests: read(&folder.join("requests.json"))?,
            places: read(&folder.join("places.json"))?,
        };
        let head = speaking.head(&speaking.requests.path, &BTreeMap::new());
        let routed = dialect::of(&head).map_err(|error| error.message)?.dialect.id();
        if routed != dialect.id() {
            return Err(format!("its path {} belongs to `{routed}`", speaking.requests.path));
        }
        Ok(speaking)
    }

    pub(super) fn id(&self) -> &'static str {
        self.dialect.id()
    }

    fn head(&self, path: &str, headers: &BTreeMap<String, String>) -> RequestHead {
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        RequestHead {
            method: Method::POST,
            path: path.to_owned(),
            query: query.map(str::to_owned),
            headers: header_map(headers),
        }
    }

    /// What a client says for this feature.
    pub(super) fn asked(&self, feature: &str) -> Option<&Asked> {
        self.requests.requests.get(feature)
    }

    /// A request as the gateway reads it.
    pub(super) fn envelope(
        &self,
        body: &serde_json::Map<String, Value>,
        headers: &BTreeMap<String, String>,
        streamed: bool,
    ) -> Result<Envelope, GatewayError> {
        let mut body = body.clone();
        let mut path = &self.requests.path;
        if streamed {
            body.extend(self.requests.stream.body.clone());
            path = self.requests.stream.path.as_ref().unwrap_or(path);
        }
        let bytes = Bytes::from(Value::from(body).to_string());
        self.dialect.read(&self.head(path, headers), bytes)
    }
}

/// Headers of a fixture; what is not legal is left out.
pub(super) fn header_map(headers: &BTreeMap<String, String>) -> HeaderMap {
    let pair = |(name, value): (&String, &String)| {
        Some((HeaderName::try_from(name.as_str()).ok()?, HeaderValue::try_from(value.as_str()).ok()?))
    };
    headers.iter().filter_map(pair).collect()
}

/// One adapter's fixtures.
pub(super) struct Vendor {
    pub(super) taken: Taken,
    pub(super) answers: BTreeMap<String, Answered>,
    pub(super) errors: BTreeMap<String, Refused>,
}

/// `places.json` of an adapter: where its vendor wants what a client says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Taken {
    /// The vendor's model.
    pub(super) model: String,
    /// Other models, by feature.
    #[serde(default)]
    pub(super) models: BTreeMap<String, String>,
    /// The operator's options.
    #[serde(default)]
    pub(super) options: serde_json::Map<String, Value>,
    /// Another adapter's folder beside this one, whose fixtures count where this one has none.
    #[serde(default)]
    like: Option<String>,
    /// Where each meaning stands.
    #[serde(default)]
    pub(super) request: BTreeMap<String, Place>,
}

/// A vendor's answer, or why there is none.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Answered {
    /// This vendor never says such a thing.
    pub(super) unsaid: Option<String>,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) whole: Option<Value>,
    /// Lines, each with a line feed behind it.
    pub(super) stream: Option<Vec<String>>,
    /// Bytes that are no text, one event each.
    pub(super) stream_base64: Option<Vec<String>>,
    /// This vendor's stream never says such a thing.
    pub(super) stream_unsaid: Option<String>,
}

/// A vendor's refusal.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Refused {
    pub(super) unsaid: Option<String>,
    pub(super) status: u16,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Value,
}

impl Vendor {
    pub(super) fn load(folder: &Path) -> Result<Self, String> {
        let mut taken: Taken = read(&folder.join("places.json"))?;
        let mut vendor = match taken.like.clone() {
            Some(like) => Self::load(&sibling(folder, &like))?,
            None => Self { answers: BTreeMap::new(), errors: BTreeMap::new(), taken: empty() },
        };
        let mut request = std::mem::take(&mut vendor.taken.request);
        request.append(&mut taken.request);
        let mut models = std::mem::take(&mut vendor.taken.models);
        models.append(&mut taken.models);
        vendor.taken = Taken { request, models, ..taken };
        let own = vendor.taken.like.is_some();
        vendor.answers.append(&mut optional(&folder.join("answers.json"), own)?);
        vendor.errors.append(&mut optional(&folder.join("errors.json"), own)?);
        Ok(vendor)
    }

    /// The model that serves a feature.
    pub(super) fn model(&self, feature: &str) -> &str {
        self.taken.models.get(feature).unwrap_or(&self.taken.model)
    }
}

fn empty() -> Taken {
    Taken {
        model: String::new(),
        models: BTreeMap::new(),
        options: serde_json::Map::new(),
        like: None,
        request: BTreeMap::new(),
    }
}

/// `plugins/azure-openai/conformance`, `openai` → `plugins/openai/conformance`.
fn sibling(folder: &Path, name: &str) -> PathBuf {
    let plugins = folder.parent().and_then(Path::parent).unwrap_or(folder);
    plugins.join(name).join(folder.file_name().unwrap_or_default())
}

fn optional<T: DeserializeOwned + Default>(file: &Path, may_lack: bool) -> Result<T, String> {
    if may_lack && !file.exists() { Ok(T::default()) } else { read(file) }
}

fn read<T: DeserializeOwned>(file: &Path) -> Result<T, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))
}
