//! Google service accounts: a signed assertion (RFC 7523) that Google exchanges for an access token.
//!
//! <https://developers.google.com/identity/protocols/oauth2/service-account#httprest>. The signature is ring's, which rustls
//! brings anyway.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::json;

use super::grant::Form;
use crate::domain::{Secret, ServiceAccount};
use crate::error::{GatewayError, Kind};

/// Google takes assertions of an hour at most.
const LIFETIME: u64 = 3600;

/// A service account, ready to sign.
pub(super) struct Account {
    file: ServiceAccount,
    key: RsaKeyPair,
}

impl fmt::Debug for Account {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Account").field("file", &self.file).finish_non_exhaustive()
    }
}

impl Account {
    /// Reads a key file and its private key.
    pub(super) fn read(key: &Secret) -> Result<Self, GatewayError> {
        let file = ServiceAccount::parse(key.expose()).map_err(|why| wrong(&why))?;
        let der =
            der(file.private_key.expose()).ok_or_else(|| wrong("holds a private key that is not PEM"))?;
        // ring's refusal names the kind of flaw and nothing of the key.
        let key = RsaKeyPair::from_pkcs8(&der)
            .map_err(|flaw| wrong(&format!("holds a private key that cannot be used ({flaw})")))?;
        Ok(Self { file, key })
    }

    pub(super) fn token_url(&self) -> &str {
        &self.file.token_url
    }

    /// The exchange's form.
    pub(super) fn form(&self, scope: &str, now: SystemTime) -> Result<Form<'_>, GatewayError> {
        Ok(vec![
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer".into()),
            ("assertion", self.assertion(scope, now)?.into()),
        ])
    }

    /// A JWT, RS256. It takes a millisecond, once for each token.
    fn assertion(&self, scope: &str, now: SystemTime) -> Result<String, GatewayError> {
        let issued = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let mut head = json!({ "alg": "RS256", "typ": "JWT" });
        if let Some(id) = &self.file.key_id {
            head["kid"] = id.as_str().into();
        }
        let claims = json!({
            "iss": self.file.email,
            "scope": scope,
            "aud": self.file.token_url,
            "iat": issued,
            "exp": issued + LIFETIME,
        });
        let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&head), part(&claims));
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(|_| wrong("holds a private key that cannot sign"))?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// The bytes between `BEGIN PRIVATE KEY` and its end.
fn der(pem: &str) -> Option<Vec<u8>> {
    let (_, rest) = pem.split_once("-----BEGIN PRIVATE KEY-----")?;
    let (inside, _) = rest.split_once("-----END PRIVATE KEY-----")?;
    STANDARD.decode(inside.split_ascii_whitespace().collect::<String>()).ok()
}

fn wrong(why: &str) -> GatewayError {
    GatewayError::gateway(Kind::Internal, format!("a key that is a service account's key file {why}"))
}

#[cfg(test)]
mod tests;
