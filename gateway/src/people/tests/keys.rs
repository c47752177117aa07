//! Virtual keys of the store.

use serde_json::json;

use super::*;

fn named(name: &str) -> NewKey {
    NewKey { name: name.to_owned(), ..NewKey::default() }
}

fn id(world: &World, secret: &Secret) -> Option<String> {
    world.people.find(secret).map(|found| found.key.id.to_string())
}

#[tokio::test]
async fn a_key_counts_at_once_and_on_other_nodes() {
    let world = World::new().await;
    let other = world.another().await;
    let issued = world.make(named("web")).await.expect("made");
    assert_eq!(id(&world, &issued.secret).as_deref(), Some("web"));
    assert_eq!(issued.key.secrets[0].prefix, "cw-web-0");
    assert_eq!(issued.key.state, "active");
    assert_eq!(world.people.named("web").map(|key| key.id.to_string()).as_deref(), Some("web"));
    assert!(world.people.find(&secret("web-0123456780")).is_none());
    assert!(other.people.find(&issued.secret).is_none());
    other.people.refresh().await.expect("refresh");
    assert_eq!(id(&other, &issued.secret).as_deref(), Some("web"));
    // Both change something; each sees the other's.
    let second = other.make(named("two")).await.expect("made");
    world.people.revoke_key(&operator(), "web").await.expect("revoked");
    for world in [&world, &other] {
        world.people.refresh().await.expect("refresh");
        assert_eq!(id(world, &second.secret).as_deref(), Some("two"));
        assert!(world.people.find(&issued.secret).is_none());
    }
}

#[tokio::test]
async fn a_secret_is_shown_once_and_kept_as_a_hash() {
    let world = World::new().await;
    let issued = world.make(named("web")).await.expect("made");
    let shown = serde_json::to_string(&issued).expect("json");
    assert!(shown.contains(issued.secret.expose()));
    let later = serde_json::to_string(&world.people.key(&operator(), "web").expect("key")).expect("json");
    let stored = world.store.get(Space::VirtualKey.key(&["web"])).await.expect("read").expect("record");
    let stored = String::from_utf8_lossy(&stored).into_owned();
    for text in [later, stored.clone(), format!("{issued:?}")] {
        assert!(!text.contains(issued.secret.expose()), "{text}");
    }
    // Whoever reads the store cannot compute the hash: it is keyed.
    let bare = blake3::hash(issued.secret.expose().as_bytes()).to_hex().to_string();
    assert!(!stored.contains(&bare));
    let strangers = People::new(Arc::clone(&world.store), [8; 32], hands(&world.time));
    strangers.load().await.expect("load");
    assert!(strangers.find(&issued.secret).is_none());
}

#[tokio::test]
async fn a_rotated_key_takes_the_old_secret_as_long_as_is_said() {
    let world = World::new().await;
    let first = world.make(named("web")).await.expect("made").secret;
    let rotate = async |overlap: &str, text: &str| {
        let rotation = read(json!({ "overlap": overlap }));
        world.people.rotate_key(&operator(), "web", rotation, secret(text)).await.expect("rotated").secret
    };
    let expires =
        |secret: &Secret| world.people.find(secret).map(|found| (found.key.expires, found.key.replaced));
    let second = rotate("1h", "second").await;
    assert_eq!(expires(&first), Some((Some(START + 3600), true)));
    assert_eq!(expires(&second), Some((None, false)));
    world.pass(600);
    // A longer overlap does not make an older secret live longer.
    let third = rotate("24h", "third").await;
    assert_eq!(expires(&first), Some((Some(START + 3600), true)));
    assert_eq!(expires(&second), Some((Some(START + 600 + 86_400), true)));
    world.pass(3600);
    let fourth = rotate("0s", "fourth").await;
    assert_eq!([&first, &second, &third].map(|old| expires(old).is_some()), [false, false, false]);
    assert_eq!(expires(&fourth), Some((None, false)));
    let refused =
        world.people.rotate_key(&operator(), "web", read(json!({ "overlap": "91d" })), secret("x")).await;
    assert!(matches!(refused, Err(Refusal::Invalid { path, .. }) if path == "overlap"));
    // The key's own end comes first.
    let change: ChangedKey = read(json!({ "expires": "2027-01-15T09:30:00Z" }));
    world.people.change_key(&operator(), "web", change).await.expect("changed");
    rotate("48h", "fifth").await;
    let (ends, replaced) = expires(&fourth).expect("found");
    assert_eq!((ends, replaced), (expires(&secret("fifth")).expect("found").0, false));
}

#[tokio::test]
async fn a_change_changes_what_is_named_and_nothing_else() {
    let world = World::new().await;
    let new = read(json!({
        "name": "web", "note": "shop", "tags": ["gold"], "models": ["gpt-*"], "addresses": ["10.0.0.0/8"],
        "expires": "2030-01-01T00:00:00Z", "limits": { "requests": ["5/min", "100/h"], "concurrent": 2 },
        "budgets": [{ "usd": 12.5, "per": "month", "warn_at": [0.8] }, { "usd": 1, "per": "24h" }]
    }));
    let secret = world.make(new).await.expect("made").secret;
    let before = world.people.key(&operator(), "web").expect("key");
    let change = async |change: serde_json::Value| {
        world.people.change_key(&operator(), "web", read(change)).await.expect("changed")
    };
    assert_eq!(change(json!({})).await, before);
    let after = change(json!({ "disabled": true, "models": null, "limits": { "tokens": ["4M/day"] } })).await;
    assert_eq!((after.state, after.models.is_none(), after.note.as_str()), ("disabled", true, "shop"));
    assert!(after.limits.requests.is_empty() && after.limits.tokens.len() == 1);
    assert_eq!(after.budgets, before.budgets);
    let key = world.people.find(&secret).expect("found").key;
    assert_eq!(key.closed.as_deref(), Some("the api key is disabled"));
    let money: Vec<_> =
        key.bounds[0].money.iter().map(|money| (money.name.as_ref(), money.limit.get())).collect();
    assert_eq!(money, [("budget-month", 12_500_000), ("budget-1d", 1_000_000)]);
    // It is the same after a start.
    let again = world.another().await;
    assert_eq!(again.people.key(&operator(), "web").expect("key"), after);
}

#[tokio::test]
async fn what_is_wrong_is_told_with_its_path() {
    let world = World::new().await;
    for (new, path) in [
        (json!({ "name": "" }), "name"),
        (json!({ "name": "-x" }), "name"),
        (json!({ "name": "a b" }), "name"),
        (json!({ "name": "x".repeat(65) }), "name"),
        (json!({ "name": "k", "note": "\u{1b}[0m" }), "note"),
        (json!({ "name": "k", "tags": ["ok", ""] }), "tags[1]"),
        (json!({ "name": "k", "expires": "2020-01-01T00:00:00Z" }), "expires"),
        (json!({ "name": "k", "team": "none" }), "team"),
        (json!({ "name": "k", "owner": "nobody" }), "owner"),
        (json!({ "name": "k", "limits": { "requests": ["1/s", "1/min", "2/min"] } }), "limits.requests[2]"),
        (json!({ "name": "k", "limits": { "concurrent": 0 } }), "limits.concurrent"),
        (json!({ "name": "k", "budgets": [{ "usd": 0, "per": "day" }] }), "budgets[0].usd"),
        (json!({ "name": "k", "budgets": [{ "usd": -1, "per": "day" }] }), "budgets[0].usd"),
        (
            json!({ "name": "k", "budgets": [{ "usd": 1, "per": "day" }, { "usd": 1, "per": "day" }] }),
            "budgets[1].per",
        ),
        (
            json!({ "name": "k", "budgets": [{ "usd": 1, "per": "day", "warn_at": [1.5] }] }),
            "budgets[0].warn_at",
        ),
    ] {
        match world.make(read(new.clone())).await {
            Err(Refusal::Invalid { path: told, .. }) => assert_eq!(told, path, "{new}"),
            other => panic!("{new}: {other:?}"),
        }
    }
    // What has no form at all is refused before.
    for wrong in [
        json!({ "name": "k", "role": "admin" }),
        json!({ "name": "k", "secrets": [] }),
        json!({ "name": "k", "addresses": ["10.0.0.1/8"] }),
        json!({ "name": "k", "budgets": [{ "usd": 1e300, "per": "day" }] }),
        json!({ "name": "k", "budgets": [{ "usd": 1, "per": "1s" }] }),
        json!({ "name": "k", "budgets": [{ "usd": "1", "per": "day" }] }),
    ] {
        assert!(serde_json::from_value::<NewKey>(wrong.clone()).is_err(), "{wrong}");
    }
    assert!(world.people.keys(&operator()).is_empty());
}

#[tokio::test]
async fn names_are_given_once() {
    let world = World::new().await;
    let keys = [("file".to_owned(), KeyRecord::named("file"))].into();
    world.people.adopt(InFile { keys, ..InFile::default() });
    let told = |refusal: Refusal| match refusal {
        Refusal::Conflict(message) => message,
        other => panic!("{other:?}"),
    };
    assert!(
        told(world.make(named("file")).await.expect_err("in the file"))
            .contains("`file` in the configuration file")
    );
    world.make(named("web")).await.expect("made");
    assert!(told(world.make(named("web")).await.expect_err("twice")).contains("`web`"));
    world.people.revoke_key(&operator(), "web").await.expect("revoked");
    told(world.make(named("web")).await.expect_err("after its end"));
    let change = ChangedKey { disabled: Some(false), ..ChangedKey::default() };
    for name in ["file", "web"] {
        told(world.people.change_key(&operator(), name, change.clone()).await.expect_err(name));
        told(
            world
                .people
                .rotate_key(&operator(), name, Rotation::default(), secret("x"))
                .await
                .expect_err(name),
        );
        told(world.people.revoke_key(&operator(), name).await.expect_err(name));
    }
    let missing = world.people.change_key(&operator(), "none", change).await;
    assert!(matches!(missing, Err(Refusal::NotFound(_))));
    // Another node that has not heard of it yet cannot take it either.
    let other = world.another().await;
    world.make(named("race")).await.expect("made");
    told(other.make(named("race")).await.expect_err("elsewhere"));
    let listed: Vec<_> =
        world.people.keys(&operator()).into_iter().map(|key| (key.name, key.source, key.state)).collect();
    let listed: Vec<_> =
        listed.iter().map(|(name, source, state)| (name.as_str(), *source, *state)).collect();
    assert_eq!(
        listed,
        [("file", "file", "active"), ("race", "store", "active"), ("web", "store", "revoked")]
    );
}

#[tokio::test]
async fn the_last_use_is_written_once_a_minute() {
    let world = World::new().await;
    let issued = world.make(named("web")).await.expect("made");
    let use_it = || {
        let found = world.people.find(&issued.secret).expect("found");
        world.people.used(&found, world.now());
    };
    let written = async || {
        let bytes = world.store.get(Space::KeyUsed.key(&["web"])).await.expect("read");
        bytes.map(|bytes| u64::from_be_bytes(bytes.as_ref().try_into().expect("eight bytes")))
    };
    assert_eq!(written().await, None);
    use_it();
    assert_eq!(written().await, Some(START));
    world.pass(59);
    use_it();
    assert_eq!(written().await, Some(START));
    world.pass(1);
    use_it();
    assert_eq!(written().await, Some(START + 60));
    let shown = world.another().await.people.key(&operator(), "web").expect("key").last_used;
    assert_eq!(shown, Some(crate::domain::rfc3339(START + 60)));
}
