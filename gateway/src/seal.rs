//! Secrets at rest: one master key, a key of its own for every purpose, and boxes that open only where they belong.
//!
//! The operator gives a master key, or the gateway makes one ([`file`]). Nothing is encrypted with it: HKDF-SHA-256
//! makes a key for each [`Purpose`] from it, so what one purpose shows of its key says nothing of another's. A box is
//! XChaCha20-Poly1305 with a random nonce; it names the key that closed it, and is bound to words that say what it
//! holds and for whom (record, provider, origin). Under other words it does not open.
//!
//! What must not change when the master key does (the hashes of virtual keys) comes from the *root*: a secret made
//! once per store, which itself lies in a box there.

use std::fmt;

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305};

use crate::domain::Secret;

pub mod file;
mod keys;
mod purpose;

pub use keys::{KeyId, Keys};
pub use purpose::Purpose;

use keys::Key;

/// The form of a box, and its first byte.
const VERSION: u8 = 1;
const NONCE: usize = 24;
const HEAD: usize = 1 + KeyId::LENGTH + NONCE;

/// The keys this process was given and the root of its store.
pub struct MasterKey {
    keys: Keys,
    root: Key,
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "MasterKey({})", self.keys.current().id())
    }
}

/// Why a box stays closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Closed {
    /// It was closed with a key that was not given.
    UnknownKey(KeyId),
    /// It is no box of ours, or one of a newer version.
    NotABox,
    /// It was changed, or it belongs somewhere else.
    Elsewhere,
}

impl fmt::Display for Closed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKey(id) => {
                write!(formatter, "it was sealed with the master key `{id}`, which was not given")
            }
            Self::NotABox => formatter.write_str("it is nothing this version has sealed"),
            Self::Elsewhere => {
                formatter.write_str("it was changed, or sealed for another record, provider or address")
            }
        }
    }
}

impl std::error::Error for Closed {}

/// The machine gives no random bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoRandomness(String);

impl fmt::Display for NoRandomness {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the system gives no random bytes: {}", self.0)
    }
}

impl std::error::Error for NoRandomness {}

/// Bytes nobody can guess.
///
/// # Errors
/// When the system has none.
pub fn random<const LENGTH: usize>() -> Result<[u8; LENGTH], NoRandomness> {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes).map_err(|error| NoRandomness(error.to_string()))?;
    Ok(bytes)
}

impl MasterKey {
    /// For a store that has no root yet: it gets one.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn with_new_root(keys: Keys) -> Result<Self, NoRandomness> {
        Ok(Self { keys, root: Key::of(&random::<32>()?) })
    }

    /// With the root of a store, as [`MasterKey::sealed_root`] wrote it.
    ///
    /// # Errors
    /// When none of the keys closed it.
    pub fn with_sealed_root(keys: Keys, sealed: &[u8]) -> Result<Self, Closed> {
        let root = keys.open(Purpose::Root, &[], sealed)?;
        Ok(Self { keys, root: Key::of(&root) })
    }

    /// For as long as this process runs.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn for_this_run() -> Result<Self, NoRandomness> {
        Self::with_new_root(Keys::random()?)
    }

    /// The same root, with other keys.
    #[must_use]
    pub fn with_keys(&self, keys: Keys) -> Self {
        Self { keys, root: self.root.clone() }
    }

    /// The root, closed with the current key, for the store to keep.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn sealed_root(&self) -> Result<Vec<u8>, NoRandomness> {
        self.keys.seal(Purpose::Root, &[], self.root.bytes())
    }

    /// A key of one's own for a purpose. It stays the same when the master key changes.
    pub fn derive(&self, purpose: Purpose) -> [u8; 32] {
        self.root.derive(purpose)
    }

    /// Closes a box. `about` says what is in it and for whom; whoever opens it must say the same.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn seal(&self, purpose: Purpose, about: &[&str], plain: &Secret) -> Result<Vec<u8>, NoRandomness> {
        self.keys.seal(purpose, about, plain.expose().as_bytes())
    }

    /// Opens a box.
    ///
    /// # Errors
    /// Why it stays closed.
    pub fn open(&self, purpose: Purpose, about: &[&str], sealed: &[u8]) -> Result<Secret, Closed> {
        let plain = self.keys.open(purpose, about, sealed)?;
        String::from_utf8(plain).map(Secret::new).map_err(|_| Closed::NotABox)
    }

    /// The keys, current and older.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }
}

/// Which key closed a box.
///
/// # Errors
/// When it is none.
pub fn closed_with(sealed: &[u8]) -> Result<KeyId, Closed> {
    parts(sealed).map(|(id, _, _)| id)
}

/// Key, nonce, what is inside.
fn parts(sealed: &[u8]) -> Result<(KeyId, &[u8; NONCE], &[u8]), Closed> {
    let (version, rest) = sealed.split_first().ok_or(Closed::NotABox)?;
    let (id, rest) = rest.split_first_chunk::<{ KeyId::LENGTH }>().ok_or(Closed::NotABox)?;
    let (nonce, inside) = rest.split_first_chunk::<NONCE>().ok_or(Closed::NotABox)?;
    if *version != VERSION {
        return Err(Closed::NotABox);
    }
    Ok((KeyId(*id), nonce, inside))
}

impl Keys {
    fn seal(&self, purpose: Purpose, about: &[&str], plain: &[u8]) -> Result<Vec<u8>, NoRandomness> {
        let key = self.current();
        let nonce = random::<NONCE>()?;
        let bound = bound(purpose, key.id(), about);
        let payload = Payload { msg: plain, aad: &bound };
        let cipher = XChaCha20Poly1305::new(&key.derive(purpose).into());
        // It refuses only what is longer than 256 GiB.
        let inside = cipher.encrypt(&nonce.into(), payload);
        let inside = inside.map_err(|_| NoRandomness("nothing can be sealed".to_owned()))?;
        let mut sealed = Vec::with_capacity(HEAD + inside.len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&key.id().0);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&inside);
        Ok(sealed)
    }

    fn open(&self, purpose: Purpose, about: &[&str], sealed: &[u8]) -> Result<Vec<u8>, Closed> {
        let (id, nonce, inside) = parts(sealed)?;
        let key = self.find(id).ok_or(Closed::UnknownKey(id))?;
        let bound = bound(purpose, id, about);
        let payload = Payload { msg: inside, aad: &bound };
        let cipher = XChaCha20Poly1305::new(&key.derive(purpose).into());
        cipher.decrypt(&(*nonce).into(), payload).map_err(|_| Closed::Elsewhere)
    }
}

/// What a box is bound to: every part with its length, so that no two lists read the same.
fn bound(purpose: Purpose, id: KeyId, about: &[&str]) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    bytes.extend_from_slice(&id.0);
    for part in std::iter::once(purpose.name()).chain(about.iter().copied()) {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests;
