//! Permits over counters in this process: never more than there is, settled once, and by themselves when they are dropped.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::domain::{Allowance, Charge, Cost, Micros, Period, Scope};
use crate::store::holds::Local;

/// Noon of a day in 2026, Unix time in milliseconds.
const NOW: u64 = 1_795_262_400_000;

fn limits() -> Limits {
    let observer = Arc::new(Observer::new().unwrap());
    Limits::new(Arc::new(Local::new(Arc::new(|| NOW))), observer)
}

fn budget(micros: i64) -> Bounds {
    let allowance = Allowance {
        name: "budget".into(),
        limit: Micros(micros),
        period: Period::Total,
        warn_at: Vec::new(),
        downgrade: None,
        raises: Vec::new(),
    };
    Bounds { money: vec![allowance], ..Bounds::none(Scope::Key("web".into())) }
}

/// A request whose prompt costs 40 micro-dollars and each token of its answer one.
fn need(bounds: &Bounds, output: u64, least: u64) -> Need<'_> {
    let reserve = Reserve { fixed: 40_000_000, each: 1_000_000, output, least };
    Need {
        bounds: vec![bounds],
        tokens: 10,
        money: Money::AtMost(reserve),
        within: Duration::from_secs(60),
        instead: None,
    }
}

/// Spent and held of the budget, in micro-dollars.
async fn standing(limits: &Limits, bounds: &Bounds) -> (i64, i64) {
    let shown = limits.look(&[bounds]).await.unwrap();
    (shown[0].standing.used - shown[0].standing.held, shown[0].standing.held)
}

#[tokio::test]
async fn what_is_held_is_settled_with_what_it_came_to() {
    let (limits, bounds) = (limits(), budget(1_000));
    let permit = limits.admit(&need(&bounds, 60, 1)).await.unwrap();
    assert_eq!(standing(&limits, &bounds).await, (0, 100));
    assert_eq!(permit.output(), Some(60));
    permit.settle(Charge { tokens: Some(7), cost: Some(Cost(47_500_000)) }).await;
    assert_eq!(standing(&limits, &bounds).await, (47, 0), "half a micro-dollar is carried");
    let permit = limits.admit(&need(&bounds, 60, 1)).await.unwrap();
    permit.settle(Charge { tokens: Some(7), cost: Some(Cost(500_000)) }).await;
    assert_eq!(standing(&limits, &bounds).await, (48, 0), "and counts when it has become a whole one");
}

#[tokio::test]
async fn a_permit_that_is_dropped_counts_as_held_once_somebody_settles_it() {
    let (limits, bounds) = (limits(), budget(1_000));
    drop(limits.admit(&need(&bounds, 60, 1)).await.unwrap());
    assert_eq!(standing(&limits, &bounds).await, (0, 100), "nobody has settled it yet");
    let settling = limits.settle_dropped();
    let settled = async {
        while standing(&limits, &bounds).await != (100, 0) {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = settling => unreachable!("it goes on for ever"),
        () = settled => {}
    }
}

#[tokio::test]
async fn what_is_left_pays_for_a_shorter_answer_or_for_none() {
    let (limits, bounds) = (limits(), budget(100));
    let short = limits.admit(&need(&bounds, 5_000, 20)).await.unwrap();
    assert_eq!((short.output(), standing(&limits, &bounds).await), (Some(60), (0, 100)));
    short.settle(Charge { tokens: None, cost: Some(Cost(50_000_000)) }).await;
    assert!(limits.admit(&need(&bounds, 5_000, 20)).await.is_err(), "ten tokens are not worth asking for");
    assert_eq!(standing(&limits, &bounds).await, (50, 0), "what is refused holds nothing");
    assert_eq!(limits.admit(&need(&bounds, 5_000, 10)).await.unwrap().output(), Some(10));
}

#[tokio::test]
async fn a_price_nobody_knows_is_refused_under_a_budget_and_no_matter_without() {
    let limits = limits();
    let unknown = |bounds| Need { money: Money::Unknown("lab/qwen".to_owned()), ..need(bounds, 10, 1) };
    let with = budget(1_000);
    assert!(limits.admit(&unknown(&with)).await.is_err());
    let without = Bounds { concurrent: Some(1), ..Bounds::none(Scope::Key("web".into())) };
    assert!(limits.admit(&unknown(&without)).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_at_once_never_get_more_than_there_is() {
    let (limits, bounds) = (limits(), Arc::new(budget(100 * 100)));
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..1_000 {
        let (limits, bounds) = (limits.clone(), Arc::clone(&bounds));
        // An answer of sixty tokens or none.
        asking.spawn(async move { limits.admit(&need(&bounds, 60, 60)).await.ok() });
    }
    let permits: Vec<Permit> = asking.join_all().await.into_iter().flatten().collect();
    assert_eq!((permits.len(), standing(&limits, &bounds).await), (100, (0, 10_000)));
    for permit in permits {
        permit.settle(Charge { tokens: Some(1), cost: Some(Cost(90_000_000)) }).await;
    }
    assert_eq!(standing(&limits, &bounds).await, (9_000, 0));
}
