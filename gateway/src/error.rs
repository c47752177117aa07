//! One error for the data plane: for the client (kind, message), the operator (context) and the program (retry).

use std::fmt;
use std::time::Duration;

/// What went wrong; the client's status and the next step follow from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The request is not valid; no target would take it.
    InvalidRequest,
    /// The request is fine, but the chosen provider cannot do it.
    Unsupported,
    /// No key, or one that is not known.
    Authentication,
    /// A known key that may not do this.
    Permission,
    /// No such model.
    ModelNotFound,
    /// No such path.
    PathNotFound,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// An `Idempotency-Key` that was used for another request.
    KeyReused,
    /// The body is over the limit.
    TooLarge,
    /// The prompt is longer than the model's context.
    ContextLength,
    /// The provider refused the content.
    ContentPolicy,
    /// Too many requests or tokens; waiting helps.
    RateLimited,
    /// Out of money or quota; waiting a minute does not help.
    Quota,
    /// The provider is overloaded.
    Overloaded,
    /// Something took longer than its timeout.
    Timeout,
    /// The provider could not be reached; nothing was sent.
    Unreachable,
    /// The provider failed.
    Provider,
    /// The provider's bytes make no sense, or its stream was cut.
    Malformed,
    /// An adapter trapped, looped or answered nonsense.
    Adapter,
    /// The gateway itself failed.
    Internal,
    /// The client left before the answer was complete.
    ClientGone,
    /// An operator ended it before the answer was complete.
    Cancelled,
}

impl Kind {
    /// The word used in logs, metrics and OpenAI-shaped `code` fields.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::Unsupported => "unsupported",
            Self::Authentication => "invalid_api_key",
            Self::Permission => "permission_denied",
            Self::ModelNotFound => "model_not_found",
            Self::PathNotFound => "path_not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::KeyReused => "idempotency_key_reused",
            Self::TooLarge => "request_too_large",
            Self::ContextLength => "context_length_exceeded",
            Self::ContentPolicy => "content_policy_violation",
            Self::RateLimited => "rate_limit_exceeded",
            Self::Quota => "insufficient_quota",
            Self::Overloaded => "overloaded",
            Self::Timeout => "timeout",
            Self::Unreachable => "upstream_unreachable",
            Self::Provider => "upstream_error",
            Self::Malformed => "upstream_malformed",
            Self::Adapter => "adapter_error",
            Self::Internal => "internal_error",
            Self::ClientGone => "client_gone",
            Self::Cancelled => "cancelled",
        }
    }

    /// The HTTP status most dialects use for it. A dialect may say otherwise (Anthropic's 529).
    pub fn status(self) -> u16 {
        match self {
            Self::InvalidRequest | Self::Unsupported | Self::ContextLength | Self::ContentPolicy => 400,
            Self::Authentication => 401,
            Self::Quota => 402,
            Self::Permission => 403,
            Self::ModelNotFound | Self::PathNotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::TooLarge => 413,
            Self::KeyReused => 422,
            Self::RateLimited => 429,
            Self::ClientGone | Self::Cancelled => 499,
            Self::Internal => 500,
            Self::Unreachable | Self::Provider | Self::Malformed | Self::Adapter => 502,
            Self::Overloaded => 503,
            Self::Timeout => 504,
        }
    }
}

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The client's request.
    Client,
    /// Our own code.
    Gateway,
    /// An adapter.
    Plugin,
    /// The provider.
    Upstream,
}

impl Origin {
    /// The word used in logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Gateway => "gateway",
            Self::Plugin => "plugin",
            Self::Upstream => "upstream",
        }
    }
}

/// A failed request, or a failed attempt.
#[derive(Clone, Debug)]
pub struct GatewayError {
    /// What went wrong.
    pub kind: Kind,
    /// Whose fault it is.
    pub origin: Origin,
    /// For the client: lower case, no full stop, no secret.
    pub message: String,
    /// The field to blame, as a path in the client's own body: `messages[2].role`.
    pub param: Option<String>,
    /// The vendor's own code, where it has one.
    pub code: Option<String>,
    /// The status the provider answered with, for failover rules (`"5xx"`, `"429"`).
    pub upstream_status: Option<u16>,
    /// When to come back.
    pub retry_after: Option<Duration>,
    /// For the operator only: which provider, which attempt.
    pub context: String,
}

impl GatewayError {
    /// The client's fault.
    pub fn client(kind: Kind, message: impl Into<String>) -> Self {
        Self::new(kind, Origin::Client, message)
    }

    /// Our fault.
    pub fn gateway(kind: Kind, message: impl Into<String>) -> Self {
        Self::new(kind, Origin::Gateway, message)
    }

    /// An adapter's fault.
    pub fn plugin(message: impl Into<String>) -> Self {
        Self::new(Kind::Adapter, Origin::Plugin, message)
    }

    /// The provider's fault.
    pub fn upstream(kind: Kind, message: impl Into<String>) -> Self {
        Self::new(kind, Origin::Upstream, message)
    }

    /// The client's request is wrong at `param`.
    pub fn invalid(param: impl Into<String>, message: impl Into<String>) -> Self {
        Self { param: Some(param.into()), ..Self::client(Kind::InvalidRequest, message) }
    }

    fn new(kind: Kind, origin: Origin, message: impl Into<String>) -> Self {
        Self {
            kind,
            origin,
            message: message.into(),
            param: None,
            code: None,
            upstream_status: None,
            retry_after: None,
            context: String::new(),
        }
    }

    /// The code of an error that says that what limits and budgets are counted in is lost.
    pub const STORE_UNAVAILABLE: &str = "store_unavailable";

    /// The code of an error that says that every key of the provider rests.
    pub const KEYS_REST: &str = "provider_keys_resting";

    /// True when nothing was sent, because every key of the provider rests: no fault of the target.
    pub fn keys_rest(&self) -> bool {
        self.code.as_deref() == Some(Self::KEYS_REST) && self.upstream_status.is_none()
    }

    /// The status that rules about statuses mean: the provider's own where it is one of a failure and fits what was
    /// found out about it, else the one its kind stands for. `None`: no provider was asked.
    pub fn counts_as(&self) -> Option<u16> {
        let own = self.upstream_status.filter(|status| (400..1000).contains(status));
        let clients = |status: &u16| matches!(status, 400 | 413 | 422);
        match self.kind {
            Kind::ContextLength | Kind::ContentPolicy => Some(400),
            Kind::InvalidRequest => own,
            Kind::Provider if own.is_some() => own,
            Kind::TooLarge => own.or(Some(413)),
            // Some vendors say 400 for an empty account or a wrong key.
            _ => own
                .filter(|status| !clients(status))
                .or_else(|| (own.is_some() || self.origin == Origin::Upstream).then(|| self.kind.status())),
        }
    }

    /// Adds what the operator needs to know; earlier context stays behind it.
    #[must_use]
    pub fn context(mut self, context: impl fmt::Display) -> Self {
        self.context = if self.context.is_empty() {
            context.to_string()
        } else {
            format!("{context}: {}", self.context)
        };
        self
    }
}

impl fmt::Display for GatewayError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.context.is_empty() {
            write!(formatter, "{}: ", self.context)?;
        }
        write!(formatter, "{} ({})", self.message, self.kind.as_str())
    }
}

impl std::error::Error for GatewayError {}
