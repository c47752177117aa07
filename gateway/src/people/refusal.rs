//! Why a change of keys and people was not made.

use std::fmt;
use std::time::Duration;

use crate::store::StoreError;

/// What the one who asked is told. Lower case, no full stop, no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A field of the input is wrong (422).
    Invalid {
        /// Which one, as a path in the input: `limits.requests[0]`.
        path: String,
        /// What is wrong with it.
        message: String,
    },
    /// There is no such thing, or not for the one who asks (404).
    NotFound(String),
    /// It contradicts what is there already (409).
    Conflict(String),
    /// The one who asks may not (403).
    Forbidden(String),
    /// Too often (429).
    TooMany(Duration),
    /// The state could not be read or written (503).
    Store(StoreError),
    /// The gateway itself failed (500).
    Internal(String),
}

impl Refusal {
    /// A field is wrong.
    pub(super) fn invalid(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid { path: path.into(), message: message.into() }
    }

    /// The status it stands for.
    pub fn status(&self) -> u16 {
        match self {
            Self::Invalid { .. } => 422,
            Self::NotFound(_) => 404,
            Self::Conflict(_) => 409,
            Self::Forbidden(_) => 403,
            Self::TooMany(_) => 429,
            Self::Store(_) => 503,
            Self::Internal(_) => 500,
        }
    }

    /// One word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "invalid",
            Self::NotFound(_) => "not_found",
            Self::Conflict(_) => "conflict",
            Self::Forbidden(_) => "forbidden",
            Self::TooMany(_) => "too_many",
            Self::Store(_) => "store_unavailable",
            Self::Internal(_) => "internal",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid { path, message } => write!(formatter, "{path}: {message}"),
            Self::NotFound(message)
            | Self::Conflict(message)
            | Self::Forbidden(message)
            | Self::Internal(message) => formatter.write_str(message),
            Self::TooMany(wait) => {
                write!(formatter, "that was too often; come back in {} seconds", wait.as_secs())
            }
            Self::Store(error) => error.fmt(formatter),
        }
    }
}

impl std::error::Error for Refusal {}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
