//! Keys made at run time at a running gateway: in every dialect, from the next request on, over a restart, and never in
//! the open.

use std::path::Path;

use serde_json::{Value, json};

use super::support::client::{Client, Reply};
use super::support::gateway::Folder;
use super::support::{Gateway, Shape, configuration, provider, upstream};

/// Asks the admin API, which must answer with this status.
#[track_caller]
fn told(reply: &Reply, status: u16, what: &str) -> Value {
    assert_eq!(reply.status, status, "{what}: {}", reply.text());
    if reply.text().is_empty() { Value::Null } else { reply.json() }
}

async fn change(gateway: &Gateway, method: &str, path: &str, body: &Value) -> Reply {
    let path = format!("/admin/api{path}");
    let body = if body.is_null() { String::new() } else { body.to_string() };
    gateway.admin().send(method, &path, body.as_bytes()).await
}

/// Makes a key and gives its secret.
async fn key(gateway: &Gateway, new: &Value) -> String {
    let issued = told(&change(gateway, "POST", "/keys", new).await, 201, &new.to_string());
    issued["secret"].as_str().unwrap().to_owned()
}

async fn ask(gateway: &Gateway, dialect: Shape, secret: &str, model: &str) -> Reply {
    asked_as(gateway.client(), dialect, secret, model).await
}

async fn asked_as(client: Client, dialect: Shape, secret: &str, model: &str) -> Reply {
    let body = dialect.named(&dialect.says("hi"), model, false);
    client.with("authorization", &format!("Bearer {secret}")).post(&dialect.path(model, false), &body).await
}

/// What a refused request is told, in the form of its dialect.
#[track_caller]
fn refused(dialect: Shape, reply: &Reply, status: u16, said: &str) {
    assert_eq!(reply.status, status, "{dialect:?}: {}", reply.text());
    let (_, message) = dialect.error(&reply.json());
    assert!(message.contains(said), "{dialect:?}: {message}");
}

fn kept_in(folder: &Folder, upstream: &str) -> String {
    format!("{}[store]\npath = \"{}\"\n", configuration(upstream), folder.path().display())
}

#[tokio::test]
async fn a_key_made_at_run_time_works_in_every_dialect_and_over_a_restart() {
    let mock = upstream::mock();
    let folder = Folder::new();
    let mut gateway = Gateway::start(&kept_in(&folder, &upstream::url(&mock))).await;
    let any = key(&gateway, &json!({ "name": "any" })).await;
    let few = key(&gateway, &json!({ "name": "few", "models": ["openai/*"] })).await;
    let away = key(&gateway, &json!({ "name": "away", "addresses": ["192.0.2.0/24"] })).await;
    let near = key(&gateway, &json!({ "name": "near", "addresses": ["127.0.0.0/8", "::1"] })).await;
    for round in ["before", "after"] {
        for dialect in Shape::ALL {
            for (secret, model) in
                [(&any, "openai/mock"), (&any, "gemini/mock"), (&few, "openai/mock"), (&near, "openai/mock")]
            {
                let reply = ask(&gateway, dialect, secret, model).await;
                assert_eq!(reply.status, 200, "{round} {dialect:?} {model}: {}", reply.text());
            }
            refused(dialect, &ask(&gateway, dialect, &few, "gemini/mock").await, 403, "gemini/mock");
            refused(dialect, &ask(&gateway, dialect, &away, "openai/mock").await, 403, "127.0.0.1");
            refused(
                dialect,
                &ask(&gateway, dialect, "cw-not-a-key-of-ours", "openai/mock").await,
                401,
                "not known",
            );
        }
        gateway.restart().await;
    }
    let shown = told(&gateway.admin().get("/admin/api/keys/any").await, 200, "the key");
    assert!(shown["last_used"].is_string(), "{shown}");
    // The file's are listed beside them, and are the file's.
    let of_file = told(&gateway.admin().get("/admin/api/keys/tests").await, 200, "the key of the file");
    assert_eq!(of_file["source"], "file");
    told(&change(&gateway, "PATCH", "/keys/tests", &json!({ "disabled": true })).await, 409, "the file's");
    told(&change(&gateway, "POST", "/keys", &json!({ "name": "tests" })).await, 409, "a name of the file's");
    gateway.terminate();
    super::support::until("the process ends", || gateway.ended().is_some()).await;
    nowhere_in(folder.path(), &[&any, &few, &away, &near]);
    let log = gateway.lines().join("\n");
    for secret in [&any, &few, &away, &near] {
        assert!(!log.contains(secret.as_str()), "the log shows a secret");
    }
}

/// No file below a folder holds one of these.
#[track_caller]
fn nowhere_in(folder: &Path, secrets: &[&String]) {
    let mut paths = vec![folder.to_owned()];
    let mut read = 0;
    while let Some(path) = paths.pop() {
        if path.is_dir() {
            paths.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        read += bytes.len();
        for secret in secrets {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{} shows a secret", path.display());
        }
    }
    assert!(read > 1000, "the store holds {read} bytes");
}

#[tokio::test]
async fn a_change_counts_from_the_next_request_on() {
    let mock = upstream::mock();
    let gateway = Gateway::start(&configuration(&upstream::url(&mock))).await;
    let user = change(&gateway, "POST", "/users", &json!({ "email": "anna@example.com" })).await;
    let user = told(&user, 201, "a user")["id"].as_str().unwrap().to_owned();
    let secret = key(&gateway, &json!({ "name": "web", "owner": user })).await;
    let dialect = Shape::OpenAi;
    let works = async |secret: &str| ask(&gateway, dialect, secret, "openai/mock").await;
    assert_eq!(works(&secret).await.status, 200);
    let patch = async |path: &str, body: Value| {
        told(&change(&gateway, "PATCH", path, &body).await, 200, path);
    };
    patch("/keys/web", json!({ "disabled": true })).await;
    refused(dialect, &works(&secret).await, 401, "the api key is disabled");
    patch("/keys/web", json!({ "disabled": false, "expires": "2020-01-02T00:00:00Z" })).await;
    refused(dialect, &works(&secret).await, 401, "expired at 2020-01-02T00:00:00Z");
    patch("/keys/web", json!({ "expires": null })).await;
    assert_eq!(works(&secret).await.status, 200);
    patch(&format!("/users/{user}"), json!({ "disabled": true })).await;
    refused(dialect, &works(&secret).await, 401, "the user of the api key is disabled");
    patch(&format!("/users/{user}"), json!({ "disabled": false })).await;
    // Two secrets for a while, then one.
    let rotate = async |overlap: &str| {
        let rotated = change(&gateway, "POST", "/keys/web/rotate", &json!({ "overlap": overlap })).await;
        told(&rotated, 200, "rotated")["secret"].as_str().unwrap().to_owned()
    };
    let second = rotate("1h").await;
    assert_eq!((works(&secret).await.status, works(&second).await.status), (200, 200));
    let third = rotate("0s").await;
    refused(dialect, &works(&secret).await, 401, "not known");
    refused(dialect, &works(&second).await, 401, "not known");
    assert_eq!(works(&third).await.status, 200);
    told(&change(&gateway, "DELETE", "/keys/web", &Value::Null).await, 200, "revoked");
    refused(dialect, &works(&third).await, 401, "not known");
}

#[tokio::test]
async fn keys_of_the_file_end_and_keep_to_their_addresses_too() {
    let mock = upstream::mock();
    let names = ["ended", "disabled", "away", "behind"];
    let keys = names.map(|name| format!("[keys.{name}]\nsecret = \"cw-key-of-the-file-{name}\"\n"));
    let [ended, disabled, away, behind] = keys;
    let text = [
        "[server]\nlisten = [\"{listen}\"]\ntrusted_proxies = [\"127.0.0.0/8\"]\n[admin]\nlisten = \"{admin}\"\n".to_owned(),
        format!("{ended}expires = 2020-01-02T00:00:00Z\n{disabled}disabled = true\n"),
        format!("{away}addresses = [\"192.0.2.0/24\"]\n{behind}addresses = [\"198.51.100.7\"]\n"),
        provider("openai", Shape::OpenAi, &upstream::url(&mock)),
        "[models.m]\ntargets = [\"openai/mock\"]\n".to_owned(),
    ];
    let gateway = Gateway::start(&text.concat()).await;
    for dialect in Shape::ALL {
        let asked = async |name: &str, from: &str| {
            let client = gateway.client().with("x-forwarded-for", from);
            asked_as(client, dialect, &format!("cw-key-of-the-file-{name}"), "m").await
        };
        refused(dialect, &asked("ended", "192.0.2.1").await, 401, "expired at 2020-01-02T00:00:00Z");
        refused(dialect, &asked("disabled", "192.0.2.1").await, 401, "the api key is disabled");
        refused(dialect, &asked("away", "203.0.113.9").await, 403, "203.0.113.9");
        assert_eq!(asked("away", "192.0.2.9").await.status, 200);
        // Only the entry that the proxy wrote is believed.
        assert_eq!(asked("behind", "6.6.6.6, 198.51.100.7").await.status, 200);
        refused(dialect, &asked("behind", "198.51.100.7, 6.6.6.6").await, 403, "6.6.6.6");
    }
}

#[tokio::test]
async fn a_stranger_signs_up_and_ends_with_a_key() {
    let mock = upstream::mock();
    let closed = Gateway::start(&configuration(&upstream::url(&mock))).await;
    let sign_up = json!({ "email": "anna@example.com", "note": "for the shop" });
    let asked = closed.stranger().send("POST", "/admin/api/sign-up", sign_up.to_string().as_bytes()).await;
    told(&asked, 404, "signing up where it is closed");
    let text = format!("{}[people]\nsign_up = true\n", configuration(&upstream::url(&mock)));
    let gateway = Gateway::start(&text).await;
    let stranger = async |path: &str, body: &Value| {
        gateway.stranger().send("POST", path, body.to_string().as_bytes()).await
    };
    for _ in 0..2 {
        told(&stranger("/admin/api/sign-up", &sign_up).await, 202, "signing up");
    }
    let waiting = told(&gateway.admin().get("/admin/api/sign-ups").await, 200, "the list");
    assert_eq!(waiting["items"].as_array().unwrap().len(), 1, "{waiting}");
    let path = format!("/sign-ups/{}/approve", waiting["items"][0]["id"].as_str().unwrap());
    let invitation = told(&change(&gateway, "POST", &path, &json!({})).await, 200, "approved");
    let redemption = json!({ "code": invitation["code"] });
    let issued = told(&stranger("/admin/api/redeem", &redemption).await, 201, "redeemed");
    told(&stranger("/admin/api/redeem", &redemption).await, 403, "redeemed twice");
    let secret = issued["secret"].as_str().unwrap();
    assert_eq!(ask(&gateway, Shape::Anthropic, secret, "openai/mock").await.status, 200);
    let key = told(
        &gateway.admin().get(&format!("/admin/api/keys/{}", issued["key"]["name"].as_str().unwrap())).await,
        200,
        "the key",
    );
    assert_eq!(key["owner"], invitation["user"]["id"]);
}

#[tokio::test]
async fn a_team_of_the_file_has_one_budget_whichever_way_its_keys_were_made() {
    let mock = upstream::mock();
    let text = configuration(&upstream::url(&mock)).replace("[keys.tests]", "[keys.tests]\nteam = \"shop\"")
        + "[teams.shop]\nbudget = { usd = 5, per = \"total\" }\n[prices]\n\"openai/mock\" = { input = 1, output = 1 }\n";
    let gateway = Gateway::start(&text).await;
    let made = key(&gateway, &json!({ "name": "made", "team": "shop" })).await;
    for secret in [crate::support::KEY, made.as_str()] {
        assert_eq!(ask(&gateway, Shape::OpenAi, secret, "openai/mock").await.status, 200);
    }
    // A client has its answer before its request is counted.
    gateway.until_metric("causeway_inflight", &[], 0.0).await;
    let mut used = Vec::new();
    for name in ["tests", "made"] {
        let path = format!("/admin/api/keys/{name}/limits");
        let stands = told(&gateway.admin().get(&path).await, 200, name);
        let stands = stands["limits"].as_array().unwrap().iter().find(|limit| limit["scope"] == "team/shop");
        used.push(stands.unwrap()["used"].to_string());
    }
    assert!(used[0] == used[1] && used[0] != "0", "{used:?}");
}

#[tokio::test]
async fn a_raise_of_a_team_of_the_file_holds_whichever_way_its_keys_were_made() {
    let mock = upstream::mock();
    // Without the raise there is no money for anything.
    let text = configuration(&upstream::url(&mock)).replace("[keys.tests]", "[keys.tests]\nteam = \"shop\"")
        + "[teams.shop]\nbudget = { usd = 0.000001, per = \"total\", raises = [{ usd = 5 }] }\n\
           [prices]\n\"openai/mock\" = { input = 1, output = 1 }\n";
    let gateway = Gateway::start(&text).await;
    let made = key(&gateway, &json!({ "name": "made", "team": "shop" })).await;
    for secret in [crate::support::KEY, made.as_str()] {
        let reply = ask(&gateway, Shape::OpenAi, secret, "openai/mock").await;
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
}
