//! Providers and models made through the admin API of a running gateway, and the addresses they may not have.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::support::client::Client;
use super::support::gateway::Folder;
use super::support::{Gateway, Shape, configuration, upstream};

const KEY_TYPED_IN: &str = "sk-typed-in-0123456789abcdefghij";

fn with_admin(text: &str, admin: &str, store: &str) -> String {
    // `[admin]` is completed by the harness with its address and password.
    let admin_lines = format!(
        "[admin]\nlisten = \"{{admin}}\"\npassword = \"{}\"\n{admin}\n",
        super::support::ADMIN_PASSWORD
    );
    format!("{admin_lines}{store}{text}")
}

async fn made(admin: &Client, kind: &str, body: &Value) -> Value {
    let reply = admin.post(&format!("/admin/api/{kind}"), body).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    reply.json()
}

#[tokio::test]
async fn what_is_made_answers_at_once_and_after_a_crash() {
    let mock = upstream::mock();
    let folder = Folder::new();
    let store = format!("[store]\npath = \"{}\"\n", folder.path().display());
    let url = upstream::url(&mock);
    let text = with_admin(&configuration(&url), "allow_private = [\"127.0.0.0/8\"]", &store);
    let mut gateway = Gateway::start(&text).await;
    let admin = gateway.admin();
    let provider = json!({ "name": "acme", "settings": { "plugin": "openai", "url": url }, "keys": [{ "key": KEY_TYPED_IN, "note": "mine" }] });
    let told = made(&admin, "providers", &provider).await;
    assert_eq!((told["version"].as_u64(), told["source"].as_str()), (Some(1), Some("api")), "{told}");
    assert!(!told.to_string().contains("typed-in"), "{told}");
    made(&admin, "models", &json!({ "name": "fast", "settings": { "targets": ["acme/mock"] } })).await;
    let tested = admin.post("/admin/api/providers/acme/test", &json!({})).await;
    assert_eq!(tested.json()["good"], true, "{}", tested.text());
    let fetched = admin.post("/admin/api/providers/acme/fetch-models", &json!({})).await.json();
    assert!(fetched["models"].as_array().is_some_and(|models| !models.is_empty()), "{fetched}");
    for round in ["at once", "after a crash"] {
        let reply = gateway.client().ask(Shape::OpenAi, "fast", &Shape::OpenAi.says("hello")).await;
        assert_eq!(reply.status, 200, "{round}: {}", reply.text());
        let again = gateway.admin().post("/admin/api/providers", &provider).await;
        assert_eq!(again.status, 409, "{}", again.text());
        gateway.crash().await;
    }
    let admin = gateway.admin();
    // The file's are read-only, and said where.
    let refused = admin
        .post("/admin/api/providers", &json!({ "name": "openai", "settings": { "plugin": "openai" } }))
        .await;
    assert_eq!(refused.status, 409);
    assert!(refused.text().contains("causeway.toml"), "{}", refused.text());
    // Elsewhere, without its key.
    let moved = json!({ "settings": { "plugin": "openai", "url": "http://127.0.0.1:9/v1" } });
    let moved = admin.send("PUT", "/admin/api/providers/acme", moved.to_string().as_bytes()).await;
    assert_eq!(moved.status, 200, "{}", moved.text());
    assert_eq!(moved.json()["dropped_keys"].as_array().map(Vec::len), Some(1), "{}", moved.text());
    let exported = admin.get("/admin/api/config/export").await.text();
    assert!(exported.contains("[providers.acme]") && exported.contains("[models.fast"), "{exported}");
    let rotated = admin.post("/admin/api/secrets/rotate", &json!({})).await;
    assert_eq!(rotated.status, 200, "{}", rotated.text());
    let gone = admin.send("DELETE", "/admin/api/models/fast", b"").await;
    assert_eq!(gone.status, 204, "{}", gone.text());
    let reply = gateway.client().ask(Shape::OpenAi, "fast", &Shape::OpenAi.says("hello")).await;
    assert_eq!(reply.status, 404, "{}", reply.text());
}

#[tokio::test]
async fn a_wrong_master_key_does_not_start() {
    let mock = upstream::mock();
    let folder = Folder::new();
    let store = format!("[store]\npath = \"{}\"\n", folder.path().display());
    let text = format!("{}{store}", configuration(&upstream::url(&mock)));
    let mut gateway = Gateway::start(&text).await;
    gateway.terminate();
    super::support::until("the process ends", || gateway.ended().is_some()).await;
    let hidden = folder.path().join("elsewhere.key");
    std::fs::rename(folder.path().join("master.key"), hidden).unwrap();
    let wrong = format!("{text}master_key = \"{}\"\n", "0123456789abcdef".repeat(4));
    let wrong = wrong.replace("{listen}", "127.0.0.1:0").replace("{admin}", "127.0.0.1:0");
    let output = super::support::gateway::run(
        &["serve", "-c", "wrong.toml"],
        &[("wrong.toml", wrong.as_bytes())],
        &[],
    );
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("were sealed with the master key `"), "{said}");
}

/// Counts who comes.
async fn canary() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let hits = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&hits);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            drop(stream);
        }
    });
    if let Ok(six) = TcpListener::bind(("::1", port)).await {
        let counted = Arc::clone(&hits);
        tokio::spawn(async move {
            while six.accept().await.is_ok() {
                counted.fetch_add(1, Ordering::SeqCst);
            }
        });
    }
    (port, hits)
}

/// Every way we know to write this machine, or one's own network.
const HOSTS: [&str; 66] = [
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "127.0.1",
    "0177.0.0.1",
    "0177.1",
    "0x7f.0.0.1",
    "0x7f.1",
    "0x7f000001",
    "2130706433",
    "017700000001",
    "127.000.000.001",
    "00127.0.0.1",
    "0",
    "0.0.0.0",
    "0x0",
    "00",
    "0.0.0.0.",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "LocalHost.",
    "ip6-localhost",
    "ip6-loopback",
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[0:0:0:0:0:0:0:0]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2002:7f00:0001::1]",
    "[fe80::1]",
    "[fe80::1%25lo]",
    "[fec0::1]",
    "[fc00::1]",
    "[fd00::1]",
    "[ff02::1]",
    "10.0.0.1",
    "10.255.255.255",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "169.254.169.254",
    "0xa9fea9fe",
    "2852039166",
    "100.64.0.1",
    "100.127.255.254",
    "198.18.0.1",
    "192.0.0.1",
    "192.0.2.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "127.127.127.127",
    "127.255.255.254",
    "127\u{3002}0\u{3002}0\u{3002}1",
    "\u{2460}\u{2461}\u{2466}.0.0.1",
    "%6c%6f%63%61%6c%68%6f%73%74",
    "127.0.0.1%00.example.com",
];

#[tokio::test]
async fn no_address_of_ones_own_is_ever_asked() {
    let mock = upstream::mock();
    let gateway = Gateway::start(&configuration(&upstream::url(&mock))).await;
    let admin = gateway.admin();
    let (port, hits) = canary().await;
    let mut urls: Vec<String> = HOSTS.iter().map(|host| format!("http://{host}:{port}/v1")).collect();
    for tricky in [
        "http://example.com@127.0.0.1:PORT",
        "http://127.0.0.1:PORT#@example.com",
        "http://127.0.0.1:PORT\\@example.com",
        "http://127.0.0.1:PORT?@example.com",
        "http://example.com:80@127.0.0.1:PORT",
        "HTTP://127.0.0.1:PORT",
        "http:127.0.0.1:PORT",
        "http:/127.0.0.1:PORT",
        "http:///127.0.0.1:PORT",
        "//127.0.0.1:PORT",
        "ftp://127.0.0.1:PORT",
        "file:///etc/passwd",
        "gopher://127.0.0.1:PORT",
        " http://127.0.0.1:PORT",
        "http://127.0.0.1 :PORT",
        "http://127.0.0.1:PORT/\r\nhost: a",
    ] {
        urls.push(tricky.replace("PORT", &port.to_string()));
    }
    let mut made = 0;
    for (index, url) in urls.iter().enumerate() {
        let name = format!("p{index}");
        for settings in [
            json!({ "plugin": "openai", "url": url }),
            json!({ "plugin": "openai", "url": "https://93.184.215.14", "credential": { "kind": "azure-ad", "tenant": "t",
                "client_id": "c", "client_secret": "0123456789abcdef", "authority": url } }),
        ] {
            let token_endpoint = settings.get("credential").is_some();
            let body =
                json!({ "name": name, "settings": settings, "keys": [{ "key": "sk-0123456789abcdef" }] });
            let reply = admin.post("/admin/api/providers", &body).await;
            assert!(matches!(reply.status, 201 | 422), "{url}: {} {}", reply.status, reply.text());
            if reply.status != 201 {
                continue;
            }
            made += 1;
            if !token_endpoint || HOSTS.iter().take(1).any(|host| url.contains(host)) {
                let tested = admin.post(&format!("/admin/api/providers/{name}/test"), &json!({})).await;
                assert_eq!(tested.status, 200, "{}", tested.text());
                assert_ne!(tested.json()["good"], true, "{url}: {}", tested.text());
            }
            let gone = admin.send("DELETE", &format!("/admin/api/providers/{name}"), b"").await;
            assert_eq!(gone.status, 204, "{}", gone.text());
        }
    }
    assert!(made > 0, "nothing was ever tried");
    assert_eq!(hits.load(Ordering::SeqCst), 0, "somebody came");
    // The canary sings when somebody does come.
    drop(tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap());
    super::support::until("the canary counts", || hits.load(Ordering::SeqCst) == 1).await;
}

#[tokio::test]
async fn a_redirect_is_never_followed() {
    let (port, hits) = canary().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut asked = vec![0; 4096];
            let _ = stream.read(&mut asked).await;
            let answer = format!(
                "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:{port}/v1/chat/completions\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            );
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    let gateway = Gateway::start(&configuration(&format!("http://{address}"))).await;
    let reply = gateway.client().ask(Shape::OpenAi, "openai/m", &Shape::OpenAi.says("hello")).await;
    assert!(reply.status >= 400, "{} {}", reply.status, reply.text());
    assert_eq!(hits.load(Ordering::SeqCst), 0);
}
