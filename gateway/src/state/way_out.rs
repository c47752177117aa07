//! How the gateway reaches what is no provider: the issuer of `[admin.oidc]`.

use std::sync::Arc;

use crate::config::{Config, ProviderTls};
use crate::domain::{Outbound, Surroundings};
use crate::upstream::{Authorities, Network, Tls};

/// The gateway's own way out, with the authorities that the issuer's certificate may be of.
///
/// # Errors
/// When the environment's proxies are to be used and cannot be, or a file cannot be read.
pub fn way_out(config: &Config) -> Result<Network, String> {
    let outbound = match &config.server.proxy {
        Some(proxy) => Outbound::parse(proxy.expose()).map_err(|why| format!("server.proxy: {why}"))?,
        None => Outbound::Direct,
    };
    let surroundings = match &outbound {
        Outbound::Environment => Surroundings::read(|name| std::env::var(name).ok())?,
        _ => Surroundings::default(),
    };
    let ca = config.admin.oidc.as_ref().and_then(|oidc| oidc.ca.clone());
    let tls = match ca {
        Some(ca) => {
            let settings = ProviderTls { ca: Some(ca), ..ProviderTls::default() };
            Tls::read(&settings, &mut Authorities::default()).map_err(|why| format!("admin.oidc: {why}"))?
        }
        None => Tls::default(),
    };
    Ok(Network { outbound, surroundings: Arc::new(surroundings), tls, http2: false, guard: None })
}
