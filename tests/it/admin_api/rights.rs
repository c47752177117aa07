//! Route by method by role: everything the document names, as everybody there is.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Session, code, start, told, user};
use crate::support::Gateway;
use crate::support::client::Client;

/// What needs nobody to say who he is. A line more is a decision.
const OPEN: [&str; 7] = [
    "get /healthz",
    "get /readyz",
    "post /admin/api/session",
    "get /admin/api/sign-in/oidc",
    "get /admin/api/sign-in/oidc/callback",
    "post /admin/api/sign-up",
    "post /admin/api/redeem",
];

/// What a member may do, as paths begin.
const OWN: [&str; 3] = ["/admin/api/me", "/admin/api/session", "/admin/api/openapi.json"];

struct Operation {
    method: String,
    path: String,
    role: String,
}

async fn operations(gateway: &Gateway) -> Vec<Operation> {
    let document = told(&gateway.admin().get("/admin/api/openapi.json").await, 200);
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let role = operation["x-role"].as_str().unwrap().to_owned();
            all.push(Operation { method: method.clone(), path: path.clone(), role });
        }
    }
    assert!(all.len() > 60, "only {} operations", all.len());
    all
}

impl Operation {
    /// Asks for it without a body, about things that are not there.
    async fn ask(&self, client: &Client) -> u16 {
        let parts = self.path.split('/').map(|part| if part.starts_with('{') { "nothing" } else { part });
        let path = parts.collect::<Vec<_>>().join("/");
        client.send(&self.method.to_uppercase(), &path, b"").await.status
    }

    fn named(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    fn changes(&self) -> bool {
        let asks = self.path == "/admin/api/explain" || self.path == "/admin/api/session";
        self.method != "get" && !asks
    }
}

#[tokio::test]
async fn who_may_do_what_is_what_the_document_says() {
    let (_mock, gateway) = start("").await;
    let operations = operations(&gateway).await;
    let open: BTreeSet<_> =
        operations.iter().filter(|operation| operation.role == "anyone").map(Operation::named).collect();
    assert_eq!(open, OPEN.map(str::to_owned).into());
    for operation in operations.iter().filter(|operation| operation.role == "member") {
        assert!(OWN.iter().any(|own| operation.path.starts_with(own)), "{}", operation.named());
    }
    for email in ["ada@example.com", "bob@example.com", "eve@example.com"] {
        let role = match &email[..3] {
            "ada" => "admin",
            "bob" => "viewer",
            _ => "member",
        };
        user(&gateway, email, role).await;
    }
    let key = gateway.admin().post("/admin/api/keys", &json!({ "name": "plain" })).await;
    let key = told(&key, 201)["secret"].as_str().unwrap().to_owned();
    let mut sessions = Vec::new();
    for email in ["eve@example.com", "bob@example.com", "ada@example.com"] {
        sessions.push(Session::of(&gateway, email).await);
    }
    for operation in &operations {
        let bearer = |secret: &str| gateway.stranger().with("authorization", &format!("Bearer {secret}"));
        let rank = match operation.role.as_str() {
            "member" => 1,
            "viewer" => 2,
            "admin" => 3,
            // `/metrics` on loopback.
            _ => 0,
        };
        let ends = operation.named() == "delete /admin/api/session";
        let callers = [
            (0, "nobody", gateway.stranger()),
            (1, "member", sessions[0].page()),
            (1, "key", bearer(&key)),
            (2, "viewer", sessions[1].page()),
            (3, "admin", sessions[2].page()),
            (3, "password", gateway.admin()),
        ];
        for (own, name, client) in callers {
            // These sessions are still needed; `sessions` looks at how they end.
            if ends && matches!(name, "member" | "viewer" | "admin") {
                continue;
            }
            let status = operation.ask(&client).await;
            let allowed = own >= rank && !(name == "key" && rank > 0 && operation.changes());
            let expected = match (allowed, own) {
                (true, _) => !matches!(status, 401 | 403 | 429 | 500..),
                (false, 0) => status == 401,
                (false, _) => status == 403,
            };
            assert!(expected, "{} as {name}: {status}", operation.named());
        }
    }
}

#[tokio::test]
async fn a_wrong_method_is_told_which_are_right_and_what_is_not_in_the_document_is_not_there() {
    let (_mock, gateway) = start("").await;
    let reply = gateway.admin().send("DELETE", "/admin/api/targets", b"").await;
    assert_eq!((code(&reply, 405).as_str(), reply.header("allow")), ("method_not_allowed", "GET,HEAD"));
    for path in
        ["/admin", "/admin/api", "/admin/api/", "/admin/api/keys/", "/admin/api/Keys", "/admin/api/nothing"]
    {
        for client in [gateway.admin(), gateway.stranger()] {
            assert_eq!(code(&client.get(path).await, 404), "not_found", "{path}");
        }
    }
}

#[tokio::test]
async fn where_nothing_may_be_changed_nothing_is() {
    let (_mock, gateway) = start("[admin]\nlisten = \"{admin}\"\nreadonly = true\n").await;
    for operation in operations(&gateway).await {
        let only_asks = ["/test", "/fetch-models"].iter().any(|end| operation.path.ends_with(end));
        if operation.role != "admin" || operation.method == "get" || only_asks {
            continue;
        }
        let client = gateway.admin();
        let parts =
            operation.path.split('/').map(|part| if part.starts_with('{') { "nothing" } else { part });
        let path = parts.collect::<Vec<_>>().join("/");
        let reply = client.send(&operation.method.to_uppercase(), &path, b"").await;
        assert_eq!(code(&reply, 403), "readonly", "{}", operation.named());
    }
    let session = Session::begin(&gateway, &json!({ "password": crate::support::ADMIN_PASSWORD })).await;
    let who: Value = told(&session.bare().get("/admin/api/session").await, 200);
    assert_eq!((&who["readonly"], &who["role"]), (&json!(true), &json!("admin")));
}
