//! How handlers read what is asked: strictly, and with the place of what is wrong.

use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::header;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::refusal::Refusal;

/// Largest body; nothing here is long but lists of keys.
const MOST: usize = 4 << 20;

/// A body of JSON.
pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        if !is_json(&request) {
            return Err(Refusal::media_type());
        }
        let bytes = to_bytes(request.into_body(), MOST).await.map_err(|_| Refusal::too_large(MOST))?;
        read(&bytes).map(Self)
    }
}

/// A body of JSON, or none at all.
pub(super) struct MaybeBody<T>(pub(super) Option<T>);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for MaybeBody<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let json = is_json(&request);
        let bytes = to_bytes(request.into_body(), MOST).await.map_err(|_| Refusal::too_large(MOST))?;
        match (bytes.is_empty(), json) {
            (true, _) => Ok(Self(None)),
            (false, false) => Err(Refusal::media_type()),
            (false, true) => read(&bytes).map(|value| Self(Some(value))),
        }
    }
}

fn is_json(request: &Request) -> bool {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json")
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    if let Ok(value) = serde_json::from_slice::<Value>(bytes) {
        named(&value, String::new())?;
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        match inner.classify() {
            serde_json::error::Category::Data => Refusal::invalid(path, plain(&inner.to_string())),
            _ => Refusal::malformed(format!("the body is no JSON: {inner}")),
        }
    })?;
    json.end().map_err(|error| Refusal::malformed(format!("the body is no JSON: {error}")))?;
    Ok(value)
}

/// A structure is written with the names of its members. As a list of values, which is read as one otherwise, it says
/// nothing of what it means.
fn named(value: &Value, path: String) -> Result<(), Refusal> {
    let wrong = |path: String| Err(Refusal::invalid(path, "an object is wanted"));
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let at = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                match member {
                    Value::Array(_) if matches!(name.as_str(), "limits" | "plan") => return wrong(at),
                    Value::Array(items) => items.iter().enumerate().try_for_each(|(index, item)| {
                        let at = format!("{at}[{index}]");
                        if item.is_object() {
                            named(item, at)
                        } else if item.is_array() {
                            wrong(at)
                        } else {
                            Ok(())
                        }
                    })?,
                    Value::Object(_) => named(member, at)?,
                    _ => {}
                }
            }
            Ok(())
        }
        _ => wrong(".".to_owned()),
    }
}

/// The path says where; line and column of a body nobody sees again say nothing.
fn plain(message: &str) -> &str {
    message.rsplit_once(" at line ").map_or(message, |(message, _)| message)
}

/// The query, each name at most once and no unknown ones.
pub(super) struct Asked<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Asked<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let query = Query::try_from_uri(&parts.uri);
        let Query(value) = query.map_err(|rejection| {
            let text = rejection.body_text();
            let text = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
            Refusal::malformed(format!("the query: {text}"))
        })?;
        Ok(Self(value))
    }
}

/// The one name in a path. `~1` stands for a slash and `~0` for a tilde, as in a JSON pointer.
pub(super) struct Named(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let nothing = |_| Refusal::not_found("the name in the path cannot be read");
        let Path(name) = Path::<String>::from_request_parts(parts, state).await.map_err(nothing)?;
        Ok(Self(plain_name(&name)))
    }
}

/// A name as it was before it was put into a path.
pub(super) fn plain_name(name: &str) -> String {
    name.replace("~1", "/").replace("~0", "~")
}

/// A page of a list, as every list takes it.
#[derive(Clone, Debug, Default, serde::Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    /// At most so many.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    pub(super) limit: Option<u32>,
    /// `next` of the page before.
    pub(super) after: Option<String>,
}

impl Page {
    /// Rows in one page.
    ///
    /// # Errors
    /// When it is none or too many.
    pub(super) fn rows(&self) -> Result<usize, Refusal> {
        match self.limit.unwrap_or(100) {
            limit @ 1..=1000 => Ok(limit as usize),
            _ => Err(Refusal::malformed("`limit` is from 1 to 1000").at("limit")),
        }
    }
}
