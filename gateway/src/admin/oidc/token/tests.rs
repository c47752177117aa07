//! Tokens signed with keys that are made here, and every way in which one is not to be believed.

use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaKeyPair,
};
use serde_json::json;

use super::*;

const NOW: u64 = 1_800_000_000;

fn base64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn claims() -> Value {
    json!({
        "iss": "https://id.example.com", "aud": "causeway", "sub": "s-1", "nonce": "n-1", "exp": NOW + 300, "iat": NOW,
        "email": "ada@example.com",
    })
}

fn ec_key() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let file = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, file.as_ref(), &random).unwrap()
}

fn ec_jwk(key: &EcdsaKeyPair, kid: &str) -> Value {
    let point = key.public_key().as_ref();
    json!({ "kty": "EC", "crv": "P-256", "kid": kid, "use": "sig", "alg": "ES256", "x": base64(&point[1..33]), "y": base64(&point[33..]) })
}

fn token(head: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let signed = format!("{}.{}", base64(head.to_string().as_bytes()), base64(claims.to_string().as_bytes()));
    let signature = sign(signed.as_bytes());
    format!("{signed}.{}", base64(&signature))
}

fn by_ec(key: &EcdsaKeyPair, head: &Value, claims: &Value) -> String {
    token(head, claims, |text| key.sign(&SystemRandom::new(), text).unwrap().as_ref().to_vec())
}

fn keys(keys: &[Value]) -> Keys {
    Keys::read(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
}

fn check(token: &str, keys: &Keys) -> Result<Claims, Fault> {
    let expected = Expected { issuer: "https://id.example.com", client: "causeway", nonce: "n-1", now: NOW };
    verified(token, keys, &expected)
}

fn why(token: &str, keys: &Keys) -> String {
    check(token, keys).expect_err("it is believed").to_string()
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

/// ring makes no RSA keys.
fn rsa_key() -> RsaKeyPair {
    let pem = include_str!("../../../upstream/credential/google_oauth/key.pem");
    let inside: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = base64::engine::general_purpose::STANDARD.decode(inside).unwrap();
    RsaKeyPair::from_pkcs8(&der).unwrap()
}

fn rsa_jwk(key: &RsaKeyPair, more: Value) -> Value {
    let parts = ring::rsa::PublicKeyComponents::<Vec<u8>>::from(key.public());
    let mut jwk = json!({ "kty": "RSA", "kid": "r", "n": base64(&parts.n), "e": base64(&parts.e) });
    for (name, value) in more.as_object().unwrap() {
        jwk[name] = value.clone();
    }
    jwk
}

#[test]
fn each_way_to_sign_that_is_taken_is_understood() {
    let random = SystemRandom::new();
    let ec = ec_key();
    let ed = Ed25519KeyPair::from_pkcs8(Ed25519KeyPair::generate_pkcs8(&random).unwrap().as_ref()).unwrap();
    let rsa = rsa_key();
    let odd = json!({ "kty": "XYZ", "kid": "odd", "n": 5 });
    let ed_jwk =
        json!({ "kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": base64(ed.public_key().as_ref()) });
    let keys = keys(&[odd, ec_jwk(&ec, "ec"), ed_jwk, rsa_jwk(&rsa, json!({ "use": "sig" }))]);
    let by_rsa = |alg: &str| {
        token(&json!({ "alg": alg, "kid": "r" }), &claims(), |text| {
            let mut signature = vec![0; rsa.public().modulus_len()];
            let padding: &dyn ring::signature::RsaEncoding =
                if alg == "RS256" { &RSA_PKCS1_SHA256 } else { &RSA_PSS_SHA256 };
            rsa.sign(padding, &random, text, &mut signature).unwrap();
            signature
        })
    };
    let by_ed =
        token(&json!({ "alg": "EdDSA", "kid": "ed" }), &claims(), |text| ed.sign(text).as_ref().to_vec());
    for token in [
        by_ec(&ec, &json!({ "alg": "ES256", "kid": "ec" }), &claims()),
        by_ed,
        by_rsa("RS256"),
        by_rsa("PS256"),
    ] {
        let claims = check(&token, &keys).unwrap();
        assert_eq!((claims.subject.as_str(), &claims.all["email"]), ("s-1", &json!("ada@example.com")));
        // The same with another signature.
        let cut = token.rfind('.').unwrap();
        let forged = format!("{}.{}", &token[..cut], base64(&[7; 64]));
        assert_eq!(why(&forged, &keys), "has a wrong signature");
    }
    // A key that is for one way serves no other.
    let only = self::keys(&[rsa_jwk(&rsa, json!({ "alg": "RS256" }))]);
    assert!(check(&by_rsa("RS256"), &only).is_ok());
    assert_eq!(why(&by_rsa("PS256"), &only), "is signed in another way than its key is for");
    let sealing = self::keys(&[rsa_jwk(&rsa, json!({ "use": "enc" }))]);
    assert_eq!(why(&by_rsa("RS256"), &sealing), "is signed in another way than its key is for");
}

#[test]
fn no_signature_and_a_secret_that_everybody_has_are_none() {
    let rsa = rsa_key();
    let keys = keys(&[rsa_jwk(&rsa, json!({}))]);
    for alg in ["none", "None", "HS256", "HS512", "RS1", "ES384", ""] {
        let public = rsa.public().as_ref().to_vec();
        let forged = token(&json!({ "alg": alg, "kid": "r" }), &claims(), |text| {
            let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &public);
            ring::hmac::sign(&key, text).as_ref().to_vec()
        });
        assert!(why(&forged, &keys).starts_with("is signed in a way that is not taken"), "{alg}");
        let unsigned = token(&json!({ "alg": alg }), &claims(), |_| Vec::new());
        assert!(check(&unsigned, &keys).is_err(), "{alg}");
    }
    // A set with a shared secret in it changes nothing.
    let shared = self::keys(&[json!({ "kty": "oct", "kid": "r", "k": "AAAA" })]);
    let forged = token(&json!({ "alg": "HS256", "kid": "r" }), &claims(), |text| {
        ring::hmac::sign(&ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &[0; 3]), text).as_ref().to_vec()
    });
    assert!(why(&forged, &shared).starts_with("is signed in a way that is not taken"));
}

#[test]
fn a_key_is_found_by_its_name_or_tried_where_there_is_none() {
    let (one, other) = (ec_key(), ec_key());
    let keys = keys(&[ec_jwk(&one, "one"), ec_jwk(&other, "other")]);
    let token = |kid: Option<&str>| by_ec(&other, &json!({ "alg": "ES256", "kid": kid }), &claims());
    assert!(check(&token(Some("other")), &keys).is_ok());
    assert!(check(&token(None), &keys).is_ok());
    assert_eq!(why(&token(Some("one")), &keys), "has a wrong signature");
    assert_eq!(check(&token(Some("new")), &keys).unwrap_err(), Fault::UnknownKey);
    assert_eq!(check(&token(None), &self::keys(&[])).unwrap_err(), Fault::UnknownKey);
}

#[test]
fn what_is_for_others_or_of_another_time_is_not_believed() {
    let key = ec_key();
    let keys = keys(&[ec_jwk(&key, "k")]);
    let told = |claims: &Value| by_ec(&key, &json!({ "alg": "ES256", "kid": "k" }), claims);
    for (claims, reason) in [
        (with("iss", json!("https://id.example.com/")), "is of another issuer"),
        (with("aud", json!("other")), "is for another client"),
        (with("aud", json!([])), "is for another client"),
        (with("aud", json!(null)), "is for another client"),
        (with("aud", json!(["causeway", "other"])), "was given to another client"),
        (with("azp", json!("other")), "was given to another client"),
        (with("azp", json!(null)), "was given to another client"),
        (with("exp", json!(NOW - 60)), "has expired"),
        (with("exp", json!("2030")), "does not say when it ends"),
        (with("exp", json!(-5)), "has expired"),
        (with("nbf", json!(NOW + 61)), "is of a time that has not come"),
        (with("iat", json!(NOW + 61)), "is of a time that has not come"),
        (with("nonce", json!("n-2")), "is the answer to another sign-in"),
        (with("nonce", json!(null)), "is the answer to another sign-in"),
        (with("sub", json!("")), "does not say who it is about"),
        (with("sub", json!("x".repeat(256))), "does not say who it is about"),
    ] {
        assert_eq!(why(&told(&claims), &keys), reason, "{claims}");
    }
    for claims in [
        with("aud", json!(["causeway"])),
        with("azp", json!("causeway")),
        with("exp", json!(NOW - 59)),
        with("exp", json!(NOW as f64 + 0.5)),
        with("nbf", json!(NOW + 60)),
    ] {
        assert!(check(&told(&claims), &keys).is_ok(), "{claims}");
    }
    let mut both = with("aud", json!(["other", "causeway"]));
    both["azp"] = json!("causeway");
    assert!(check(&told(&both), &keys).is_ok());
}

#[test]
fn what_is_no_token_is_refused() {
    let key = ec_key();
    let keys = keys(&[ec_jwk(&key, "k")]);
    let critical = by_ec(&key, &json!({ "alg": "ES256", "crit": ["b64"], "b64": false }), &claims());
    assert_eq!(why(&critical, &keys), "wants something to be understood that is not");
    for text in ["", ".", "..", "a.b", "a.b.c", "e30.e30.e30", "\u{0}", "eyJhbGciOiJFUzI1NiJ9"] {
        assert!(check(text, &keys).is_err(), "{text}");
    }
    for set in ["", "[]", "{}", "{\"keys\": 5}"] {
        assert!(Keys::read(set.as_bytes()).is_none(), "{set}");
    }
}
