//! Signing in at an OpenID Connect issuer, as a browser does, and every way in which nobody comes in.

use serde_json::{Value, json};

use self::issuer::{Draft, Issuer, SECRET, Sign, escaped, form};
use super::{Session, code, start, told, user};
use crate::support::client::Reply;
use crate::support::gateway::free_address;
use crate::support::{Gateway, PATIENCE};

mod issuer;

const BEGIN: &str = "/admin/api/sign-in/oidc";
const CALLBACK: &str = "/admin/api/sign-in/oidc/callback";
const NEW: &str = "create_users = true\ndefault_role = \"member\"";

/// A browser that was sent to the issuer.
struct Visit {
    page: String,
    cookie: String,
    state: String,
}

impl Visit {
    async fn begin(gateway: &Gateway) -> Self {
        let reply = gateway.stranger().get(BEGIN).await;
        assert_eq!(reply.status, 302, "{}", reply.text());
        let set = reply.header("set-cookie");
        let (cookie, attributes) = set.split_once(';').unwrap();
        for attribute in ["HttpOnly", "SameSite=Lax", "Path=/admin/api/sign-in"] {
            assert!(attributes.contains(attribute), "{set}");
        }
        let page = reply.header("location").to_owned();
        let state = form(page.split_once('?').unwrap().1)["state"].clone();
        Self { page, cookie: cookie.to_owned(), state }
    }

    /// The issuer sends the browser back.
    async fn comes_back(&self, gateway: &Gateway, query: &str) -> Reply {
        let browser = gateway.stranger().with("cookie", &format!("theme=dark; {}", self.cookie));
        browser.get(&format!("{CALLBACK}?{query}")).await
    }

    /// With a code, as issuers write it: they add more.
    async fn with_code(&self, gateway: &Gateway, code: &str) -> Reply {
        let query = format!("state={}&session_state=x&code={}", self.state, escaped(code));
        self.comes_back(gateway, &query).await
    }
}

fn of(name: &str) -> Value {
    json!({ "sub": format!("sub-{name}"), "email": format!("{name}@example.com"), "email_verified": true, "name": name })
}

/// The whole way, with a token that may be odd.
async fn sign_in(gateway: &Gateway, issuer: &Issuer, claims: &Value, odd: impl FnOnce(&mut Draft)) -> Reply {
    let visit = Visit::begin(gateway).await;
    let code = issuer.consents(&visit.page, claims, odd);
    visit.with_code(gateway, &code).await
}

/// The session of who came in.
#[track_caller]
fn session(gateway: &Gateway, reply: &Reply) -> Session {
    assert_eq!((reply.status, reply.header("location")), (302, "/"), "{}", reply.text());
    let set = reply.headers.iter().filter(|(name, _)| name == "set-cookie").map(|(_, value)| value.as_str());
    let set: Vec<&str> = set.collect();
    let (cookie, attributes) =
        set.iter().find(|set| set.starts_with("causeway_session=")).unwrap().split_once(';').unwrap();
    assert!(attributes.contains("HttpOnly; SameSite=Strict"), "{set:?}");
    assert!(
        set.iter().any(|set| set.starts_with("causeway_sign_in=;") && set.contains("Max-Age=0")),
        "{set:?}"
    );
    Session { cookie: cookie.to_owned(), csrf: String::new(), gateway: gateway.stranger() }
}

async fn who(session: &Session) -> Value {
    told(&session.bare().get("/admin/api/session").await, 200)
}

/// Why nobody came in; there is no session.
#[track_caller]
fn refused(reply: &Reply, status: u16) -> String {
    code(reply, status);
    assert!(reply.header("set-cookie").is_empty(), "{:?}", reply.headers);
    let message = reply.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(!message.contains("hunter2") && !message.contains(SECRET), "{message}");
    message
}

#[tokio::test]
async fn who_the_issuer_vouches_for_has_a_session_like_any_other() {
    let issuer = Issuer::start().await;
    let (_mock, gateway) = start(&issuer.section("scopes = [\"openid\", \"email\"]")).await;
    let id = user(&gateway, "ada@example.com", "admin").await;
    let visit = Visit::begin(&gateway).await;
    let asked = form(visit.page.split_once('?').unwrap().1);
    let back = format!("http://{}{CALLBACK}", gateway.stranger().address());
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", issuer::CLIENT),
        ("redirect_uri", &back),
        ("scope", "openid email"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(asked[name], value, "{name}");
    }
    let code = issuer.consents(&visit.page, &of("Ada"), |_| ());
    let session = session(&gateway, &visit.with_code(&gateway, &code).await);
    let who = who(&session).await;
    assert_eq!((&who["role"], &who["user"]), (&json!("admin"), &json!(id)), "{who}");
    let session = Session { csrf: who["csrf"].as_str().unwrap().to_owned(), ..session };
    let change = session.page().post("/admin/api/keys", &json!({ "name": "web" })).await;
    assert_eq!(change.status, 201, "{}", change.text());
    assert_eq!(session.bare().post("/admin/api/keys", &json!({ "name": "more" })).await.status, 403);
    // Who came in is noted, and what was exchanged is nowhere.
    let audit = told(&gateway.admin().get("/admin/api/audit").await, 200);
    let entry = |entry: &&Value| entry["action"] == format!("GET {CALLBACK}");
    let entry = audit["entries"].as_array().unwrap().iter().find(entry).unwrap();
    assert_eq!((&entry["who"], &entry["status"]), (&json!("ada@example.com"), &json!(302)), "{entry}");
    assert_eq!(entry["after"]["oidc"]["subject"], "sub-Ada", "{entry}");
    let shown = told(&gateway.admin().get("/admin/api/config").await, 200).to_string();
    let log = gateway.lines().join("\n");
    for secret in [SECRET, &code, &visit.state, &visit.cookie] {
        assert!(![&shown, &log, &audit.to_string()].iter().any(|text| text.contains(secret)), "{secret}");
    }
    assert!(shown.contains("client_secret"), "{shown}");
}

#[tokio::test]
async fn an_answer_counts_once_in_the_browser_that_asked_for_it() {
    let issuer = Issuer::start().await;
    let (_mock, gateway) = start(&issuer.section(NEW)).await;
    let (visit, other) = (Visit::begin(&gateway).await, Visit::begin(&gateway).await);
    let code = issuer.consents(&visit.page, &of("ada"), |_| ());
    // Without a cookie, with another state, with another browser's cookie, without a state.
    let query = format!("state={}&code={code}", visit.state);
    let message = refused(&gateway.stranger().get(&format!("{CALLBACK}?{query}")).await, 401);
    assert!(message.contains("not begun in this browser"), "{message}");
    for query in
        [format!("state={}&code={code}", other.state), format!("code={code}"), format!("state=&code={code}")]
    {
        assert!(
            refused(&visit.comes_back(&gateway, &query).await, 401).contains("another sign-in"),
            "{query}"
        );
    }
    refused(&other.comes_back(&gateway, &query).await, 401);
    assert_eq!(issuer.asked("POST /v1/token?tenant=a%20b"), 0);
    session(&gateway, &visit.comes_back(&gateway, &query).await);
    let again = issuer.consents(&visit.page, &of("ada"), |_| ());
    let message = refused(&visit.with_code(&gateway, &again).await, 401);
    assert!(message.contains("answered already"), "{message}");
    assert_eq!(issuer.asked("POST /v1/token?tenant=a%20b"), 1);
    // A cookie whose time was changed belongs to another state.
    let (name, token) = other.cookie.split_once('=').unwrap();
    let (_, bits) = token.split_once('.').unwrap();
    let changed =
        Visit { cookie: format!("{name}=1.{bits}"), page: String::new(), state: other.state.clone() };
    refused(&changed.with_code(&gateway, &code).await, 401);
}

#[tokio::test]
async fn the_issuers_own_refusal_and_answers_of_others_let_nobody_in() {
    let issuer = Issuer::start().await;
    let (_mock, gateway) = start(&issuer.section(NEW)).await;
    let answered = async |more: &str| {
        let visit = Visit::begin(&gateway).await;
        visit.comes_back(&gateway, &format!("state={}&{more}", visit.state)).await
    };
    let message = refused(&answered("error=access_denied&error_description=hunter2").await, 403);
    assert!(message.ends_with("access_denied"), "{message}");
    let message = refused(&answered("error=%3Cscript%3Ehunter2").await, 403);
    assert!(!message.contains("script"), "{message}");
    let evil = answered("iss=http%3A%2F%2Fevil.example&code=x").await;
    assert!(refused(&evil, 401).contains("not the issuer"));
    refused(&answered("").await, 400);
    // What is wrong with the code is a wrong try, and who tries waits.
    let mut last = answered("code=made-up").await;
    assert!(refused(&last, 401).contains("does not take the code"));
    for _ in 0..20 {
        let reply = gateway.stranger().get(BEGIN).await;
        if reply.status == 429 {
            last = reply;
            break;
        }
        last = answered("code=made-up").await;
    }
    assert_eq!(code(&last, 429), "too_many_requests");
    assert!(last.header("retry-after").parse::<u64>().unwrap() >= 1);
}

#[tokio::test]
async fn a_token_that_is_not_to_be_believed_lets_nobody_in() {
    let issuer = Issuer::start().await;
    let (_mock, gateway) = start(&issuer.section(NEW)).await;
    type Odd = (&'static str, fn(&mut Draft));
    let odd: [Odd; 9] = [
        ("another sign-in", |draft| draft.claims["nonce"] = json!("of-another")),
        ("another client", |draft| draft.claims["aud"] = json!("another")),
        ("another client", |draft| draft.claims["azp"] = json!("another")),
        ("another issuer", |draft| draft.claims["iss"] = json!("https://id.example.com")),
        ("expired", |draft| draft.claims["exp"] = json!(1_700_000_000)),
        ("wrong signature", |draft| draft.sign = Sign::Stranger),
        ("not taken", |draft| (draft.head, draft.sign) = (json!({ "alg": "none" }), Sign::Not)),
        ("not taken", |draft| (draft.head["alg"], draft.sign) = (json!("HS256"), Sign::Public)),
        ("cannot be read", |draft| draft.head = json!("ES256")),
    ];
    for (why, odd) in odd {
        let message = refused(&sign_in(&gateway, &issuer, &of("ada"), odd).await, 401);
        assert!(message.contains(why), "{message}");
        assert!(!gateway.admin().get("/admin/api/users").await.text().contains("bob"), "{why}");
        // Who is right in between does not wait.
        session(&gateway, &sign_in(&gateway, &issuer, &of("eve"), |_| ()).await);
    }
    let users = told(&gateway.admin().get("/admin/api/users").await, 200);
    assert_eq!(users["items"].as_array().unwrap().len(), 1, "{users}");
}

#[tokio::test]
async fn keys_are_asked_for_again_when_one_is_not_known_but_not_at_every_token() {
    let issuer = Issuer::start().await;
    let (_mock, gateway) = start(&issuer.section(NEW)).await;
    for _ in 0..2 {
        session(&gateway, &sign_in(&gateway, &issuer, &of("ada"), |_| ()).await);
    }
    assert_eq!((issuer.asked("GET /keys"), issuer.asked("GET /.well-known/openid-configuration")), (1, 1));
    issuer.rotate("second");
    session(&gateway, &sign_in(&gateway, &issuer, &of("ada"), |_| ()).await);
    assert_eq!(issuer.asked("GET /keys"), 2);
    for _ in 0..2 {
        let made_up = |draft: &mut Draft| draft.head["kid"] = json!("made-up");
        let message = refused(&sign_in(&gateway, &issuer, &of("ada"), made_up).await, 401);
        assert!(message.contains("a key that the issuer does not have"), "{message}");
    }
    assert_eq!(issuer.asked("GET /keys"), 2);
}

#[tokio::test]
async fn a_user_is_found_by_a_verified_address_first_and_by_the_issuers_name_for_them_then() {
    let issuer = Issuer::start().await;
    let (_mock, gateway) = start(&issuer.section("")).await;
    let id = user(&gateway, "ada@example.com", "viewer").await;
    let mut unverified = of("ada");
    unverified["email_verified"] = json!(false);
    assert!(refused(&sign_in(&gateway, &issuer, &unverified, |_| ()).await, 403).contains("no user"));
    assert!(refused(&sign_in(&gateway, &issuer, &of("bob"), |_| ()).await, 403).contains("no user"));
    let first = session(&gateway, &sign_in(&gateway, &issuer, &of("ada"), |_| ()).await);
    assert_eq!(who(&first).await["role"], "viewer");
    // From now on the address says nothing more.
    let renamed = json!({ "sub": "sub-ada", "email": "lovelace@example.com", "email_verified": false });
    let second = session(&gateway, &sign_in(&gateway, &issuer, &renamed, |_| ()).await);
    assert_eq!(who(&second).await["user"], json!(id));
    let mut other = of("ada");
    other["sub"] = json!("sub-of-another-ada");
    assert!(refused(&sign_in(&gateway, &issuer, &other, |_| ()).await, 403).contains("somebody else"));
    // An operator lets the other one in.
    let path = format!("/admin/api/users/{id}");
    let forget = gateway.admin().send("PATCH", &path, br#"{"oidc": null}"#).await;
    assert_eq!(told(&forget, 200)["oidc"], Value::Null);
    session(&gateway, &sign_in(&gateway, &issuer, &other, |_| ()).await);
    // Who is disabled stays outside.
    let disable = gateway.admin().send("PATCH", &path, br#"{"disabled": true}"#).await;
    assert_eq!(disable.status, 200, "{}", disable.text());
    assert!(refused(&sign_in(&gateway, &issuer, &other, |_| ()).await, 403).contains("disabled"));
    assert_eq!(first.bare().get("/admin/api/session").await.status, 401);
}

#[tokio::test]
async fn the_issuer_says_what_somebody_is_at_each_sign_in() {
    let issuer = Issuer::start().await;
    let more = "create_users = true\nrole_claim = \"groups\"\nallowed_emails = [\"@example.com\"]\n\
                roles = { operators = \"admin\", auditors = \"viewer\", staff = \"member\" }";
    let (_mock, gateway) = start(&issuer.section(more)).await;
    let claims = |groups: Value| {
        let mut claims = of("ada");
        claims["groups"] = groups;
        claims
    };
    let mut sessions: Vec<Session> = Vec::new();
    for (groups, role) in [
        (json!(["staff", "others"]), "member"),
        (json!(["staff", "operators"]), "admin"),
        (json!("auditors"), "viewer"),
    ] {
        let reply = sign_in(&gateway, &issuer, &claims(groups), |_| ()).await;
        let session = session(&gateway, &reply);
        assert_eq!(who(&session).await["role"], role);
        // Sessions of another role are over.
        for before in &sessions {
            assert_eq!(before.bare().get("/admin/api/session").await.status, 401, "{role}");
        }
        sessions.push(session);
    }
    for groups in [json!([]), json!(["others"]), json!(null)] {
        let reply = sign_in(&gateway, &issuer, &claims(groups), |_| ()).await;
        assert!(refused(&reply, 403).contains("has a role here"));
    }
    let mut stranger = claims(json!(["operators"]));
    stranger["email"] = json!("ada@evil.example");
    assert!(refused(&sign_in(&gateway, &issuer, &stranger, |_| ()).await, 403).contains("allowed_emails"));
    let users = told(&gateway.admin().get("/admin/api/users").await, 200);
    let items = users["items"].as_array().unwrap();
    assert_eq!(
        (items.len(), &items[0]["name"], &items[0]["role"]),
        (1, &json!("ada"), &json!("viewer")),
        "{users}"
    );
    let audit = told(&gateway.admin().get("/admin/api/audit").await, 200).to_string();
    assert!(audit.contains("\"role\":\"member\"") && audit.contains("\"role\":\"admin\""), "{audit}");
}

#[tokio::test]
async fn an_issuer_that_does_not_answer_or_is_another_is_told_and_comes_back() {
    let address = free_address();
    let url = format!("http://{address}");
    let (_mock, gateway) = start(&issuer::section(&url, NEW)).await;
    let reply = gateway.stranger().get(BEGIN).await;
    let message = refused(&reply, 503);
    assert!(message.contains(&url) && message.contains("cannot be reached"), "{message}");
    assert!(!reply.header("retry-after").is_empty());
    let issuer = Issuer::start_at(&address).await;
    for (document, why) in [
        (json!({ "issuer": "https://id.example.com" }), "names itself otherwise"),
        (json!({ "token_endpoint": "http://id.example.com/token" }), "no https URL"),
        (json!({ "jwks_uri": null }), "no discovery document"),
    ] {
        issuer.says(document);
        let told = async {
            loop {
                let reply = gateway.stranger().get(BEGIN).await;
                if refused(&reply, 503).contains(why) {
                    return;
                }
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, told).await.expect(why);
    }
    issuer.says(json!({ "token_endpoint_auth_methods_supported": ["client_secret_post"] }));
    let back = async {
        while gateway.stranger().get(BEGIN).await.status != 302 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, back).await.expect("it never comes back");
    session(&gateway, &sign_in(&gateway, &issuer, &of("ada"), |_| ()).await);
    // It goes away between the page and the code.
    let visit = Visit::begin(&gateway).await;
    drop(issuer);
    assert!(refused(&visit.with_code(&gateway, "x").await, 503).contains("cannot be reached"));
}

#[tokio::test]
async fn without_an_issuer_there_is_nothing_to_begin() {
    let (_mock, gateway) = start("").await;
    for path in [BEGIN, CALLBACK] {
        assert_eq!(code(&gateway.stranger().get(path).await, 404), "not_found", "{path}");
    }
}

#[tokio::test]
async fn where_the_browser_goes_back_to_is_known_or_said() {
    let issuer = Issuer::start().await;
    let (_mock, gateway) = start(&issuer.section(NEW)).await;
    let address = gateway.stranger().address().to_owned();
    let mut open = gateway.stranger().connect().await;
    open.write(
        format!("GET {BEGIN} HTTP/1.1\r\nhost: causeway.example.com\r\nconnection: close\r\n\r\n").as_bytes(),
    )
    .await;
    assert!(open.head().await);
    assert!(refused(&open.rest().await, 503).contains("redirect_url"));
    let url = format!("https://causeway.example.com{CALLBACK}");
    let (_mock, gateway) = start(&issuer.section(&format!("redirect_url = \"{url}\"\n{NEW}"))).await;
    assert_ne!(gateway.stranger().address(), address);
    let reply = gateway.stranger().get(BEGIN).await;
    let asked = form(reply.header("location").split_once('?').unwrap().1);
    assert_eq!(asked["redirect_uri"], url);
    assert!(reply.header("set-cookie").ends_with("; Secure"), "{:?}", reply.headers);
    let reply = sign_in(&gateway, &issuer, &of("ada"), |_| ()).await;
    assert!(
        reply
            .headers
            .iter()
            .any(|(_, value)| value.starts_with("causeway_session=") && value.ends_with("; Secure"))
    );
}
