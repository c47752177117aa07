//! Users, teams and tiers, and what their keys may.

use serde_json::json;

use super::*;
use crate::domain::Scope;

fn member(user: &str) -> Maker {
    Maker::Member(user.to_owned())
}

#[tokio::test]
async fn a_key_is_held_to_its_user_their_tier_and_its_team() {
    let world = World::new().await;
    world.tier(json!({ "name": "small", "plan": { "kind": "subscription", "allowance_usd": 20 }, "models": ["gpt-*", "claude-*"], "limits": { "requests": ["10/min", "100/h"] } })).await;
    world
        .people
        .create_team(read(
            json!({ "name": "shop", "models": ["*-small"], "budgets": [{ "usd": 5, "per": "day" }] }),
        ))
        .await
        .expect("team");
    let user = world.user("anna@example.com", json!({ "tier": "small", "teams": ["shop"], "models": ["gpt-*"], "addresses": ["10.0.0.0/8"], "limits": { "requests": ["20/min"] } })).await;
    let new = read(
        json!({ "name": "k", "owner": user, "team": "shop", "models": ["gpt-4-*"], "addresses": ["10.1.0.0/16"] }),
    );
    let secret = world.make(new).await.expect("made").secret;
    let key = world.found(&secret);
    for (model, may) in
        [("gpt-4-small", true), ("gpt-4-large", false), ("gpt-5-small", false), ("claude-4-small", false)]
    {
        assert_eq!(key.may_use(model), may, "{model}");
    }
    for (address, may) in [("10.1.2.3", true), ("10.2.0.1", false), ("192.0.2.1", false)] {
        assert_eq!(key.may_come_from(address.parse().ok()), may, "{address}");
    }
    let bounds: Vec<_> = key.bounds.iter().map(|bounds| bounds.scope.to_string()).collect();
    assert_eq!(bounds, [format!("user/{user}"), "team/shop".to_owned()]);
    // Their own window goes before the tier's of the same length; the others stay.
    let requests: Vec<_> = key.bounds[0].requests.iter().map(ToString::to_string).collect();
    assert_eq!(requests, ["20/min", "100/h"]);
    assert_eq!(
        (key.bounds[0].money[0].name.as_ref(), key.bounds[0].money[0].limit.get()),
        ("subscription", 20_000_000)
    );
    // A change of any of them counts at once.
    world.people.change_tier("small", read(json!({ "plan": { "kind": "unlimited" } }))).await.expect("tier");
    assert!(world.found(&secret).bounds[0].money.is_empty());
    world.people.change_team("shop", read(json!({ "models": null }))).await.expect("team");
    assert!(world.found(&secret).may_use("gpt-4-large"));
    for (change, why) in [
        (json!({ "disabled": true }), Some("the user of the api key is disabled")),
        (json!({ "disabled": false, "teams": [] }), Some("the user of the api key has left the team `shop`")),
        (json!({ "teams": ["shop"] }), None),
    ] {
        world.people.change_user(&user, read(change)).await.expect("changed");
        assert_eq!(world.found(&secret).closed.as_deref(), why);
        assert_eq!(world.another().await.found(&secret).closed.as_deref(), why);
    }
    // Nobody falls out of their limits by the removal of what holds them.
    assert!(matches!(world.people.remove_tier("small").await, Err(Refusal::Conflict(_))));
    assert!(matches!(world.people.remove_team("shop").await, Err(Refusal::Conflict(_))));
    world.people.remove_user(&user).await.expect("removed");
    assert!(world.people.find(&secret).is_none());
    assert_eq!(world.people.key(&operator(), "k").expect("key").state, "revoked");
    world.people.remove_tier("small").await.expect("removed");
    world.people.remove_team("shop").await.expect("removed");
}

#[tokio::test]
async fn a_key_of_the_file_is_held_to_its_user() {
    let world = World::new().await;
    world.tier(json!({ "name": "t", "plan": { "kind": "pay-as-you-go" }, "models": ["gpt-*"] })).await;
    let user = world.user("anna@example.com", json!({ "tier": "t" })).await;
    let of = |owner: Option<&str>| {
        let key = VirtualKey { user: owner.map(Into::into), ..VirtualKey::named("file") };
        world.people.with_owner(Arc::new(key))
    };
    for owner in [user.as_str(), "Anna@example.com"] {
        let key = of(Some(owner));
        assert_eq!((key.user.as_deref(), key.closed.as_deref()), (Some(user.as_str()), None));
        assert_eq!((key.bounds.len(), key.bounds[0].money[0].limit.get()), (1, 0));
        assert!(key.may_use("gpt-5") && !key.may_use("claude-4"));
    }
    assert!(of(None).may_use("claude-4"));
    assert_eq!(of(Some("nobody")).closed.as_deref(), Some("the user of the api key is gone"));
    world.people.change_user(&user, read(json!({ "disabled": true }))).await.expect("changed");
    assert_eq!(of(Some(&user)).closed.as_deref(), Some("the user of the api key is disabled"));
}

#[tokio::test]
async fn a_member_gives_no_more_than_they_have() {
    let world = World::new().await;
    world.tier(json!({ "name": "t", "plan": { "kind": "unlimited" }, "models": ["gpt-*"] })).await;
    world.people.create_team(read(json!({ "name": "other" }))).await.expect("team");
    let user = world.user("anna@example.com", json!({ "tier": "t", "addresses": ["10.0.0.0/8"], "limits": { "requests": ["10/min"], "concurrent": 3 }, "budgets": [{ "usd": 10, "per": "day" }] })).await;
    let other = world.user("bert@example.com", json!({})).await;
    let make = async |new: serde_json::Value| {
        let secret = secret(&format!("{new}"));
        world.people.create_key(&member(&user), read(new), secret).await
    };
    for (new, path) in [
        (json!({ "name": "k", "models": ["claude-4"] }), "models[0]"),
        (json!({ "name": "k", "models": ["gpt-5", "*"] }), "models[1]"),
        (json!({ "name": "k", "models": ["g*"] }), "models[0]"),
        (json!({ "name": "k", "addresses": ["10.1.0.0/16", "0.0.0.0/0"] }), "addresses[1]"),
        (json!({ "name": "k", "limits": { "requests": ["1/s", "11/min"] } }), "limits.requests[1]"),
        (json!({ "name": "k", "limits": { "concurrent": 4 } }), "limits.concurrent"),
        (json!({ "name": "k", "budgets": [{ "usd": 10.000001, "per": "day" }] }), "budgets[0].usd"),
        (json!({ "name": "k", "team": "other" }), "team"),
    ] {
        match make(new.clone()).await {
            Err(Refusal::Invalid { path: told, .. }) => assert_eq!(told, path, "{new}"),
            other => panic!("{new}: {other:?}"),
        }
    }
    for new in [
        json!({ "name": "k", "owner": other }),
        json!({ "name": "k", "tags": ["gold"] }),
        json!({ "name": "k", "preferences": true }),
        json!({ "name": "k", "log": "off" }),
    ] {
        assert!(matches!(make(new.clone()).await, Err(Refusal::Forbidden(_))), "{new}");
    }
    make(json!({ "name": "k", "models": ["gpt-4*", "gpt-5"], "addresses": ["10.9.0.0/24"], "limits": { "requests": ["10/min", "1/s"] } })).await.expect("made");
    let change = async |maker: &Maker, change: serde_json::Value| {
        world.people.change_key(maker, "k", read(change)).await
    };
    assert!(matches!(change(&member(&user), json!({ "models": ["*"] })).await, Err(Refusal::Invalid { .. })));
    assert!(matches!(change(&member(&user), json!({ "owner": other })).await, Err(Refusal::Forbidden(_))));
    change(&member(&user), json!({ "models": null, "disabled": true })).await.expect("changed");
    change(&member(&user), json!({ "disabled": false })).await.expect("changed");
    // Without a list of its own it is still held to the tier's.
    let key = world.found(&secret(&format!("{}", json!({ "name": "k", "models": ["gpt-4*", "gpt-5"], "addresses": ["10.9.0.0/24"], "limits": { "requests": ["10/min", "1/s"] } }))));
    assert!(key.may_use("gpt-6") && !key.may_use("claude-4"));
    // For others it does not exist.
    assert!(world.people.keys(&member(&other)).is_empty());
    for refused in [
        change(&member(&other), json!({ "note": "mine" })).await.map(drop),
        world.people.key(&member(&other), "k").map(drop),
        world.people.revoke_key(&member(&other), "k").await.map(drop),
        world.people.rotate_key(&member(&other), "k", Rotation::default(), secret("x")).await.map(drop),
    ] {
        assert_eq!(refused, Err(Refusal::NotFound("there is no key `k`".to_owned())));
    }
    // What an operator took over is no longer the member's to widen, nor to switch on again.
    change(&operator(), json!({ "expires": "2030-01-01T00:00:00Z", "tags": ["gold"], "disabled": true }))
        .await
        .expect("changed");
    for refused in [json!({ "expires": null }), json!({ "disabled": false }), json!({ "limits": {} })] {
        let refused = change(&member(&user), refused).await;
        assert!(matches!(refused, Err(Refusal::Forbidden(_))), "{refused:?}");
    }
    change(&member(&user), json!({ "note": "the one in the cellar" })).await.expect("changed");
    world.people.revoke_key(&member(&user), "k").await.expect("revoked");
}

#[tokio::test]
async fn an_address_is_one_users() {
    let world = World::new().await;
    let anna = world.user(" Anna.K@Example.COM ", json!({})).await;
    assert_eq!(world.people.user(&anna).expect("anna").email, "Anna.K@example.com");
    let again = world.people.create_user(read(json!({ "email": "anna.k@example.com" }))).await;
    assert!(matches!(again, Err(Refusal::Conflict(_))));
    let bert = world.user("bert@example.com", json!({})).await;
    let moved = world.people.change_user(&bert, read(json!({ "email": "ANNA.K@example.com" }))).await;
    assert!(matches!(moved, Err(Refusal::Conflict(_))));
    world.people.change_user(&anna, read(json!({ "email": "anna@example.org" }))).await.expect("moved");
    world.people.change_user(&bert, read(json!({ "email": "anna.k@example.com" }))).await.expect("moved");
    assert_eq!(world.people.user_by_email("ANNA@example.org").expect("anna").id, anna);
    world.people.remove_user(&anna).await.expect("removed");
    world.user("anna@example.org", json!({})).await;
    for wrong in ["", "@", "a@", "@b", "a b@c.d", "a@b..c", "a@-b.c", "a@b@c", "a@b.c\n", "ä@b.c", "<a>@b.c"]
    {
        let new = json!({ "email": wrong });
        let refused = world.people.create_user(read(new)).await;
        // A line feed at the end is trimmed like a space.
        let is_refused = matches!(&refused, Err(Refusal::Invalid { path, .. }) if path == "email");
        assert!(is_refused || wrong.ends_with('\n'), "{wrong}: {refused:?}");
    }
    let unknown = json!({ "email": "c@example.com", "tier": "none" });
    assert!(
        matches!(world.people.create_user(read(unknown)).await, Err(Refusal::Invalid { path, .. }) if path == "tier")
    );
    assert!(world.people.user_by_email("c@example.com").is_none());
}

#[tokio::test]
async fn users_sign_in_with_their_password_while_they_may() {
    let world = World::new().await;
    let user = world.user("anna@example.com", json!({ "role": "viewer" })).await;
    let enter = async |email: &str, password: &str| {
        let entered = world.people.sign_in(email, Secret::new(password)).await.expect("asked");
        entered.map(|user| user.id)
    };
    assert_eq!(enter("anna@example.com", "").await, None);
    let short = world.people.set_password(&user, Some(Secret::new("too short"))).await;
    assert!(matches!(short, Err(Refusal::Invalid { path, .. }) if path == "password"));
    world.people.set_password(&user, Some(Secret::new("a long password"))).await.expect("set");
    assert_eq!(enter("Anna@Example.com", "a long password").await, Some(user.clone()));
    assert_eq!(enter("anna@example.com", "a long passwore").await, None);
    assert_eq!(enter("bert@example.com", "a long password").await, None);
    let stored = world.store.get(Space::User.key(&[&user])).await.expect("read").expect("record");
    let stored = String::from_utf8_lossy(&stored).into_owned();
    assert!(
        stored.contains("$argon2id$v=19$m=19456,t=2,p=1$") && !stored.contains("a long password"),
        "{stored}"
    );
    world.people.change_user(&user, read(json!({ "disabled": true }))).await.expect("disabled");
    assert_eq!(enter("anna@example.com", "a long password").await, None);
    world.people.change_user(&user, read(json!({ "disabled": false }))).await.expect("enabled");
    world.people.set_password(&user, None).await.expect("removed");
    assert_eq!(enter("anna@example.com", "a long password").await, None);
}

#[tokio::test]
async fn what_holds_for_somebody_can_be_looked_at() {
    let world = World::new().await;
    world.tier(json!({ "name": "t", "plan": { "kind": "unlimited" }, "models": ["gpt-*"], "limits": { "requests": ["5/min"] } })).await;
    let user = world
        .user("anna@example.com", json!({ "tier": "t", "models": ["*-small"], "note": "owes us a beer" }))
        .await;
    let me = world.people.me(&user).expect("me");
    assert_eq!((me.user.note.as_str(), me.tier.expect("tier").name.as_str()), ("", "t"));
    let models = ["gpt-small", "gpt-large", "claude-small"].map(str::to_owned);
    assert_eq!(world.people.models_of(&user, models).expect("models"), ["gpt-small"]);
    let bounds = world.people.bounds(&Scope::User(user.as_str().into())).expect("bounds");
    assert_eq!(bounds[0].requests.len(), 1);
    world
        .make(read(json!({ "name": "k", "owner": user, "limits": { "tokens": ["1k/day"] } })))
        .await
        .expect("made");
    let scopes = world.people.bounds(&Scope::Key("k".into())).expect("bounds");
    assert_eq!(
        scopes.iter().map(|bounds| bounds.scope.to_string()).collect::<Vec<_>>(),
        ["key/k".to_owned(), format!("user/{user}")]
    );
    assert!(matches!(world.people.bounds(&Scope::Key("none".into())), Err(Refusal::NotFound(_))));
    assert!(matches!(world.people.me("none"), Err(Refusal::NotFound(_))));
}
