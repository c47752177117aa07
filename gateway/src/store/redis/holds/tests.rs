//! Counting for many nodes: the suite, and what only several of them show.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::super::super::holds::lease::Losable;
use super::super::super::holds::suite::{self, Bench, money, part};
use super::super::super::holds::{Hold, Holds, Rule, Settle, Unit, Verdict};
use super::super::super::{Redis, StoreError};
use super::super::tests::{Server, patient};
use super::Shared;
use crate::domain::Cost;

fn node(server: &Server) -> Shared {
    Redis::open(patient(&server.url())).unwrap().holds()
}

fn hold(id: &str, within: u64, parts: Vec<super::Part>) -> Hold {
    Hold { id: id.to_owned(), within: Duration::from_millis(within), parts }
}

#[tokio::test]
async fn it_shows_the_behaviour_of_all() {
    let Some(server) = Server::start("holds_suite") else { return };
    let holds = node(&server);
    let pass = |time: Duration| Box::pin(tokio::time::sleep(time)) as suite::Passing;
    suite::all(&Bench { holds: &holds, pass: &pass, name: "shared" }).await;
}

#[tokio::test]
async fn three_nodes_admit_as_many_as_the_budget_has() {
    let Some(server) = Server::start("holds_three") else { return };
    let nodes: Vec<Arc<Shared>> = (0..3).map(|_| Arc::new(node(&server))).collect();
    let admitted = Arc::new(AtomicU64::new(0));
    let mut running = tokio::task::JoinSet::new();
    for number in 0..1000_usize {
        let (node, admitted) = (Arc::clone(&nodes[number % 3]), Arc::clone(&admitted));
        running.spawn(async move {
            let id = number.to_string();
            let verdict = node.hold(hold(&id, 60_000, vec![money("budget", 1_000, 10)])).await.unwrap();
            if matches!(verdict, Verdict::Held(_)) {
                admitted.fetch_add(1, Ordering::Relaxed);
                let cost = Some(Cost(9_999_999));
                assert!(node.settle(Settle { id, tokens: None, cost }).await.unwrap().known);
            }
        });
    }
    while let Some(done) = running.join_next().await {
        done.unwrap();
    }
    // Each spends almost what it held, so that one more finds room at the very end.
    let admitted = admitted.load(Ordering::Relaxed);
    assert!((100..=101).contains(&admitted), "{admitted}");
    let stands = nodes[0].look(vec![money("budget", 1_000, 0)]).await.unwrap().remove(0);
    assert!(stands.used <= 1_000 && stands.held == 0, "{stands:?}");
}

#[tokio::test]
async fn what_is_settled_before_it_is_held_is_not_held_any_more() {
    let Some(server) = Server::start("holds_late") else { return };
    let holds = node(&server);
    let nothing = Settle { id: "late".to_owned(), tokens: Some(0), cost: Some(Cost(0)) };
    assert!(!holds.settle(nothing).await.unwrap().known);
    let late = holds.hold(hold("late", 60_000, vec![money("late", 100, 10)])).await;
    assert!(matches!(late, Err(StoreError::Failed(_))), "{late:?}");
    assert_eq!(holds.look(vec![money("late", 100, 0)]).await.unwrap()[0].used, 0);
}

#[tokio::test]
async fn what_a_killed_node_held_counts_as_spent_when_its_time_is_up() {
    let Some(server) = Server::start("holds_killed_node") else { return };
    {
        let killed = node(&server);
        for number in 0..35 {
            let parts = vec![money("killed", 1_000, 10)];
            killed.hold(hold(&number.to_string(), 100, parts)).await.unwrap();
        }
    }
    let other = node(&server);
    let stands = || async { other.look(vec![money("killed", 1_000, 0)]).await.unwrap().remove(0) };
    tokio::time::sleep(Duration::from_millis(150)).await;
    // Ten at a time, so that no call pays for all.
    let mut held = 350;
    while held > 0 {
        let stands = stands().await;
        assert!(stands.used == 350 && stands.held < held && stands.held >= held - 100, "{stands:?}");
        held = stands.held;
    }
}

#[tokio::test]
async fn counters_without_use_are_forgotten() {
    let Some(server) = Server::start("holds_forgotten") else { return };
    let holds = node(&server);
    let rate = part("f/requests", Unit::Requests, Rule::Rate { count: 5, per: Duration::from_secs(1) }, 1);
    let life = Some(Duration::from_secs(5));
    let spent = part("f/money", Unit::Money, Rule::Money { limit: 50, rolling: None, life }, 1);
    let running = part("f/running", Unit::Concurrent, Rule::Concurrent { most: 3 }, 1);
    let parts = vec![rate, spent, running, money("f/ever", 50, 1)];
    holds.hold(hold("f", 1_000, parts)).await.unwrap();
    holds.settle(Settle { id: "f".to_owned(), tokens: None, cost: None }).await.unwrap();
    let life = |place: &str| {
        server.ask(&["PTTL", &format!("{{causeway}}:h:{place}")]).trim()[1..].parse::<i64>().unwrap()
    };
    assert!((1..=3_700_000).contains(&life("f/requests")), "{}", life("f/requests"));
    assert!((1..=3_700_000).contains(&life("f/money")), "{}", life("f/money"));
    // Nothing runs, and what has no end has none.
    assert_eq!((life("f/running"), life("f/ever")), (-2, -1));
    assert_eq!(server.ask(&["ZCARD", "{causeway}:ends"]).trim(), ":0");
}

#[tokio::test]
async fn a_full_server_settles_and_admits_nothing() {
    let Some(server) = Server::start("holds_full") else { return };
    let holds = node(&server);
    holds.hold(hold("open", 60_000, vec![money("full", 100, 10)])).await.unwrap();
    server.ask(&["CONFIG", "SET", "maxmemory", "1"]);
    let refused = holds.hold(hold("more", 60_000, vec![money("full", 100, 10)])).await;
    assert!(matches!(&refused, Err(StoreError::Lost(why)) if why.contains("OOM")), "{refused:?}");
    let settled = holds.settle(Settle { id: "open".to_owned(), tokens: None, cost: None }).await.unwrap();
    assert_eq!((settled.known, settled.money[0].after), (true, 10));
}

#[tokio::test]
async fn an_emptied_store_admits_nothing_until_everybody_could_speak() {
    let Some(server) = Server::start("holds_emptied") else { return };
    let holds = node(&server);
    let one = |id: &str| hold(id, 60_000, vec![money("emptied", 100, 60)]);
    holds.hold(one("before")).await.unwrap();
    holds.settle(Settle { id: "before".to_owned(), tokens: None, cost: None }).await.unwrap();
    server.ask(&["FLUSHALL"]);
    let mut said = Vec::new();
    let verdict = loop {
        match holds.hold(one("after")).await {
            Ok(verdict) => break verdict,
            Err(error) => {
                assert!(matches!(error, StoreError::Lost(_)), "{error}");
                said.push(error.to_string());
                // What this node has seen is said in between.
                let raised = holds.raise(money("emptied", 100, 0), Cost(60_000_000)).await;
                assert!(raised.is_ok() || matches!(raised, Err(StoreError::Lost(_))), "{raised:?}");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    };
    assert!(said.iter().any(|error| error.contains("EMPTIED")), "{said:?}");
    assert!(said.iter().any(|error| error.contains("SETTLING")), "{said:?}");
    assert!(matches!(verdict, Verdict::Refused { .. }), "{verdict:?}");
    assert_eq!(holds.emptied(), 1);
}
