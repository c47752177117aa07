//! AWS Signature Version 4 over the final bytes.
//!
//! Written on SHA-256 alone: the `aws-sigv4` crate brings a dozen others for what is five hashes and three strings here.
//! The algorithm: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>.

use std::time::{SystemTime, UNIX_EPOCH};

use http::{HeaderMap, HeaderName, HeaderValue, header};
use sha2::{Digest, Sha256};

use super::Draft;
use crate::domain::{Secret, rfc3339};
use crate::error::{GatewayError, Kind};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// A provider key as it is written in the configuration: `ACCESS_KEY_ID:SECRET_ACCESS_KEY[:SESSION_TOKEN]`.
struct Key<'k> {
    id: &'k str,
    secret: &'k str,
    token: Option<&'k str>,
}

impl<'k> Key<'k> {
    fn parse(key: &'k Secret) -> Result<Self, GatewayError> {
        let mut parts = key.expose().splitn(3, ':');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(id), Some(secret), token) if !id.is_empty() && !secret.is_empty() => {
                Ok(Self { id, secret, token: token.filter(|token| !token.is_empty()) })
            }
            _ => Err(wrong(
                "a provider key for AWS is written ACCESS_KEY_ID:SECRET_ACCESS_KEY[:SESSION_TOKEN]",
            )),
        }
    }
}

/// Adds `x-amz-date`, `x-amz-security-token` and `authorization`. An empty `region` is found in the host name.
pub(super) fn sign(
    service: &str,
    region: &str,
    key: &Secret,
    draft: &mut Draft<'_>,
    now: SystemTime,
) -> Result<(), GatewayError> {
    let key = Key::parse(key)?;
    let region = match region {
        "" => region_of(draft.host).ok_or_else(|| {
            wrong("the AWS region is neither in the provider's options (`region`) nor in its url")
        })?,
        region => region,
    };
    let time = timestamp(now);
    let day = time.get(..8).unwrap_or_default();
    draft.headers.insert(DATE, value(&time)?);
    if let Some(token) = key.token {
        let mut token = value(token)?;
        token.set_sensitive(true);
        draft.headers.insert(TOKEN, token);
    }
    let (canonical, names) = canonical_request(draft)?;
    let scope = format!("{day}/{region}/{service}/aws4_request");
    let to_sign = format!("{ALGORITHM}\n{time}\n{scope}\n{}", hex(&Sha256::digest(canonical)));
    let signature = hex(&hmac(&signing_key(key.secret, [day, region, service]), to_sign.as_bytes()));
    let mut authorization = value(&format!(
        "{ALGORITHM} Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
        key.id
    ))?;
    authorization.set_sensitive(true);
    draft.headers.insert(header::AUTHORIZATION, authorization);
    Ok(())
}

/// The request as both sides hash it, and the names of the headers in it.
fn canonical_request(draft: &Draft<'_>) -> Result<(String, String), GatewayError> {
    let (path, query) = draft.path.split_once('?').unwrap_or((draft.path.as_str(), ""));
    let mut parameters: Vec<(&str, &str)> = query
        .split('&')
        .filter(|parameter| !parameter.is_empty())
        .map(|parameter| parameter.split_once('=').unwrap_or((parameter, "")))
        .collect();
    parameters.sort_unstable();
    let query: Vec<String> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let (lines, names) = canonical_headers(draft.host, draft.headers)?;
    let canonical = format!(
        "{}\n{}\n{}\n{lines}\n{names}\n{}",
        draft.method,
        encoded(path),
        query.join("&"),
        hex(&Sha256::digest(draft.body))
    );
    Ok((canonical, names))
}

/// AWS wants the host, the content type and all headers of its own; the others may change on the way.
fn canonical_headers(host: &str, headers: &HeaderMap) -> Result<(String, String), GatewayError> {
    let mut signed: Vec<(&str, String)> = vec![("host", host.to_owned())];
    for name in
        headers.keys().filter(|name| **name == header::CONTENT_TYPE || name.as_str().starts_with("x-amz-"))
    {
        let mut values = Vec::new();
        for value in headers.get_all(name) {
            let text = value.to_str().map_err(|_| wrong("a header to be signed for AWS is not ASCII"))?;
            values.push(text.split_ascii_whitespace().collect::<Vec<_>>().join(" "));
        }
        signed.push((name.as_str(), values.join(",")));
    }
    signed.sort_unstable();
    let lines = signed.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let names: Vec<&str> = signed.iter().map(|(name, _)| *name).collect();
    Ok((lines, names.join(";")))
}

/// Every service but S3 encodes the path once more than it stands on the wire: `%3A` becomes `%253A`.
fn encoded(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// `bedrock-runtime.eu-central-1.amazonaws.com`, `vpce-….bedrock-runtime.us-east-1.vpce.amazonaws.com`.
fn region_of(host: &str) -> Option<&str> {
    let (labels, _) = host.split_once(".amazonaws.com")?;
    labels
        .rsplit('.')
        .find(|label| *label != "vpce")
        .filter(|label| label.contains('-') && label.ends_with(|letter: char| letter.is_ascii_digit()))
}

/// `20150830T123600Z`
fn timestamp(now: SystemTime) -> String {
    let seconds = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    rfc3339(seconds).replace(['-', ':'], "")
}

/// The key of one day, region and service.
fn signing_key(secret: &str, scope: [&str; 3]) -> [u8; 32] {
    let first = hmac(format!("AWS4{secret}").as_bytes(), scope[0].as_bytes());
    let [_, region, service] = scope;
    [region, service, "aws4_request"].iter().fold(first, |key, step| hmac(&key, step.as_bytes()))
}

/// HMAC-SHA256 (RFC 2104).
fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0_u8; 64];
    let digest: [u8; 32] = Sha256::digest(key).into();
    let key = if key.len() > block.len() { &digest[..] } else { key };
    block.iter_mut().zip(key).for_each(|(byte, key)| *byte = *key);
    let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(block.map(|byte| byte ^ 0x5C)).chain_update(inner).finalize().into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn value(text: &str) -> Result<HeaderValue, GatewayError> {
    HeaderValue::try_from(text).map_err(|_| wrong("the provider key cannot stand in a header"))
}

fn wrong(message: &str) -> GatewayError {
    GatewayError::gateway(Kind::Internal, message)
}

#[cfg(test)]
mod tests;
