//! Whose fault a failed attempt is: what rests, what counts, what is tried next follows from it.

/// Who is to blame for a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Blame {
    /// The client's request: nobody would take it, and nobody rests for it.
    Client,
    /// The provider key: unknown, revoked, forbidden (401, 403).
    Key,
    /// The provider key's account: out of money or quota (402).
    Quota,
    /// The provider key for this model: too much in too short a time (429).
    Rate,
    /// The provider has more to do than it can (503, 529).
    Overload,
    /// The target: the provider has no such model, or not for us (404).
    Route,
    /// The provider failed (5xx, nonsense instead of an answer).
    Provider,
    /// The way to the provider: refused, reset, timed out.
    Network,
    /// The adapter.
    Plugin,
}

impl Blame {
    /// The word used in logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Key => "key",
            Self::Quota => "quota",
            Self::Rate => "rate",
            Self::Overload => "overload",
            Self::Route => "route",
            Self::Provider => "provider",
            Self::Network => "network",
            Self::Plugin => "plugin",
        }
    }
}
