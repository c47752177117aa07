//! What makes two requests the same: a digest over everything that decides the answer.

use std::fmt;

use crate::config::Scope;

/// A digest of 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Begins one. `purpose` keeps fingerprints of different kinds apart.
    pub fn of(purpose: &str) -> Part {
        Part(blake3::Hasher::new_derive_key(purpose))
    }

    /// In lower-case hex.
    pub fn hex(&self) -> String {
        blake3::Hash::from_bytes(self.0).to_hex().to_string()
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.hex())
    }
}

/// A fingerprint in the making. Each part goes in with its length before it, so that no two lists of parts look alike.
#[derive(Clone)]
pub struct Part(blake3::Hasher);

impl Part {
    /// One more part.
    #[must_use]
    pub fn and(mut self, part: impl AsRef<[u8]>) -> Self {
        let part = part.as_ref();
        self.0.update(&(part.len() as u64).to_le_bytes());
        self.0.update(part);
        self
    }

    /// For whom it is.
    #[must_use]
    pub fn tenant(self, tenant: Tenant<'_>) -> Self {
        match tenant {
            Tenant::Key(key) => self.and("key").and(key),
            Tenant::Team(team) => self.and("team").and(team),
            Tenant::All => self.and("all").and(""),
        }
    }

    /// The digest of all parts.
    pub fn done(self) -> Fingerprint {
        Fingerprint(*self.0.finalize().as_bytes())
    }
}

/// Who shares an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tenant<'a> {
    /// One virtual key.
    Key(&'a str),
    /// The keys of a team.
    Team(&'a str),
    /// Everybody.
    All,
}

impl<'a> Tenant<'a> {
    /// Who shares with a key in a scope; a key without a team is alone.
    pub fn of(scope: Scope, key: &'a str, team: Option<&'a str>) -> Self {
        match (scope, team) {
            (Scope::All, _) => Self::All,
            (Scope::Team, Some(team)) => Self::Team(team),
            (Scope::Team, None) | (Scope::Key, _) => Self::Key(key),
        }
    }
}
