//! How the admin API says no: one form for everything, with a code for programs and a sentence for people.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::{GatewayError, Kind};
use crate::people;
use crate::store::StoreError;

/// What is answered instead.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Problem {
    error: Wrong,
}

/// What is wrong.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Wrong {
    /// A word for programs.
    #[schema(example = "not_found")]
    code: &'static str,
    /// A sentence for people.
    message: String,
    /// Where in the body or in the query it is wrong, when it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
}

/// A request that is not granted.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
    path: Option<String>,
    retry_after: Option<Duration>,
}

impl Refusal {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), path: None, retry_after: None }
    }

    /// 400: it cannot be read.
    pub(super) fn malformed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", message)
    }

    /// 401: nobody knows who asks.
    pub(super) fn unauthenticated(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", message)
    }

    /// 403: who asks may not.
    pub(super) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    /// 403: nothing may be changed here at all.
    pub(super) fn readonly() -> Self {
        let message =
            "`[admin] readonly = true`: nothing can be changed here, only in the configuration file";
        Self::new(StatusCode::FORBIDDEN, "readonly", message)
    }

    /// 404: it is not there, or not for who asks.
    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    /// 405: not with this method.
    pub(super) fn method() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "not with this method")
    }

    /// 409: something else stands in the way.
    pub(super) fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", message)
    }

    /// 413.
    pub(super) fn too_large(most: usize) -> Self {
        let message = format!("the body is over {most} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
    }

    /// 415.
    pub(super) fn media_type() -> Self {
        let message = "the body must be JSON, with `content-type: application/json`";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message)
    }

    /// 422: it can be read and makes no sense.
    pub(super) fn invalid(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: Some(path.into()), ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", message) }
    }

    /// 429.
    pub(super) fn too_many(message: impl Into<String>, wait: Duration) -> Self {
        let refusal = Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", message);
        Self { retry_after: Some(wait), ..refusal }
    }

    /// 503.
    pub(super) fn unavailable(message: impl Into<String>) -> Self {
        let refusal = Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message);
        Self { retry_after: Some(Duration::from_secs(1)), ..refusal }
    }

    /// The same about one place of what was sent.
    #[must_use]
    pub(super) fn at(self, path: impl Into<String>) -> Self {
        Self { path: Some(path.into()), ..self }
    }

    /// Nobody knows who asks.
    pub(super) fn is_unauthenticated(&self) -> bool {
        self.status == StatusCode::UNAUTHORIZED
    }

    /// The sentence.
    pub(super) fn message(&self) -> &str {
        &self.message
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let wrong = Wrong { code: self.code, message: self.message.clone(), path: self.path.clone() };
        let mut response = (self.status, Json(Problem { error: wrong })).into_response();
        let headers = response.headers_mut();
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"causeway\""));
        }
        if let Some(wait) = self.retry_after {
            // Rounded up: who comes back then is not refused again.
            headers.insert(header::RETRY_AFTER, (wait.as_millis().div_ceil(1000).max(1) as u64).into());
        }
        // For the audit log.
        response.extensions_mut().insert(self);
        response
    }
}

impl From<people::Refusal> for Refusal {
    fn from(refusal: people::Refusal) -> Self {
        match refusal {
            people::Refusal::Invalid { path, message } => Self::invalid(path, message),
            people::Refusal::NotFound(message) => Self::not_found(message),
            people::Refusal::Conflict(message) => Self::conflict(message),
            people::Refusal::Forbidden(message) => Self::forbidden(message),
            people::Refusal::TooMany(wait) => Self::too_many("too often; wait", wait),
            people::Refusal::Store(error) => error.into(),
            people::Refusal::Internal(message) => {
                tracing::error!(message, "a change of keys and people failed");
                Self::unavailable(message)
            }
        }
    }
}

impl From<GatewayError> for Refusal {
    fn from(error: GatewayError) -> Self {
        match error.kind {
            Kind::Authentication => Self::unauthenticated(error.message),
            Kind::Permission => Self::forbidden(error.message),
            _ => Self::unavailable(error.message),
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the admin side cannot use the store");
        Self::unavailable(error.to_string())
    }
}
