//! Provider keys on the admin side: counts, ids and rests; never a key.

use std::sync::Arc;

use serde_json::json;

use crate::observe::Observer;
use crate::state::{Provider, Snapshot};
use crate::upstream::keys::{self, Wanted};

/// Status, type, body.
type Answer = (u16, &'static str, String);

const JSON: &str = "application/json";
/// Keys in one answer: unless asked otherwise, and at most.
const USUAL: usize = 100;
const MOST: usize = 10_000;

/// `provider`: the keys of this one, too; `state=resting`, `skip`, `limit`: which of them.
pub(super) fn list(snapshot: &Snapshot, query: &str) -> Answer {
    let now = keys::now();
    let Some(name) = parameter(query, "provider") else {
        let mut counts: Vec<_> = snapshot.providers.iter().collect();
        counts.sort_by_key(|(name, _)| Arc::clone(name));
        let counts = counts
            .into_iter()
            .map(|(name, provider)| (name.to_string(), json!(provider.upstream.keys.counts(now))));
        let counts: serde_json::Map<_, _> = counts.collect();
        return (200, JSON, format!("{}\n", json!({ "now": now, "providers": counts })));
    };
    let Some(provider) = find(snapshot, &name) else { return unknown(&name) };
    let number = |name| parameter(query, name).and_then(|value| value.parse().ok());
    let wanted = Wanted {
        resting: parameter(query, "state").as_deref() == Some("resting"),
        skip: number("skip").unwrap_or(0),
        limit: number("limit").unwrap_or(USUAL).min(MOST),
    };
    let pool = &provider.upstream.keys;
    let listed = pool.list(wanted, now);
    let answer = json!({
        "now": now,
        "provider": name,
        "counts": pool.counts(now),
        "keys": listed.keys,
        "next": listed.next,
    });
    (200, JSON, format!("{answer}\n"))
}

/// Lifts the rests of `provider`'s keys, or of the one with the id `key`.
pub(super) fn restore(snapshot: &Snapshot, query: &str) -> Answer {
    let Some(name) = parameter(query, "provider") else {
        return (400, JSON, format!("{}\n", json!({ "error": "`?provider=` is missing" })));
    };
    let Some(provider) = find(snapshot, &name) else { return unknown(&name) };
    let id = parameter(query, "key");
    match provider.upstream.keys.restore(id.as_deref()) {
        Some(restored) => {
            tracing::info!(provider = name, key = id, restored, "rests of provider keys were lifted by hand");
            (200, JSON, format!("{}\n", json!({ "restored": restored })))
        }
        None => (404, JSON, format!("{}\n", json!({ "error": "the provider has no key of this id" }))),
    }
}

/// Sets the gauges.
pub(super) fn count(snapshot: &Snapshot, observer: &Observer) {
    let metrics = observer.metrics();
    metrics.provider_keys_usable.reset();
    metrics.provider_keys_resting.reset();
    let set = |gauges: &prometheus::IntGaugeVec, name: &str, count: usize| {
        gauges.with_label_values(&[name]).set(i64::try_from(count).unwrap_or(i64::MAX));
    };
    for (name, provider) in &snapshot.providers {
        let counts = provider.upstream.keys.counts(keys::now());
        set(&metrics.provider_keys_usable, name, counts.usable);
        set(&metrics.provider_keys_resting, name, counts.resting);
    }
}

fn find<'s>(snapshot: &'s Snapshot, name: &str) -> Option<&'s Arc<Provider>> {
    snapshot.providers.get(name)
}

fn unknown(name: &str) -> Answer {
    (404, JSON, format!("{}\n", json!({ "error": format!("there is no provider `{name}`") })))
}

/// A parameter of a query, with `%20` and the like read.
fn parameter(query: &str, name: &str) -> Option<String> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let value = pairs.into_iter().find(|(own, _)| *own == name)?.1;
    let mut bytes = Vec::new();
    let mut rest = value.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match (first, digits.and_then(|digits| u8::from_str_radix(digits, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = behind.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8(bytes).ok().filter(|value| !value.is_empty())
}
