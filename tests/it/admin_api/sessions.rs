//! Sessions: begun by a password, used by our pages only, and over when they should be.

use serde_json::json;

use super::{PASSWORD, Session, code, start, told, user};
use crate::support::gateway::Folder;
use crate::support::{ADMIN_PASSWORD, Gateway, KEY, PATIENCE, configuration, upstream};

const LIFT: &str = "/admin/api/targets/lift?all=true";

#[tokio::test]
async fn a_change_by_cookie_is_made_by_a_page_of_ours_or_not_at_all() {
    let (_mock, gateway) = start("").await;
    let session = Session::begin(&gateway, &json!({ "password": ADMIN_PASSWORD })).await;
    let own = format!("http://{}", gateway.stranger().address());
    let with = |origin: Option<&str>, csrf: Option<&str>| {
        let client = session.bare();
        let client = origin.iter().fold(client, |client, origin| client.with("origin", origin));
        csrf.iter().fold(client, |client, csrf| client.with("x-causeway-csrf", csrf))
    };
    for (origin, csrf, status) in [
        (Some(own.as_str()), Some(session.csrf.as_str()), 200),
        (None, Some(&session.csrf), 403),
        (Some(own.as_str()), None, 403),
        (Some(own.as_str()), Some("wrong"), 403),
        (Some("http://evil.example"), Some(&session.csrf), 403),
        (Some("null"), Some(&session.csrf), 403),
        (None, None, 403),
    ] {
        let reply = with(origin, csrf).send("POST", LIFT, b"").await;
        assert_eq!(reply.status, status, "{origin:?} {csrf:?}: {}", reply.text());
    }
    // To look, the cookie is enough; and a password with the request needs no page.
    assert_eq!(session.bare().get("/admin/api/targets").await.status, 200);
    assert_eq!(gateway.admin().send("POST", LIFT, b"").await.status, 200);
    let elsewhere = gateway.admin().with("origin", "http://evil.example");
    assert_eq!(elsewhere.send("POST", LIFT, b"").await.status, 403);
    let signing_in = gateway.stranger().with("origin", "http://evil.example");
    let reply = signing_in.post("/admin/api/session", &json!({ "password": ADMIN_PASSWORD })).await;
    assert_eq!(reply.status, 403);
}

#[tokio::test]
async fn sessions_end_by_signing_out_by_a_new_password_and_with_their_user() {
    let (_mock, gateway) = start("").await;
    let session = Session::begin(&gateway, &json!({ "password": ADMIN_PASSWORD })).await;
    let who = told(&session.bare().get("/admin/api/session").await, 200);
    assert_eq!((&who["role"], who["csrf"].as_str()), (&json!("admin"), Some(session.csrf.as_str())));
    let out = session.page().send("DELETE", "/admin/api/session", b"").await;
    assert!(out.status == 204 && out.header("set-cookie").contains("Max-Age=0"), "{:?}", out.headers);
    assert_eq!(code(&session.bare().get("/admin/api/session").await, 401), "unauthenticated");

    let id = user(&gateway, "eve@example.com", "member").await;
    for change in ["password", "disabled", "role"] {
        let session = Session::of(&gateway, "eve@example.com").await;
        assert_eq!(session.bare().get("/admin/api/me").await.status, 200);
        let (method, path, body) = match change {
            "password" => ("PUT", format!("/admin/api/users/{id}/password"), json!({ "password": PASSWORD })),
            "disabled" => ("PATCH", format!("/admin/api/users/{id}"), json!({ "disabled": true })),
            _ => ("PATCH", format!("/admin/api/users/{id}"), json!({ "role": "viewer" })),
        };
        let reply = gateway.admin().send(method, &path, body.to_string().as_bytes()).await;
        assert!(matches!(reply.status, 200 | 204), "{change}: {}", reply.text());
        assert_eq!(session.bare().get("/admin/api/me").await.status, 401, "{change}");
        let back = json!({ "disabled": false }).to_string();
        gateway.admin().send("PATCH", &format!("/admin/api/users/{id}"), back.as_bytes()).await;
    }
}

#[tokio::test]
async fn a_session_lives_on_over_a_restart_where_state_is_kept() {
    let (mock, folder) = (upstream::mock(), Folder::new());
    let store = format!("[store]\npath = \"{}\"\n", folder.path().display());
    let mut gateway = Gateway::start(&[store, configuration(&upstream::url(&mock))].concat()).await;
    let session = Session::begin(&gateway, &json!({ "password": ADMIN_PASSWORD })).await;
    gateway.crash().await;
    assert_eq!(session.page().send("POST", LIFT, b"").await.status, 200);
}

#[tokio::test]
async fn who_guesses_waits_longer_each_time_and_is_told_how_long() {
    let (_mock, gateway) = start("").await;
    let mut refused = None;
    for number in 0..20 {
        let wrong = gateway.stranger().with("authorization", &format!("Bearer wrong-password-{number}"));
        let reply = wrong.get("/admin/api/targets").await;
        if reply.status == 429 {
            refused = Some(reply);
            break;
        }
        assert_eq!(code(&reply, 401), "unauthenticated");
    }
    let refused = refused.expect("nobody ever waits");
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!(wait >= 1, "{wait}");
    // A right one looks the same now, also at the sign-in, but not one who has a session.
    assert_eq!(code(&gateway.admin().get("/admin/api/targets").await, 429), "too_many_requests");
    let reply = gateway.stranger().post("/admin/api/session", &json!({ "password": ADMIN_PASSWORD })).await;
    assert_eq!(reply.status, 429);
    assert_eq!(gateway.stranger().get("/healthz").await.status, 200);
    let over = async {
        while gateway.admin().get("/admin/api/targets").await.status == 429 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, over).await.expect("the wait never ends");
}

#[tokio::test]
async fn only_a_right_password_or_key_begins_a_session() {
    let (_mock, gateway) = start("").await;
    user(&gateway, "eve@example.com", "member").await;
    let sign_in = async |body: serde_json::Value| gateway.stranger().post("/admin/api/session", &body).await;
    for (body, status) in [
        (json!({ "password": "wrong-password" }), 401),
        (json!({ "email": "eve@example.com", "password": ADMIN_PASSWORD }), 401),
        (json!({ "email": "nobody@example.com", "password": PASSWORD }), 401),
        (json!({}), 422),
        (json!({ "password": ADMIN_PASSWORD, "role": "admin" }), 422),
        (json!(["password"]), 422),
        (json!({ "email": "eve@example.com", "password": PASSWORD }), 201),
        (json!({ "password": KEY }), 201),
    ] {
        let reply = sign_in(body.clone()).await;
        assert_eq!(reply.status, status, "{body}: {}", reply.text());
        assert_eq!(reply.header("set-cookie").is_empty(), status != 201, "{body}");
    }
    let text = gateway.stranger().with("content-type", "text/plain");
    let reply = text.send("POST", "/admin/api/session", b"{}").await;
    assert_eq!(code(&reply, 415), "unsupported_media_type");
    let reply = gateway.stranger().send("POST", "/admin/api/session", b"{\"password\":").await;
    assert_eq!(code(&reply, 400), "bad_request");
    let long = json!({ "password": "x".repeat(5 << 20) });
    assert_eq!(code(&sign_in(long).await, 413), "too_large");
}
