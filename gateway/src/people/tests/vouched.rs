//! People whom an issuer vouches for.

use serde_json::json;

use super::*;
use crate::people::{Identity, Role, Terms, Vouched};

const NOBODY_NEW: Terms = Terms { role: None, new: None };

fn vouched(issuer: &str, subject: &str, email: Option<&str>) -> Vouched {
    let identity = Identity { issuer: issuer.to_owned(), subject: subject.to_owned() };
    Vouched { identity, email: email.map(str::to_owned), name: "Ada".to_owned() }
}

#[tokio::test]
async fn a_user_is_bound_to_the_first_who_comes_with_their_address() {
    let world = World::new().await;
    let id = world.user("ada@example.com", json!({ "role": "viewer" })).await;
    let ada = vouched("https://one", "1", Some("ADA@example.com"));
    let first = world.people.welcome(&ada, NOBODY_NEW).await.expect("ada");
    assert!(first.user.id == id && !first.made && first.before.is_some_and(|before| before.oidc.is_none()));
    // On every node, and without an address from now on.
    let another = world.another().await;
    let again = another.people.welcome(&vouched("https://one", "1", None), NOBODY_NEW).await.expect("ada");
    assert!(again.user.id == id && again.before.is_none());
    // Nobody else with the address, but at another issuer whoever it says.
    let refused =
        world.people.welcome(&vouched("https://one", "2", Some("ada@example.com")), NOBODY_NEW).await;
    assert!(matches!(refused, Err(Refusal::Forbidden(_))), "{refused:?}");
    let elsewhere = vouched("https://two", "2", Some("ada@example.com"));
    assert_eq!(world.people.welcome(&elsewhere, NOBODY_NEW).await.expect("ada").user.id, id);
}

#[tokio::test]
async fn a_stranger_becomes_a_user_where_that_is_wanted() {
    let world = World::new().await;
    let new = Terms { role: None, new: Some(Role::Member) };
    let eve = vouched("https://one", "1", Some("eve@example.com"));
    for (vouched, terms) in [(&eve, NOBODY_NEW), (&vouched("https://one", "1", None), new)] {
        let refused = world.people.welcome(vouched, terms).await;
        assert!(matches!(refused, Err(Refusal::Forbidden(_))), "{refused:?}");
    }
    let made = world.people.welcome(&eve, new).await.expect("eve");
    assert_eq!((made.made, made.user.role, made.user.name.as_str()), (true, Role::Member, "Ada"));
    let viewer = Terms { role: Some(Role::Viewer), new: Some(Role::Viewer) };
    let again = world.people.welcome(&eve, viewer).await.expect("eve");
    assert_eq!((again.made, again.user.role, again.user.id), (false, Role::Viewer, made.user.id.clone()));
    let odd = vouched("https://one", "2", Some("not an address"));
    assert!(matches!(world.people.welcome(&odd, new).await, Err(Refusal::Invalid { .. })));
    world.people.change_user(&made.user.id, read(json!({ "disabled": true }))).await.expect("disabled");
    assert!(matches!(world.people.welcome(&eve, viewer).await, Err(Refusal::Forbidden(_))));
}

#[tokio::test]
async fn an_identity_is_one_users_and_an_operator_gives_and_takes_it() {
    let world = World::new().await;
    let (one, other) =
        (world.user("one@example.com", json!({})).await, world.user("other@example.com", json!({})).await);
    let change = json!({ "oidc": { "issuer": "https://one", "subject": "7" } });
    world.people.change_user(&one, read(change.clone())).await.expect("given");
    let found = world.people.welcome(&vouched("https://one", "7", None), NOBODY_NEW).await.expect("one");
    assert_eq!(found.user.id, one);
    let taken = world.people.change_user(&other, read(change.clone())).await;
    assert!(matches!(taken, Err(Refusal::Conflict(_))), "{taken:?}");
    world.people.change_user(&one, read(json!({ "oidc": null }))).await.expect("taken");
    world.people.change_user(&other, read(change)).await.expect("given");
    for identity in
        [json!({ "issuer": "", "subject": "7" }), json!({ "issuer": "https://one", "subject": "a\nb" })]
    {
        let refused = world.people.change_user(&one, read(json!({ "oidc": identity }))).await;
        assert!(matches!(refused, Err(Refusal::Invalid { .. })), "{refused:?}");
    }
}
