//! The suite, and what only counting in this process promises: little memory, and no sequence that gives anything back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::super::suite::{self, Bench, money, part};
use super::super::{Hold, Holds, Part, Rule, Settle, Unit, Verdict};
use super::Local;
use crate::domain::Cost;

/// Counters, and a clock that the test turns.
fn turned() -> (Arc<Local>, Arc<AtomicU64>) {
    let now = Arc::new(AtomicU64::new(1_700_000_000_000));
    let read = Arc::clone(&now);
    (Arc::new(Local::new(Arc::new(move || read.load(Ordering::Relaxed)))), now)
}

#[tokio::test]
async fn it_shows_the_behaviour_of_all() {
    let (local, now) = turned();
    let pass = move |time: Duration| {
        now.fetch_add(u64::try_from(time.as_millis()).unwrap(), Ordering::Relaxed);
        Box::pin(std::future::ready(())) as suite::Passing
    };
    suite::all(&Bench { holds: local.as_ref(), pass: &pass, name: "local" }).await;
}

#[tokio::test]
async fn idle_counters_are_forgotten() {
    let (local, now) = turned();
    for number in 0..10_000_u64 {
        let place = format!("key/{number}/requests/1");
        let rate = Rule::Rate { count: 1, per: Duration::from_secs(1) };
        let place_of_money = format!("key/{number}/budget/then");
        let life = Some(Duration::from_secs(60));
        let spent = Rule::Money { limit: 10, rolling: None, life };
        let parts = vec![part(&place, Unit::Requests, rate, 1), part(&place_of_money, Unit::Money, spent, 1)];
        let hold = Hold { id: number.to_string(), within: Duration::from_secs(5), parts };
        assert!(matches!(local.hold(hold).await.unwrap(), Verdict::Held(_)));
        local.settle(Settle { id: number.to_string(), tokens: None, cost: None }).await.unwrap();
        now.fetch_add(1_000, Ordering::Relaxed);
    }
    let (counters, open) = local.kept();
    assert!(counters <= 1024 && open == 0, "{counters} {open}");
}

/// What a sequence may do.
fn step(random: &mut fastrand::Rng, local: &Local, now: &AtomicU64, ids: &mut Vec<String>) -> Part {
    let edges = [0, 1, 2, 999, 1 << 40, u64::MAX / 2, u64::MAX - 1, u64::MAX];
    let amount = |random: &mut fastrand::Rng| match random.u8(..3) {
        0 => edges[random.usize(..edges.len())],
        _ => random.u64(..2_000),
    };
    let limit = [0, 1, 5_000, i64::MAX - 1, i64::MAX, -1, i64::MIN][random.usize(..7)];
    let name = ["a", "b", "c"][random.usize(..3)];
    let money = money(name, limit, amount(random));
    let tokens = Rule::Rate { count: edges[random.usize(..edges.len())], per: Duration::from_secs(60) };
    let tokens = part(&format!("{name}/tokens"), Unit::Tokens, tokens, amount(random));
    let running = Rule::Concurrent { most: random.u32(..4) };
    let running = part(&format!("{name}/concurrent"), Unit::Concurrent, running, 1);
    match random.u8(..4) {
        0 | 1 => {
            let id = random.u32(..40).to_string();
            ids.push(id.clone());
            let within = Duration::from_millis(random.u64(..5_000));
            let parts = vec![money.clone(), tokens, running];
            pollster(local.hold(Hold { id, within, parts })).unwrap();
        }
        2 => {
            let id = random.u32(..40).to_string();
            let tokens = random.bool().then(|| amount(random));
            let cost = random.bool().then(|| Cost(amount(random)));
            pollster(local.settle(Settle { id, tokens, cost })).unwrap();
        }
        _ => drop(now.fetch_add(random.u64(..3_000), Ordering::Relaxed)),
    }
    money
}

/// Nothing in here waits.
fn pollster<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("counting in this process waits for nothing"),
    }
}

#[test]
fn no_sequence_gives_money_back_or_makes_a_counter_negative() {
    for seed in 0..400 {
        let mut random = fastrand::Rng::with_seed(seed);
        let (local, now) = turned();
        let mut ids = Vec::new();
        let mut spent = [("a", 0), ("b", 0), ("c", 0)];
        for _ in 0..200 {
            step(&mut random, &local, &now, &mut ids);
            for (name, before) in &mut spent {
                let places = vec![
                    money(name, i64::MAX, 0),
                    part(&format!("{name}/concurrent"), Unit::Concurrent, Rule::Concurrent { most: 1 }, 0),
                    part(
                        &format!("{name}/tokens"),
                        Unit::Tokens,
                        Rule::Rate { count: 1, per: Duration::from_secs(60) },
                        0,
                    ),
                ];
                let stands = pollster(local.look(places)).unwrap();
                assert!(stands.iter().all(|it| it.used >= 0 && it.held >= 0), "seed {seed}: {stands:?}");
                let now_spent = stands[0].used - stands[0].held;
                assert!(now_spent >= *before, "seed {seed}: {stands:?} after {before}");
                *before = now_spent;
            }
        }
        // Whatever is open runs out, and then nothing is held any more.
        now.fetch_add(10_000_000, Ordering::Relaxed);
        for (name, _) in spent {
            let stands = pollster(local.look(vec![money(name, 0, 0)])).unwrap();
            let idle = pollster(local.look(vec![part(
                &format!("{name}/concurrent"),
                Unit::Concurrent,
                Rule::Concurrent { most: 1 },
                0,
            )]));
            assert_eq!((stands[0].held, idle.unwrap()[0].used), (0, 0), "seed {seed}");
        }
        assert_eq!(local.kept().1, 0, "seed {seed}");
    }
}

#[test]
fn a_budget_holds_whoever_asks_at_the_same_time() {
    for seed in 0..20_u64 {
        let (local, _) = turned();
        let admitted = Arc::new(AtomicU64::new(0));
        std::thread::scope(|scope| {
            for thread in 0..8_u64 {
                let (local, admitted) = (Arc::clone(&local), Arc::clone(&admitted));
                scope.spawn(move || {
                    let mut random = fastrand::Rng::with_seed(seed * 8 + thread);
                    for number in 0..125_u64 {
                        let id = format!("{thread}-{number}");
                        let parts = vec![money("budget", 1_000, 10)];
                        let hold = Hold { id: id.clone(), within: Duration::from_secs(60), parts };
                        if !matches!(pollster(local.hold(hold)).unwrap(), Verdict::Held(_)) {
                            continue;
                        }
                        admitted.fetch_add(1, Ordering::Relaxed);
                        if random.bool() {
                            let cost = Some(Cost(10_000_000));
                            let settled = pollster(local.settle(Settle { id, tokens: None, cost }));
                            assert!(settled.unwrap().known);
                        }
                    }
                });
            }
        });
        assert_eq!(admitted.load(Ordering::Relaxed), 100, "seed {seed}");
        let stands = pollster(local.look(vec![money("budget", 1_000, 0)])).unwrap();
        assert_eq!(stands[0].used, 1_000);
    }
}
