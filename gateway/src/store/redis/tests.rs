//! What only a store on a server must show: that nodes see each other, and what a server that goes does to them.

use std::time::Duration;

use bytes::Bytes;

use super::super::{Batch, Class, Kept, Space, State, Store, StoreError, Swap};
use super::{Address, Redis};

#[path = "../../../../tests/it/support/redis.rs"]
mod server;

pub(in crate::store) use server::Server;

/// Lets time pass on a server: everything ends that much earlier.
pub(in crate::store) fn turn(server: &Server, time: Duration) {
    let code = "local by = tonumber(ARGV[1]) \
        for _, name in ipairs(redis.call('KEYS', '*')) do \
            local left = redis.call('PTTL', name) \
            if left >= 0 and left <= by then redis.call('DEL', name) \
            elseif left >= 0 then redis.call('PEXPIRE', name, left - by) end \
            if string.find(name, ':due:') then \
                for _, key in ipairs(redis.call('ZRANGE', name, 0, -1)) do redis.call('ZINCRBY', name, -by, key) end \
            end \
        end return 'turned'";
    let said = server.ask(&["EVAL", code, "0", &time.as_millis().to_string()]);
    assert_eq!(said.trim(), "turned");
}

/// A node with patience: this machine may be busy.
fn node(server: &Server) -> Redis {
    try_node(&server.url()).unwrap()
}

pub(in crate::store) fn patient(url: &str) -> Address {
    let timeout = Duration::from_secs(10);
    Address { timeout, connect: timeout, ..Address::new(url) }
}

fn try_node(url: &str) -> Result<Redis, StoreError> {
    Redis::open(patient(url))
}

fn text(value: &'static str) -> Option<Bytes> {
    Some(Bytes::from_static(value.as_bytes()))
}

/// Asks until it is answered again.
async fn until_back(store: &Redis) {
    let back = async {
        while store.get(Space::Meta.key(&["any"])).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), back).await.expect("the store does not come back");
}

#[tokio::test]
async fn nodes_see_each_other() {
    let Some(server) = Server::start("nodes_see_each_other") else { return };
    let (one, other) = (node(&server), node(&server));
    let key = Space::Response.key(&["key", "resp_1"]);
    one.write(Batch::default().put(key.clone(), "said", None), Class::Durable).await.unwrap();
    assert_eq!(other.get(key.clone()).await.unwrap(), text("said"));
    let swap = |expected: &'static str, value: &'static str| Swap {
        key: key.clone(),
        expected: text(expected),
        value: value.into(),
        life: None,
    };
    assert!(other.swap(swap("said", "taken"), Class::Durable).await.unwrap());
    assert!(!one.swap(swap("said", "lost"), Class::Durable).await.unwrap());
    let counter = Space::Counter.key(&["turns"]);
    for turn in 1..=10 {
        let node = if turn % 2 == 0 { &one } else { &other };
        assert_eq!(node.increment(counter.clone(), 1, None).await.unwrap(), turn);
    }
    assert_eq!(one.get(counter).await.unwrap(), Some(Bytes::copy_from_slice(&10_i64.to_be_bytes())));
}

#[tokio::test]
async fn a_walk_shows_everything_with_its_end() {
    let Some(server) = Server::start("walk") else { return };
    let store = node(&server);
    let key = |number: u32| Space::Response.key(&[&format!("{number:05}")]);
    let batch = (0..450).fold(Batch::default(), |batch, number| {
        let life = (number % 2 == 0).then_some(Duration::from_secs(1000));
        batch.put(key(number), number.to_string(), life)
    });
    store.write(batch, Class::Durable).await.unwrap();
    store.increment(Space::Counter.key(&["c"]), 7, None).await.unwrap();
    let mut seen = Vec::new();
    let mut take = |kept: Vec<Kept>| {
        seen.extend(kept);
        Ok(())
    };
    store.walk(&[Space::Response, Space::Counter, Space::Vault], &mut take).await.unwrap();
    assert_eq!(seen.len(), 451);
    for (number, kept) in (0..450).zip(&seen) {
        assert_eq!((&kept.key, kept.value.as_ref()), (&key(number), number.to_string().as_bytes()));
        assert_eq!(kept.expires.is_some(), number % 2 == 0);
    }
    assert_eq!(seen[450].value.as_ref(), 7_i64.to_be_bytes());
    assert_eq!(store.state(), State::Ready);
}

#[tokio::test]
async fn two_deployments_on_one_server_do_not_meet() {
    let Some(server) = Server::start("two_deployments") else { return };
    let other = Address { prefix: "other".to_owned(), ..patient(&server.url()) };
    let (one, other) = (node(&server), Redis::open(other).unwrap());
    let key = Space::Meta.key(&["k"]);
    one.write(Batch::default().put(key.clone(), "1", None), Class::Durable).await.unwrap();
    assert_eq!(other.get(key).await.unwrap(), None);
}

#[tokio::test]
async fn a_counter_is_exact_to_its_last_bit_and_stops_at_its_edge() {
    let Some(server) = Server::start("counter_edges") else { return };
    let store = node(&server);
    let counter = Space::Counter.key(&["edge"]);
    assert_eq!(store.increment(counter.clone(), i64::MAX - 2, None).await.unwrap(), i64::MAX - 2);
    assert_eq!(store.increment(counter.clone(), 1, None).await.unwrap(), i64::MAX - 1);
    assert_eq!(store.increment(counter.clone(), 5, None).await.unwrap(), i64::MAX);
    let low = Space::Counter.key(&["low"]);
    assert_eq!(store.increment(low.clone(), i64::MIN + 1, None).await.unwrap(), i64::MIN + 1);
    assert_eq!(store.increment(low, -7, None).await.unwrap(), i64::MIN);
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_the_server_was_killed() {
    let Some(mut server) = Server::start("killed") else { return };
    let store = node(&server);
    let key = |number: u32| Space::Response.key(&["key", &number.to_string()]);
    for number in 0..50 {
        let batch = Batch::default().put(key(number), number.to_string(), Space::Response.life());
        store.write(batch, Class::Durable).await.unwrap();
    }
    server.kill();
    let error = store.get(key(0)).await.unwrap_err();
    assert!(matches!(error, StoreError::Lost(_)), "{error}");
    // Asked while nobody answers, it fails at once: the time limit is not waited for.
    let error = store.write(Batch::default().delete(key(0)), Class::Durable).await.unwrap_err();
    assert_eq!(error, StoreError::Lost("it does not answer".to_owned()));
    server.start_again();
    until_back(&store).await;
    let found = store.get_all((0..50).map(key).collect()).await.unwrap();
    assert!(found.iter().enumerate().all(|(number, value)| *value == Some(number.to_string().into())));
    // The server has forgotten the scripts.
    store.write(Batch::default().delete(key(0)), Class::Durable).await.unwrap();
    assert_eq!(store.get(key(0)).await.unwrap(), None);
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up_and_comes_back() {
    let Some(server) = Server::start("hangs") else { return };
    // It gives up soon.
    let timeout = Duration::from_millis(150);
    let store = Redis::open(Address { timeout, ..patient(&server.url()) }).unwrap();
    let key = Space::Vault.key(&["k"]);
    store.write(Batch::default().put(key.clone(), "v", None), Class::Relaxed).await.unwrap();
    server.pause();
    let mut said = Vec::new();
    for _ in 0..5 {
        said.push(store.get(key.clone()).await.unwrap_err().to_string());
    }
    assert!(said[0].contains("did not answer in time"), "{said:?}");
    assert!(said[4].contains("it does not answer"), "{said:?}");
    // What is noted meanwhile is read, and a note that cannot be written does not hold up anything.
    store.note(Batch::default().put(key.clone(), "noted", None)).unwrap();
    assert_eq!(store.get(key.clone()).await.unwrap(), text("noted"));
    server.resume();
    until_back(&store).await;
    store.flush().await.unwrap();
    assert!(store.get(key).await.unwrap().is_some());
}

#[tokio::test]
async fn an_emptied_store_is_noticed_and_gets_a_new_identity() {
    let Some(server) = Server::start("emptied") else { return };
    let (one, other) = (node(&server), node(&server));
    let key = Space::Response.key(&["k"]);
    one.write(Batch::default().put(key.clone(), "v", None), Class::Durable).await.unwrap();
    let before = one.link.identity();
    assert_eq!(before, other.link.identity());
    server.ask(&["FLUSHALL"]);
    let error = one.write(Batch::default().put(key.clone(), "w", None), Class::Durable).await.unwrap_err();
    assert!(matches!(&error, StoreError::Lost(why) if why.contains("not the store")), "{error}");
    until_back(&one).await;
    one.write(Batch::default().put(key.clone(), "w", None), Class::Durable).await.unwrap();
    assert_eq!(one.link.server().emptied, 1);
    let error = other.increment(Space::Counter.key(&["c"]), 1, None).await.unwrap_err();
    assert!(matches!(error, StoreError::Lost(_)), "{error}");
    until_back(&other).await;
    assert_eq!(other.get(key).await.unwrap(), text("w"));
    assert_eq!(one.link.identity(), other.link.identity());
    assert_ne!(one.link.identity(), before);
    assert_eq!(server.ask(&["HEXISTS", "{causeway}:meta", "settling"]).trim(), ":1");
}

#[tokio::test]
async fn a_server_that_became_a_replica_is_lost_until_it_is_none() {
    let Some(server) = Server::start("replica") else { return };
    let store = node(&server);
    let batch = || Batch::default().put(Space::Meta.key(&["k"]), "v", None);
    store.write(batch(), Class::Durable).await.unwrap();
    server.ask(&["REPLICAOF", "127.0.0.1", "1"]);
    let error = store.write(batch(), Class::Durable).await.unwrap_err();
    assert!(matches!(error, StoreError::Lost(_)), "{error}");
    let error = try_node(&server.url()).err().unwrap().to_string();
    assert!(error.contains("is a replica"), "{error}");
    server.ask(&["REPLICAOF", "NO", "ONE"]);
    until_back(&store).await;
    store.write(batch(), Class::Durable).await.unwrap();
}

#[tokio::test]
async fn a_full_server_takes_nothing_and_forgets_nothing() {
    let Some(server) = Server::start_with("full", &["--maxmemory", "3mb"]) else { return };
    let store = node(&server);
    let key = |number: u32| Space::Response.key(&[&number.to_string()]);
    // What cannot be compressed.
    let mut random = fastrand::Rng::with_seed(7);
    let noise: Vec<u8> = (0..100_000).map(|_| random.u8(..)).collect();
    let mut written = 0;
    let error = loop {
        assert!(written < 100, "three megabytes hold ten");
        let batch = Batch::default().put(key(written), noise.clone(), None);
        match store.write(batch, Class::Durable).await {
            Ok(()) => written += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(&error, StoreError::Lost(why) if why.contains("OOM")), "{error}");
    let found = store.get_all((0..written).map(key).collect()).await.unwrap();
    assert!(written > 3 && found.iter().all(Option::is_some), "{written}");
    // What removes is taken, and makes room.
    let batch = (0..written).fold(Batch::default(), |batch, number| batch.delete(key(number)));
    store.write(batch, Class::Durable).await.unwrap();
    store.write(Batch::default().put(key(0), noise, None), Class::Durable).await.unwrap();
}

#[tokio::test]
async fn a_server_that_evicts_or_wants_a_password_is_refused() {
    let settings = ["--maxmemory", "50mb", "--maxmemory-policy", "allkeys-lru"];
    let Some(evicting) = Server::start_with("evicting", &settings) else { return };
    let error = try_node(&evicting.url()).err().unwrap().to_string();
    assert!(error.contains("set `maxmemory-policy noeviction`"), "{error}");
    let locked = Server::start_with("locked", &["--requirepass", "open-sesame"]).unwrap();
    for url in [locked.url(), locked.url().replace("127.0.0.1", ":wrong-word@127.0.0.1")] {
        let error = try_node(&url).err().unwrap().to_string();
        assert!(error.contains("wants a password") && error.contains("store.url"), "{error}");
        assert!(!error.contains("wrong-word"), "{error}");
    }
    try_node(&locked.url().replace("127.0.0.1", ":open-sesame@127.0.0.1")).unwrap();
    let nobody = try_node("redis://:hidden@127.0.0.1:1").err().unwrap();
    assert!(matches!(&nobody, StoreError::Lost(why) if !why.contains("hidden")), "{nobody}");
}
