//! Balances, top-ups and credits.

use serde_json::json;

use super::*;
use crate::domain::{Micros, Period};
use crate::people::{CreditOwner, NewTopUp};

async fn payer(world: &World, floor: i64) -> (String, Secret) {
    world.tier(json!({ "name": "payg", "plan": { "kind": "pay-as-you-go", "floor_usd": floor } })).await;
    let user = world.user("anna@example.com", json!({ "tier": "payg" })).await;
    let key = world.make(read(json!({ "name": "k", "owner": user }))).await.expect("made");
    (user, key.secret)
}

/// What may be spent with a key in all.
fn limit(world: &World, secret: &Secret) -> i64 {
    let key = world.found(secret);
    let balance = &key.bounds[0].money[0];
    assert_eq!((balance.name.as_ref(), &balance.period), ("balance", &Period::Total));
    balance.limit.get()
}

#[tokio::test]
async fn top_ups_are_what_may_be_spent() {
    let world = World::new().await;
    let (user, key) = payer(&world, 0).await;
    // Who has paid nothing spends nothing.
    assert_eq!(limit(&world, &key), 0);
    let add = async |json: serde_json::Value| world.people.top_up(&user, read(json), "tests").await;
    add(json!({ "usd": 10 })).await.expect("added");
    assert_eq!(limit(&world, &key), 10_000_000);
    add(json!({ "usd": 0.000001, "id": "pay-1" })).await.expect("added");
    // Telling a payment twice counts once; with another amount it is a mistake.
    add(json!({ "usd": 0.000001, "id": "pay-1" })).await.expect("known");
    assert!(matches!(add(json!({ "usd": 1, "id": "pay-1" })).await, Err(Refusal::Conflict(_))));
    add(json!({ "usd": -4, "reason": "charged back" })).await.expect("corrected");
    assert_eq!(limit(&world, &key), 6_000_001);
    for (wrong, path) in [
        (json!({ "usd": 0 }), "usd"),
        (json!({ "usd": -1 }), "reason"),
        (json!({ "usd": -7, "reason": "too much" }), "usd"),
        (json!({ "usd": 9_223_372_036_854_i64 }), "usd"),
        (json!({ "usd": 1, "id": "a b" }), "id"),
    ] {
        match add(wrong.clone()).await {
            Err(Refusal::Invalid { path: told, .. }) => assert_eq!(told, path, "{wrong}"),
            other => panic!("{wrong}: {other:?}"),
        }
    }
    assert!(matches!(
        world.people.top_up("none", read(json!({ "usd": 1 })), "tests").await,
        Err(Refusal::NotFound(_))
    ));
    let again = world.another().await;
    assert_eq!(limit(&again, &key), 6_000_001);
    let balance = again.people.balance(&user, Micros(1)).expect("user").expect("balance");
    assert_eq!(balance.balance_usd, Micros(6_000_000));
}

#[tokio::test]
async fn a_floor_is_how_low_the_balance_may_go() {
    for (floor, paid, may) in [(-5, 10, 15_000_000), (3, 10, 7_000_000), (3, 1, 0)] {
        let world = World::new().await;
        let (user, key) = payer(&world, floor).await;
        world.people.top_up(&user, read(json!({ "usd": paid })), "tests").await.expect("added");
        assert_eq!(limit(&world, &key), may, "{floor} {paid}");
    }
}

#[tokio::test]
async fn the_entries_always_sum_to_the_balance() {
    let mut random = fastrand::Rng::with_seed(5);
    for _ in 0..20 {
        let world = World::new().await;
        let (user, key) = payer(&world, 0).await;
        let mut model: i128 = 0;
        for step in 0..60 {
            let edge = [1, -1, i64::MAX, i64::MIN, i64::MAX - 1, i64::MAX / 2];
            let amount = match random.u8(..4) {
                0 => *random.choice(&edge).expect("one"),
                1 => -random.i64(1..=1_000_000_000),
                _ => random.i64(1..=1_000_000_000),
            };
            // Some are told twice.
            let id = if random.u8(..5) == 0 { step / 2 } else { step + 1_000 };
            let new = NewTopUp { id: Some(format!("t{id}")), usd: Micros(amount), reason: "x".to_owned() };
            let is_new = world
                .people
                .top_ups(&user, None, 1_000)
                .await
                .expect("list")
                .top_ups
                .iter()
                .all(|old| Some(&old.id) != new.id.as_ref());
            let added = world.people.top_up(&user, new, "tests").await;
            let fits = (0..=i128::from(i64::MAX)).contains(&(model + i128::from(amount)));
            if is_new {
                assert_eq!(added.is_ok(), fits, "{model} {amount}");
            }
            if is_new && fits {
                model += i128::from(amount);
            }
            assert_eq!(i128::from(limit(&world, &key)), model);
        }
        let mut sum: i128 = 0;
        let mut after = None;
        loop {
            let page = world.people.top_ups(&user, after.as_deref(), 7).await.expect("page");
            sum += page.top_ups.iter().map(|entry| i128::from(entry.usd.get())).sum::<i128>();
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(sum, model);
        assert_eq!(i128::from(limit(&world.another().await, &key)), model);
    }
}

#[tokio::test]
async fn a_credit_raises_what_may_be_spent_within_its_time() {
    let world = World::new().await;
    let (user, key) = payer(&world, 0).await;
    let owner = CreditOwner::User(user.clone());
    let from = crate::domain::rfc3339(START + 100);
    let until = crate::domain::rfc3339(START + 200);
    let new = read(json!({ "usd": 2.5, "from": from, "until": until, "reason": "fair" }));
    let credit = world.people.add_credit(&owner, new, "tests").await.expect("given");
    let raises = world.found(&key).bounds[0].money[0].raises.clone();
    assert_eq!(
        (raises[0].micros.get(), raises[0].from, raises[0].until),
        (2_500_000, START + 100, Some(START + 200))
    );
    assert_eq!(world.another().await.found(&key).bounds[0].money[0].raises, raises);
    world.pass(150);
    world.people.end_credit(&owner, &credit.id).await.expect("ended");
    assert_eq!(world.found(&key).bounds[0].money[0].raises[0].until, Some(START + 150));
    assert_eq!(world.people.user(&user).expect("user").credits.len(), 1);
    // What was spent of it is owed from then on: nothing stays behind its end.
    world.pass(10);
    let raises = world.another().await.found(&key).bounds[0].money[0].raises.clone();
    assert_eq!((raises.len(), raises[0].until), (1, Some(START + 150)));
    for (owner, new, status) in [
        (owner.clone(), json!({ "usd": 0 }), 422),
        (owner.clone(), json!({ "usd": -1 }), 422),
        (owner.clone(), json!({ "usd": 1, "until": from }), 422),
        // There is nothing that a credit could raise.
        (CreditOwner::Key("k".to_owned()), json!({ "usd": 1 }), 409),
        (CreditOwner::Key("none".to_owned()), json!({ "usd": 1 }), 404),
        (CreditOwner::Team("none".to_owned()), json!({ "usd": 1 }), 404),
    ] {
        let refused = world.people.add_credit(&owner, read(new.clone()), "tests").await.expect_err("refused");
        assert_eq!(refused.status(), status, "{owner:?} {new}: {refused}");
    }
    let budget = json!({ "budgets": [{ "usd": 1, "per": "day" }] });
    world.people.change_key(&operator(), "k", read(budget)).await.expect("changed");
    let owner = CreditOwner::Key("k".to_owned());
    world.people.add_credit(&owner, read(json!({ "usd": 1 })), "tests").await.expect("given");
    assert_eq!(world.found(&key).bounds[0].money[0].raises.len(), 1);
}
