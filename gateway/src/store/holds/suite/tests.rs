//! The cases.

use std::time::Duration;

use super::super::{Hold, Part, Rule, Settle, Settled, Standing, Unit, Verdict};
use super::{Bench, money, part};
use crate::domain::Cost;

impl Bench<'_> {
    async fn hold(&self, id: &str, within: u64, parts: Vec<Part>) -> Verdict {
        let parts = parts.into_iter().map(|part| self.own(part)).collect();
        let within = Duration::from_millis(within);
        self.holds.hold(Hold { id: format!("{}-{id}", self.name), within, parts }).await.unwrap()
    }

    async fn settle(&self, id: &str, tokens: Option<u64>, cost: Option<u64>) -> Settled {
        let settle = Settle { id: format!("{}-{id}", self.name), tokens, cost: cost.map(Cost) };
        self.holds.settle(settle).await.unwrap()
    }

    async fn look(&self, part: Part) -> Standing {
        self.holds.look(vec![self.own(part)]).await.unwrap().remove(0)
    }

    fn own(&self, part: Part) -> Part {
        Part { place: format!("{}/{}", self.name, part.place).into(), ..part }
    }

    async fn pass(&self, milliseconds: u64) {
        (self.pass)(Duration::from_millis(milliseconds)).await;
    }
}

fn is_held(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Held(_))
}

/// The part that did not fit, and when it would.
#[track_caller]
fn refused(verdict: Verdict) -> (usize, Option<Duration>) {
    match verdict {
        Verdict::Refused { part, retry_after, .. } => (part, retry_after),
        Verdict::Held(standings) => panic!("held: {standings:?}"),
    }
}

const MINUTE: u64 = 60_000;
const MICRO: u64 = 1_000_000;

/// Every case.
pub(in crate::store) async fn all(bench: &Bench<'_>) {
    a_rate_lets_a_burst_through_and_then_one_by_one(bench).await;
    tokens_are_held_and_settled(bench).await;
    what_runs_is_counted_until_it_is_settled(bench).await;
    money_is_reserved_and_then_spent(bench).await;
    a_rest_below_a_micro_dollar_is_carried(bench).await;
    all_parts_are_held_or_none(bench).await;
    the_same_id_counts_once(bench).await;
    what_nobody_settles_was_used(bench).await;
    rolling_money_comes_back(bench).await;
    what_the_ledger_knows_is_not_forgotten(bench).await;
    another_limit_is_the_same_counter(bench).await;
    amounts_at_the_edge_fit_or_do_not(bench).await;
}

async fn a_rate_lets_a_burst_through_and_then_one_by_one(bench: &Bench<'_>) {
    let one =
        || vec![part("burst", Unit::Requests, Rule::Rate { count: 4, per: Duration::from_millis(2_000) }, 1)];
    for number in 0..4 {
        let id = format!("burst-{number}");
        assert!(is_held(&bench.hold(&id, MINUTE, one()).await), "{number}");
        bench.settle(&id, None, None).await;
    }
    let (at, retry_after) = refused(bench.hold("burst-4", MINUTE, one()).await);
    let wait = retry_after.unwrap();
    assert!(at == 0 && !wait.is_zero() && wait <= Duration::from_millis(500), "{wait:?}");
    let stands = bench.look(one().remove(0)).await;
    assert_eq!((stands.limit, stands.used, stands.left()), (4, 4, 0));
    assert!(stands.reset.is_some_and(|reset| reset <= Duration::from_secs(2)), "{stands:?}");
    bench.pass(550).await;
    assert!(is_held(&bench.hold("burst-5", MINUTE, one()).await));
    refused(bench.hold("burst-6", MINUTE, one()).await);
}

async fn tokens_are_held_and_settled(bench: &Bench<'_>) {
    let tokens = |amount| {
        vec![part(
            "tokens",
            Unit::Tokens,
            Rule::Rate { count: 1_000, per: Duration::from_secs(3_600) },
            amount,
        )]
    };
    assert!(is_held(&bench.hold("tokens-1", MINUTE, tokens(700)).await));
    refused(bench.hold("tokens-2", MINUTE, tokens(400)).await);
    bench.settle("tokens-1", Some(100), None).await;
    let used = bench.look(tokens(0).remove(0)).await.used;
    assert!((99..=100).contains(&used), "{used}");
    assert!(is_held(&bench.hold("tokens-3", MINUTE, tokens(800)).await));
    // More than was held is counted all the same, and others wait for it.
    bench.settle("tokens-3", Some(1_900), None).await;
    let (_, retry_after) = refused(bench.hold("tokens-4", MINUTE, tokens(1)).await);
    assert!(retry_after.unwrap() > Duration::from_secs(3_000), "{retry_after:?}");
    // More than ever fits does not fit later.
    assert_eq!(refused(bench.hold("tokens-5", MINUTE, tokens(1_001)).await).1, None);
}

async fn what_runs_is_counted_until_it_is_settled(bench: &Bench<'_>) {
    let one = || vec![part("running", Unit::Concurrent, Rule::Concurrent { most: 2 }, 1)];
    assert!(is_held(&bench.hold("running-1", MINUTE, one()).await));
    assert!(is_held(&bench.hold("running-2", MINUTE, one()).await));
    assert_eq!(refused(bench.hold("running-3", MINUTE, one()).await), (0, None));
    assert_eq!(bench.look(one().remove(0)).await.left(), 0);
    bench.settle("running-1", Some(0), Some(0)).await;
    assert!(is_held(&bench.hold("running-3", MINUTE, one()).await));
    bench.settle("running-2", None, None).await;
    bench.settle("running-3", None, None).await;
    assert_eq!(bench.look(one().remove(0)).await.used, 0);
}

async fn money_is_reserved_and_then_spent(bench: &Bench<'_>) {
    let held = bench.hold("money-1", MINUTE, vec![money("money", 100, 60)]).await;
    let Verdict::Held(stands) = held else { panic!("{held:?}") };
    assert_eq!((stands[0].limit, stands[0].used, stands[0].held, stands[0].left()), (100, 60, 60, 40));
    assert_eq!(refused(bench.hold("money-2", MINUTE, vec![money("money", 100, 41)]).await), (0, None));
    assert!(is_held(&bench.hold("money-2", MINUTE, vec![money("money", 100, 40)]).await));
    let settled = bench.settle("money-1", None, Some(10 * MICRO)).await;
    assert!(settled.known && settled.overrun == 0, "{settled:?}");
    assert_eq!((settled.money[0].before, settled.money[0].after), (0, 10));
    let stands = bench.look(money("money", 100, 0)).await;
    assert_eq!((stands.used, stands.held), (50, 40));
    // More than was reserved is spent all the same, and told.
    let settled = bench.settle("money-2", None, Some(95 * MICRO + 1)).await;
    assert_eq!((settled.money[0].before, settled.money[0].after, settled.overrun), (10, 105, 56));
    refused(bench.hold("money-3", MINUTE, vec![money("money", 100, 0)]).await);
    assert_eq!(bench.look(money("money", 100, 0)).await.left(), 0);
}

async fn a_rest_below_a_micro_dollar_is_carried(bench: &Bench<'_>) {
    for number in 0..4 {
        let id = format!("rest-{number}");
        assert!(is_held(&bench.hold(&id, MINUTE, vec![money("rest", 100, 1)]).await));
        let settled = bench.settle(&id, None, Some(300_000)).await;
        assert_eq!(settled.money[0].after, i64::from(number == 3), "{number}");
    }
}

async fn all_parts_are_held_or_none(bench: &Bench<'_>) {
    let parts = |limit| {
        vec![
            money("all/money", limit, 5),
            part("all/rate", Unit::Requests, Rule::Rate { count: 9, per: Duration::from_secs(3_600) }, 1),
            part("all/running", Unit::Concurrent, Rule::Concurrent { most: 9 }, 1),
            money("all/other", 7, 5),
        ]
    };
    assert!(is_held(&bench.hold("all-1", MINUTE, parts(100)).await));
    let verdict = bench.hold("all-2", MINUTE, parts(100)).await;
    let Verdict::Refused { part: 3, standings, .. } = verdict else { panic!("{verdict:?}") };
    assert_eq!(standings.iter().map(|it| it.used).collect::<Vec<_>>(), [5, 1, 1, 5]);
    for (place, used) in parts(100).into_iter().zip([5, 1, 1, 5]) {
        assert_eq!(bench.look(place).await.used, used);
    }
}

async fn the_same_id_counts_once(bench: &Bench<'_>) {
    let one = || vec![money("same", 100, 10)];
    assert!(is_held(&bench.hold("same", MINUTE, one()).await));
    assert!(is_held(&bench.hold("same", MINUTE, one()).await));
    assert_eq!(bench.look(money("same", 100, 0)).await.used, 10);
    assert!(bench.settle("same", None, Some(4 * MICRO)).await.known);
    let again = bench.settle("same", None, Some(4 * MICRO)).await;
    assert_eq!(again, Settled::default());
    assert_eq!(bench.look(money("same", 100, 0)).await.used, 4);
    assert_eq!(bench.settle("never", None, None).await, Settled::default());
}

async fn what_nobody_settles_was_used(bench: &Bench<'_>) {
    let running = || part("lost/running", Unit::Concurrent, Rule::Concurrent { most: 1 }, 1);
    let parts = vec![money("lost", 100, 30), running()];
    assert!(is_held(&bench.hold("lost", 500, parts).await));
    assert!(!is_held(&bench.hold("lost-2", 500, vec![running()]).await));
    bench.pass(600).await;
    assert!(is_held(&bench.hold("lost-3", MINUTE, vec![running()]).await));
    let stands = bench.look(money("lost", 100, 0)).await;
    assert_eq!((stands.used, stands.held), (30, 0));
    assert!(!bench.settle("lost", None, Some(MICRO)).await.known);
    assert_eq!(bench.look(money("lost", 100, 0)).await.used, 30);
}

async fn rolling_money_comes_back(bench: &Bench<'_>) {
    let rolling = |amount| {
        let rolling = Some(Duration::from_millis(1_200));
        part("rolling", Unit::Money, Rule::Money { limit: 100, rolling, life: None }, amount)
    };
    assert!(is_held(&bench.hold("rolling-1", MINUTE, vec![rolling(80)]).await));
    bench.settle("rolling-1", None, Some(80 * MICRO)).await;
    let (_, retry_after) = refused(bench.hold("rolling-2", MINUTE, vec![rolling(50)]).await);
    let wait = retry_after.unwrap();
    assert!(!wait.is_zero() && wait <= Duration::from_millis(1_300), "{wait:?}");
    bench.pass(1_300).await;
    assert_eq!(bench.look(rolling(0)).await.used, 0);
    assert!(is_held(&bench.hold("rolling-2", MINUTE, vec![rolling(50)]).await));
    // What is held is not forgotten.
    bench.pass(1_300).await;
    assert_eq!(bench.look(rolling(0)).await.used, 50);
}

async fn what_the_ledger_knows_is_not_forgotten(bench: &Bench<'_>) {
    let place = money("raised", 100, 0);
    bench.holds.raise(bench.own(place.clone()), Cost(70 * MICRO + 1)).await.unwrap();
    assert_eq!(bench.look(place.clone()).await.used, 70);
    bench.holds.raise(bench.own(place.clone()), Cost(20 * MICRO)).await.unwrap();
    assert_eq!(bench.look(place.clone()).await.used, 70);
    refused(bench.hold("raised", MINUTE, vec![money("raised", 100, 31)]).await);
    bench.holds.raise(bench.own(place.clone()), Cost(80 * MICRO)).await.unwrap();
    assert_eq!(bench.look(place).await.used, 80);
}

async fn another_limit_is_the_same_counter(bench: &Bench<'_>) {
    let rate =
        |count| part("other", Unit::Requests, Rule::Rate { count, per: Duration::from_secs(3_600) }, 1);
    for number in 0..3 {
        assert!(is_held(&bench.hold(&format!("other-{number}"), MINUTE, vec![rate(3)]).await));
    }
    refused(bench.hold("other-3", MINUTE, vec![rate(3)]).await);
    assert!(is_held(&bench.hold("other-3", MINUTE, vec![rate(5)]).await));
    refused(bench.hold("other-4", MINUTE, vec![rate(2)]).await);
    assert!(is_held(&bench.hold("other-m1", MINUTE, vec![money("other-money", 10, 10)]).await));
    refused(bench.hold("other-m2", MINUTE, vec![money("other-money", 10, 1)]).await);
    assert!(is_held(&bench.hold("other-m2", MINUTE, vec![money("other-money", 11, 1)]).await));
}

async fn amounts_at_the_edge_fit_or_do_not(bench: &Bench<'_>) {
    refused(bench.hold("edge-1", MINUTE, vec![money("edge", 1_000, u64::MAX)]).await);
    refused(bench.hold("edge-2", MINUTE, vec![money("edge", 0, 1)]).await);
    refused(bench.hold("edge-3", MINUTE, vec![money("edge", -1, 0)]).await);
    assert!(is_held(&bench.hold("edge-4", MINUTE, vec![money("edge", 0, 0)]).await));
    bench.settle("edge-4", None, Some(0)).await;
    assert_eq!(bench.look(money("edge", 1_000, 0)).await.used, 0);
}
