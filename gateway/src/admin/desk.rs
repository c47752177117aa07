//! What handlers work with.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, Guard};

use super::caller::Peer;
use super::config::Control;
use super::health::Readiness;
use super::oidc::Oidc;
use super::refusal::Refusal;
use super::sessions::Sessions;
use super::tries::Tries;
use crate::account::Ledger;
use crate::config;
use crate::domain::Secret;
use crate::limit::Limits;
use crate::observe::Observer;
use crate::people::People;
use crate::route::{Decisions, Fleet};
use crate::state::{Settings, Snapshot};
use crate::store::{Clock, Store};
use crate::upstream::{Client, Network};

/// What the admin side is made of.
pub struct Parts {
    /// Metrics.
    pub observer: Arc<Observer>,
    /// Whether requests are taken.
    pub readiness: Arc<Readiness>,
    /// The configuration of now.
    pub snapshot: Arc<ArcSwap<Snapshot>>,
    /// How every target is doing.
    pub fleet: Arc<Fleet>,
    /// Where the latest requests went, and why.
    pub decisions: Arc<Decisions>,
    /// Keys and people.
    pub people: Arc<People>,
    /// What was used and what it cost.
    pub ledger: Arc<Ledger>,
    /// How much may be.
    pub limits: Limits,
    /// What was made here.
    pub stored: Arc<Settings>,
    /// Asks providers.
    pub client: Client,
    /// Where sessions and the audit log are kept.
    pub store: Arc<dyn Store>,
    /// Reads the configuration.
    pub control: Arc<dyn Control>,
    /// The time.
    pub clock: Clock,
    /// `[admin]` as it was at the start.
    pub settings: config::Admin,
    /// The password that opens everything.
    pub password: Secret,
    /// How the issuer of `[admin.oidc]` is reached.
    pub way_out: Network,
}

/// What handlers work with.
pub struct Desk {
    pub(super) observer: Arc<Observer>,
    pub(super) readiness: Arc<Readiness>,
    snapshot: Arc<ArcSwap<Snapshot>>,
    pub(super) fleet: Arc<Fleet>,
    pub(super) decisions: Arc<Decisions>,
    pub(super) people: Arc<People>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) limits: Limits,
    pub(super) stored: Arc<Settings>,
    pub(super) client: Client,
    pub(super) store: Arc<dyn Store>,
    pub(super) control: Arc<dyn Control>,
    pub(super) clock: Clock,
    pub(super) settings: config::Admin,
    pub(super) password: Secret,
    pub(super) sessions: Sessions,
    pub(super) tries: Tries,
    /// The issuer that vouches for people.
    pub(super) oidc: Option<Oidc>,
    /// When the gateway was started.
    pub(super) began: Instant,
}

impl Desk {
    /// Puts everything in its place.
    pub fn new(parts: Parts) -> Self {
        let Parts {
            observer,
            readiness,
            snapshot,
            fleet,
            decisions,
            people,
            ledger,
            limits,
            stored,
            client,
            store,
            control,
            clock,
            settings,
            password,
            way_out,
        } = parts;
        let idle = Duration::from(settings.session);
        let sessions = Sessions::new(Arc::clone(&store), Arc::clone(&clock), idle, password.clone());
        let tries = Tries::default();
        let oidc = settings.oidc.clone().map(|oidc| Oidc::new(oidc, client.clone(), way_out));
        Self {
            observer,
            readiness,
            snapshot,
            fleet,
            decisions,
            people,
            ledger,
            limits,
            stored,
            client,
            store,
            control,
            clock,
            settings,
            password,
            sessions,
            tries,
            oidc,
            began: Instant::now(),
        }
    }

    /// The configuration in force.
    pub(super) fn snapshot(&self) -> Guard<Arc<Snapshot>> {
        self.snapshot.load()
    }

    /// Milliseconds since 1970.
    pub(super) fn now(&self) -> u64 {
        (self.clock)()
    }

    /// Whether somebody may try a password.
    ///
    /// # Errors
    /// When there were too many wrong ones.
    pub(super) fn may_try(&self, address: Peer) -> Result<(), Refusal> {
        let wait = self.tries.wait(address.0, Instant::now());
        wait.map_or(Ok(()), |wait| Err(Refusal::too_many("too many wrong passwords; wait", wait)))
    }

    /// A password was wrong.
    pub(super) fn was_wrong(&self, address: Peer) {
        self.tries.wrong(address.0, Instant::now());
        tracing::warn!(address = %address.0, "a wrong password on the admin side");
    }

    /// A password was right.
    pub(super) fn was_right(&self, address: Peer) {
        self.tries.right(address.0, Instant::now());
    }

    /// The admin password. Equal hashes of equal length: the comparison tells nothing of it.
    pub(super) fn is_password(&self, given: &Secret) -> bool {
        blake3::hash(given.expose().as_bytes()) == blake3::hash(self.password.expose().as_bytes())
    }
}
