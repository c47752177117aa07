//! What keys are made for: one name each, never the same.

/// What a key is made for. A new purpose gets a new name; a name is never used for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// The root of a store.
    Root,
    /// Hashes by which virtual keys are found.
    VirtualKeyHash,
    /// Provider keys typed in.
    ProviderKey,
    /// Secrets inside stored settings: headers, a directory's client secret.
    Setting,
    /// Hashes of the sessions of the admin API, and their tokens against forgery.
    Session,
    /// Places in a list, handed to a client.
    Cursor,
    /// What a sign-in elsewhere brings back.
    SignIn,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 7] = [
        Self::Root,
        Self::VirtualKeyHash,
        Self::ProviderKey,
        Self::Setting,
        Self::Session,
        Self::Cursor,
        Self::SignIn,
    ];

    /// Its name, as it goes into the key.
    pub fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::VirtualKeyHash => "virtual-key-hash",
            Self::ProviderKey => "provider-key",
            Self::Setting => "setting",
            Self::Session => "session",
            Self::Cursor => "cursor",
            Self::SignIn => "sign-in",
        }
    }

    /// The purpose of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.name() == name)
    }
}
