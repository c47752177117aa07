//! A sign-in that was begun: one random token in a cookie, from which all that must not be guessed is made.
//!
//! Nothing is kept here meanwhile, so whoever begins and never comes back costs nothing. `state` ties the answer to this
//! browser, `nonce` the ID token, and the verifier of PKCE the code.

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::admin::caller;
use crate::admin::refusal::Refusal;
use crate::domain::Secret;

/// So many seconds somebody may take at the issuer.
pub(super) const LIFE: u64 = 10 * 60;

/// The cookie. It comes along when the issuer leads back here, which a strict one would not.
const COOKIE: &str = "causeway_sign_in";
const PATH: &str = "/admin/api/sign-in";

/// A sign-in that was begun.
pub(super) struct Begun {
    /// When, in Unix seconds, and 256 random bits: `1800000000.…`. All that is made of it depends on both.
    token: Secret,
    at: u64,
}

impl Begun {
    /// A new one.
    pub(super) fn now(now: u64) -> Result<Self, Refusal> {
        let mut bits = [0; 32];
        getrandom::fill(&mut bits)
            .map_err(|error| Refusal::unavailable(format!("the system gives no randomness: {error}")))?;
        Ok(Self { token: Secret::new(format!("{now}.{}", URL_SAFE_NO_PAD.encode(bits))), at: now })
    }

    /// The one of this browser.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let token = caller::cookie(headers, COOKIE)?;
        let (at, bits) = token.expose().split_once('.')?;
        let at = at.parse().ok()?;
        (bits.len() == 43).then_some(())?;
        Some(Self { token, at })
    }

    /// True when it is too old, or of a time that has not come.
    pub(super) fn is_over(&self, now: u64) -> bool {
        now.checked_sub(self.at).is_none_or(|age| age > LIFE)
    }

    /// Comes back with the browser.
    pub(super) fn state(&self) -> String {
        self.derived("causeway 2026 oidc state")
    }

    /// Comes back in the ID token.
    pub(super) fn nonce(&self) -> String {
        self.derived("causeway 2026 oidc nonce")
    }

    /// Shows the issuer that who brings the code is who asked for it.
    pub(super) fn verifier(&self) -> Secret {
        Secret::new(self.derived("causeway 2026 oidc verifier"))
    }

    /// Its digest, which the issuer is told before (S256).
    pub(super) fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier().expose()))
    }

    /// The cookie.
    pub(super) fn cookie(&self, secure: bool) -> String {
        line(self.token.expose(), LIFE, secure)
    }

    /// The cookie's end.
    pub(super) fn no_cookie(secure: bool) -> String {
        line("", 0, secure)
    }

    fn derived(&self, context: &str) -> String {
        URL_SAFE_NO_PAD.encode(blake3::derive_key(context, self.token.expose().as_bytes()))
    }
}

/// Equal hashes of equal length: the comparison tells nothing.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    blake3::hash(one.as_bytes()) == blake3::hash(other.as_bytes())
}

fn line(value: &str, seconds: u64, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{COOKIE}={value}; Path={PATH}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderValue, header};

    use super::*;

    fn carried(cookie: &str) -> Option<Begun> {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_str(cookie).unwrap());
        Begun::of(&headers)
    }

    #[test]
    fn what_a_browser_carries_makes_the_same_again_and_another_time_makes_another() {
        let begun = Begun::now(1_800_000_000).unwrap();
        let cookie = begun.cookie(true);
        let (pair, attributes) = cookie.split_once(';').unwrap();
        assert!(attributes.contains("HttpOnly; SameSite=Lax; Secure"), "{cookie}");
        let again = carried(&format!("a=b; {pair}")).unwrap();
        assert_eq!((again.state(), again.nonce(), again.at), (begun.state(), begun.nonce(), begun.at));
        let later = carried(&pair.replace("1800000000", "1800000500")).unwrap();
        assert!(later.state() != begun.state() && later.nonce() != begun.nonce());
        let all = [begun.state(), begun.nonce(), begun.challenge(), begun.verifier().expose().to_owned()];
        for (index, one) in all.iter().enumerate() {
            assert_eq!(one.len(), 43);
            assert!(!all.iter().skip(index + 1).any(|other| other == one) && !pair.contains(one));
        }
    }

    #[test]
    fn it_ends_and_does_not_come_from_the_future() {
        let begun = Begun::now(1_000).unwrap();
        assert!(!begun.is_over(1_000) && !begun.is_over(1_000 + LIFE));
        assert!(begun.is_over(1_001 + LIFE) && begun.is_over(999));
    }

    #[test]
    fn what_is_no_token_of_ours_is_none() {
        for cookie in
            ["", "causeway_sign_in=", "causeway_sign_in=1.short", "causeway_sign_in=x.y", "other=1.2"]
        {
            assert!(carried(cookie).is_none(), "{cookie}");
        }
    }
}
