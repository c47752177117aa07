//! Keys of the store at a running gateway: in every dialect, over a restart, and never in the open.

use std::path::Path;
use std::sync::Arc;

use causeway::auth;
use causeway::people::{IssuedKey, Maker, People};
use causeway::seal;
use causeway::store::{self, Sled, Store};

use super::support::gateway::Folder;
use super::support::{Gateway, Shape, configuration, upstream};

/// Makes keys in a folder that no process uses, with the key of their hashes, which the store's root gives.
async fn keys_in(folder: &Path, keys: &[serde_json::Value]) -> Vec<IssuedKey> {
    let store: Arc<dyn Store> = Arc::new(Sled::open(&folder.join("sled"), store::clock()).unwrap());
    let master = seal::file::read(folder).unwrap().unwrap();
    let master = causeway::state::master_of(store.as_ref(), master).await.unwrap();
    let hash_key = master.derive(seal::Purpose::VirtualKeyHash);
    // They are made in 2020, so that one of them has ended by now.
    let people = People::new(store, hash_key, Arc::new(|| 1_577_836_800_000));
    people.load().await.unwrap();
    let maker = Maker::Operator("tests".to_owned());
    let mut issued = Vec::new();
    for key in keys {
        let new = serde_json::from_value(key.clone()).unwrap();
        issued.push(people.create_key(&maker, new, auth::new_secret().unwrap()).await.unwrap());
    }
    issued
}

/// A configuration with its store in a folder, which was used once so that all is there.
async fn prepared(folder: &Folder, upstream: &str) -> String {
    let text = format!("{}[store]\npath = \"{}\"\n", configuration(upstream), folder.path().display());
    let mut first = Gateway::start(&text).await;
    first.terminate();
    super::support::until("the process ends", || first.ended().is_some()).await;
    text
}

#[tokio::test]
async fn stored_keys_work_in_every_dialect_and_are_refused_with_their_reason() {
    let mock = upstream::mock();
    let folder = Folder::new();
    let text = prepared(&folder, &upstream::url(&mock)).await;
    let ended = "2020-01-02T00:00:00Z";
    let keys = [
        serde_json::json!({ "name": "any" }),
        serde_json::json!({ "name": "few", "models": ["openai/*"] }),
        serde_json::json!({ "name": "short", "expires": ended }),
        serde_json::json!({ "name": "away", "addresses": ["192.0.2.0/24"] }),
        serde_json::json!({ "name": "near", "addresses": ["127.0.0.0/8", "::1"] }),
    ];
    let issued = keys_in(folder.path(), &keys).await;
    let mut gateway = Gateway::start(&text).await;
    for round in ["first", "after a restart"] {
        for dialect in Shape::ALL {
            for (key, model, status, said) in [
                ("any", "openai/mock", 200, ""),
                ("any", "anthropic/mock", 200, ""),
                ("few", "openai/mock", 200, ""),
                ("few", "anthropic/mock", 403, "anthropic/mock"),
                ("short", "openai/mock", 401, ended),
                ("away", "openai/mock", 403, "127.0.0.1"),
                ("near", "openai/mock", 200, ""),
            ] {
                let secret = &issued.iter().find(|issued| issued.key.name == key).unwrap().secret;
                let client = gateway.client().with("authorization", &format!("Bearer {}", secret.expose()));
                let body = dialect.named(&dialect.says("hi"), model, false);
                let reply = client.post(&dialect.path(model, false), &body).await;
                assert_eq!(reply.status, status, "{round} {dialect:?} {key} {model}: {}", reply.text());
                if status != 200 {
                    let (_, message) = dialect.error(&reply.json());
                    assert!(message.contains(said), "{round} {dialect:?} {key}: {message}");
                }
            }
        }
        gateway.restart().await;
    }
    // The last use survives, and no file holds a secret.
    gateway.terminate();
    super::support::until("the process ends", || gateway.ended().is_some()).await;
    let mut files = vec![folder.path().to_owned()];
    let mut read = 0;
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        read += bytes.len();
        for issued in &issued {
            let secret = issued.secret.expose().as_bytes();
            let found = bytes.windows(secret.len()).any(|window| window == secret);
            assert!(!found, "{} shows a secret", path.display());
        }
    }
    assert!(read > 1000, "the store holds {read} bytes");
    let log = gateway.lines().join("\n");
    assert!(issued.iter().all(|issued| !log.contains(issued.secret.expose())), "the log shows a secret");
}
