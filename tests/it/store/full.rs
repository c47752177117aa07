//! A disk that is full: what is there is read, what is new is refused, and it goes on by itself.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use causeway::store::{Batch, Class, Place, Sled, Space, State, Store, StoreError, clock};
use serde_json::json;

use super::super::support::gateway::{Folder, good};
use super::super::support::packages::skip;
use super::super::support::{Gateway, PATIENCE, Shape, configuration, until, upstream};

/// A disk of its own of 64 MiB.
struct Disk(Folder);

impl Disk {
    fn mount(test: &str) -> Option<Self> {
        let folder = Folder::new();
        let path = folder.path().to_str().unwrap().to_owned();
        let words = ["-t", "tmpfs", "-o", "size=64m,mode=0777", "tmpfs", &path];
        let mounted = ["mount", "sudo"].into_iter().any(|program| {
            let mut command = Command::new(program);
            if program == "sudo" {
                command.args(["-n", "mount"]);
            }
            command.args(words).output().is_ok_and(|output| output.status.success())
        });
        if !mounted {
            skip(test, "a small disk cannot be mounted here, neither directly nor with sudo");
            return None;
        }
        Some(Self(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Takes all the room but so many bytes.
    fn fill(&self) -> PathBuf {
        let path = self.path().join("filling");
        let mut file = OpenOptions::new().create(true).append(true).open(&path).unwrap();
        for size in [1 << 20, 4096, 1] {
            while std::io::Write::write_all(&mut file, &vec![0; size]).is_ok() {}
        }
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let path = self.path().to_str().unwrap().to_owned();
        let done = Command::new("umount").args(["-l", &path]).output();
        if !done.is_ok_and(|output| output.status.success()) {
            let _ = Command::new("sudo").args(["-n", "umount", "-l", &path]).output();
        }
    }
}

async fn put(store: &Sled, number: u32) -> Result<(), StoreError> {
    let batch =
        Batch::default().put(Space::Response.key(&["k", &number.to_string()]), "x".repeat(8000), None);
    let writing = store.write(batch, Class::Durable);
    tokio::time::timeout(PATIENCE, writing).await.expect("a write hangs")
}

async fn has(store: &Sled, number: u32) -> bool {
    let key = Space::Response.key(&["k", &number.to_string()]);
    tokio::time::timeout(PATIENCE, store.get(key))
        .await
        .expect("a read hangs")
        .is_ok_and(|found| found.is_some())
}

/// The engine itself runs into the end of the disk: no low mark keeps it from that.
#[tokio::test]
async fn a_store_that_ran_full_is_read_at_once_and_written_when_there_is_room() {
    let Some(disk) = Disk::mount("a_store_that_ran_full") else { return };
    let place = Place { ballast: 64 << 20, ..Place::at(disk.path().join("sled")) };
    let store = Sled::open_at(&place, clock()).unwrap();
    for round in 0..3 {
        let first = round * 100_000;
        put(&store, first).await.unwrap();
        let filling = disk.fill();
        let mut last = first;
        let mut refused = None;
        for number in first + 1..first + 10_000 {
            match put(&store, number).await {
                Ok(()) => last = number,
                Err(error) => {
                    refused = Some(error);
                    break;
                }
            }
        }
        let refused = refused.expect("the disk is full");
        assert_eq!(refused, StoreError::Full, "round {round}");
        // The ballast is given up, so it is open again and everything acknowledged is there.
        until("it is read again", || matches!(store.state(), State::ReadOnly(_))).await;
        for number in first..=last {
            assert!(has(&store, number).await, "round {round}: {number} of {last}");
        }
        assert_eq!(put(&store, 1).await, Err(StoreError::Full));
        fs::remove_file(filling).unwrap();
        let start = Instant::now();
        until("it is written again", || store.state() == State::Ready).await;
        assert!(start.elapsed() < Duration::from_secs(30));
        put(&store, last + 1).await.unwrap();
        assert!(has(&store, last + 1).await && has(&store, last).await);
    }
    store.close().await.unwrap();
    let store = Sled::open_at(&place, clock()).unwrap();
    assert!(has(&store, 0).await && has(&store, 200_000).await);
}

#[tokio::test]
async fn a_gateway_serves_while_the_disk_is_full_and_goes_on_by_itself() {
    let Some(disk) = Disk::mount("a_gateway_serves_while_the_disk_is_full") else { return };
    let mock = upstream::mock();
    let configuration =
        format!("{}[store]\npath = \"{}\"\n", configuration(&upstream::url(&mock)), disk.path().display());
    let gateway = Gateway::start(&configuration).await;
    let client = gateway.client().with_key();
    let kept = |input: &str| json!({ "model": "openai/mock", "input": input });
    let first = good(&client.post("/v1/responses", &kept("before")).await);
    let filling = disk.fill();
    let ready = async || gateway.admin().get("/readyz").await.text();
    let start = Instant::now();
    // Where the engine ran into the end of the disk, it is opened again first.
    while !ready().await.contains("read-only") {
        assert!(start.elapsed() < PATIENCE, "{}", ready().await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    gateway.until_metric("causeway_store_state", &[], 1.0).await;
    for _ in 0..30 {
        good(&client.ask(Shape::OpenAi, "openai/mock", &Shape::OpenAi.says("hello")).await);
        let stored = client.post("/v1/responses", &kept("while full")).await;
        assert!(matches!(stored.status, 200 | 503) && stored.complete, "{} {}", stored.status, stored.text());
        let not_stored = json!({ "model": "openai/mock", "input": "x", "store": false });
        good(&client.post("/v1/responses", &not_stored).await);
    }
    let path = format!("/v1/responses/{}", first["id"].as_str().unwrap());
    assert_eq!(good(&client.get(&path).await)["id"], first["id"], "what is there is read");
    fs::remove_file(filling).unwrap();
    let start = Instant::now();
    while ready().await != "ready\n" {
        assert!(start.elapsed() < Duration::from_secs(30), "{}", ready().await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let after = good(&client.post("/v1/responses", &kept("after")).await);
    let path = format!("/v1/responses/{}", after["id"].as_str().unwrap());
    assert_eq!(good(&client.get(&path).await)["id"], after["id"]);
    gateway.until_metric("causeway_store_state", &[], 0.0).await;
}
