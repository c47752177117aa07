//! Keys that we issue at run time, and whose they are: users, teams, tiers, what they paid, and who would like to come in.
//!
//! All of it stands in the store and is kept in memory, where a request finds its key by a keyed hash of the secret. A
//! change is on the disk before it is told and before it counts; what other nodes change is seen by [`People::refresh`].
//! The keys of the configuration are known by name only, so that no two have one.
//!
//! `records` is what is written, `shelf` how, `known` what is made of it for a request. Each kind of thing has a file
//! with what may be done to it, which the admin side calls: it gives input structs of its own and gets views, never records.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock};

use self::known::Known;
use self::records::{SignUpRecord, TierRecord, UserRecord};
use self::shelf::Shelf;
use crate::domain::{Secret, VirtualKey};
use crate::store::{Batch, Clock, Space, Store, StoreError};

mod allowed;
mod credits;
mod fields;
mod keys;
mod known;
mod own;
mod passwords;
mod records;
mod refusal;
mod shelf;
mod sign_up;
mod teams;
mod tiers;
mod top_ups;
mod users;
mod vouched;

pub use self::allowed::{Allowed, Budget, Credit, Per};
pub use self::credits::{CreditOwner, CreditView, NewCredit};
pub use self::fields::{BudgetInput, LimitsInput};
pub use self::keys::{ChangedKey, IssuedKey, KeyView, Maker, NewKey, Rotation, SecretView};
pub use self::known::InFile;
pub use self::own::Me;
pub use self::records::{Identity, KeyRecord, Role, TeamRecord};
pub use self::refusal::Refusal;
pub use self::sign_up::{Approval, Invitation, NewSignUp, Redemption, SignUpView};
pub use self::teams::{ChangedTeam, NewTeam, TeamView};
pub use self::tiers::{ChangedTier, NewTier, Plan, TierView};
pub use self::top_ups::{BalanceView, NewTopUp, TopUpPage, TopUpView};
pub use self::users::{ChangedUser, NewUser, UserView};
pub use self::vouched::{Terms, Vouched, Welcomed};

/// When a key was used is written down this often at most, in seconds.
const USED_EVERY: u64 = 60;

/// Keys and people.
pub struct People {
    shelf: Shelf,
    /// Keys the hashes of secrets.
    hash_key: [u8; 32],
    clock: Clock,
    /// Held while something is changed: one change at a time.
    changing: tokio::sync::Mutex<()>,
    known: RwLock<Known>,
    /// Held while what keys may do is worked out, so that nothing older comes in behind something newer.
    compiling: Mutex<()>,
    /// A change was not told to the other nodes yet.
    untold: AtomicBool,
    /// The number of the last change that is in memory.
    epoch: AtomicI64,
}

/// A key that was found.
pub struct Found {
    /// What it may.
    pub key: Arc<VirtualKey>,
    used: Arc<AtomicU64>,
}

impl People {
    /// Nobody yet: [`People::load`] reads who there is. `hash_key` keys the hashes of secrets, and with another one no
    /// secret is known any more.
    pub fn new(store: Arc<dyn Store>, hash_key: [u8; 32], clock: Clock) -> Self {
        Self {
            shelf: Shelf { store },
            hash_key,
            clock,
            changing: tokio::sync::Mutex::default(),
            known: RwLock::default(),
            compiling: Mutex::default(),
            untold: AtomicBool::new(false),
            epoch: AtomicI64::new(0),
        }
    }

    /// Reads everything.
    ///
    /// # Errors
    /// When the store cannot be read; what was known before stays.
    pub async fn load(&self) -> Result<(), StoreError> {
        let _one = self.changing.lock().await;
        self.read_all().await
    }

    /// Reads everything again if somebody else has changed something.
    ///
    /// # Errors
    /// When the store cannot be read; what was known before stays.
    pub async fn refresh(&self) -> Result<(), StoreError> {
        if self.untold.swap(false, Ordering::AcqRel) {
            self.tell().await;
        }
        if self.shelf.epoch().await? == self.epoch.load(Ordering::Acquire) {
            return Ok(());
        }
        let _one = self.changing.lock().await;
        if self.shelf.epoch().await? == self.epoch.load(Ordering::Acquire) {
            return Ok(());
        }
        self.read_all().await
    }

    /// Takes over what the configuration says.
    pub fn adopt(&self, in_file: InFile) {
        self.known.write().in_file = in_file;
        self.recompile(|_, key| key.team.is_some());
    }

    /// Takes the place of what was known of a key.
    fn put_key(&self, record: KeyRecord) {
        let _one = self.compiling.lock();
        self.known.write().put_key(record);
    }

    /// Works out anew what the keys may do that fit.
    fn recompile(&self, fits: impl Fn(&Known, &KeyRecord) -> bool) {
        let _one = self.compiling.lock();
        let held = self.known.read().compiled_where(fits);
        self.known.write().take(held);
    }

    /// The same for the keys of the users that fit.
    fn recompile_of_users(&self, fits: impl Fn(&UserRecord) -> bool) {
        self.recompile(|known, key| {
            let owner = key.owner.as_ref().and_then(|owner| known.users.get(owner));
            owner.is_some_and(&fits)
        });
    }

    /// The key of a secret. Whether it may be used now and from there is for the caller to see.
    pub fn find(&self, secret: &Secret) -> Option<Found> {
        let hash = self.hash(secret.expose());
        let known = self.known.read();
        let held = known.held(&hash)?;
        Some(Found { key: Arc::clone(&held.key), used: Arc::clone(&held.used) })
    }

    /// A key of the store by its name, if it is not revoked.
    pub fn named(&self, name: &str) -> Option<Arc<VirtualKey>> {
        let known = self.known.read();
        let record = known.keys.get(name).filter(|key| key.revoked.is_none())?;
        Some(known.compiled(record))
    }

    /// A key of the configuration, held to its user where it has one.
    pub fn with_owner(&self, key: Arc<VirtualKey>) -> Arc<VirtualKey> {
        let Some(owner) = &key.user else { return key };
        Arc::new(self.known.read().held_to_owner(&key, owner))
    }

    /// Notes that a key was used; `now` is Unix time. Waits for nothing, and is written once a minute at most.
    pub fn used(&self, found: &Found, now: u64) {
        let before = found.used.load(Ordering::Relaxed);
        if now < before.saturating_add(USED_EVERY) {
            return;
        }
        if found.used.compare_exchange(before, now, Ordering::Relaxed, Ordering::Relaxed).is_err() {
            return;
        }
        let key = Space::KeyUsed.key(&[&found.key.id]);
        let batch = Batch::default().put(key, now.to_be_bytes().to_vec(), None);
        if let Err(error) = self.shelf.store.note(batch) {
            tracing::debug!(%error, "when a key was used last was not written down");
        }
    }

    async fn read_all(&self) -> Result<(), StoreError> {
        // Before the records: what changes while we read is read again.
        let epoch = self.shelf.epoch().await?;
        let mut next = Known::of(self.known.read().in_file.clone());
        self.read_used(&mut next).await?;
        next.topped_up = self.shelf.topped_up().await?;
        let users: Vec<UserRecord> = self.shelf.all(Space::User).await?;
        next.users = users.into_iter().map(|user| (user.id.clone(), user)).collect();
        let teams: Vec<TeamRecord> = self.shelf.all(Space::Team).await?;
        next.teams = teams.into_iter().map(|team| (team.name.clone(), team)).collect();
        let tiers: Vec<TierRecord> = self.shelf.all(Space::Tier).await?;
        next.tiers = tiers.into_iter().map(|tier| (tier.name.clone(), tier)).collect();
        let sign_ups: Vec<SignUpRecord> = self.shelf.all(Space::SignUp).await?;
        next.sign_ups = sign_ups.into_iter().map(|one| (one.id.clone(), one)).collect();
        // Last: what they may do follows from all the others.
        let keys: Vec<KeyRecord> = self.shelf.all(Space::VirtualKey).await?;
        for record in keys {
            next.put_key(record);
        }
        {
            let _one = self.compiling.lock();
            let mut known = self.known.write();
            // The configuration may have been read again meanwhile.
            next.in_file = std::mem::take(&mut known.in_file);
            *known = next;
        }
        self.recompile(|_, key| key.team.is_some());
        self.epoch.store(epoch, Ordering::Release);
        Ok(())
    }

    /// When keys were used last; what this process knows and has not written yet is newer.
    async fn read_used(&self, next: &mut Known) -> Result<(), StoreError> {
        let mut after = None;
        loop {
            let scan = crate::store::Scan { prefix: Space::KeyUsed.key(&[]), after, limit: 512 };
            let page = self.shelf.store.scan(scan).await?;
            for (key, bytes) in &page.entries {
                let at: Option<[u8; 8]> = bytes.as_ref().try_into().ok();
                if let (Some([name]), Some(at)) = (key.parts().as_deref(), at) {
                    let used = AtomicU64::new(u64::from_be_bytes(at));
                    next.used.insert((*name).to_owned(), Arc::new(used));
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        for (name, used) in &self.known.read().used {
            let newer = next
                .used
                .get(name)
                .is_none_or(|other| other.load(Ordering::Relaxed) < used.load(Ordering::Relaxed));
            if newer {
                next.used.insert(name.clone(), Arc::clone(used));
            }
        }
        Ok(())
    }

    /// Tells the other nodes that something changed. What was changed is on the disk, so a failure here is no failure of
    /// the change: the others are told when they can be.
    async fn tell(&self) {
        match self.shelf.changed().await {
            // Nobody else changed anything in between.
            Ok(number) => {
                let before = number.saturating_sub(1);
                let _ = self.epoch.compare_exchange(before, number, Ordering::AcqRel, Ordering::Acquire);
            }
            Err(error) => {
                self.untold.store(true, Ordering::Release);
                tracing::error!(%error, "a change of keys or people was not told to other nodes yet");
            }
        }
    }

    fn hash(&self, secret: &str) -> blake3::Hash {
        blake3::keyed_hash(&self.hash_key, secret.as_bytes())
    }

    /// Unix time in seconds.
    fn now(&self) -> u64 {
        (self.clock)() / 1000
    }
}

#[cfg(test)]
mod tests;
