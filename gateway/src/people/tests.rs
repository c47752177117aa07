//! Keys and people over a store in memory, and over one on disk where something must outlive the process.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{ChangedKey, InFile, IssuedKey, KeyRecord, Maker, NewKey, People, Refusal, Rotation};
use crate::domain::{Secret, VirtualKey};
use crate::store::{Clock, Memory, Space, Store};

mod keys;
mod money;
mod sign_up;
mod users;
mod vouched;

/// People over a store, and the hands of their clock.
pub(super) struct World {
    pub(super) people: People,
    pub(super) store: Arc<dyn Store>,
    time: Arc<AtomicU64>,
}

/// Some time in 2027, Unix seconds.
pub(super) const START: u64 = 1_800_000_000;

pub(super) fn operator() -> Maker {
    Maker::Operator("tests".to_owned())
}

pub(super) fn secret(text: &str) -> Secret {
    Secret::new(format!("cw-{text}"))
}

impl World {
    pub(super) async fn new() -> Self {
        let time = Arc::new(AtomicU64::new(START * 1000));
        let store: Arc<dyn Store> = Arc::new(Memory::new(hands(&time)));
        Self::over(store, time).await
    }

    async fn over(store: Arc<dyn Store>, time: Arc<AtomicU64>) -> Self {
        let people = People::new(Arc::clone(&store), [7; 32], hands(&time));
        people.load().await.expect("load");
        people.adopt(InFile { sign_up: true, ..InFile::default() });
        Self { people, store, time }
    }

    /// Another node over the same store.
    pub(super) async fn another(&self) -> Self {
        Self::over(Arc::clone(&self.store), Arc::clone(&self.time)).await
    }

    pub(super) fn pass(&self, seconds: u64) {
        self.time.fetch_add(seconds * 1000, Ordering::Relaxed);
    }

    pub(super) fn now(&self) -> u64 {
        self.time.load(Ordering::Relaxed) / 1000
    }

    /// A user with this address; the other fields are those of [`super::NewUser`].
    pub(super) async fn user(&self, email: &str, more: serde_json::Value) -> String {
        let mut new = serde_json::json!({ "email": email });
        for (name, value) in more.as_object().expect("object") {
            new[name] = value.clone();
        }
        self.people.create_user(read(new)).await.expect("user").id
    }

    pub(super) async fn tier(&self, tier: serde_json::Value) {
        self.people.create_tier(read(tier)).await.expect("tier");
    }

    /// What a request with a secret may.
    pub(super) fn found(&self, secret: &Secret) -> Arc<VirtualKey> {
        self.people.find(secret).expect("found").key
    }

    pub(super) async fn make(&self, new: NewKey) -> Result<IssuedKey, Refusal> {
        let secret = secret(&format!("{}-0123456789", new.name));
        self.people.create_key(&operator(), new, secret).await
    }
}

fn hands(time: &Arc<AtomicU64>) -> Clock {
    let time = Arc::clone(time);
    Arc::new(move || time.load(Ordering::Relaxed))
}

/// Input as it comes: JSON.
pub(super) fn read<T: serde::de::DeserializeOwned>(json: serde_json::Value) -> T {
    serde_json::from_value(json).expect("input")
}
