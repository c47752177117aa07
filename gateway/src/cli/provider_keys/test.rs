//! Asks the provider about every key: the cheapest question, so many at a time.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;

use super::{Known, Outcome, file};
use crate::adapter::{Registry, Runtime};
use crate::app::{self, Origin};
use crate::state::{self, Asked, Provider};
use crate::upstream::{ChosenKey, Client};

/// Longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Of one key.
struct Verdict {
    id: String,
    asked: Asked,
}

pub(super) fn run(known: &Known, origin: &Origin, parallel: usize, remove: bool) -> Result<Outcome, String> {
    let mut config = origin.load().map_err(|error| error.to_string())?.config;
    config.providers.retain(|name, _| *name == known.name);
    config.models.clear();
    config.keys.clear();
    let runtime = Runtime::start(app::compiled_at_home().as_deref()).map_err(|error| error.message)?;
    let snapshot = state::build(&config, &Registry::new(runtime), 1, Vec::new());
    let snapshot = snapshot.map_err(|problems| problems.join("; "))?;
    let provider = snapshot.providers.get(known.name.as_str()).ok_or("there is no such provider")?;
    let workers = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let verdicts = workers.map_err(|error| error.to_string())?.block_on(all(provider, parallel));
    let bad: Vec<String> = verdicts
        .iter()
        .filter(|verdict| matches!(verdict.asked, Asked::Bad(_)))
        .map(|bad| bad.id.clone())
        .collect();
    let mut text = if known.json { as_json(known, &verdicts) } else { as_lines(&verdicts) };
    if remove && !bad.is_empty() {
        let removed = file::remove(
            &Known { json: false, config: known.config.clone(), name: known.name.clone() },
            &bad,
        )?;
        if !known.json {
            text.push_str(&removed.text);
        }
    }
    Ok(Outcome { text, good: bad.is_empty() })
}

/// In the order of the configuration.
async fn all(provider: &Arc<Provider>, parallel: usize) -> Vec<Verdict> {
    let client = Client::default();
    let keys: Vec<ChosenKey> = provider.upstream.keys.each().collect();
    let progress = std::io::stderr().is_terminal();
    let mut running = JoinSet::new();
    let mut waiting = keys.iter().copied().enumerate();
    let mut verdicts: Vec<Option<Verdict>> = keys.iter().map(|_| None).collect();
    let mut done = 0;
    loop {
        while running.len() < parallel
            && let Some((at, key)) = waiting.next()
        {
            let (provider, client) = (Arc::clone(provider), client.clone());
            running.spawn(async move {
                let asked = tokio::time::timeout(PATIENCE, provider.ask_of_key(&client, key)).await;
                let late = || Asked::Unclear("the provider took too long".to_owned());
                (at, Verdict { id: key.id(), asked: asked.unwrap_or_else(|_| late()) })
            });
        }
        let Some(ended) = running.join_next().await else { break };
        if let Ok((at, verdict)) = ended
            && let Some(place) = verdicts.get_mut(at)
        {
            *place = Some(verdict);
        }
        done += 1;
        if progress {
            let _ = write!(std::io::stderr(), "\r{done} of {} keys", keys.len());
        }
    }
    if progress {
        let _ = write!(std::io::stderr(), "\r\x1b[K");
    }
    verdicts.into_iter().flatten().collect()
}

/// The word for a verdict, and what there is to say of it.
fn words(asked: &Asked) -> (&'static str, String) {
    match asked {
        Asked::Good => ("ok", String::new()),
        Asked::Bad(failure) => {
            let status = failure.status.map(|status| status.to_string()).unwrap_or_default();
            ("FAIL", format!("the provider answered {status}"))
        }
        Asked::Unclear(why) => ("unclear", why.clone()),
        Asked::NoQuestion => ("unclear", "this provider has no list of models to ask for".to_owned()),
    }
}

fn as_lines(verdicts: &[Verdict]) -> String {
    let mut text = String::new();
    for Verdict { id, asked } in verdicts {
        let (word, why) = words(asked);
        text.push_str(format!("{id}  {word}  {why}").trim_end());
        text.push('\n');
    }
    let count = |wanted| verdicts.iter().filter(|verdict| words(&verdict.asked).0 == wanted).count();
    text.push_str(&format!("{} ok, {} failed, {} unclear\n", count("ok"), count("FAIL"), count("unclear")));
    text
}

fn as_json(known: &Known, verdicts: &[Verdict]) -> String {
    let keys: Vec<_> = verdicts
        .iter()
        .map(|Verdict { id, asked }| {
            let (word, why) = words(asked);
            json!({ "id": id, "verdict": word.to_lowercase(), "why": why })
        })
        .collect();
    format!("{}\n", json!({ "provider": known.name, "keys": keys }))
}
