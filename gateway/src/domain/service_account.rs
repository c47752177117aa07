//! The key file of a Google service account, as the console hands it out.

use serde::Deserialize;

use super::Secret;

/// Who a service account is and how it proves it.
#[derive(Clone, Debug)]
pub struct ServiceAccount {
    /// `name@project.iam.gserviceaccount.com`
    pub email: String,
    /// Id of the private key, where the file says one.
    pub key_id: Option<String>,
    /// The private key in PEM (PKCS #8).
    pub private_key: Secret,
    /// Where a signed assertion is exchanged for an access token.
    pub token_url: String,
}

/// The file; what it says beyond this is of no use here.
#[derive(Deserialize)]
struct File {
    #[serde(default, rename = "type")]
    kind: String,
    client_email: Option<String>,
    private_key: Option<String>,
    private_key_id: Option<String>,
    token_uri: Option<String>,
}

impl ServiceAccount {
    /// Google's own token endpoint.
    pub const TOKEN_URL: &str = "https://oauth2.googleapis.com/token";

    /// True for a provider key that holds a key file and is no key in one word.
    pub fn is_written_in(key: &str) -> bool {
        key.trim_start().starts_with('{')
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// One clause on what is wrong; nothing of the file is repeated in it but the kind of the credential.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: File = serde_json::from_str(text)
            .map_err(|error| format!("is not JSON: line {}, column {}", error.line(), error.column()))?;
        if file.kind != "service_account" {
            let kind: String = file.kind.chars().filter(|letter| !letter.is_control()).take(40).collect();
            return Err(format!("is a credential of type `{kind}`; only `service_account` is understood"));
        }
        let (Some(email), Some(private_key)) = (file.client_email, file.private_key) else {
            return Err("lacks `client_email` or `private_key`".to_owned());
        };
        let token_url = file.token_uri.unwrap_or_else(|| Self::TOKEN_URL.to_owned());
        if !is_googles(&token_url) && !is_loopback(&token_url) {
            return Err("names a `token_uri` that is not Google's".to_owned());
        }
        Ok(Self { email, key_id: file.private_key_id, private_key: Secret::new(private_key), token_url })
    }
}

/// The assertion that goes there opens the account for an hour.
fn is_googles(url: &str) -> bool {
    let Ok(url) = url.parse::<http::Uri>() else { return false };
    let host = url.host().unwrap_or_default();
    url.scheme_str() == Some("https") && (host == "accounts.google.com" || host.ends_with(".googleapis.com"))
}

/// A server of this machine, plain or not: an emulator, a test.
pub fn is_loopback(url: &str) -> bool {
    let Ok(url) = url.parse::<http::Uri>() else { return false };
    let host = url.host().unwrap_or_default().trim_matches(['[', ']']);
    let address = host.parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests;
