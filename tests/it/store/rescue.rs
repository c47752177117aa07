//! A store is looked at, saved, lost and brought back with the command line, beside a gateway that runs.

use std::fs;
use std::process::Output;

use serde_json::{Value, json};

use super::super::support::client::Client;
use super::super::support::gateway::{Folder, free_address, good, run};
use super::super::support::{Gateway, PATIENCE, configuration, upstream};

/// Runs a command with a configuration; gives its exit status and what it printed.
async fn command(configuration: &str, words: &[&str]) -> (i32, Value, String) {
    let (text, words): (String, Vec<String>) =
        (configuration.to_owned(), words.iter().map(|word| (*word).to_owned()).collect());
    let done = tokio::task::spawn_blocking(move || {
        let listen = format!(
            "[server]\nlisten = [\"{}\"]\n[admin]\nlisten = \"{}\"\n",
            free_address(),
            free_address()
        );
        let mut all: Vec<&str> = words.iter().map(String::as_str).collect();
        all.extend(["-c", "causeway.toml"]);
        run(&all, &[("causeway.toml", format!("{listen}{text}").as_bytes())], &[])
    });
    let Output { status, stdout, stderr } = done.await.unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    (status.code().unwrap(), serde_json::from_slice(&stdout).unwrap_or_default(), said)
}

async fn remember(client: &Client, input: &str) -> String {
    let body = json!({ "model": "openai/mock", "input": input });
    let response = good(&client.post("/v1/responses", &body).await);
    format!("/v1/responses/{}", response["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_store_is_saved_lost_and_brought_back() {
    let (mock, folder) = (upstream::mock(), Folder::new());
    let at = |name: &str| folder.path().join(name).display().to_string();
    let with =
        |name: &str| format!("{}[store]\npath = \"{}\"\n", configuration(&upstream::url(&mock)), at(name));
    let configuration = with("state");
    let gateway = Gateway::start(&configuration).await;
    let first = remember(&gateway.client().with_key(), "one").await;
    let process = format!("process {} ", gateway.process());

    // While it runs: look, save, export; not restore.
    let (status, json, said) = command(&configuration, &["store", "check", "--json"]).await;
    assert_eq!((status, &json["ok"]), (0, &json!(true)), "{said}");
    assert!(json["holder"].as_str().unwrap().starts_with(&process), "{said}");
    assert_eq!(json["report"]["spaces"]["response"]["records"], 1, "{said}");
    let (backup, lines) = (at("all.snapshot"), at("all.jsonl"));
    let (status, json, said) =
        command(&configuration, &["store", "backup", "--all", &backup, "--json"]).await;
    assert_eq!(status, 0, "{said}");
    assert!(json["records"].as_u64().unwrap() >= 1, "{said}");
    let (status, _, said) = command(&configuration, &["store", "export", "--to", &lines]).await;
    assert_eq!(status, 0, "{said}");
    let (status, _, said) = command(&configuration, &["store", "restore", "--from", &backup]).await;
    assert!(status == 1 && said.contains(&process), "{status}: {said}");
    drop(gateway);

    // Lost: the engine's file is cut off in the middle.
    let db = folder.path().join("state/sled/db");
    let length = fs::metadata(&db).unwrap().len();
    fs::OpenOptions::new().write(true).open(&db).unwrap().set_len(length / 3).unwrap();
    let (status, _, said) = command(&configuration, &["store", "check"]).await;
    assert!(status == 1 && said.contains("causeway store restore"), "{status}: {said}");
    let (status, _, said) = command(&configuration, &["serve"]).await;
    assert!(status == 78 && said.contains("causeway store restore"), "{status}: {said}");
    assert!(!said.contains("panicked at"), "{said}");
    let (status, json, said) =
        command(&configuration, &["store", "restore", "--from", &backup, "--json"]).await;
    assert_eq!((status, &json["ok"]), (0, &json!(true)), "{said}");
    assert!(fs::exists(json["aside"].as_str().unwrap()).unwrap(), "{said}");
    let gateway = Gateway::start(&configuration).await;
    assert_eq!(gateway.client().with_key().get(&first).await.status, 200);
    drop(gateway);

    // Moved: the lines go into another store, once, and what opens its secrets goes along.
    let other = with("other");
    fs::create_dir_all(at("other")).unwrap();
    fs::copy(at("state/master.key"), at("other/master.key")).unwrap();
    let (status, json, said) = command(&other, &["store", "import", "--from", &lines, "--json"]).await;
    assert_eq!((status, &json["ok"]), (0, &json!(true)), "{said}");
    let (status, _, said) = command(&other, &["store", "import", "--from", &lines]).await;
    assert!(status == 1 && said.contains("--merge"), "{status}: {said}");
    let gateway = Gateway::start(&other).await;
    assert_eq!(gateway.client().with_key().get(&first).await.status, 200);
}

#[tokio::test]
async fn an_emptied_store_is_refused_and_recovered_when_told_to() {
    let (mock, folder) = (upstream::mock(), Folder::new());
    let path = folder.path().display();
    let configuration = format!("{}[store]\npath = \"{path}\"\n", configuration(&upstream::url(&mock)));
    let gateway = Gateway::start(&configuration).await;
    remember(&gateway.client().with_key(), "one").await;
    until_saved(&gateway).await;
    drop(gateway);
    for entry in fs::read_dir(folder.path().join("sled")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() { fs::remove_file(path).unwrap() } else { fs::remove_dir_all(path).unwrap() }
    }
    for manifest in [true, false] {
        if !manifest {
            fs::remove_file(folder.path().join("sled.manifest")).unwrap();
        }
        let (status, _, said) = command(&configuration, &["serve"]).await;
        assert!(
            status == 78 && said.contains("the store is empty, and it was not before"),
            "{status}: {said}"
        );
        assert!(said.contains("causeway store restore"), "{said}");
    }
    let (status, _, said) = command(&configuration, &["store", "restore"]).await;
    assert_eq!(status, 0, "{said}");
    let gateway = Gateway::start(&configuration).await;
    remember(&gateway.client().with_key(), "two").await;
}

/// Waits for the snapshot that is made at the start.
async fn until_saved(gateway: &Gateway) {
    let saving = async {
        while gateway.metric("causeway_store_snapshot_timestamp_seconds", &[]).await == 0.0 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, saving).await.expect("a snapshot is made");
}
