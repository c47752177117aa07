//! Members see and change themselves; whatever is somebody else's does not exist for them.

use serde_json::json;

use super::{Session, code, start, told, user};

#[tokio::test]
async fn a_member_has_keys_of_their_own_and_no_others() {
    let (_mock, gateway) = start("").await;
    user(&gateway, "eve@example.com", "member").await;
    user(&gateway, "mal@example.com", "member").await;
    let (eve, mal) =
        (Session::of(&gateway, "eve@example.com").await, Session::of(&gateway, "mal@example.com").await);
    let made = told(&eve.page().post("/admin/api/me/keys", &json!({ "name": "eves" })).await, 201);
    let secret = made["secret"].as_str().unwrap();
    let asked = gateway.client().with("authorization", &format!("Bearer {secret}")).get("/v1/models").await;
    assert_eq!(asked.status, 200, "{}", asked.text());
    for (method, path) in [
        ("GET", "/admin/api/me/keys/eves"),
        ("PATCH", "/admin/api/me/keys/eves"),
        ("DELETE", "/admin/api/me/keys/eves"),
        ("POST", "/admin/api/me/keys/eves/rotate"),
    ] {
        let reply = mal.page().send(method, path, b"{}").await;
        assert_eq!(code(&reply, 404), "not_found", "{method} {path}");
    }
    assert_eq!(told(&mal.bare().get("/admin/api/me/keys").await, 200)["items"], json!([]));
    let shown = told(&eve.bare().get("/admin/api/me/keys").await, 200);
    assert_eq!((&shown["items"][0]["name"], shown.to_string().contains(secret)), (&json!("eves"), false));
    // A key changes nothing by itself, and shows whose it is.
    let by_key = gateway.stranger().with("authorization", &format!("Bearer {secret}"));
    assert_eq!(told(&by_key.get("/admin/api/me").await, 200)["user"]["email"], "eve@example.com");
    assert_eq!(by_key.post("/admin/api/me/keys", &json!({ "name": "more" })).await.status, 403);
    let gone = eve.page().send("DELETE", "/admin/api/me/keys/eves", b"").await;
    assert_eq!(told(&gone, 200)["state"], "revoked");
    let asked = gateway.client().with("authorization", &format!("Bearer {secret}")).get("/v1/models").await;
    assert_eq!(asked.status, 401, "{}", asked.text());
}

#[tokio::test]
async fn who_signs_up_is_let_in_by_an_operator_and_gets_a_key_once() {
    let (_mock, gateway) = start("[people]\nsign_up = true\n").await;
    let stranger = gateway.stranger();
    let asks = json!({ "email": "new@example.com", "name": "New", "note": "let me in" });
    for _ in 0..2 {
        assert_eq!(stranger.post("/admin/api/sign-up", &asks).await.status, 202);
    }
    let waiting = told(&gateway.admin().get("/admin/api/sign-ups").await, 200);
    assert_eq!(waiting["items"].as_array().unwrap().len(), 1, "{waiting}");
    let id = waiting["items"][0]["id"].as_str().unwrap();
    let approved = gateway.admin().send("POST", &format!("/admin/api/sign-ups/{id}/approve"), b"").await;
    let code_given = told(&approved, 200)["code"].as_str().unwrap().to_owned();
    let redemption = json!({ "code": code_given, "password": super::PASSWORD });
    let issued = told(&stranger.post("/admin/api/redeem", &redemption).await, 201);
    let key = issued["secret"].as_str().unwrap();
    let asked = gateway.client().with("authorization", &format!("Bearer {key}")).get("/v1/models").await;
    assert_eq!(asked.status, 200, "{}", asked.text());
    assert_eq!(code(&stranger.post("/admin/api/redeem", &redemption).await, 403), "forbidden");
    Session::of(&gateway, "new@example.com").await;
}

#[tokio::test]
async fn money_that_cannot_be_is_refused_with_its_place() {
    let (_mock, gateway) = start("").await;
    let id = user(&gateway, "eve@example.com", "member").await;
    let path = format!("/admin/api/users/{id}/top-ups");
    for (body, status) in [
        (r#"{"usd": 20.5, "reason": "paid"}"#, 201),
        (r#"{"usd": -50}"#, 422),
        (r#"{"usd": 1e300}"#, 422),
        (r#"{"usd": 99999999999999999999}"#, 422),
        (r#"{"usd": 0.0000001}"#, 422),
        (r#"{"usd": NaN}"#, 400),
        (r#"{"usd": "20"}"#, 422),
        (r#"{"usd": 0}"#, 422),
        (r#"{"usd": 1, "currency": "EUR"}"#, 422),
    ] {
        let reply = gateway.admin().send("POST", &path, body.as_bytes()).await;
        assert_eq!(reply.status, status, "{body}: {}", reply.text());
        if status == 422 {
            assert!(reply.json()["error"]["path"].is_string(), "{body}: {}", reply.text());
        }
    }
    let user = told(&gateway.admin().get(&format!("/admin/api/users/{id}")).await, 200);
    assert_eq!(user["topped_up_usd"], json!(20.5));
}
