//! Reads the configuration again: parse, validate, compile, swap. A broken one changes nothing and says why.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;

use super::Origin;
use super::demo::Additions;
use super::settings::{laid_over, without_blamed};
use crate::adapter::Registry;
use crate::admin::{Control, Reloaded};
use crate::config::{Config, ConfigError, Loaded, Stored};
use crate::domain::{Secret, VirtualKey, rfc3339};
use crate::proxy::Ground;
use crate::state::settings::{Fault, InForce, Renewal, SettingError};
use crate::state::{self, Settings, Snapshot};
use crate::store::Store;

/// What a configuration is made from, again and again.
pub struct Base {
    /// Where it comes from.
    pub origin: Origin,
    /// Adapters.
    pub registry: Arc<Registry>,
    /// Keys that stand in no file.
    pub extra: Vec<(Secret, VirtualKey)>,
    /// Providers and models that stand in no file.
    pub additions: Option<Additions>,
}

impl Base {
    /// The first configuration, with what was made through the admin API, and what of it the file has, too.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn first(
        &self,
        alone: Config,
        mut stored: Stored,
    ) -> Result<(Config, Vec<String>, Snapshot), Vec<String>> {
        let (mut config, mut shadowed) = (alone, Vec::new());
        loop {
            if stored != Stored::default() {
                let loaded = laid_over(&self.origin, &mut stored).map_err(|error| vec![error.to_string()])?;
                (config, shadowed) = (loaded.config, loaded.shadowed);
                self.additions.iter().for_each(|additions| additions.add_to(&mut config));
            }
            match self.build(&config, 1) {
                Ok(snapshot) => return Ok((config, shadowed, snapshot)),
                Err(problems) if without_blamed(&mut stored, &problems) => {}
                Err(problems) => return Err(problems),
            }
        }
    }

    fn load(&self, stored: Option<&Stored>) -> Result<Loaded, ConfigError> {
        let mut loaded = self.origin.load_over(stored)?;
        self.additions.iter().for_each(|additions| additions.add_to(&mut loaded.config));
        Ok(loaded)
    }

    fn build(&self, config: &Config, generation: u64) -> Result<Snapshot, Vec<String>> {
        state::build(config, &self.registry, generation, self.extra.clone())
    }
}

/// What is needed to do it again.
pub struct Reload {
    base: Base,
    ground: Ground,
    /// The configuration in force; also the lock that keeps two reloads apart.
    current: Mutex<Config>,
    /// What was made through the admin API and stands in the file, too.
    shadowed: Mutex<Vec<String>>,
    /// What was made through the admin API.
    settings: Option<Arc<Settings>>,
    /// Where the rests of provider keys are kept.
    store: Option<Arc<dyn Store>>,
    /// What the files of provider keys looked like that are in force.
    keys_in_force: Mutex<Vec<Seen>>,
    /// What they looked like when they were read last; a broken file is told once.
    keys_read: Mutex<Vec<Seen>>,
    /// The latest times it was read, the newest last.
    history: Mutex<VecDeque<Reloaded>>,
}

/// So many times are remembered.
const REMEMBERED: usize = 50;

/// A file, and when and how long it was.
type Seen = (PathBuf, Option<(SystemTime, u64)>);

impl Reload {
    /// Remembers how the first configuration was made.
    pub fn new(base: Base, (current, shadowed): (Config, Vec<String>), ground: Ground) -> Self {
        let keys = seen(&current);
        let (keys_in_force, keys_read) = (Mutex::new(keys.clone()), Mutex::new(keys));
        let (current, shadowed) = (Mutex::new(current), Mutex::new(shadowed));
        let reload = Self {
            base,
            ground,
            current,
            shadowed,
            settings: None,
            store: None,
            keys_in_force,
            keys_read,
            history: Mutex::default(),
        };
        reload.succeeded(Vec::new());
        reload
    }

    /// Keeps the rests of provider keys there.
    #[must_use]
    pub fn keeping_rests_in(self, store: Arc<dyn Store>) -> Self {
        Self { store: Some(store), ..self }
    }

    /// Lays these settings over the file.
    #[must_use]
    pub fn with_settings(self, settings: Arc<Settings>) -> Self {
        Self { settings: Some(settings), ..self }
    }

    /// What all requests share.
    pub(super) fn ground(&self) -> &Ground {
        &self.ground
    }

    /// Settings made through the admin API.
    pub(super) fn settings(&self) -> Option<&Arc<Settings>> {
        self.settings.as_ref()
    }

    /// True when a file of provider keys is no longer what it was. Nothing is read but its size and time.
    pub fn keys_changed(&self) -> bool {
        self.keys_read.lock().iter().any(|(path, stamp)| stamp_of(path) != *stamp)
    }

    /// The file that is watched.
    pub fn origin(&self) -> &Origin {
        &self.base.origin
    }

    /// Reads, checks, compiles and swaps. Blocking: compiling an adapter takes a tenth of a second.
    pub fn run(&self) {
        let mut current = self.current.lock();
        if self.base.origin.path.is_none() {
            tracing::info!("there is no configuration file to read again");
            return;
        }
        *self.keys_read.lock() = seen(&current);
        let stored = self.settings.as_ref().map(|settings| settings.stored());
        let loaded = match self.base.load(stored.as_ref()) {
            Ok(loaded) => loaded,
            Err(error) => return self.failed(&error.to_string()),
        };
        let next = loaded.config;
        // Before they are read: what changes while we read is read again.
        let keys = seen(&next);
        let same_keys = *self.keys_in_force.lock() == keys;
        self.keys_read.lock().clone_from(&keys);
        if next == *current && same_keys && !has_files(&next) {
            return self.succeeded(Vec::new());
        }
        match self.base.build(&next, self.next_generation()) {
            Err(problems) => self.failed(&problems.join("; ")),
            Ok(snapshot) => {
                *self.shadowed.lock() = loaded.shadowed;
                self.put_in_force(&mut current, next, snapshot, keys);
            }
        }
    }

    fn next_generation(&self) -> u64 {
        self.ground.snapshot.load().generation + 1
    }

    fn put_in_force(&self, current: &mut Config, next: Config, snapshot: Snapshot, keys: Vec<Seen>) {
        let generation = snapshot.generation;
        if let Some(store) = &self.store {
            snapshot.keep_rests_in(store);
        }
        snapshot.follow(&self.ground.snapshot.load());
        self.ground.people.adopt(state::in_file(&next, self.base.extra.iter().map(|(_, key)| key)));
        self.ground.gates.adopt(snapshot.caps());
        self.ground.snapshot.store(Arc::new(snapshot));
        let changes = changes(current, &next);
        for change in &changes {
            tracing::info!("{change}");
        }
        tracing::info!(generation, "the configuration is in force");
        *current = next;
        *self.keys_in_force.lock() = keys;
        self.succeeded(changes);
    }

    fn failed(&self, why: &str) {
        tracing::error!(why, "the configuration cannot be used; the one before stays in force");
        self.ground.observer.metrics().reload_success.set(0);
        self.remember(Some(why.to_owned()), Vec::new());
    }

    fn remember(&self, problem: Option<String>, changes: Vec<String>) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let reloaded = Reloaded { at: rfc3339(now), good: problem.is_none(), problem, changes };
        let mut history = self.history.lock();
        if history.len() == REMEMBERED {
            history.pop_front();
        }
        history.push_back(reloaded);
    }

    fn succeeded(&self, changes: Vec<String>) {
        self.remember(None, changes);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        self.ground.observer.metrics().reload_success.set(1);
        self.ground.observer.metrics().reload_timestamp.set(i64::try_from(now).unwrap_or(0));
    }
}

impl Renewal for Reload {
    fn renew(
        &self,
        stored: &Stored,
        keep: &mut dyn FnMut(&Snapshot) -> Result<(), SettingError>,
    ) -> Result<(), SettingError> {
        let mut current = self.current.lock();
        let loaded = self.base.load(Some(stored))?;
        let keys = seen(&loaded.config);
        let snapshot = self
            .base
            .build(&loaded.config, self.next_generation())
            .map_err(|problems| SettingError::Invalid(problems.into_iter().map(Fault::new).collect()))?;
        keep(&snapshot)?;
        self.keys_read.lock().clone_from(&keys);
        *self.shadowed.lock() = loaded.shadowed;
        self.put_in_force(&mut current, loaded.config, snapshot, keys);
        Ok(())
    }

    fn in_force(&self) -> InForce {
        let path = self.base.origin.path.as_ref();
        InForce {
            config: self.current.lock().clone(),
            file: path.map_or_else(|| "the environment".to_owned(), |path| path.display().to_string()),
            shadowed: self.shadowed.lock().clone(),
        }
    }
}

impl Control for Reload {
    fn config(&self) -> Config {
        self.current.lock().clone()
    }

    fn reload(&self) -> Reloaded {
        if self.base.origin.path.is_none() {
            let problem = Some("there is no configuration file to read again".to_owned());
            self.remember(problem, Vec::new());
        } else {
            self.run();
        }
        let last = self.history.lock().back().cloned();
        last.unwrap_or_else(|| Reloaded { at: String::new(), good: true, problem: None, changes: Vec::new() })
    }

    fn history(&self) -> Vec<Reloaded> {
        self.history.lock().iter().cloned().collect()
    }
}

fn seen(config: &Config) -> Vec<Seen> {
    let files = config.providers.values().filter_map(|provider| provider.keys_file.clone());
    files.map(|path| (path.clone(), stamp_of(&path))).collect()
}

fn stamp_of(path: &Path) -> Option<(SystemTime, u64)> {
    let about = std::fs::metadata(path).ok()?;
    Some((about.modified().ok()?, about.len()))
}

/// A plugin or a certificate may have changed although the configuration has not.
fn has_files(config: &Config) -> bool {
    let certificates = config.providers.values().any(|provider| provider.tls.is_some());
    certificates || !config.plugins.is_empty() || config.server.plugins_dir.is_some()
}

/// One line for each changed name. Values are not told: they may be secrets.
fn changes(before: &Config, after: &Config) -> Vec<String> {
    let mut lines = Vec::new();
    compare("providers", &before.providers, &after.providers, &mut lines);
    compare("models", &before.models, &after.models, &mut lines);
    compare("keys", &before.keys, &after.keys, &mut lines);
    compare("teams", &before.teams, &after.teams, &mut lines);
    compare("plugins", &before.plugins, &after.plugins, &mut lines);
    let server =
        |config: &Config| (config.server.timeouts, config.server.max_body, config.server.proxy.clone());
    if server(before) != server(after) {
        lines.push("server: changed".to_owned());
    }
    if before.limits != after.limits {
        lines.push("limits: changed".to_owned());
    }
    if before.routing != after.routing {
        lines.push("routing: changed".to_owned());
    }
    let restart = before.server.listen != after.server.listen
        || before.server.threads != after.server.threads
        || before.server.tls != after.server.tls
        || before.server.drain != after.server.drain
        || before.admin != after.admin
        || before.store != after.store
        || before.log != after.log;
    if restart {
        lines.push(
            "server.listen, threads, tls, drain, [admin], [store] and [log] take effect after a restart"
                .to_owned(),
        );
    }
    lines
}

fn compare<T: PartialEq>(
    section: &str,
    before: &BTreeMap<String, T>,
    after: &BTreeMap<String, T>,
    lines: &mut Vec<String>,
) {
    for (name, value) in after {
        match before.get(name) {
            None => lines.push(format!("{section}.{name}: new")),
            Some(old) if old != value => lines.push(format!("{section}.{name}: changed")),
            Some(_) => {}
        }
    }
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        lines.push(format!("{section}.{name}: gone"));
    }
}
