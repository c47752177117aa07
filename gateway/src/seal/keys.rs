//! The master keys a process was given: the current one, and older ones that still open what they closed.

use std::fmt;

use base64::Engine as _;
use ring::hkdf;

use super::{NoRandomness, Purpose, random};
use crate::domain::{Secret, key_material};

/// The name of a master key: the first bytes of a digest. It tells which key it is, and nothing of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId(pub(super) [u8; KeyId::LENGTH]);

impl KeyId {
    pub(super) const LENGTH: usize = 6;

    /// Reads what [`fmt::Display`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.len() == 2 * Self::LENGTH && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let bytes = key_material::unhex(text).filter(|_| digits)?;
        <[u8; Self::LENGTH]>::try_from(bytes).ok().map(Self)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "KeyId({self})")
    }
}

/// One key. It is never shown.
#[derive(Clone)]
pub struct Key {
    bytes: Box<[u8]>,
    id: KeyId,
}

impl Key {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let digest = blake3::derive_key("causeway master key id v1", bytes);
        let mut id = [0; KeyId::LENGTH];
        id.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        Self { bytes: bytes.into(), id: KeyId(id) }
    }

    /// Its name.
    pub fn id(&self) -> KeyId {
        self.id
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The key of a purpose (HKDF-SHA-256, RFC 5869; the purpose is its `info`).
    pub(super) fn derive(&self, purpose: Purpose) -> [u8; 32] {
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"causeway master key v1");
        let secret = salt.extract(&self.bytes);
        let mut key = [0; 32];
        // One block of SHA-256 is exactly 32 bytes, which it never refuses.
        let made = secret
            .expand(&[b"causeway/", purpose.name().as_bytes()], hkdf::HKDF_SHA256)
            .and_then(|material| material.fill(&mut key));
        debug_assert!(made.is_ok());
        key
    }

    /// As a file or a variable holds it.
    pub(super) fn written(&self) -> Secret {
        Secret::new(base64::engine::general_purpose::STANDARD.encode(&self.bytes))
    }
}

/// The current key, and those before it.
#[derive(Clone)]
pub struct Keys {
    current: Key,
    older: Vec<Key>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.ids()).finish()
    }
}

impl Keys {
    /// A key made now.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn random() -> Result<Self, NoRandomness> {
        Ok(Self { current: Key::of(&random::<32>()?), older: Vec::new() })
    }

    /// Reads keys as they are written: 32 bytes at least, in base64 or in hexadecimal digits.
    ///
    /// # Errors
    /// What is wrong, in words that repeat nothing of it.
    pub fn read(current: &Secret, older: &[Secret]) -> Result<Self, String> {
        let current = read_one(current)?;
        let mut keys = Self { current, older: Vec::new() };
        for text in older {
            let key = read_one(text)?;
            if keys.find(key.id).is_none() {
                keys.older.push(key);
            }
        }
        Ok(keys)
    }

    /// A new key in front of these.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn with_new(self) -> Result<Self, NoRandomness> {
        let current = Key::of(&random::<32>()?);
        let older = std::iter::once(self.current).chain(self.older).collect();
        Ok(Self { current, older })
    }

    /// These, and what others open.
    #[must_use]
    pub fn and_older(mut self, others: Self) -> Self {
        for key in std::iter::once(others.current).chain(others.older) {
            if self.find(key.id).is_none() {
                self.older.push(key);
            }
        }
        self
    }

    /// The current key alone.
    #[must_use]
    pub fn without_older(self) -> Self {
        Self { older: Vec::new(), ..self }
    }

    /// The key that closes.
    pub fn current(&self) -> &Key {
        &self.current
    }

    /// The names of all, the current one's first.
    pub fn ids(&self) -> impl Iterator<Item = KeyId> {
        self.all().map(Key::id)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.current).chain(&self.older)
    }

    pub(super) fn find(&self, id: KeyId) -> Option<&Key> {
        self.all().find(|key| key.id == id)
    }
}

fn read_one(text: &Secret) -> Result<Key, String> {
    key_material::read(text).map(|bytes| Key::of(&bytes))
}
