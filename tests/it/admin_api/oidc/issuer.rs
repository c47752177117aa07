//! An OpenID Connect issuer of these tests: real HTTP on loopback, keys made when it starts, and tokens of every kind.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use parking_lot::Mutex;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

pub(super) const CLIENT: &str = "causeway-of-the-tests";
/// With letters that must be escaped.
pub(super) const SECRET: &str = "a secret: of/the+client=1234567890";

/// A running issuer; it ends with the test.
pub(super) struct Issuer {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

struct State {
    keys: Vec<(String, EcdsaKeyPair)>,
    /// What each code is worth, once.
    codes: HashMap<String, Worth>,
    /// Method and path of each request.
    asked: Vec<String>,
    /// In its document, instead of what is true.
    document: Value,
}

struct Worth {
    challenge: String,
    redirect: String,
    token: String,
}

/// An ID token before it is signed.
pub(super) struct Draft {
    pub(super) head: Value,
    pub(super) claims: Value,
    pub(super) sign: Sign,
}

pub(super) enum Sign {
    /// With the newest key.
    Newest,
    /// With a key that the issuer does not have.
    Stranger,
    /// Not at all.
    Not,
    /// With what everybody can read of the newest key, as if it were a secret that is shared.
    Public,
}

impl Issuer {
    pub(super) async fn start() -> Self {
        Self::start_at("127.0.0.1:0").await
    }

    pub(super) async fn start_at(address: &str) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let keys = vec![("first".to_owned(), key())];
        let state = State { keys, codes: HashMap::new(), asked: Vec::new(), document: json!({}) };
        let state = Arc::new(Mutex::new(state));
        let serving = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, address, Arc::clone(&serving)));
            }
        });
        Self { address, state, task }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// `[admin.oidc]`, with more of it.
    pub(super) fn section(&self, more: &str) -> String {
        section(&self.url(), more)
    }

    /// Another key signs from now on; the others are gone.
    pub(super) fn rotate(&self, name: &str) {
        self.state.lock().keys = vec![(name.to_owned(), key())];
    }

    /// Something else stands in its document.
    pub(super) fn says(&self, document: Value) {
        self.state.lock().document = document;
    }

    /// How often something was asked for.
    pub(super) fn asked(&self, what: &str) -> usize {
        self.state.lock().asked.iter().filter(|asked| *asked == what).count()
    }

    /// Somebody signs in on the page where a browser was sent to, and a code comes of it.
    pub(super) fn consents(&self, page: &str, claims: &Value, odd: impl FnOnce(&mut Draft)) -> String {
        let (at, query) = page.split_once('?').unwrap();
        assert_eq!(at, format!("{}/authorize", self.url()));
        let asked = form(query);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let mut state = self.state.lock();
        let kid = state.keys.last().unwrap().0.clone();
        let mut draft = Draft {
            head: json!({ "alg": "ES256", "typ": "JWT", "kid": kid }),
            claims: json!({
                "iss": self.url(), "aud": CLIENT, "exp": now + 300, "iat": now, "nonce": asked["nonce"],
            }),
            sign: Sign::Newest,
        };
        for (name, value) in claims.as_object().unwrap() {
            draft.claims[name] = value.clone();
        }
        odd(&mut draft);
        let token = draft.signed(&state.keys.last().unwrap().1);
        let code = format!("code-{}-{}", state.codes.len(), asked["state"]);
        let worth = Worth {
            challenge: asked["code_challenge"].clone(),
            redirect: asked["redirect_uri"].clone(),
            token,
        };
        state.codes.insert(code.clone(), worth);
        code
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Draft {
    fn signed(&self, newest: &EcdsaKeyPair) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(&self.head), part(&self.claims));
        let by =
            |key: &EcdsaKeyPair| key.sign(&SystemRandom::new(), text.as_bytes()).unwrap().as_ref().to_vec();
        let signature = match self.sign {
            Sign::Newest => by(newest),
            Sign::Stranger => by(&key()),
            Sign::Not => Vec::new(),
            Sign::Public => {
                let secret = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, newest.public_key().as_ref());
                ring::hmac::sign(&secret, text.as_bytes()).as_ref().to_vec()
            }
        };
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// `[admin.oidc]` of an issuer that may not be there.
pub(super) fn section(issuer: &str, more: &str) -> String {
    format!(
        "[admin]\nlisten = \"{{admin}}\"\n[admin.oidc]\nissuer = \"{issuer}\"\nclient_id = \"{CLIENT}\"\n\
         client_secret = \"{SECRET}\"\n{more}\n"
    )
}

fn key() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let file = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, file.as_ref(), &random).unwrap()
}

async fn serve(mut stream: TcpStream, address: SocketAddr, state: Arc<Mutex<State>>) {
    let mut bytes = Vec::new();
    let (head, body) = loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let lower = head.to_ascii_lowercase();
            let length =
                lower.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
            if body.len() >= length.unwrap_or(0) {
                break (head.to_owned(), body.to_owned());
            }
        }
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
    };
    let (status, answer) = answer(&head, &body, address, &state);
    let answer = answer.to_string();
    let text = format!(
        "HTTP/1.1 {status} Said\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{answer}",
        answer.len()
    );
    let _ = stream.write_all(text.as_bytes()).await;
}

fn answer(head: &str, body: &str, address: SocketAddr, state: &Mutex<State>) -> (u16, Value) {
    let line: Vec<&str> = head.lines().next().unwrap().split(' ').collect();
    let mut state = state.lock();
    state.asked.push(format!("{} {}", line[0], line[1]));
    match (line[0], line[1]) {
        ("GET", "/.well-known/openid-configuration") => {
            let mut document = json!({
                "issuer": format!("http://{address}"),
                "authorization_endpoint": format!("http://{address}/authorize"),
                "token_endpoint": format!("http://{address}/v1/token?tenant=a%20b"),
                "jwks_uri": format!("http://{address}/keys"),
                "response_types_supported": ["code"],
            });
            for (name, value) in state.document.as_object().unwrap() {
                document[name] = value.clone();
            }
            (200, document)
        }
        ("GET", "/keys") => (200, json!({ "keys": state.keys.iter().map(public).collect::<Vec<_>>() })),
        ("POST", "/v1/token?tenant=a%20b") => token(head, body, &mut state),
        _ => (404, json!({})),
    }
}

fn token(head: &str, body: &str, state: &mut State) -> (u16, Value) {
    let fields = form(body);
    let field = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
    let basic = format!("{}:{}", escaped(CLIENT), escaped(SECRET));
    let authorization = format!("authorization: Basic {}", STANDARD.encode(basic));
    let by_header = head.lines().any(|line| line.eq_ignore_ascii_case(&authorization))
        && field("client_secret").is_empty();
    let by_form = !head.to_ascii_lowercase().contains("\r\nauthorization:")
        && (field("client_id"), field("client_secret")) == (CLIENT, SECRET);
    let posts = state.document["token_endpoint_auth_methods_supported"] == json!(["client_secret_post"]);
    if !(if posts { by_form } else { by_header }) {
        return (401, json!({ "error": "invalid_client" }));
    }
    let refused = (400, json!({ "error": "invalid_grant", "error_description": "hunter2" }));
    let Some(worth) = state.codes.remove(field("code")) else { return refused };
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(field("code_verifier")));
    let fits = field("grant_type") == "authorization_code"
        && challenge == worth.challenge
        && field("redirect_uri") == worth.redirect;
    match fits {
        true => (200, json!({ "access_token": "hunter2", "token_type": "Bearer", "id_token": worth.token })),
        false => refused,
    }
}

fn public((kid, key): &(String, EcdsaKeyPair)) -> Value {
    let point = key.public_key().as_ref();
    let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    json!({ "kty": "EC", "crv": "P-256", "use": "sig", "kid": kid, "x": part(&point[1..33]), "y": part(&point[33..]) })
}

/// The fields of a query or a form.
pub(super) fn form(text: &str) -> HashMap<String, String> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), unescaped(value))).collect()
}

fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        match byte {
            b'%' => {
                let code = std::str::from_utf8(&behind[..2]).unwrap();
                bytes.push(u8::from_str_radix(code, 16).unwrap());
                rest = &behind[2..];
            }
            b'+' => bytes.push(b' '),
            byte => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).unwrap()
}

pub(super) fn escaped(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}
