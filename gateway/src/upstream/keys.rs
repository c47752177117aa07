//! The keys of one provider, one to a hundred thousand: which one is next, and which ones rest.
//!
//! [`Pool::choose`] costs the same for one key and for many: `ring` keeps the keys that may be asked in line and the
//! others by the time of their return. `state` holds what is known of the keys behind one short lock; `rest` says how
//! long a key rests, `window` counts what each has used, `affinity` finds the key of a conversation, `ledger` keeps rests
//! over a restart, `show` tells the operator. The time is a parameter everywhere.
//!
//! A key is known outside by its [`ChosenKey`] and shown by its id, a digest. The secret itself stays in `upstream`.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;

use super::credential::Grant;
use crate::domain::{Blame, Secret, ServiceAccount};
use crate::error::{GatewayError, Kind};

mod affinity;
mod ledger;
mod rest;
mod ring;
mod show;
mod state;
mod window;

pub use ledger::Ledger;
pub use rest::{Cause, Resting};
pub use ring::Choice;
pub use show::{Counts, KeyState, Listed, Wanted};
pub(super) use window::Used;
pub use window::{Limits, Rules};

use affinity::Circle;
use state::State;

/// Milliseconds since 1970.
pub type Millis = u64;

/// Now, by a clock that never goes back while the process runs.
pub fn now() -> Millis {
    static START: OnceLock<(Millis, Instant)> = OnceLock::new();
    let (wall, began) = START.get_or_init(|| {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        (millis(wall), Instant::now())
    });
    wall.saturating_add(millis(began.elapsed()))
}

fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}

/// How a pool behaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// How the next key is chosen.
    pub choice: Choice,
    /// How long keys rest.
    pub resting: Resting,
    /// What each key may be asked at most.
    pub rules: Rules,
}

/// A key as the configuration gives it.
#[derive(Clone, Debug)]
pub struct Given {
    /// The key itself.
    pub secret: Secret,
    /// The operator's word on it.
    pub note: Option<Box<str>>,
}

/// What a key is wanted for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ask<'a> {
    /// The provider's own model name; empty: for no model.
    pub model: &'a str,
    /// The key that would be best, as long as it may be used.
    pub preferred: Option<Preferred>,
    /// Keys that have just been tried for the same request.
    pub avoid: &'a [ChosenKey],
}

/// Which key would be best.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preferred {
    /// Always the same one for this hash of a conversation.
    Conversation(u64),
    /// This very one.
    Key(ChosenKey),
}

/// A key that was chosen for one request. It tells which one, and nothing of the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChosenKey {
    index: u32,
    digest: u64,
    /// Counts the choices: what is found out later is not held against earlier ones.
    serial: u64,
}

impl ChosenKey {
    /// The id of the key: twelve hex digits, the same after a restart, safe to show.
    pub fn id(self) -> String {
        shown(self.digest)
    }
}

impl fmt::Display for ChosenKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&shown(self.digest))
    }
}

/// What an attempt with a key came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Whose fault it is.
    pub blame: Blame,
    /// The provider's status.
    pub status: Option<u16>,
    /// When the provider wants to be asked again.
    pub retry_after: Option<Duration>,
}

/// One key of a provider.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) secret: Secret,
    /// The key is a key file, and worth tokens.
    pub(super) grant: Option<Box<Grant>>,
    digest: u64,
}

/// The keys of one provider.
#[derive(Debug)]
pub struct Pool {
    /// The provider's name.
    name: String,
    keys: Vec<Key>,
    notes: HashMap<u32, Box<str>>,
    circle: Circle,
    settings: Settings,
    /// Where the keys are sent; what was learnt elsewhere does not count here.
    place: String,
    state: Mutex<State>,
    /// The pool of the next configuration: what is learnt late is told there, too.
    successor: Mutex<Weak<Pool>>,
    ledger: OnceLock<Ledger>,
}

impl Pool {
    /// A pool of these keys, for the provider of this name at this URL; of equal keys the first counts.
    ///
    /// # Errors
    /// When a key is a key file that cannot be used.
    pub fn new(
        (name, place): (&str, &str),
        given: impl IntoIterator<Item = Given>,
        settings: Settings,
    ) -> Result<Self, GatewayError> {
        let mut keys: Vec<Key> = Vec::new();
        let mut notes = HashMap::new();
        let mut known: HashMap<u64, u32> = HashMap::new();
        for Given { secret, note } in given {
            let index = u32::try_from(keys.len())
                .map_err(|_| GatewayError::gateway(Kind::Internal, "the provider has too many keys"))?;
            let same = |at: &u32| keys.get(*at as usize).is_some_and(|key| key.secret == secret);
            let mut digest = digest(&secret);
            // Two keys with one digest are improbable, not impossible.
            while known.get(&digest).is_some_and(|at| !same(at)) {
                digest = digest.wrapping_add(1 << 16);
            }
            if known.contains_key(&digest) {
                continue;
            }
            known.insert(digest, index);
            let file = ServiceAccount::is_written_in(secret.expose());
            let grant = file.then(|| Grant::of_service_account(&secret).map(Box::new)).transpose()?;
            if let Some(note) = note {
                notes.insert(index, note);
            }
            keys.push(Key { secret, grant, digest });
        }
        keys.shrink_to_fit();
        let circle = Circle::new(known.into_iter().collect());
        let count = u32::try_from(keys.len()).unwrap_or(u32::MAX);
        let state = Mutex::new(State::new(&settings, count));
        Ok(Self {
            name: name.to_owned(),
            keys,
            notes,
            circle,
            settings,
            place: place.to_owned(),
            state,
            successor: Mutex::default(),
            ledger: OnceLock::new(),
        })
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// True for a provider without keys.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The key for a request; none for a provider without keys.
    ///
    /// # Errors
    /// When all rest: when the first comes back, in `retry_after`, and `code` is [`GatewayError::KEYS_REST`].
    pub fn choose(&self, ask: &Ask<'_>, now: Millis) -> Result<Option<ChosenKey>, GatewayError> {
        self.choose_with(ask, now, &mut |below| fastrand::usize(..below))
    }

    /// The same with chance as a parameter.
    fn choose_with(
        &self,
        ask: &Ask<'_>,
        now: Millis,
        random: &mut dyn FnMut(usize) -> usize,
    ) -> Result<Option<ChosenKey>, GatewayError> {
        if self.keys.is_empty() {
            return Ok(None);
        }
        let preferred: Vec<u32> = match ask.preferred {
            None => Vec::new(),
            Some(Preferred::Conversation(hash)) => self.circle.preferred(hash).collect(),
            Some(Preferred::Key(key)) => self.index(key).into_iter().collect(),
        };
        let mut state = self.state.lock();
        let serial = state.next_serial();
        let avoided = |key: u32| ask.avoid.iter().any(|avoid| self.index(*avoid) == Some(key));
        let wish = state::Wish { model: ask.model, preferred: &preferred, avoided: &avoided };
        match state.choose(&self.settings, &wish, now, random) {
            Ok(index) => {
                Ok(self.keys.get(index as usize).map(|key| ChosenKey { index, digest: key.digest, serial }))
            }
            Err(away) => Err(self.all_rest(&away, now)),
        }
    }

    fn all_rest(&self, away: &state::Away, now: Millis) -> GatewayError {
        let wait = away.until.map(|until| Duration::from_millis(until.saturating_sub(now)));
        let kind = if away.limited { Kind::RateLimited } else { Kind::Overloaded };
        let back =
            wait.map_or_else(String::new, |wait| format!(", the first is back in {} s", wait.as_secs() + 1));
        let context = format!(
            "provider `{}`: none of {} keys may be used ({}){back}",
            self.name,
            self.keys.len(),
            away.why
        );
        GatewayError {
            code: Some(GatewayError::KEYS_REST.to_owned()),
            retry_after: wait,
            ..GatewayError::upstream(kind, "every key of the provider rests").context(context)
        }
    }

    /// The key has done its work.
    pub fn succeeded(&self, key: ChosenKey, model: &str) {
        let Some(index) = self.index(key) else { return };
        let lifted = self.state.lock().succeeded(index, key.serial, model);
        match self.successor() {
            Some(next) => next.succeeded(key, model),
            None if lifted => {
                tracing::info!(key = %key, "provider key is back");
                self.forget(key.digest, [model]);
            }
            None => {}
        }
    }

    /// The key has not; what follows from it is up to the blame.
    pub fn failed(&self, key: ChosenKey, model: &str, failure: Failure, now: Millis) {
        let Some(index) = self.index(key) else { return };
        let begun = self.state.lock().failed(&self.settings, (index, key.serial), model, failure, now);
        match (self.successor(), begun) {
            (Some(next), _) => next.failed(key, model, failure, now),
            (None, Some(begun)) => {
                let seconds = begun.until.saturating_sub(now).div_ceil(1000);
                tracing::warn!(
                    provider = self.name,
                    key = %key,
                    model = begun.model,
                    seconds,
                    why = begun.why,
                    "provider key rests"
                );
                self.keep(key.digest, &begun, now);
            }
            (None, None) => {}
        }
    }

    /// The key was asked and said nothing of use: it is asked again after half of what is left of its rest.
    pub fn put_off(&self, key: ChosenKey, now: Millis) {
        if let Some(index) = self.index(key)
            && let Some(rest) = self.state.lock().rests.get_mut(&index)
        {
            rest.since = now;
        }
    }

    /// What an answer took, counted against the limits of its key.
    pub fn spent(&self, key: ChosenKey, model: &str, tokens: u64, now: Millis) {
        let Some(index) = self.index(key) else { return };
        self.state.lock().spent(&self.settings, index, model, tokens, now);
        if let Some(next) = self.successor() {
            next.spent(key, model, tokens, now);
        }
    }

    /// True when another key could be asked for this model at once.
    pub fn has_another(&self, model: &str, tried: &[ChosenKey], now: Millis) -> bool {
        let avoided = |key: u32| tried.iter().any(|tried| self.index(*tried) == Some(key));
        self.keys.len() > 1 && self.state.lock().has_another(&self.settings, model, &avoided, now)
    }

    /// Takes over what the pool before it has learnt of the keys both have, at the same place.
    pub fn follow(self: &Arc<Self>, before: &Pool) {
        if let Some(ledger) = before.ledger.get() {
            let _ = self.ledger.set(ledger.clone());
        }
        let same_place = before.place == self.place;
        if same_place {
            // The lock of the one before is held, so that nothing falls between; the order is always from old to new.
            let old = before.state.lock();
            let same_rules = before.settings.rules == self.settings.rules;
            let index = |old: u32| self.circle.index(before.keys.get(old as usize)?.digest);
            self.state.lock().take_over(&old, &self.settings, same_rules, &index);
            *before.successor.lock() = Arc::downgrade(self);
        }
        self.forget_gone(before, same_place);
    }

    /// Which of ours a key is; keys of an earlier configuration are found by their digest.
    fn index(&self, key: ChosenKey) -> Option<u32> {
        let own = self.keys.get(key.index as usize).is_some_and(|own| own.digest == key.digest);
        if own { Some(key.index) } else { self.circle.index(key.digest) }
    }

    fn successor(&self) -> Option<Arc<Self>> {
        self.successor.lock().upgrade()
    }

    /// The key itself, for signing.
    pub(super) fn key(&self, key: ChosenKey) -> Option<&Key> {
        self.keys.get(self.index(key)? as usize)
    }

    /// What the keys that are key files are worth.
    pub(super) fn grants_mut(&mut self) -> impl Iterator<Item = &mut Grant> {
        self.keys.iter_mut().filter_map(|key| key.grant.as_deref_mut())
    }

    /// Overwrites every key in a text. Few keys are looked for one by one; of many, each word is looked up by its digest.
    pub(super) fn scrub(&self, text: &mut String) {
        const FEW: usize = 64;
        if self.keys.len() <= FEW {
            self.keys.iter().for_each(|key| key.scrub(text));
            return;
        }
        let part = |letter: char| letter.is_ascii_alphanumeric() || "-_.~+/:".contains(letter);
        let words =
            text.split(|letter: char| !part(letter)).map(|word| word.trim_end_matches(['.', ':', '/']));
        let known = words.filter(|word| word.len() >= 8).filter_map(|word| {
            let index = self.circle.index(digest(&Secret::new(word)))?;
            self.keys.get(index as usize)
        });
        let found: Vec<&Key> = known.collect();
        found.into_iter().for_each(|key| key.scrub(text));
    }
}

impl Key {
    fn scrub(&self, text: &mut String) {
        let key = self.secret.expose();
        if key.len() >= 4 {
            // AWS's are several in one, and it repeats the session token where a signature is wrong.
            let parts = key.split(':').filter(|part| part.len() >= 16);
            std::iter::once(key).chain(parts).for_each(|secret| super::overwrite(text, secret));
        }
        if let Some(grant) = &self.grant {
            grant.scrub(text);
        }
    }
}

/// The digest of a key: 48 bits, in the upper part of the number.
fn digest(secret: &Secret) -> u64 {
    let hash = blake3::derive_key("causeway provider key id v1", secret.expose().as_bytes());
    let mut first = [0; 8];
    first.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
    u64::from_be_bytes(first) & !0xffff
}

/// The id of a key, as pools and commands show it.
pub fn key_id(secret: &Secret) -> String {
    shown(digest(secret))
}

fn shown(digest: u64) -> String {
    format!("{:012x}", digest >> 16)
}

/// The digest behind an id.
fn read_id(id: &str) -> Option<u64> {
    let digits = id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    digits.then(|| u64::from_str_radix(id, 16).ok()).flatten().map(|bits| bits << 16)
}

/// A number whose every bit depends on every bit of the given one (splitmix64's finaliser).
fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests;
