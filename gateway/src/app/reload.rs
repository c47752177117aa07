//! Reads the configuration again: parse, validate, compile, swap. A broken one changes nothing and says why.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;

use super::Origin;
use crate::adapter::Registry;
use crate::config::Config;
use crate::domain::{Secret, VirtualKey};
use crate::proxy::Ground;
use crate::state;

/// What is needed to do it again.
pub struct Reload {
    origin: Origin,
    registry: Arc<Registry>,
    ground: Ground,
    extra: Vec<(Secret, VirtualKey)>,
    /// The configuration in force; also the lock that keeps two reloads apart.
    current: Mutex<Config>,
}

impl Reload {
    /// Remembers how the first configuration was made.
    pub fn new(
        origin: Origin,
        current: Config,
        registry: Arc<Registry>,
        ground: Ground,
        extra: Vec<(Secret, VirtualKey)>,
    ) -> Self {
        let reload = Self { origin, registry, ground, extra, current: Mutex::new(current) };
        reload.succeeded();
        reload
    }

    /// The file that is watched.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Reads, checks, compiles and swaps. Blocking: compiling an adapter takes a tenth of a second.
    pub fn run(&self) {
        let mut current = self.current.lock();
        if self.origin.path.is_none() {
            tracing::info!("there is no configuration file to read again");
            return;
        }
        let loaded = match self.origin.load() {
            Ok(loaded) => loaded,
            Err(error) => return self.failed(&error.to_string()),
        };
        let next = loaded.config;
        if next == *current && !has_files(&next) {
            return self.succeeded();
        }
        let generation = self.ground.snapshot.load().generation + 1;
        match state::build(&next, &self.registry, generation, self.extra.clone()) {
            Err(problems) => self.failed(&problems.join("; ")),
            Ok(snapshot) => {
                self.ground.snapshot.store(Arc::new(snapshot));
                for change in changes(&current, &next) {
                    tracing::info!("{change}");
                }
                tracing::info!(generation, "the configuration is in force");
                *current = next;
                self.succeeded();
            }
        }
    }

    fn failed(&self, why: &str) {
        tracing::error!(why, "the configuration cannot be used; the one before stays in force");
        self.ground.observer.metrics().reload_success.set(0);
    }

    fn succeeded(&self) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        self.ground.observer.metrics().reload_success.set(1);
        self.ground.observer.metrics().reload_timestamp.set(i64::try_from(now).unwrap_or(0));
    }
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
