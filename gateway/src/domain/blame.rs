//! Whose fault a failed attempt is: what follows from it rests the key, the target, or nobody.

/// Who is to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Blame {
    /// The client's request: never repeated, never held against anyone.
    Client,
    /// The provider key was refused (401, 403).
    Key,
    /// The key's account is out of money or quota (402).
    Quota,
    /// Too many requests or tokens for this key and model (429).
    Rate,
    /// The provider is overloaded.
    Overload,
    /// The provider does not know the model (404).
    Route,
    /// The provider failed (5xx, an answer that makes no sense).
    Provider,
    /// The provider could not be reached, or did not answer in time.
    Network,
    /// The adapter failed.
    Plugin,
}
