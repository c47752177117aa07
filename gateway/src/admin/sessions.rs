//! Sessions of the dashboard, kept in the store: over restarts, and on all nodes.
//!
//! A session is a random token in a cookie. The store has its digest only, so that nobody can use what he reads there.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::caller::{Caller, Role, Way};
use super::refusal::Refusal;
use crate::domain::Secret;
use crate::store::{Batch, Class, Clock, Key, Scan, Space, Store};

/// However often it is used, it ends after this.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Its end is moved on at most so often.
const MOVED_EVERY: u64 = 60;

/// When there are so many, the one that was used longest ago ends.
const MOST: usize = 1_000;

/// All sessions.
pub(super) struct Sessions {
    store: Arc<dyn Store>,
    clock: Clock,
    /// A session that is not used for so long ends.
    idle: Duration,
    /// Sessions of another password are none.
    password: Secret,
}

/// A session as it is kept. Times are Unix seconds.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Kept {
    name: String,
    role: Role,
    user: Option<String>,
    created: u64,
    seen: u64,
    address: String,
    /// A digest of token and password.
    stamp: String,
}

/// A session that was just begun.
pub(super) struct Begun {
    /// What goes into the cookie.
    pub(super) token: Secret,
    /// What goes into the header of every change.
    pub(super) csrf: String,
    /// How long the cookie is good at most.
    pub(super) life: Duration,
}

impl Sessions {
    pub(super) fn new(store: Arc<dyn Store>, clock: Clock, idle: Duration, password: Secret) -> Self {
        Self { store, clock, idle, password }
    }

    fn now(&self) -> u64 {
        (self.clock)() / 1000
    }

    /// A new session for somebody who has shown who he is.
    pub(super) async fn begin(&self, caller: &Caller, address: IpAddr) -> Result<Begun, Refusal> {
        let mut bits = [0; 32];
        getrandom::fill(&mut bits)
            .map_err(|error| Refusal::unavailable(format!("the system gives no randomness: {error}")))?;
        let token = Secret::new(URL_SAFE_NO_PAD.encode(bits));
        let now = self.now();
        let kept = Kept {
            name: caller.name.clone(),
            role: caller.role,
            user: caller.user.clone(),
            created: now,
            seen: now,
            address: address.to_string(),
            stamp: self.stamp(&token),
        };
        self.make_room().await?;
        let batch = Batch::default().put(key(&token), bytes(&kept)?, Some(self.idle));
        self.store.write(batch, Class::Durable).await?;
        Ok(Begun { csrf: csrf(&token), token, life: LONGEST })
    }

    /// Whose session this is, if it is one; it is good for longer then.
    pub(super) async fn find(&self, token: Secret) -> Result<Option<Caller>, Refusal> {
        let Some(found) = self.store.get(key(&token)).await? else { return Ok(None) };
        let Ok(mut kept) = serde_json::from_slice::<Kept>(&found) else { return Ok(None) };
        let now = self.now();
        if kept.stamp != self.stamp(&token) || now >= kept.created.saturating_add(LONGEST.as_secs()) {
            self.end(&token).await?;
            return Ok(None);
        }
        if now >= kept.seen.saturating_add(MOVED_EVERY) {
            kept.seen = now;
            let batch = Batch::default().put(key(&token), bytes(&kept)?, Some(self.idle));
            if let Err(error) = self.store.note(batch) {
                tracing::warn!(%error, "the end of a session could not be moved on");
            }
        }
        let Kept { name, role, user, .. } = kept;
        Ok(Some(Caller { name, role, user, way: Way::Session(token) }))
    }

    /// Ends one.
    pub(super) async fn end(&self, token: &Secret) -> Result<(), Refusal> {
        let batch = Batch::default().delete(key(token));
        Ok(self.store.write(batch, Class::Durable).await?)
    }

    /// Ends those that `are`; tells how many.
    pub(super) async fn end_all(&self, user: &str) -> Result<usize, Refusal> {
        let all = self.all().await?;
        let own: Vec<_> = all.into_iter().filter(|(_, kept)| kept.user.as_deref() == Some(user)).collect();
        let batch = own.iter().fold(Batch::default(), |batch, (key, _)| batch.delete(key.clone()));
        if !own.is_empty() {
            self.store.write(batch, Class::Durable).await?;
        }
        Ok(own.len())
    }

    async fn make_room(&self) -> Result<(), Refusal> {
        let mut all = self.all().await?;
        if all.len() < MOST {
            return Ok(());
        }
        all.sort_by_key(|(_, kept)| kept.seen);
        let over = all.len() + 1 - MOST;
        let batch = all.iter().take(over).fold(Batch::default(), |batch, (key, _)| batch.delete(key.clone()));
        Ok(self.store.write(batch, Class::Relaxed).await?)
    }

    async fn all(&self) -> Result<Vec<(Key, Kept)>, Refusal> {
        let mut all = Vec::new();
        let mut after = None;
        loop {
            let scan = Scan { prefix: Space::Session.key(&[]), after, limit: 500 };
            let page = self.store.scan(scan).await?;
            let kept = page.entries.into_iter();
            all.extend(kept.filter_map(|(key, value)| Some((key, serde_json::from_slice(&value).ok()?))));
            after = page.next;
            if after.is_none() {
                return Ok(all);
            }
        }
    }

    /// Nobody who has only the store can try passwords with it: the token is not in there.
    fn stamp(&self, token: &Secret) -> String {
        let text = format!("{}\n{}", token.expose(), self.password.expose());
        digest("causeway 2026 admin session and password", &text)
    }
}

/// What a page must send along with a change: only who may read our answers knows it.
pub(super) fn csrf(token: &Secret) -> String {
    digest("causeway 2026 admin session csrf", token.expose())
}

fn key(token: &Secret) -> Key {
    Space::Session.key(&[&digest("causeway 2026 admin session key", token.expose())])
}

fn digest(context: &str, text: &str) -> String {
    URL_SAFE_NO_PAD.encode(blake3::derive_key(context, text.as_bytes()))
}

fn bytes(kept: &Kept) -> Result<Vec<u8>, Refusal> {
    serde_json::to_vec(kept).map_err(|error| Refusal::unavailable(error.to_string()))
}

#[cfg(test)]
mod tests;
