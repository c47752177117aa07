//! A change is seen once, by everybody, and only in its own space.

use std::sync::Arc;

use super::super::redis::tests::{Server, patient};
use super::super::{Batch, Class, Memory, Redis, Space, Store, clock};
use super::Changes;

/// Two nodes, which may share one store.
async fn check(one: Arc<dyn Store>, other: Arc<dyn Store>) {
    let changes = Changes::new(other);
    let (mut keys, mut answers) = (changes.of(Space::Vault), changes.of(Space::Response));
    // The first look tells everybody to read.
    changes.look().await.unwrap();
    assert_eq!((*keys.borrow_and_update(), *answers.borrow_and_update()), (1, 1));
    changes.look().await.unwrap();
    assert!(!keys.has_changed().unwrap());
    for turn in 2..5 {
        let batch = Batch::default().put(Space::Vault.key(&["k"]), "v", None).announce(Space::Vault);
        one.write(batch, Class::Durable).await.unwrap();
        changes.look().await.unwrap();
        assert_eq!(*keys.borrow_and_update(), turn);
        assert!(!answers.has_changed().unwrap());
    }
}

#[tokio::test]
async fn a_change_is_seen_by_who_asked_for_its_space() {
    let store: Arc<dyn Store> = Arc::new(Memory::new(clock()));
    check(Arc::clone(&store), store).await;
}

#[tokio::test]
async fn a_change_through_one_node_is_seen_by_another() {
    let Some(server) = Server::start("changes") else { return };
    let node = || Arc::new(Redis::open(patient(&server.url())).unwrap());
    check(node(), node()).await;
}
