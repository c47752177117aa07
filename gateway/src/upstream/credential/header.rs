//! Keys sent as they are: bearer, a named header, a query parameter.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::domain::Secret;
use crate::error::{GatewayError, Kind};

pub(crate) fn bearer(headers: &mut HeaderMap, key: &Secret) -> Result<(), GatewayError> {
    set(headers, header::AUTHORIZATION, &format!("Bearer {}", key.expose()))
}

pub(super) fn named(headers: &mut HeaderMap, name: &HeaderName, key: &Secret) -> Result<(), GatewayError> {
    set(headers, name.clone(), key.expose())
}

pub(super) fn query(path: &mut String, name: &str, key: &Secret) {
    path.push(if path.contains('?') { '&' } else { '?' });
    path.push_str(name);
    path.push('=');
    escape(path, key.expose());
}

/// A value of a query or a form.
pub(crate) fn escape(text: &mut String, value: &str) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(byte as char);
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) -> Result<(), GatewayError> {
    let mut value = HeaderValue::try_from(value)
        .map_err(|_| GatewayError::gateway(Kind::Internal, "the provider key cannot stand in a header"))?;
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(())
}
