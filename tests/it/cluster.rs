//! Many nodes over one real Redis or Valkey: what one was told the others know, and what a server that goes does to them.

use std::time::Duration;

use serde_json::{Value, json};

use super::support::client::{Client, Reply};
use super::support::gateway::{Folder, free_address, good, run};
use super::support::redis::Server;
use super::support::upstream::{Scripted, Step};
use super::support::{Gateway, PATIENCE, configuration, upstream};
use causeway::mock::Running;

mod budget;

/// A configuration of nodes that share a server, which they wait for as long as a busy machine needs.
fn configured(mock: &Running, server: &Server) -> String {
    let store = format!(
        "[store]\nbackend = \"redis\"\nmaster_key = \"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\"\nurl = \"{}\"\ntimeout = \"5s\"\nconnect_timeout = \"5s\"\n",
        server.url()
    );
    [configuration(&upstream::url(mock)), store].concat()
}

async fn nodes<const COUNT: usize>(configuration: &str) -> [Gateway; COUNT] {
    let mut nodes = Vec::with_capacity(COUNT);
    for _ in 0..COUNT {
        nodes.push(Gateway::start(configuration).await);
    }
    nodes.try_into().unwrap_or_else(|_| unreachable!())
}

fn client(node: &Gateway) -> Client {
    node.client().with_key()
}

fn says(text: &str, previous: Option<&str>) -> Value {
    json!({ "model": "openai/mock", "input": text, "previous_response_id": previous })
}

/// Starts a gateway that cannot start, and gives what it said.
async fn refused(configuration: String) -> String {
    let starting = tokio::task::spawn_blocking(move || {
        let (listen, admin) = (free_address(), free_address());
        let text =
            format!("[server]\nlisten = [\"{listen}\"]\n[admin]\nlisten = \"{admin}\"\n{configuration}");
        run(&["serve", "-c", "causeway.toml"], &[("causeway.toml", text.as_bytes())], &[])
    });
    let output = starting.await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "it ran:\n{said}");
    said
}

#[tokio::test]
async fn a_conversation_goes_on_at_another_node() {
    let Some(server) = Server::start("a_conversation_goes_on_at_another_node") else { return };
    let mock = upstream::mock();
    let [one, other] = nodes(&configured(&mock, &server)).await;
    let first = good(&client(&one).post("/v1/responses", &says("my name is Ada", None)).await);
    let id = first["id"].as_str().unwrap();
    let second = client(&other).post("/v1/responses", &says("what is my name?", Some(id))).await;
    assert_eq!(good(&second)["previous_response_id"], id);
    let asked = mock.requests().last().unwrap().json().to_string();
    assert!(asked.contains("my name is Ada") && asked.contains("what is my name?"), "{asked}");
    // What is deleted at one node is gone at the other.
    assert_eq!(client(&other).get(&format!("/v1/responses/{id}")).await.status, 200);
    assert_eq!(client(&other).send("DELETE", &format!("/v1/responses/{id}"), b"").await.status, 200);
    assert_eq!(client(&one).get(&format!("/v1/responses/{id}")).await.status, 404);
    // The store outlives the nodes.
    let kept = good(&client(&one).post("/v1/responses", &says("keep this", None)).await);
    drop((one, other));
    let [again] = nodes(&configured(&mock, &server)).await;
    let kept = format!("/v1/responses/{}", kept["id"].as_str().unwrap());
    assert_eq!(client(&again).get(&kept).await.status, 200);
}

#[tokio::test]
async fn without_the_server_requests_that_need_it_fail_and_others_do_not() {
    let Some(mut server) = Server::start("without_the_server") else { return };
    let mock = upstream::mock();
    let [node] = nodes(&configured(&mock, &server)).await;
    let first = good(&client(&node).post("/v1/responses", &says("hello", None)).await);
    let id = first["id"].as_str().unwrap().to_owned();
    server.kill();
    let chat = json!({ "model": "openai/mock", "messages": [{ "role": "user", "content": "still there?" }] });
    good(&client(&node).post("/v1/chat/completions", &chat).await);
    let refused = client(&node).post("/v1/responses", &says("and I?", Some(&id))).await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    // One that needs nothing kept is answered, and says that it is not kept.
    let unkept = good(&client(&node).post("/v1/responses", &says("a new one", None)).await);
    assert_eq!(unkept["store"], false, "{unkept}");
    server.start_again();
    let again = async {
        loop {
            let reply = client(&node).post("/v1/responses", &says("and now?", Some(&id))).await;
            if reply.status == 200 {
                return reply;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let reply: Reply = tokio::time::timeout(PATIENCE, again).await.expect("the store does not come back");
    assert_eq!(good(&reply)["previous_response_id"], id.as_str());
    let lines = node.lines();
    assert!(lines.iter().any(|line| line.contains("the store is lost")), "{lines:?}");
    assert!(lines.iter().any(|line| line.contains("the store is back")), "{lines:?}");
}

#[tokio::test]
async fn a_provider_key_that_one_node_saw_refused_rests_at_all() {
    let Some(server) = Server::start("a_provider_key_that_one_node_saw_refused") else { return };
    let refusal = "HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let provider = Scripted::start(vec![Step::send(refusal), Step::Close]).await;
    let mock = upstream::mock();
    let text = configured(&mock, &server).replace(&upstream::url(&mock), &provider.url());
    let [one, other] = nodes(&text).await;
    let chat = json!({ "model": "openai/mock", "messages": [{ "role": "user", "content": "hello" }] });
    assert_ne!(client(&one).post("/v1/chat/completions", &chat).await.status, 200);
    let asked = provider.requests().len();
    assert!(asked > 0);
    let knows = async {
        let resting = "causeway_provider_keys_resting{provider=\"openai\"} 1";
        while !other.admin().get("/metrics").await.text().contains(resting) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, knows).await.expect("the other node is not told");
    assert_ne!(client(&other).post("/v1/chat/completions", &chat).await.status, 200);
    assert_eq!(provider.requests().len(), asked);
}

#[tokio::test]
async fn another_store_than_the_known_one_is_refused_until_it_is_meant() {
    let Some(server) = Server::start("another_store") else { return };
    let mock = upstream::mock();
    let folder = Folder::new();
    let text = configured(&mock, &server)
        .replace("timeout = \"5s\"\nconnect", &format!("path = \"{}\"\nconnect", folder.path().display()));
    for _ in 0..2 {
        drop(Gateway::start(&text).await);
    }
    server.ask(&["FLUSHALL"]);
    let said = refused(text.clone()).await;
    assert!(said.contains("is not the store that this node knows") && said.contains("--recover"), "{said}");
}

#[tokio::test]
async fn a_server_that_will_not_do_is_refused_with_what_helps() {
    let settings = ["--maxmemory", "50mb", "--maxmemory-policy", "volatile-ttl"];
    let Some(evicting) = Server::start_with("a_server_that_will_not_do", &settings) else { return };
    let mock = upstream::mock();
    let said = refused(configured(&mock, &evicting)).await;
    assert!(said.contains("store.url: ") && said.contains("set `maxmemory-policy noeviction`"), "{said}");
    drop(evicting);
    let locked = Server::start_with("locked", &["--requirepass", "the-right-word"]).unwrap();
    let text = configured(&mock, &locked);
    let said = refused(text.replace("redis://", "redis://:a-wrong-word@")).await;
    assert!(said.contains("wants a password") && !said.contains("a-wrong-word"), "{said}");
    let [node] = nodes(&text.replace("redis://", "redis://:the-right-word@")).await;
    good(&client(&node).post("/v1/responses", &says("in", None)).await);
    let lines = node.lines().join("\n");
    assert!(lines.contains("Redis ") || lines.contains("Valkey "), "{lines}");
    assert!(!lines.contains("the-right-word"), "{lines}");
    let nobody = text.replace(&locked.url(), "redis://:hidden-word@127.0.0.1:1");
    let said = refused(nobody).await;
    assert!(said.contains("store.url: ") && !said.contains("hidden-word"), "{said}");
}
