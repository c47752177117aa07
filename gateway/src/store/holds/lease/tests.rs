//! Counters that are lost and come back, nodes that go on without them, and the bound that holds all the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::RwLock;

use super::super::suite::{money, part};
use super::super::{Hold, Holds, Local, Part, Rule, Settle, Settled, Standing, Unit, Verdict};
use super::{Leased, Losable, OnLoss, Policy};
use crate::domain::Cost;
use crate::store::{StoreError, clock};

/// Counters with a switch.
struct Switched {
    counters: RwLock<Arc<Local>>,
    is_up: AtomicBool,
    /// The next answers are lost, after the work was done.
    loses: AtomicU64,
    emptied: AtomicU64,
}

impl Switched {
    fn new() -> Arc<Self> {
        let counters = RwLock::new(Arc::new(Local::new(clock())));
        let (loses, emptied) = (AtomicU64::new(0), AtomicU64::new(0));
        Arc::new(Self { counters, is_up: AtomicBool::new(true), loses, emptied })
    }

    fn switch(&self, up: bool) {
        self.is_up.store(up, Ordering::Relaxed);
    }

    fn empty(&self) {
        *self.counters.write() = Arc::new(Local::new(clock()));
        self.emptied.fetch_add(1, Ordering::Relaxed);
    }

    fn counters(&self) -> Result<Arc<Local>, StoreError> {
        let up = self.is_up.load(Ordering::Relaxed);
        up.then(|| Arc::clone(&self.counters.read())).ok_or_else(lost)
    }

    fn answer<T>(&self, answer: Result<T, StoreError>) -> Result<T, StoreError> {
        let loses = self.loses.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |it| it.checked_sub(1));
        if loses.is_ok() { Err(lost()) } else { answer }
    }
}

fn lost() -> StoreError {
    StoreError::Lost("it does not answer".to_owned())
}

#[async_trait]
impl Holds for Switched {
    async fn hold(&self, hold: Hold) -> Result<Verdict, StoreError> {
        let answer = self.counters()?.hold(hold).await;
        self.answer(answer)
    }

    async fn settle(&self, settle: Settle) -> Result<Settled, StoreError> {
        let answer = self.counters()?.settle(settle).await;
        self.answer(answer)
    }

    async fn look(&self, parts: Vec<Part>) -> Result<Vec<Standing>, StoreError> {
        self.counters()?.look(parts).await
    }

    async fn raise(&self, part: Part, spent: Cost) -> Result<(), StoreError> {
        self.counters()?.raise(part, spent).await
    }

    fn now(&self) -> u64 {
        clock()()
    }
}

impl Losable for Switched {
    fn is_up(&self) -> bool {
        self.is_up.load(Ordering::Relaxed)
    }

    fn emptied(&self) -> u64 {
        self.emptied.load(Ordering::Relaxed)
    }
}

const LEASE: Policy = Policy {
    by_scope: [("", None); 6],
    money: OnLoss::Lease,
    rates: OnLoss::Lease,
    share: 20_000,
    most: 1_000_000,
};

fn node(shared: &Arc<Switched>, policy: Policy) -> Leased {
    Leased::new(Arc::<Switched>::clone(shared), policy, clock())
}

/// Spends so much, if it may: held and settled as it was held.
async fn spend(node: &Leased, id: &str, parts: Vec<Part>) -> Result<bool, StoreError> {
    let hold = Hold { id: id.to_owned(), within: Duration::from_secs(60), parts };
    let is_held = matches!(node.hold(hold).await?, Verdict::Held(_));
    if is_held {
        let settled = node.settle(Settle { id: id.to_owned(), tokens: None, cost: None }).await?;
        assert!(settled.known);
    }
    Ok(is_held)
}

async fn spent(shared: &Switched, place: &str) -> i64 {
    let stands = shared.look(vec![money(place, 0, 0)]).await.unwrap().remove(0);
    assert_eq!(stands.held, 0);
    stands.used
}

#[tokio::test]
async fn deny_refuses_and_counts_nothing() {
    let shared = Switched::new();
    let node = node(&shared, Policy { money: OnLoss::Deny, ..LEASE });
    assert!(spend(&node, "1", vec![money("m", 1_000, 10)]).await.unwrap());
    shared.switch(false);
    let refused = spend(&node, "2", vec![money("m", 1_000, 10)]).await;
    assert!(matches!(refused, Err(StoreError::Lost(_))), "{refused:?}");
    // What has no budget has the policy of limits.
    let rate = || vec![part("r", Unit::Requests, Rule::Rate { count: 100, per: Duration::from_secs(60) }, 1)];
    assert!(spend(&node, "3", rate()).await.unwrap());
    assert!(spend(&node, "4", rate()).await.unwrap());
    // Two of a hundred are this node's share.
    assert!(!spend(&node, "5", rate()).await.unwrap());
    shared.switch(true);
    node.book().await.unwrap();
    assert_eq!(spent(&shared, "m").await, 10);
    assert_eq!((node.without().denied, node.without().leased), (1, 2));
}

#[tokio::test]
async fn a_lease_is_spent_to_its_end_and_booked_once() {
    let shared = Switched::new();
    let nodes: Vec<Leased> = (0..3).map(|_| node(&shared, LEASE)).collect();
    // Two of a hundred dollars would be two; a dollar is the most.
    let dime = |id: usize| (id.to_string(), vec![money("m", 100_000_000, 100_000)]);
    let mut id = 0;
    for node in &nodes {
        id += 1;
        let (id, parts) = dime(id);
        assert!(spend(node, &id, parts).await.unwrap());
    }
    shared.switch(false);
    let mut passed = 0;
    for node in &nodes {
        for _ in 0..30 {
            id += 1;
            let (id, parts) = dime(id);
            passed += i64::from(spend(node, &id, parts).await.is_ok_and(|held| held));
        }
    }
    assert_eq!(passed, 3 * 10);
    shared.switch(true);
    // Answers are lost on the way: nothing is booked twice.
    shared.loses.store(2, Ordering::Relaxed);
    for node in &nodes {
        while node.book().await.is_err() {}
        node.book().await.unwrap();
    }
    assert_eq!(spent(&shared, "m").await, (3 + 30) * 100_000);
    // A node that never saw a budget was given nothing of it.
    let fresh = node(&shared, LEASE);
    shared.switch(false);
    let refused = spend(&fresh, "fresh", dime(0).1).await;
    assert!(matches!(refused, Err(StoreError::Lost(_))), "{refused:?}");
}

#[tokio::test]
async fn what_is_allowed_is_booked_too() {
    let shared = Switched::new();
    let node = node(&shared, Policy { money: OnLoss::Allow, rates: OnLoss::Allow, ..LEASE });
    shared.switch(false);
    for id in 0..50 {
        let running = part("c", Unit::Concurrent, Rule::Concurrent { most: 1 }, 1);
        assert!(spend(&node, &id.to_string(), vec![money("m", 100, 10), running]).await.unwrap());
    }
    assert_eq!(node.without().allowed, 50);
    shared.switch(true);
    node.book().await.unwrap();
    assert_eq!(spent(&shared, "m").await, 500);
}

#[tokio::test]
async fn a_scope_has_a_policy_of_its_own() {
    let shared = Switched::new();
    let mut by_scope = LEASE.by_scope;
    by_scope[0] = ("team", Some(OnLoss::Deny));
    by_scope[1] = ("model", Some(OnLoss::Allow));
    let node = node(&shared, Policy { by_scope, ..LEASE });
    let key = || money("key/web/usd/2026", 100, 1);
    let model = || money("model/large/usd/2026", 100, 10);
    let team = || money("team/shop/usd/2026", 100, 1);
    assert!(spend(&node, "seen", vec![key(), model(), team()]).await.unwrap());
    shared.switch(false);
    // Of the key's hundred it was given two; the model's may be spent beyond what it was given.
    assert!(spend(&node, "1", vec![key(), model()]).await.unwrap());
    assert!(spend(&node, "2", vec![key(), model()]).await.unwrap());
    assert!(spend(&node, "3", vec![key(), model()]).await.is_err());
    assert!(spend(&node, "4", vec![model()]).await.unwrap());
    assert!(spend(&node, "5", vec![model(), team()]).await.is_err());
    // Rates follow their scope as well.
    let busy = |place: &str| vec![part(place, Unit::Concurrent, Rule::Concurrent { most: 1 }, 1)];
    assert!(spend(&node, "6", busy("team/shop/concurrent")).await.is_err());
    assert!(spend(&node, "7", busy("key/web/concurrent")).await.unwrap());
    shared.switch(true);
    node.book().await.unwrap();
    let (key, model) =
        (spent(&shared, "key/web/usd/2026").await, spent(&shared, "model/large/usd/2026").await);
    assert_eq!((key, model, spent(&shared, "team/shop/usd/2026").await), (3, 40, 1));
}

#[tokio::test]
async fn what_was_held_before_the_loss_is_settled_after_it() {
    let shared = Switched::new();
    let node = node(&shared, LEASE);
    let hold = |id: &str| Hold {
        id: id.to_owned(),
        within: Duration::from_secs(60),
        parts: vec![money("m", 1_000, 100)],
    };
    let settle = |id: &str| Settle { id: id.to_owned(), tokens: None, cost: Some(Cost(40_000_000)) };
    node.hold(hold("before")).await.unwrap();
    shared.switch(false);
    assert!(matches!(node.settle(settle("before")).await, Err(StoreError::Lost(_))));
    shared.switch(true);
    assert!(node.settle(settle("before")).await.unwrap().known);
    assert_eq!(spent(&shared, "m").await, 40);
    // A hold whose answer was lost goes on as a lease, and is not counted twice.
    let small = Hold { parts: vec![money("m", 1_000, 10)], ..hold("lost") };
    shared.loses.store(1, Ordering::Relaxed);
    assert!(matches!(node.hold(small).await.unwrap(), Verdict::Held(_)));
    let cost = Some(Cost(3_000_000));
    node.settle(Settle { id: "lost".to_owned(), tokens: None, cost }).await.unwrap();
    node.book().await.unwrap();
    assert_eq!(spent(&shared, "m").await, 43);
}

#[tokio::test]
async fn emptied_counters_are_told_what_nodes_have_seen() {
    let shared = Switched::new();
    let nodes = [node(&shared, LEASE), node(&shared, LEASE)];
    for turn in 0..10 {
        let id = turn.to_string();
        assert!(spend(&nodes[turn % 2], &id, vec![money("m", 1_000, 7)]).await.unwrap());
    }
    let open =
        Hold { id: "open".to_owned(), within: Duration::from_secs(60), parts: vec![money("m", 1_000, 50)] };
    nodes[0].hold(open).await.unwrap();
    shared.empty();
    for node in &nodes {
        node.book().await.unwrap();
    }
    assert_eq!(spent(&shared, "m").await, 70);
    // What was held when it happened is not forgotten either.
    let cost = Some(Cost(20_000_000));
    assert!(nodes[0].settle(Settle { id: "open".to_owned(), tokens: None, cost }).await.unwrap().known);
    nodes[0].book().await.unwrap();
    assert_eq!(spent(&shared, "m").await, 90);
}

#[tokio::test]
async fn however_often_the_counters_are_lost_no_more_than_the_limit_and_the_leases_is_spent() {
    const LIMIT: i64 = 100_000;
    const NODES: i64 = 3;
    let slice = LEASE.slice(LIMIT);
    assert_eq!(slice, 2_000);
    let mut beyond = 0;
    for seed in 0..200 {
        let mut random = fastrand::Rng::with_seed(seed);
        let shared = Switched::new();
        let nodes: Vec<Leased> = (0..NODES).map(|_| node(&shared, LEASE)).collect();
        let mut total: i64 = 0;
        for step in 0..600 {
            match random.u8(..20) {
                0 => shared.switch(false),
                1 | 2 => shared.switch(true),
                3 => drop(nodes[random.usize(..3)].book().await),
                4 => shared.loses.store(1, Ordering::Relaxed),
                _ => {
                    let amount = random.u64(1..1_500);
                    let node = &nodes[random.usize(..3)];
                    let hold = Hold {
                        id: step.to_string(),
                        within: Duration::from_secs(600),
                        parts: vec![money("m", LIMIT, amount)],
                    };
                    let id = hold.id.clone();
                    if !matches!(node.hold(hold).await, Ok(Verdict::Held(_))) {
                        continue;
                    }
                    let used = random.u64(0..=amount);
                    total += used.cast_signed();
                    let cost = Some(Cost(used * 1_000_000));
                    let settle = Settle { id, tokens: None, cost };
                    if node.settle(settle.clone()).await.is_err() {
                        // As the pipeline does: again, until it is done.
                        shared.switch(true);
                        shared.loses.store(0, Ordering::Relaxed);
                        node.settle(settle).await.unwrap();
                    }
                }
            }
            assert!(total <= LIMIT + NODES * slice, "seed {seed}: {total}");
        }
        shared.switch(true);
        shared.loses.store(0, Ordering::Relaxed);
        for node in &nodes {
            node.book().await.unwrap();
        }
        let stands = shared.look(vec![money("m", LIMIT, 0)]).await.unwrap().remove(0);
        let known = stands.used - stands.held;
        beyond += u32::from(total > LIMIT);
        assert_eq!(known, total, "seed {seed}");
    }
    assert!(beyond > 0, "no seed came to the bound");
}
