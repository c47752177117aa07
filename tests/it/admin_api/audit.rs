//! Every change is noted, also one that was refused, and no secret with it.

use serde_json::{Value, json};

use super::{Session, start, told, user};
use crate::support::Gateway;

async fn entries(gateway: &Gateway, query: &str) -> (Vec<Value>, Option<String>) {
    let told = told(&gateway.admin().get(&format!("/admin/api/audit{query}")).await, 200);
    let next = told["next"].as_str().map(str::to_owned);
    (told["entries"].as_array().unwrap().clone(), next)
}

#[tokio::test]
async fn who_changed_what_is_told_with_before_and_after_but_never_a_secret() {
    let (_mock, gateway) = start("").await;
    let admin = gateway.admin().with("x-request-id", "the-first-one");
    let made = told(&admin.post("/admin/api/keys", &json!({ "name": "web", "note": "one" })).await, 201);
    let secret = made["secret"].as_str().unwrap();
    let changed = admin.send("PATCH", "/admin/api/keys/web", br#"{"note": "two"}"#).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    let (all, _) = entries(&gateway, "").await;
    let of = |action: &str| all.iter().find(|entry| entry["action"] == action).unwrap().clone();
    let (create, change) = (of("POST /admin/api/keys"), of("PATCH /admin/api/keys/{name}"));
    assert_eq!(
        (&create["who"], &create["way"], &create["status"]),
        (&json!("admin"), &json!("password"), &json!(201))
    );
    assert_eq!((&create["object"], &create["request"]), (&json!("key web"), &json!("the-first-one")));
    assert_eq!((&create["address"], &create["before"]), (&json!("127.0.0.1"), &Value::Null));
    assert_eq!((&change["before"]["note"], &change["after"]["note"]), (&json!("one"), &json!("two")));
    let text = serde_json::to_string(&all).unwrap();
    assert!(!text.contains(secret), "the secret is in the audit log");
    for line in gateway.lines() {
        assert!(!line.contains(secret), "the secret is in the log: {line}");
    }
    // The newest comes first, and pages follow each other.
    assert_eq!(all[0]["action"], change["action"]);
    let (first, next) = entries(&gateway, "?limit=1").await;
    let (second, _) = entries(&gateway, &format!("?limit=1&after={}", next.unwrap())).await;
    assert_eq!((&first[0]["id"], &second[0]["id"]), (&all[0]["id"], &all[1]["id"]));
}

#[tokio::test]
async fn what_was_refused_is_noted_too() {
    let (_mock, gateway) = start("").await;
    user(&gateway, "bob@example.com", "viewer").await;
    let viewer = Session::of(&gateway, "bob@example.com").await;
    assert_eq!(viewer.page().send("DELETE", "/admin/api/keys/web", b"").await.status, 403);
    gateway.admin().post("/admin/api/keys", &json!({ "name": "" })).await;
    gateway.stranger().post("/admin/api/session", &json!({ "password": "wrong-password" })).await;
    let (all, _) = entries(&gateway, "").await;
    let told = |index: usize| {
        let entry: &Value = &all[index];
        let word = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        (word("action"), word("who"), entry["status"].as_u64().unwrap(), !word("refused").is_empty())
    };
    assert_eq!(told(0), ("POST /admin/api/session".into(), "nobody".into(), 401, true));
    assert_eq!(told(1), ("POST /admin/api/keys".into(), "admin".into(), 422, true));
    assert_eq!(told(2), ("DELETE /admin/api/keys/{name}".into(), "bob@example.com".into(), 403, true));
    // Who only looks is not noted.
    let before = all.len();
    gateway.admin().get("/admin/api/keys").await;
    assert_eq!(entries(&gateway, "").await.0.len(), before);
}
