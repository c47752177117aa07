//! Master keys: one that is not the store's, and a new one.

use super::*;

#[tokio::test]
async fn a_wrong_master_key_is_refused_with_both_names() {
    let house = House::new("wrong", FILE);
    let node = house.start().await;
    let needed = node.settings.master().keys().current().id();
    let other = Keys::random().unwrap();
    let given = other.current().id();
    let refused = house.start_with((other, KeySource::Configured)).await.err().unwrap();
    assert!(refused.contains(&needed.to_string()) && refused.contains(&given.to_string()), "{refused}");
}

#[tokio::test]
async fn a_rotation_seals_everything_anew_and_goes_on_where_it_was_interrupted() {
    let house = House::new("rotate", FILE);
    let node = house.start().await;
    for name in ["a", "b", "c"] {
        let key = format!("sk-{name}-0123456789");
        let value =
            json!({ "plugin": "openai", "url": PUBLIC, "headers": { "x-secret": "0123456789abcdef" } });
        node.put_with(Section::Providers, name, value, &[&key], None).await.unwrap();
    }
    let hash = node.settings.master().derive(crate::seal::Purpose::VirtualKeyHash);
    let old = node.settings.master().keys().current().id().to_string();
    assert_eq!(node.settings.sealed_before(), 0);
    // Begun, and killed before anything was sealed anew.
    let begun = crate::seal::file::read(&house.folder).unwrap().unwrap().with_new().unwrap();
    crate::seal::file::replace(&house.folder, &begun).unwrap();
    let node = house.start().await;
    assert_eq!(node.settings.sealed_before(), 6);
    let rotated = node.settings.rotate().await.unwrap();
    assert_eq!((rotated.sealed_anew, rotated.retired.clone()), (6, vec![old.clone()]));
    assert_eq!(crate::seal::file::read(&house.folder).unwrap().unwrap().ids().count(), 1);
    let again = house.start().await;
    assert_eq!(again.key_count("a"), 1);
    assert_eq!(again.settings.master().derive(crate::seal::Purpose::VirtualKeyHash), hash);
    // Now a whole one.
    let whole = again.settings.rotate().await.unwrap();
    assert_eq!((whole.sealed_anew, whole.retired), (6, vec![rotated.key]));
    again.put_with(Section::Providers, "d", acme(), &[CANARY], None).await.unwrap();
    let last = house.start().await;
    assert_eq!((last.key_count("c"), last.key_count("d"), last.settings.sealed_before()), (1, 1, 0));
}
