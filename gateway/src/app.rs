//! The composition root: the only file that constructs everything.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::adapter::{Registry, Runtime};
use crate::admin::{self, Desk, Readiness};
use crate::auth;
use crate::cache::Cache;
use crate::config::{self, Config, ConfigError, Loaded, Stored};
use crate::conversation::Conversations;
use crate::domain::{Secret, VirtualKey};
use crate::limit::Limits;
use crate::observe::Observer;
use crate::proxy::{Gateway, Ground};
use crate::route::{Decisions, Fleet};
use crate::server::{self, Parts};
use crate::state;
use crate::store;
use crate::upstream;
use crate::vault::Vault;

pub mod background;
pub mod counting;
pub mod demo;
mod health;
mod ledger;
mod people;
mod probes;
mod reload;
mod revalidate;
pub mod settings;
mod snapshots;
mod storage;

pub use reload::{Base, Reload};
pub use storage::{open_store, place_of, replay};

/// Why the gateway does not start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The configuration or the system; one line each.
    Configuration(Vec<String>),
    /// The store cannot be used.
    Store(String),
}

impl From<Vec<String>> for Refused {
    fn from(problems: Vec<String>) -> Self {
        Self::Configuration(problems)
    }
}

/// What the command line says about where the configuration comes from; a reload asks the same way.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// The file; none: what the environment gives.
    pub path: Option<PathBuf>,
    /// `a.b.c=value` from the command line.
    pub overrides: Vec<String>,
}

impl Origin {
    /// Reads and checks the configuration.
    ///
    /// # Errors
    /// Everything that is wrong with it, at once.
    pub fn load(&self) -> Result<Loaded, ConfigError> {
        self.load_over(None)
    }

    /// The same with what was made through the admin API on top.
    ///
    /// # Errors
    /// As [`Origin::load`].
    pub fn load_over(&self, stored: Option<&Stored>) -> Result<Loaded, ConfigError> {
        let mut loaded = self.read(stored)?;
        config::look_at_keys_files(&mut loaded)?;
        Ok(loaded)
    }

    /// The same without a look into the files of provider keys, for who writes them.
    ///
    /// # Errors
    /// As [`Origin::load`].
    pub fn load_without_keys(&self) -> Result<Loaded, ConfigError> {
        self.read(None)
    }

    fn read(&self, stored: Option<&Stored>) -> Result<Loaded, ConfigError> {
        // Variables that are not text cannot be ours.
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let mut overrides = config::overrides_in(variables);
        overrides.extend_from_slice(&self.overrides);
        config::load_over(self.path.as_deref(), &overrides, &|name| std::env::var(name).ok(), stored)
    }
}

/// Builds everything in order and serves until told to stop. `recover`: a damaged store is set aside, and the last
/// snapshot comes into its place.
///
/// # Errors
/// What keeps the gateway from starting.
pub fn serve(loaded: Loaded, origin: Origin, recover: bool) -> Result<(), Refused> {
    let Loaded { mut config, notes, .. } = loaded;
    for note in notes {
        tracing::warn!("{note}");
    }
    // Without a file the built-in mock provider answers, beside whatever keys the environment holds.
    let demo = match origin.path {
        None => Some(demo::Demo::start(&mut config).map_err(|problem| vec![problem])?),
        Some(_) => None,
    };
    let runtime = Runtime::start(compiled(&config).as_deref()).map_err(|error| vec![error.to_string()])?;
    let registry = Arc::new(Registry::new(runtime));
    let made = made_key(&config).map_err(|problem| vec![problem])?;
    let extra: Vec<_> = made.iter().cloned().collect();
    let observer = Arc::new(Observer::new().map_err(|error| vec![error.to_string()])?);
    let storage::Opened { store, place, folder, snapshots, shared } =
        storage::open(&config, demo.is_some(), recover).map_err(Refused::Store)?;
    let keys = settings::keys(&config, folder.as_deref()).map_err(|problem| vec![problem])?;
    let settings = settings::now(settings::open(&store, keys)).flatten().map_err(Refused::Store)?;
    let base = Base { origin, registry, extra, additions: demo.as_ref().map(|demo| demo.made.clone()) };
    let (config, shadowed, snapshot) = base.first(config, settings.stored())?;
    let password = admin::password(config.admin.password.as_ref(), folder.as_deref())
        .map_err(|problem| vec![problem])?;
    let counting = counting::Counting::new(&config.store, shared);
    snapshot.keep_rests_in(&store);
    let ledger = storage::ledger(&config, folder.as_deref(), (&store, &observer)).map_err(Refused::Store)?;
    let people = people::open(&store, &settings.master()).map_err(Refused::Store)?;
    people.adopt(state::in_file(&config, made.as_ref().map(|(_, key)| key)));
    let counters = counting.holds();
    let ground = Ground {
        snapshot: Arc::new(ArcSwap::from_pointee(snapshot)),
        people,
        client: upstream::Client::default(),
        observer: Arc::clone(&observer),
        fleet: Arc::new(Fleet::default()),
        decisions: Arc::new(Decisions::default()),
        gates: upstream::Gates::default(),
        vault: Vault::new(Arc::clone(&store)),
        conversations: Conversations::new(Arc::clone(&store)),
        cache: Cache::new(Arc::clone(&store), store::clock()),
        ledger: Arc::clone(&ledger),
        limits: Limits::new(Arc::clone(&counters), Arc::clone(&observer)),
    };
    ground.gates.adopt(ground.snapshot.load().caps());
    let booking = ledger::Booking::begin(&ledger, counters.as_ref())?;
    let readiness = Arc::new(Readiness::of(Arc::clone(&store)));
    let saving = snapshots.and_then(|folder| {
        snapshots::Snapshots::new(&config.store.snapshots, folder, Arc::clone(&store), Arc::clone(&observer))
    });
    let reload = Arc::new(
        Reload::new(base, (config.clone(), shadowed), ground.clone())
            .keeping_rests_in(Arc::clone(&store))
            .with_settings(Arc::clone(&settings)),
    );
    let changes = Arc::new(store::Changes::new(Arc::clone(&store)));
    settings.renewed_by(Arc::<Reload>::clone(&reload));
    let desk = Desk::new(admin::Parts {
        observer: Arc::clone(&observer),
        readiness: Arc::clone(&readiness),
        snapshot: Arc::clone(&ground.snapshot),
        fleet: Arc::clone(&ground.fleet),
        decisions: Arc::clone(&ground.decisions),
        people: Arc::clone(&ground.people),
        ledger: Arc::clone(&ledger),
        limits: ground.limits.clone(),
        stored: Arc::clone(&settings),
        client: ground.client.clone(),
        store: Arc::clone(&store),
        control: Arc::clone(&reload) as _,
        clock: store::clock(),
        settings: config.admin.clone(),
        password: password.secret.clone(),
        way_out: state::way_out(&config).map_err(|problem| vec![problem])?,
    });
    let made = demo::Made { key: made.as_ref().map(|(secret, _)| secret), password: &password };
    let greeting = demo::greeting(&config, &made, demo.is_some(), &place);
    let background = background::Background::new(
        reload,
        Arc::clone(&readiness),
        store,
        config.server.listen.clone(),
        greeting,
    )
    .booking_in(booking)
    .looking_for(changes)
    .counting(counting, Arc::clone(&observer))
    .saving(saving);
    let parts = Parts {
        gateway: Gateway::new(ground),
        admin: Arc::new(desk),
        background,
        readiness,
        observer,
        ledger: Arc::clone(&ledger),
    };
    let served = server::run(&config, parts).map_err(|error| vec![error.message].into());
    ledger.journal().close();
    served
}

/// The admin password of a gateway that runs with this configuration, as far as it can be known from outside of it.
///
/// # Errors
/// One line that says what is wrong with it.
pub fn admin_password(config: &Config) -> Result<Option<Secret>, String> {
    let variable = std::env::var("CAUSEWAY_ADMIN_PASSWORD").ok();
    let folder = storage::folder(config);
    let found = admin::Password::find(config.admin.password.as_ref(), variable, folder.as_deref())?;
    Ok(found.map(|found| found.secret))
}

/// Compiled adapters are kept below the store's folder, or in the user's cache when that cannot be made.
fn compiled(config: &Config) -> Option<PathBuf> {
    let own = storage::folder(config).map(|folder| folder.join("compiled"));
    own.filter(|own| own.parent().is_some_and(Path::exists) && std::fs::create_dir_all(own).is_ok())
        .or_else(compiled_at_home)
}

/// Compiled adapters in the user's cache.
pub(crate) fn compiled_at_home() -> Option<PathBuf> {
    let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let base = base.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?;
    Some(base.join("causeway/compiled"))
}

/// A configuration without keys gets one for this run; nobody gets in without.
fn made_key(config: &Config) -> Result<Option<(Secret, VirtualKey)>, String> {
    if !config.keys.is_empty() {
        return Ok(None);
    }
    let secret = auth::new_secret().map_err(|error| error.message)?;
    Ok(Some((secret, VirtualKey::named("first"))))
}
