//! The admin API: who may do what, sessions, what is noted, what never comes back, and its document held against it.

use causeway::mock::Running;
use serde_json::{Value, json};

use super::support::client::{Client, Reply};
use super::support::{Gateway, configuration, upstream};

mod audit;
mod document;
mod members;
mod oidc;
mod password;
mod paths;
mod rights;
mod running;
mod sessions;

/// A password of the users of the tests.
const PASSWORD: &str = "a-password-of-a-user";

async fn start(more: &str) -> (Running, Gateway) {
    let mock = upstream::mock();
    let gateway = Gateway::start(&[more, &configuration(&upstream::url(&mock))].concat()).await;
    (mock, gateway)
}

/// A reply's JSON, after its status was looked at.
#[track_caller]
fn told(reply: &Reply, status: u16) -> Value {
    assert_eq!(reply.status, status, "{}", reply.text());
    reply.json()
}

/// The code of a refusal.
#[track_caller]
fn code(reply: &Reply, status: u16) -> String {
    let told = told(reply, status);
    assert!(told["error"]["message"].as_str().is_some_and(|message| message.len() > 5), "{told}");
    told["error"]["code"].as_str().unwrap().to_owned()
}

/// Somebody's session: what a browser would send.
struct Session {
    cookie: String,
    csrf: String,
    gateway: Client,
}

impl Session {
    async fn begin(gateway: &Gateway, body: &Value) -> Self {
        let reply = gateway.stranger().post("/admin/api/session", body).await;
        let csrf = told(&reply, 201)["csrf"].as_str().unwrap().to_owned();
        let set = reply.header("set-cookie");
        let (cookie, attributes) = set.split_once(';').unwrap();
        for attribute in ["HttpOnly", "SameSite=Strict", "Path=/"] {
            assert!(attributes.contains(attribute), "{set}");
        }
        Self { cookie: cookie.to_owned(), csrf, gateway: gateway.stranger() }
    }

    async fn of(gateway: &Gateway, email: &str) -> Self {
        Self::begin(gateway, &json!({ "email": email, "password": PASSWORD })).await
    }

    /// A page of ours.
    fn page(&self) -> Client {
        let origin = format!("http://{}", self.gateway.address());
        self.bare().with("origin", &origin).with("x-causeway-csrf", &self.csrf)
    }

    /// The cookie alone.
    fn bare(&self) -> Client {
        self.gateway.clone().with("cookie", &format!("theme=dark; {}", self.cookie))
    }
}

/// A user with a password; tells the id.
async fn user(gateway: &Gateway, email: &str, role: &str) -> String {
    let admin = gateway.admin();
    let user = admin.post("/admin/api/users", &json!({ "email": email, "role": role })).await;
    let id = told(&user, 201)["id"].as_str().unwrap().to_owned();
    let body = json!({ "password": PASSWORD }).to_string();
    let set = admin.send("PUT", &format!("/admin/api/users/{id}/password"), body.as_bytes()).await;
    assert_eq!(set.status, 204, "{}", set.text());
    id
}
