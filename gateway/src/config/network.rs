//! How connections to a provider are made: `proxy`, `tls` and `queue`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use crate::domain::{Outbound, Secret, Timespan};

/// TLS towards one provider.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProviderTls {
    /// PEM file with authorities that are trusted beside those of the system. Default: none.
    pub ca: Option<PathBuf>,
    /// Trust those of `ca` alone.
    pub only_ca: bool,
    /// PEM file with the gateway's own certificate, followed by its chain, for a provider that asks for one. Default: none.
    pub cert: Option<PathBuf>,
    /// PEM file with the private key of `cert`.
    pub key: Option<PathBuf>,
    /// The name that is asked for (SNI) and must stand in the provider's certificate. Default: the host of its URL.
    pub server_name: Option<String>,
    /// Check the provider's certificate. Without the check anybody in between can read keys and prompts.
    pub verify: bool,
    /// The oldest version of TLS that is spoken.
    pub min_version: TlsVersion,
}

impl Default for ProviderTls {
    fn default() -> Self {
        Self {
            ca: None,
            only_ca: false,
            cert: None,
            key: None,
            server_name: None,
            verify: true,
            min_version: TlsVersion::default(),
        }
    }
}

impl ProviderTls {
    /// The files it names, each with the key that names it.
    pub(crate) fn files(&mut self) -> impl Iterator<Item = (&'static str, &mut PathBuf)> {
        let named = [("ca", &mut self.ca), ("cert", &mut self.cert), ("key", &mut self.key)];
        named.into_iter().filter_map(|(name, path)| Some((name, path.as_mut()?)))
    }
}

/// A version of TLS.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, JsonSchema,
)]
pub enum TlsVersion {
    /// RFC 5246.
    #[default]
    #[serde(rename = "1.2")]
    V1_2,
    /// RFC 8446.
    #[serde(rename = "1.3")]
    V1_3,
}

/// Who waits when as many requests run as may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Queue {
    /// How many requests may wait. Whoever comes later is refused at once.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub length: u32,
    /// How long one may wait before it is refused.
    pub wait: Timespan,
}

impl Default for Queue {
    fn default() -> Self {
        Self { length: 100, wait: Timespan::seconds(5) }
    }
}

/// Shows a way out without the user and the password in it.
pub(super) fn show_proxy<S: Serializer>(proxy: &Option<Secret>, serializer: S) -> Result<S::Ok, S::Error> {
    let Some(proxy) = proxy else { return serializer.serialize_none() };
    match Outbound::parse(proxy.expose()) {
        Ok(Outbound::Proxy(url)) if url.user().is_some() => {
            serializer.serialize_str(&url.to_string().replacen("://", "://***@", 1))
        }
        Ok(outbound) => serializer.collect_str(&outbound),
        Err(_) => serializer.serialize_str("***"),
    }
}
