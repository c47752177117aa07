//! Asks a gateway that runs, through its admin listener.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use crate::app;
use crate::config::Config;

/// The gateway stands on this machine or near it.
const PATIENCE: Duration = Duration::from_secs(10);

/// What changes much takes its time.
const LONG_PATIENCE: Duration = Duration::from_secs(600);

/// One request without a body.
///
/// # Errors
/// In one sentence: nobody is there, or it says no.
pub(super) fn ask(config: &Config, method: &str, path: &str) -> Result<Value, String> {
    tell(config, method, path, None)
}

/// The same with a body.
///
/// # Errors
/// As [`ask`].
pub(super) fn tell(config: &Config, method: &str, path: &str, body: Option<&Value>) -> Result<Value, String> {
    let text = ask_for_text(config, method, path, body)?;
    Ok(serde_json::from_str(text.trim()).unwrap_or_default())
}

/// The same, whatever form the answer has.
///
/// # Errors
/// As [`ask`].
pub(super) fn ask_for_text(
    config: &Config,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> Result<String, String> {
    let mut address: SocketAddr = config.admin.listen.0;
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    let gone = |error: std::io::Error| format!("no gateway answers at http://{address}: {error}");
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).map_err(gone)?;
    let patience = if method == "GET" { PATIENCE } else { LONG_PATIENCE };
    let patient = stream.set_read_timeout(Some(patience)).and(stream.set_write_timeout(Some(PATIENCE)));
    patient.map_err(gone)?;
    let password = app::admin_password(config)?;
    let password = password.map(|password| format!("authorization: Bearer {}\r\n", password.expose()));
    let body = body.map(Value::to_string).unwrap_or_default();
    let kind = if body.is_empty() { "" } else { "content-type: application/json\r\n" };
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\n{}{kind}content-length: {}\r\nconnection: close\r\n\r\n{body}",
        password.unwrap_or_default(),
        body.len()
    );
    stream.write_all(request.as_bytes()).map_err(gone)?;
    let mut answer = Vec::new();
    stream.take(64 << 20).read_to_end(&mut answer).map_err(gone)?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).unwrap_or("no status");
    let json: Value = serde_json::from_str(body.trim()).unwrap_or_default();
    match (status, json["error"]["message"].as_str()) {
        ("200" | "201" | "202" | "204", _) => Ok(body.to_owned()),
        (_, Some(error)) => Err(match json["error"]["path"].as_str() {
            Some(path) if !path.is_empty() => format!("{path}: {error}"),
            _ => error.to_owned(),
        }),
        ("404", None) => Err(format!("the gateway at http://{address} knows nothing of that")),
        (status, None) => Err(format!("the gateway at http://{address} answered {status}: {}", body.trim())),
    }
}

/// A name as one part of a path: a slash in it is written as in a JSON pointer.
pub(super) fn in_path(name: &str) -> String {
    escaped(&name.replace('~', "~0").replace('/', "~1"))
}

/// As it stands in a query.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}
