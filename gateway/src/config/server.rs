//! `[server]`: where clients come in, and how long anything may take.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::network::show_proxy;
use super::text::{Text, secret, text_values};
use crate::domain::{AddressRange, ByteSize, Secret, Timespan};

/// The data plane: the OpenAI, Anthropic and Gemini APIs, all on the same addresses.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// Addresses to listen on, each `ip:port`. `0.0.0.0` and `[::]` mean every interface. Needs a restart.
    #[schemars(extend("x-restart" = true))]
    pub listen: Vec<ListenAddress>,
    /// Certificate and key for HTTPS; without it the gateway speaks plain HTTP. Relative paths start at the
    /// folder of this file. Needs a restart.
    #[schemars(extend("x-restart" = true))]
    pub tls: Option<Tls>,
    /// Worker threads: "auto" is one per core. Too few and streams stutter under load. Needs a restart.
    #[schemars(extend("x-restart" = true))]
    pub threads: Threads,
    /// Largest request body; more is refused with 413. Images and audio travel inside the body and count.
    pub max_body: ByteSize,
    /// After a stop or restart, running streams may finish this long before they are cut. Needs a restart.
    #[schemars(extend("x-restart" = true))]
    pub drain: Timespan,
    /// What the gateway says about itself in response headers: "minimal" is the request id,
    /// "off" is nothing, "debug" adds the target, the attempts and the timing of each step.
    pub headers: Headers,
    /// A folder of adapter files (`*.wasm`): each is a plugin under its file name, before the bundled one of that name.
    /// A relative path starts at the folder of this file. Default: none.
    pub plugins_dir: Option<PathBuf>,
    /// The way to all providers that do not say otherwise: a proxy's URL, as in
    /// "http://user:${PASSWORD}@host:3128" (or `https`, `socks5`, `socks5h`), "environment" (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` are obeyed) or "direct". The user and the
    /// password in it are never shown. Default: "direct", whatever the environment says.
    #[serde(deserialize_with = "secret::read_optional", serialize_with = "show_proxy")]
    #[schemars(with = "Option<secret::SecretText>", example = "http://10.0.0.9:3128")]
    pub proxy: Option<Secret>,
    /// Proxies in front of the gateway, by address or range, as in "10.0.0.0/8". Only what they say in `x-forwarded-for`
    /// about where a request comes from is believed, for keys that name `addresses`. Default: none.
    pub trusted_proxies: Vec<AddressRange>,
    /// How long each step may take; a provider or a model may say otherwise.
    pub timeouts: Timeouts,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: vec![ListenAddress(SocketAddr::from(([127, 0, 0, 1], 8080)))],
            tls: None,
            threads: Threads::Auto,
            max_body: ByteSize::mebibytes(32),
            drain: Timespan::seconds(300),
            headers: Headers::Minimal,
            plugins_dir: None,
            proxy: None,
            trusted_proxies: Vec::new(),
            timeouts: Timeouts::default(),
        }
    }
}

/// The certificate of the listeners.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// PEM file with the certificate, followed by its chain.
    pub cert: PathBuf,
    /// PEM file with the private key.
    pub key: PathBuf,
}

/// What response headers tell about the gateway.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Headers {
    /// The request id.
    #[default]
    Minimal,
    /// Nothing.
    Off,
    /// Also the target, the attempts and the timing of each step.
    Debug,
}

/// How long each step may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Timeouts {
    /// To open a connection to a provider, TLS included.
    pub connect: Timespan,
    /// From sending the request to the first token; after that the next target is tried. Reasoning models may need minutes.
    pub first_token: Timespan,
    /// Silence between two chunks of a stream; after that it counts as cut.
    pub idle: Timespan,
    /// The whole request, all attempts included.
    pub total: Timespan,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Timespan::seconds(2),
            first_token: Timespan::seconds(60),
            idle: Timespan::seconds(90),
            total: Timespan::seconds(900),
        }
    }
}

/// Timeouts of one provider or model; what is not given comes from `[server.timeouts]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TimeoutOverrides {
    /// To open a connection to a provider, TLS included.
    pub connect: Option<Timespan>,
    /// From sending the request to the first token.
    pub first_token: Option<Timespan>,
    /// Silence between two chunks of a stream.
    pub idle: Option<Timespan>,
    /// The whole request, all attempts included.
    pub total: Option<Timespan>,
}

impl TimeoutOverrides {
    /// `base`, with what is given here instead. Apply the provider's to the server's, then the model's to that.
    #[must_use]
    pub fn over(&self, base: Timeouts) -> Timeouts {
        Timeouts {
            connect: self.connect.unwrap_or(base.connect),
            first_token: self.first_token.unwrap_or(base.first_token),
            idle: self.idle.unwrap_or(base.idle),
            total: self.total.unwrap_or(base.total),
        }
    }
}

/// An address to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenAddress(pub SocketAddr);

impl FromStr for ListenAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Self).map_err(|_| format!("`{text}` is not an address to listen on"))
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl Text for ListenAddress {
    const KIND: &'static str = "address";
    const PATTERN: &'static str = r"^(\[[0-9a-fA-F:.%]+\]|[0-9.]+):[0-9]{1,5}$";
    const WRITTEN: &'static str = "an IP address and a port, as in \"0.0.0.0:8080\" or \"[::1]:8080\"";
}

/// How many worker threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Threads {
    /// One per core.
    #[default]
    Auto,
    /// That many.
    Count(u16),
}

text_values!(ListenAddress);
