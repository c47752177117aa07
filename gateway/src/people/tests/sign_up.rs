//! From a stranger to a key.

use std::net::IpAddr;

use serde_json::json;

use super::*;

fn address(text: &str) -> IpAddr {
    text.parse().expect("address")
}

async fn ask(world: &World, email: &str, from: &str) -> Result<(), Refusal> {
    world.people.sign_up(read(json!({ "email": email, "note": "please" })), address(from)).await
}

#[tokio::test]
async fn a_stranger_is_let_in_with_a_code_that_is_good_for_one_key() {
    let world = World::new().await;
    world.tier(json!({ "name": "t", "plan": { "kind": "unlimited" } })).await;
    ask(&world, "anna@Example.com", "192.0.2.1").await.expect("asked");
    let waiting = world.people.sign_ups();
    assert_eq!((waiting.len(), waiting[0].email.as_str()), (1, "anna@example.com"));
    let approve = |tier: &str| {
        let approval = read(json!({ "tier": tier }));
        world.people.approve_sign_up(&waiting[0].id, approval, secret("code"))
    };
    assert!(matches!(approve("none").await, Err(Refusal::Invalid { path, .. }) if path == "tier"));
    let invitation = approve("t").await.expect("approved");
    assert!(invitation.code.expose().starts_with("code-"));
    assert!(matches!(approve("t").await, Err(Refusal::NotFound(_))));
    assert!(world.people.sign_ups().is_empty());
    let redeem = async |code: &str, more: serde_json::Value, text: &str| {
        let mut redemption = json!({ "code": code });
        for (name, value) in more.as_object().expect("object") {
            redemption[name] = value.clone();
        }
        world.people.redeem(read(redemption), secret(text)).await
    };
    let code = invitation.code.expose();
    assert!(matches!(redeem("code-wrong", json!({}), "a").await, Err(Refusal::Forbidden(_))));
    // What is wrong with the rest does not use the code up.
    assert!(matches!(redeem(code, json!({ "password": "short" }), "a").await, Err(Refusal::Invalid { .. })));
    assert!(matches!(redeem(code, json!({ "key_name": "a b" }), "a").await, Err(Refusal::Invalid { .. })));
    // On another node it is as good, and used up for both.
    let other = world.another().await;
    let issued = other
        .people
        .redeem(read(json!({ "code": code, "password": "a long password" })), secret("mine"))
        .await;
    let issued = issued.expect("redeemed");
    assert!(issued.key.name.starts_with("anna-"), "{}", issued.key.name);
    assert!(matches!(redeem(code, json!({}), "b").await, Err(Refusal::Forbidden(_))));
    world.people.refresh().await.expect("refresh");
    assert_eq!(world.found(&secret("mine")).user.as_deref(), Some(invitation.user.id.as_str()));
    assert!(world.people.find(&invitation.code).is_none());
    let entered =
        world.people.sign_in("anna@example.com", Secret::new("a long password")).await.expect("asked");
    assert_eq!(entered.expect("anna").id, invitation.user.id);
    let stored =
        world.store.get(Space::User.key(&[&invitation.user.id])).await.expect("read").expect("record");
    assert!(!String::from_utf8_lossy(&stored).contains(code));
}

#[tokio::test]
async fn a_code_ends_and_is_replaced() {
    let world = World::new().await;
    let user = world.user("anna@example.com", json!({})).await;
    let invite =
        async |text: &str| world.people.invite_user(&user, secret(text)).await.expect("invited").code;
    let redeem =
        async |code: &Secret| world.people.redeem(read(json!({ "code": code.expose() })), secret("k")).await;
    let first = invite("first").await;
    let second = invite("second").await;
    assert!(matches!(redeem(&first).await, Err(Refusal::Forbidden(_))));
    world.pass(7 * 86_400);
    assert!(matches!(redeem(&second).await, Err(Refusal::Forbidden(_))));
    let third = invite("third").await;
    redeem(&third).await.expect("redeemed");
}

#[tokio::test]
async fn whether_an_address_is_known_is_not_told() {
    let world = World::new().await;
    world.user("anna@example.com", json!({})).await;
    for (email, from) in [
        ("anna@example.com", "192.0.2.1"),
        ("bert@example.com", "192.0.2.2"),
        ("Bert@example.com", "192.0.2.3"),
    ] {
        ask(&world, email, from).await.expect(email);
    }
    let waiting = world.people.sign_ups();
    assert_eq!(waiting.iter().map(|one| one.email.as_str()).collect::<Vec<_>>(), ["bert@example.com"]);
    // Who was rejected does not come back by asking again, nor under other capital letters.
    world.people.reject_sign_up(&waiting[0].id).await.expect("rejected");
    ask(&world, "BERT@example.com", "192.0.2.4").await.expect("asked");
    let waiting = world.people.sign_ups();
    assert_eq!((waiting.len(), waiting[0].rejected), (1, true));
    world.people.remove_sign_up(&waiting[0].id).await.expect("forgotten");
    ask(&world, "bert@example.com", "192.0.2.4").await.expect("asked");
    assert_eq!(world.another().await.people.sign_ups().iter().filter(|one| !one.rejected).count(), 1);
    world.pass(91 * 86_400);
    assert!(world.people.sign_ups().is_empty());
}

#[tokio::test]
async fn nobody_signs_up_where_it_is_not_open() {
    let world = World::new().await;
    world.people.adopt(InFile::default());
    assert!(matches!(ask(&world, "anna@example.com", "192.0.2.1").await, Err(Refusal::NotFound(_))));
    assert!(world.people.sign_ups().is_empty());
}

#[tokio::test]
async fn one_address_asks_a_few_times_an_hour() {
    let world = World::new().await;
    for count in 0..5 {
        ask(&world, &format!("a{count}@example.com"), &format!("2001:db8::{count}")).await.expect("asked");
    }
    // The same network counts as one.
    assert!(matches!(ask(&world, "b@example.com", "2001:db8::ffff").await, Err(Refusal::TooMany(_))));
    ask(&world, "b@example.com", "2001:db8:0:1::").await.expect("asked");
    world.pass(3_601);
    ask(&world, "c@example.com", "2001:db8::1").await.expect("asked");
}
