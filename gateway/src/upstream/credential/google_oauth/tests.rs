//! The assertion, checked with the public half of a key that was made for these tests and opens nothing.

use std::time::{Duration, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::{Value, json};

use super::Account;
use crate::domain::Secret;

const KEY: &str = include_str!("key.pem");

fn file() -> Secret {
    let file = json!({
        "type": "service_account",
        "client_email": "robot@acme.iam.gserviceaccount.com",
        "private_key_id": "k1",
        "private_key": KEY,
    });
    Secret::new(file.to_string())
}

#[test]
fn the_assertion_is_signed_and_says_who_for_what_and_until_when() {
    let account = Account::read(&file()).expect("an account");
    let form = account.form("a b", UNIX_EPOCH + Duration::from_secs(1_000_000)).expect("a form");
    assert_eq!(form[0].1, "urn:ietf:params:oauth:grant-type:jwt-bearer");
    let parts: Vec<&str> = form[1].1.split('.').collect();
    let read = |part: &str| -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64")).expect("JSON")
    };
    assert_eq!(read(parts[0]), json!({"alg": "RS256", "typ": "JWT", "kid": "k1"}));
    assert_eq!(
        read(parts[1]),
        json!({
            "iss": "robot@acme.iam.gserviceaccount.com",
            "scope": "a b",
            "aud": "https://oauth2.googleapis.com/token",
            "iat": 1_000_000,
            "exp": 1_003_600,
        })
    );
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, account.key.public().as_ref());
    let signed = format!("{}.{}", parts[0], parts[1]);
    let signature = URL_SAFE_NO_PAD.decode(parts[2]).expect("base64");
    public.verify(signed.as_bytes(), &signature).expect("the key's own signature");
    public.verify(b"something else", &signature).expect_err("not of that");
}

#[test]
fn a_private_key_that_is_none_is_refused_without_repeating_it() {
    let cut = KEY.replacen("MII", "M", 1);
    for key in ["hunter2", "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----", &cut] {
        let file = json!({"type": "service_account", "client_email": "a@b", "private_key": key});
        let refusal = Account::read(&Secret::new(file.to_string())).expect_err(key).message;
        assert!(refusal.starts_with("a key that is a service account's key file holds"), "{refusal}");
        assert!(!refusal.contains("hunter2") && !refusal.contains(&KEY[100..140]));
    }
    assert!(!format!("{:?}", Account::read(&file())).contains(&KEY[100..140]));
}
