//! A provider's keys: out of the configuration and its file of keys, and over a reload.

use std::sync::Arc;

use super::Snapshot;
use crate::config::{self, KeyChoice, keys_file};
use crate::error::{GatewayError, Kind};
use crate::store::Store;
use crate::upstream::BaseUrl;
use crate::upstream::keys::{Choice, Given, Ledger, Limits, Pool, Resting, Rules, Settings};

/// The pool of a provider.
pub(super) fn pool(name: &str, url: &str, provider: &config::Provider) -> Result<Pool, GatewayError> {
    let mut given: Vec<Given> =
        provider.keys.iter().map(|secret| Given { secret: secret.clone(), note: None }).collect();
    if let Some(path) = &provider.keys_file {
        let mut wrong = None;
        let read = keys_file::each_line(path, |number, line| match line {
            Ok(Some(line)) => given.push(Given { secret: line.secret, note: line.note }),
            Ok(None) => {}
            Err(why) => drop(wrong.get_or_insert(format!("line {number} {why}"))),
        });
        let wrong = read.err().map(|error| error.to_string()).or(wrong);
        if let Some(why) = wrong {
            let message = format!("keys_file {}: {why}", path.display());
            return Err(GatewayError::gateway(Kind::Internal, message));
        }
    }
    let origin = BaseUrl::parse(url)?.origin();
    for key in &provider.kept.keys {
        if key.origin.as_ref().is_none_or(|bound| *bound == origin) {
            let note = key.note.as_deref().map(Box::from);
            given.push(Given { secret: key.secret.clone(), note });
        } else {
            let meant = key.origin.as_deref();
            tracing::warn!(
                provider = name,
                key = key.id,
                meant,
                origin,
                "a provider key was typed in for another address and is not sent"
            );
        }
    }
    Pool::new((name, url), given, settings(provider))
}

fn settings(provider: &config::Provider) -> Settings {
    let rest = &provider.key_rest;
    let limits = &provider.key_limits;
    let models = limits.models.iter().map(|(name, limits)| {
        (name.clone(), Limits { requests: limits.requests.clone(), tokens: limits.tokens.clone() })
    });
    Settings {
        choice: match provider.key_choice {
            KeyChoice::RoundRobin => Choice::RoundRobin,
            KeyChoice::Random => Choice::Random,
            KeyChoice::Fixed => Choice::Fixed,
            KeyChoice::Smart => Choice::Smart,
        },
        resting: Resting {
            after: rest.after,
            forbidden_after: rest.forbidden_after,
            first: rest.first.into(),
            longest: rest.longest.into(),
            quota: rest.quota.into(),
            rate: rest.rate.into(),
        },
        rules: Rules {
            default: Limits { requests: limits.requests.clone(), tokens: limits.tokens.clone() },
            models: models.collect(),
        },
    }
}

impl Snapshot {
    /// From now on the rests of provider keys are kept in this store.
    pub fn keep_rests_in(&self, store: &Arc<dyn Store>) {
        for (name, provider) in &self.providers {
            provider.upstream.keys.keep_in(Ledger::new(Arc::clone(store), name));
        }
    }

    /// Takes over what the configuration before has learnt of provider keys.
    pub fn follow(&self, before: &Self) {
        for (name, provider) in &self.providers {
            if let Some(before) = before.providers.get(name) {
                provider.upstream.keys.follow(&before.upstream.keys);
            }
        }
    }
}
