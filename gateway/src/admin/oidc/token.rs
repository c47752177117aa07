//! ID tokens: signed by a key of the issuer, for this client, for this sign-in, and not too old (OpenID Connect Core, 3.1.3.7).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::begun::is_same;

/// Clocks may differ by so many seconds.
const LEEWAY: u64 = 60;

/// More keys than this no issuer has.
const MOST: usize = 64;

/// Longest subject (OpenID Connect Core, 2).
const LONGEST_SUBJECT: usize = 255;

/// The keys of an issuer (RFC 7517). Those that cannot be used are left out.
#[derive(Debug, Default)]
pub(super) struct Keys(Vec<Jwk>);

#[derive(Debug, Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Keys {
    /// Reads a set of keys; `None`: it is none.
    pub(super) fn read(text: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<Value>,
        }
        let set: Set = serde_json::from_slice(text).ok()?;
        let keys = set.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok());
        Some(Self(keys.take(MOST).collect()))
    }
}

/// What a token must say.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client: &'a str,
    pub(super) nonce: &'a str,
    /// Unix seconds.
    pub(super) now: u64,
}

/// What a token says of somebody.
#[derive(Debug)]
pub(super) struct Claims {
    pub(super) subject: String,
    pub(super) all: Map<String, Value>,
}

/// Why a token is not believed. It goes on behind `the issuer's ID token`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The issuer has no such key, as far as we know.
    UnknownKey,
    Other(&'static str),
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::UnknownKey => "is signed with a key that the issuer does not have",
            Self::Other(why) => why,
        })
    }
}

/// What a token says, if it is to be believed.
///
/// # Errors
/// When it is not.
pub(super) fn verified(token: &str, keys: &Keys, expected: &Expected<'_>) -> Result<Claims, Fault> {
    let head = Head::of(token)?;
    let algorithm = head.algorithm()?;
    let fitting: Vec<&Jwk> = keys.0.iter().filter(|key| head.may_be_by(key)).collect();
    if fitting.is_empty() {
        return Err(Fault::UnknownKey);
    }
    let mut usable = fitting.into_iter().filter_map(|key| key.for_algorithm(algorithm)).peekable();
    if usable.peek().is_none() {
        return Err(Fault::Other("is signed in another way than its key is for"));
    }
    let mut validation = Validation::new(algorithm);
    // The claims are checked below, with a clock that is given.
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let decode = |key: DecodingKey| {
        jsonwebtoken::decode::<Map<String, Value>>(token, &key, &validation)
            .ok()
            .map(|decoded| decoded.claims)
    };
    let all = usable.find_map(decode).ok_or(Fault::Other("has a wrong signature"))?;
    checked(all, expected)
}

fn checked(all: Map<String, Value>, expected: &Expected<'_>) -> Result<Claims, Fault> {
    let wrong = |why| Err(Fault::Other(why));
    let text = |name: &str| all.get(name).and_then(Value::as_str);
    if text("iss") != Some(expected.issuer) {
        return wrong("is of another issuer");
    }
    let audience = match all.get("aud") {
        Some(Value::Array(audience)) => audience.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    if !audience.iter().any(|one| one.as_str() == Some(expected.client)) {
        return wrong("is for another client");
    }
    let party = all.contains_key("azp").then(|| text("azp") == Some(expected.client));
    if !party.unwrap_or(audience.len() == 1) {
        return wrong("was given to another client");
    }
    // A time may have decimals (RFC 7519, 2).
    let time = |name: &str| all.get(name).and_then(Value::as_f64).map(|time| time as u64);
    match time("exp") {
        Some(end) if expected.now < end.saturating_add(LEEWAY) => {}
        Some(_) => return wrong("has expired"),
        None => return wrong("does not say when it ends"),
    }
    if [time("nbf"), time("iat")].into_iter().flatten().any(|time| time > expected.now.saturating_add(LEEWAY))
    {
        return wrong("is of a time that has not come");
    }
    if !text("nonce").is_some_and(|nonce| is_same(nonce, expected.nonce)) {
        return wrong("is the answer to another sign-in");
    }
    match text("sub").filter(|subject| (1..=LONGEST_SUBJECT).contains(&subject.len())) {
        Some(subject) => Ok(Claims { subject: subject.to_owned(), all }),
        None => wrong("does not say who it is about"),
    }
}

/// The head of a token (RFC 7515).
#[derive(Deserialize)]
struct Head {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

impl Head {
    fn of(token: &str) -> Result<Self, Fault> {
        let wrong = Fault::Other("cannot be read");
        let Some((head, _)) = token.split_once('.') else { return Err(wrong) };
        let head =
            URL_SAFE_NO_PAD.decode(head).ok().and_then(|head| serde_json::from_slice::<Self>(&head).ok());
        match head {
            Some(Self { crit: Some(_), .. }) => {
                Err(Fault::Other("wants something to be understood that is not"))
            }
            Some(head) => Ok(head),
            None => Err(wrong),
        }
    }

    /// The ways to sign that are taken. Never a secret that is shared, and never none.
    fn algorithm(&self) -> Result<Algorithm, Fault> {
        match self.alg.as_str() {
            "RS256" => Ok(Algorithm::RS256),
            "PS256" => Ok(Algorithm::PS256),
            "ES256" => Ok(Algorithm::ES256),
            "EdDSA" => Ok(Algorithm::EdDSA),
            _ => Err(Fault::Other("is signed in a way that is not taken: RS256, PS256, ES256 and EdDSA are")),
        }
    }

    fn may_be_by(&self, key: &Jwk) -> bool {
        self.kid.as_ref().is_none_or(|kid| key.kid.as_ref() == Some(kid))
    }
}

impl Jwk {
    /// The key, if it is one for signatures of this kind.
    fn for_algorithm(&self, algorithm: Algorithm) -> Option<DecodingKey> {
        let (kty, crv, alg) = match algorithm {
            Algorithm::RS256 => ("RSA", None, "RS256"),
            Algorithm::PS256 => ("RSA", None, "PS256"),
            Algorithm::ES256 => ("EC", Some("P-256"), "ES256"),
            Algorithm::EdDSA => ("OKP", Some("Ed25519"), "EdDSA"),
            _ => return None,
        };
        let signs = self.usage.as_ref().is_none_or(|usage| usage == "sig");
        // RFC 9864 has a name of its own for Ed25519.
        let named = self.alg.as_ref().is_none_or(|own| own == alg || alg == "EdDSA" && own == "Ed25519");
        if self.kty != kty || !signs || !named || crv.is_some() && self.crv.as_deref() != crv {
            return None;
        }
        match algorithm {
            Algorithm::ES256 => DecodingKey::from_ec_components(self.x.as_ref()?, self.y.as_ref()?).ok(),
            Algorithm::EdDSA => DecodingKey::from_ed_components(self.x.as_ref()?).ok(),
            _ => {
                let number = |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_ref()?).ok();
                let (modulus, exponent) = (number(&self.n)?, number(&self.e)?);
                Some(DecodingKey::from_rsa_raw_components(bare(&modulus), bare(&exponent)))
            }
        }
    }
}

/// Without the zero in front that some issuers leave there.
fn bare(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

#[cfg(test)]
mod tests;
