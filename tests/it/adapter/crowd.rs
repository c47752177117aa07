//! After all harm is done the gateway is as it was: thousands of requests pass, and memory stays where it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{PLUGINS, plugins};
use crate::support::client::Client;
use crate::support::gateway::good;
use crate::support::{Gateway, KEY, Shape, provider, upstream};

const MODES: [(&str, &str); 8] = [
    ("request", "memory"),
    ("request", "trap"),
    ("request", "leak"),
    ("request", "losses"),
    ("response", "realloc"),
    ("response", "nonsense"),
    ("push", "recursion"),
    ("push", "handles"),
];

fn configuration(upstream: &str) -> String {
    let mut text = format!(
        "[keys.tests]\nsecret = \"{KEY}\"\n{}{}[models.good]\ntargets = [\"openai/mock\"]\n",
        plugins(),
        provider("openai", Shape::OpenAi, upstream)
    );
    for plugin in PLUGINS {
        for (place, mode) in
            MODES.iter().chain(&[("request", "loop"), ("request", "honest"), ("request", "remember")])
        {
            text.push_str(&format!(
                "[providers.{plugin}-{place}-{mode}]\nplugin = \"{plugin}\"\nurl = \"{upstream}\"\nkeys = [\"k\"]\n\
                 options = {{ mode = \"{mode}\", in = \"{place}\" }}\n\
                 [models.{plugin}-{mode}]\ntargets = [\"{plugin}-{place}-{mode}/mock\"]\nfallback = [\"openai/mock\"]\n"
            ));
        }
    }
    text
}

/// Asks for `count` answers, eight at a time; the number of the request chooses model, dialect and form.
async fn crowd(client: &Client, count: usize, model: impl Fn(usize) -> String + Send + Sync + 'static) {
    let next = Arc::new(AtomicUsize::new(0));
    let model = Arc::new(model);
    let workers = (0..8).map(|_| {
        let (client, next, model) = (client.clone(), Arc::clone(&next), Arc::clone(&model));
        tokio::spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return;
                }
                ask(&client, &model(number), number).await;
            }
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.unwrap();
    }
}

async fn ask(client: &Client, model: &str, number: usize) {
    let dialect = Shape::ALL[number % 3];
    let text = format!("number {number}");
    let said = if number.is_multiple_of(2) {
        let reply = client.ask(dialect, model, &dialect.says(&text)).await;
        dialect.whole(&good(&reply))
    } else {
        let reply = client.stream(dialect, model, &dialect.says(&text)).await.rest().await;
        assert!(reply.status == 200 && reply.complete, "{model}: {}", reply.text());
        dialect.streamed(&reply.events())
    };
    assert!(said.text.contains(&format!("\"{text}\"")), "{model}: {said:?}");
}

/// Resident memory of a process in MiB.
fn resident(process: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() / 1024
}

#[tokio::test]
async fn a_thousand_good_requests_after_every_harm_and_a_thousand_mixed_ones() {
    let mock = upstream::mock();
    let gateway = Gateway::start(&configuration(&upstream::url(&mock))).await;
    let client = gateway.client();
    let hostile = |number: usize| format!("{}-{}", PLUGINS[number % 2], MODES[number / 2 % MODES.len()].1);
    // A loop costs 50 ms of a worker each, so there are few of them.
    crowd(&client, 20, |number| format!("{}-loop", PLUGINS[number % 2])).await;
    crowd(&client, 300, hostile).await;
    let before = resident(gateway.process());
    crowd(&client, 1_000, |_| "good".to_owned()).await;
    crowd(
        &client,
        1_000,
        move |number| if number % 2 == 0 { hostile(number / 2) } else { "good".to_owned() },
    )
    .await;
    crowd(&client, 500, |number| format!("{}-honest", PLUGINS[number % 2])).await;
    let after = resident(gateway.process());
    assert!(after < before + 32, "memory grew from {before} to {after} MiB");
    assert!(after < 400, "{after} MiB");
}

/// An adapter that is not pinned starts anew for each exchange, so it cannot carry anything from one to the next.
#[tokio::test]
async fn a_stranger_remembers_nothing() {
    let mock = upstream::mock();
    let gateway = Gateway::start(&configuration(&upstream::url(&mock))).await;
    let client = gateway.client();
    let calls = async |model: &str| {
        let reply = client.ask(Shape::OpenAi, model, &Shape::OpenAi.says("hello")).await;
        good(&reply)["system_fingerprint"].as_str().unwrap_or_default().to_owned()
    };
    for _ in 0..200 {
        assert_eq!(calls("stranger-remember").await, "exchange 1 of this instance");
    }
    // The pinned one is kept warm, and so it does.
    let mut last = String::new();
    for _ in 0..5 {
        last = calls("pinned-remember").await;
    }
    assert_eq!(last, "exchange 5 of this instance");
}
