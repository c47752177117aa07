//! One test per promise of the trait, each on every backend.

use std::time::Duration;

use bytes::Bytes;

use super::super::record::Record;
use super::super::redis::tests::{Server, patient, turn};
use super::super::{Batch, Class, Key, Memory, Redis, Scan, Sled, Space, Store, Swap};
use super::{Folder, Turned};

/// Runs one part of the suite on every backend.
async fn each(name: &str, check: impl AsyncFn(&dyn Store, &Turned)) {
    let (time, clock) = Turned::new();
    check(&Memory::limited(clock, small), &time).await;
    let (time, clock) = Turned::new();
    let folder = Folder::new(name);
    check(&Sled::limited(&folder.0, clock, small).unwrap(), &time).await;
    if let Some(server) = Server::start(name) {
        let store = Redis::limited(patient(&server.url()), small).unwrap();
        check(&store, &Turned::by(move |time| turn(&server, time))).await;
    }
}

/// Small spaces, so that a test can fill them.
fn small(space: Space) -> u64 {
    if space == Space::Vault { 4000 } else { u64::MAX }
}

fn key(parts: &[&str]) -> Key {
    Space::Response.key(parts)
}

fn text(value: &'static str) -> Option<Bytes> {
    Some(Bytes::from_static(value.as_bytes()))
}

const CLASSES: [Class; 2] = [Class::Durable, Class::Relaxed];
const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn what_was_put_is_there_and_what_was_deleted_is_not() {
    each("put", async |store, _| {
        for class in CLASSES {
            store.write(Batch::default().put(key(&["a"]), "one", None), class).await.unwrap();
            assert_eq!(store.get(key(&["a"])).await.unwrap(), text("one"));
            store.write(Batch::default().put(key(&["a"]), "two", None), class).await.unwrap();
            let both = store.get_all(vec![key(&["b"]), key(&["a"])]).await.unwrap();
            assert_eq!(both, [None, text("two")]);
            store.write(Batch::default().delete(key(&["a"])), class).await.unwrap();
            assert_eq!(store.get(key(&["a"])).await.unwrap(), None);
        }
    })
    .await;
}

#[tokio::test]
async fn a_note_is_read_at_once() {
    each("note", async |store, _| {
        for turn in 0..200 {
            let value = turn.to_string();
            store.note(Batch::default().put(key(&["n"]), value.clone(), Some(MINUTE))).unwrap();
            assert_eq!(store.get(key(&["n"])).await.unwrap(), Some(Bytes::from(value)));
        }
        store.note(Batch::default().delete(key(&["n"]))).unwrap();
        assert_eq!(store.get(key(&["n"])).await.unwrap(), None);
        store.flush().await.unwrap();
        assert_eq!(store.get(key(&["n"])).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_batch_is_one_change() {
    each("batch", async |store, _| {
        let batch = Batch::default().put(key(&["x"]), "1", None).put(key(&["y"]), "2", Some(MINUTE));
        let batch = batch.put(key(&["y"]), "3", Some(MINUTE)).delete(key(&["x"]));
        store.write(batch, Class::Durable).await.unwrap();
        let found = store.get_all(vec![key(&["x"]), key(&["y"])]).await.unwrap();
        assert_eq!(found, [None, text("3")]);
    })
    .await;
}

#[tokio::test]
async fn what_has_expired_is_not_there_and_is_swept() {
    each("expiry", async |store, time| {
        let batch =
            Batch::default().put(key(&["old"]), "1", Some(MINUTE)).put(key(&["new"]), "2", Some(MINUTE * 3));
        store.write(batch.put(key(&["ever"]), "3", None), Class::Durable).await.unwrap();
        assert_eq!(store.sweep().await.unwrap(), 0);
        time.pass(MINUTE * 2);
        let all = || vec![key(&["old"]), key(&["new"]), key(&["ever"])];
        assert_eq!(store.get_all(all()).await.unwrap(), [None, text("2"), text("3")]);
        assert_eq!(store.sweep().await.unwrap(), 1);
        assert_eq!(store.sweep().await.unwrap(), 0);
        // Put again, it lives on with its new end, and without one for ever.
        store.write(Batch::default().put(key(&["new"]), "4", None), Class::Relaxed).await.unwrap();
        time.pass(MINUTE * 9);
        assert_eq!(store.sweep().await.unwrap(), 0);
        assert_eq!(store.get_all(all()).await.unwrap(), [None, text("4"), text("3")]);
    })
    .await;
}

#[tokio::test]
async fn a_full_space_lets_go_what_expires_first() {
    each("full", async |store, _| {
        let value = "x".repeat(1000);
        for (name, minutes) in [("second", 2), ("first", 1), ("third", 3), ("fourth", 4)] {
            let key = Space::Vault.key(&[name]);
            store
                .write(Batch::default().put(key, value.clone(), Some(MINUTE * minutes)), Class::Relaxed)
                .await
                .unwrap();
        }
        let found = ["first", "second", "third", "fourth"].map(|name| Space::Vault.key(&[name]));
        let found = store.get_all(found.to_vec()).await.unwrap();
        assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true, true, true]);
    })
    .await;
}

#[tokio::test]
async fn a_swap_happens_only_on_what_was_seen() {
    each("swap", async |store, _| {
        let swap = |expected, value: &'static str| Swap {
            key: key(&["s"]),
            expected,
            value: value.into(),
            life: None,
        };
        for class in CLASSES {
            assert!(store.swap(swap(None, "1"), class).await.unwrap());
            assert!(!store.swap(swap(None, "2"), class).await.unwrap());
            assert!(!store.swap(swap(text("2"), "3"), class).await.unwrap());
            assert!(store.swap(swap(text("1"), "4"), class).await.unwrap());
            assert_eq!(store.get(key(&["s"])).await.unwrap(), text("4"));
            store.write(Batch::default().delete(key(&["s"])), class).await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn a_counter_counts_and_ends_when_it_was_said_to() {
    each("count", async |store, time| {
        let counter = Space::Counter.key(&["k"]);
        for expected in 1..=3 {
            assert_eq!(store.increment(counter.clone(), 1, Some(MINUTE)).await.unwrap(), expected);
            time.pass(MINUTE / 4);
        }
        assert_eq!(store.increment(counter.clone(), -5, Some(MINUTE)).await.unwrap(), -2);
        time.pass(MINUTE / 4);
        assert_eq!(store.increment(counter.clone(), 7, Some(MINUTE)).await.unwrap(), 7);
        store.write(Batch::default().put(counter.clone(), "text", None), Class::Relaxed).await.unwrap();
        assert!(store.increment(counter, 1, None).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn a_scan_shows_one_prefix_in_pages() {
    each("scan", async |store, _| {
        let mut batch = Batch::default().put(key(&["other", "1"]), "no", None).put(key(&["ab"]), "no", None);
        for number in 0..5 {
            batch = batch.put(key(&["a", &number.to_string()]), "yes", Some(MINUTE));
        }
        store.write(batch, Class::Durable).await.unwrap();
        let (mut after, mut seen) = (None, Vec::new());
        loop {
            let page = store.scan(Scan { prefix: key(&["a"]), after, limit: 2 }).await.unwrap();
            seen.extend(page.entries.iter().map(|(key, value)| {
                assert_eq!(value, "yes");
                key.parts().unwrap().join("/")
            }));
            let Some(next) = page.next else { break };
            after = Some(next);
        }
        assert_eq!(seen, ["a/0", "a/1", "a/2", "a/3", "a/4"]);
    })
    .await;
}

#[test]
fn keys_of_different_parts_are_different() {
    let keys = [
        key(&["a", "b"]),
        key(&["ab"]),
        key(&["a"]),
        key(&["a", ""]),
        key(&["a/b"]),
        key(&[&"a".repeat(600)]),
    ];
    for (at, one) in keys.iter().enumerate() {
        assert!(keys.iter().skip(at + 1).all(|other| other != one), "{one}");
    }
    assert_eq!(keys[0].parts(), Some(vec!["a", "b"]));
    assert_eq!(keys[0].to_string(), "response/a/b");
    // What is no key of ours is told in one line, too: it may stand in an error.
    assert_eq!(Key(b"due/response/\0\n@".to_vec()).to_string(), "due/response/\\0\\n@");
}

#[test]
fn a_record_that_was_touched_is_refused_by_name() {
    let name = key(&["tenant", "id"]);
    // The second is compressed.
    for value in [b"value".to_vec(), b"a row of the ledger, ".repeat(500)] {
        let record = Record { expires: Some(17), value: value.into() };
        let bytes = record.encode(&name.0);
        assert_eq!(Record::decode(&name.0, &bytes).unwrap(), record);
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut touched = bytes.clone();
                touched[at] ^= 1 << bit;
                let error = Record::decode(&name.0, &touched).unwrap_err().to_string();
                assert!(error.contains("response/tenant/id"), "byte {at}: {error}");
            }
            assert!(Record::decode(&name.0, &bytes[..at]).is_err());
        }
        assert!(Record::decode(&key(&["other", "id"]).0, &bytes).is_err(), "another key's value");
    }
}

#[test]
fn large_values_are_compressed_where_that_helps() {
    let name = key(&["tenant", "id"]);
    let mut random = fastrand::Rng::with_seed(7);
    let noise: Vec<u8> = (0..10_000).map(|_| random.u8(..)).collect();
    let text = b"{\"id\":\"01\",\"key\":\"web\",\"cost\":12},".repeat(100);
    for (value, share) in [(text.clone(), 20), (text[..1_000].to_vec(), 200), (noise, 200)] {
        let record = Record { expires: None, value: value.into() };
        let bytes = record.encode(&name.0);
        assert!(bytes.len() * 100 < record.value.len() * share, "{} of {}", bytes.len(), record.value.len());
        assert_eq!(Record::decode(&name.0, &bytes).unwrap(), record);
        // Without a gain it stands as it is.
        assert_eq!(bytes.ends_with(&record.value), share == 200);
    }
}
