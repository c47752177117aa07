//! Checks of `proxy`, `tls`, `http2` and `queue`.

use std::path::Path;

use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::Check;
use crate::config::tree::Route;
use crate::config::{Provider, ProviderTls, Target};
use crate::domain::{Outbound, Secret, Timespan};

/// How a way out is written.
const WRITTEN: &str =
    "write \"http://user:password@host:port\" (or https, socks5, socks5h), \"environment\" or \"direct\"";

impl Check<'_> {
    pub(super) fn proxy_of(&mut self, proxy: Option<&Secret>, route: &Route) {
        let Some(proxy) = proxy else { return };
        if let Err(why) = Outbound::parse(proxy.expose()) {
            let message = format!("`{route}` is not a proxy: {why}");
            self.report(route, message, "not a proxy", Some(WRITTEN.to_owned()));
        }
    }

    pub(super) fn network_of(&mut self, name: &str, provider: &Provider, route: &Route) {
        self.proxy_of(provider.proxy.as_ref(), &route.key("proxy"));
        if let Some(tls) = &provider.tls {
            self.tls_of(name, tls, &route.key("tls"));
        }
        let plain = provider.url.as_ref().is_some_and(|url| url.starts_with("http://"));
        if plain && provider.http2 {
            let message =
                format!("provider `{name}` is reached without TLS, and HTTP/2 is agreed upon in TLS");
            self.report(&route.key("http2"), message, "needs https", None);
        }
        if plain && provider.tls.is_some() {
            let message = format!("provider `{name}` is reached without TLS");
            self.report(&route.key("tls"), message, "needs https", None);
        }
        let Some(queue) = &provider.queue else { return };
        let route = route.key("queue");
        let capped = |target: &Target| {
            let own = target.destination().target().is_some_and(|target| target.provider == *name);
            own && target.concurrent.is_some()
        };
        let targets = self.config.models.values().flat_map(|model| &model.targets);
        let waited_for = provider.limits.concurrent.is_some() || targets.into_iter().any(capped);
        if !waited_for && !self.dropped.contains(&route) {
            let message = format!("provider `{name}` has a queue and nothing to wait for");
            let help = Some("set `limits.concurrent`, or `concurrent` at one of its targets".to_owned());
            self.report(&route, message, "without `limits.concurrent`", help);
        }
        if queue.wait == Timespan::default() {
            let message = format!("the queue of provider `{name}` has no time at all");
            self.report(&route.key("wait"), message, "zero", None);
        }
    }

    /// A cap is one of a provider's model.
    pub(super) fn cap_of(&mut self, target: &Target, route: &Route) {
        if target.concurrent.is_some() && target.destination().target().is_none() {
            let message = "a cap of another model's targets has no meaning: they have their own".to_owned();
            self.report(&route.key("concurrent"), message, "not a provider's model", None);
        }
    }

    fn tls_of(&mut self, name: &str, tls: &ProviderTls, route: &Route) {
        if tls.only_ca && tls.ca.is_none() && !self.dropped.contains(&route.key("ca")) {
            let message =
                format!("provider `{name}` trusts the authorities of `ca` alone, and there is none");
            self.report(&route.key("only_ca"), message, "without `ca`", None);
        }
        let pair = [("cert", tls.cert.is_some(), "key"), ("key", tls.key.is_some(), "cert")];
        for (part, said, other) in pair {
            let missing = !tls.clone().files().any(|(name, _)| name == other);
            if said && missing && !self.dropped.contains(&route.key(other)) {
                let message = format!("the `{part}` of provider `{name}` is of no use without its `{other}`");
                self.report(&route.key(part), message, &format!("without `{other}`"), None);
            }
        }
        if let Some(server) = &tls.server_name
            && rustls_pki_types::ServerName::try_from(server.as_str()).is_err()
        {
            let message = format!("`{server}` is neither a name nor an address");
            self.report(&route.key("server_name"), message, "not a name", None);
        }
        if !tls.verify && tls.ca.is_some() {
            let message = format!("provider `{name}` names authorities, and its certificate is not checked");
            self.report(&route.key("verify"), message, "beside `ca`", None);
        }
        for (key, path) in tls.clone().files() {
            let path = self.folder.join(&*path);
            let fault = match key {
                "key" => fault_of_key(&path),
                _ => fault_of_certificates(&path),
            };
            if let Some(fault) = fault {
                let message = format!("`{route}.{key}` of {}: {fault}", path.display());
                self.report(&route.key(key), message, "cannot be used", None);
            }
        }
    }
}

pub(super) fn fault_of_certificates(path: &Path) -> Option<String> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) => return Some(error.to_string()),
    };
    let mut count = 0;
    for certificate in CertificateDer::pem_slice_iter(&text) {
        count += 1;
        match certificate {
            Err(error) => return Some(format!("certificate {count} cannot be read: {error}")),
            Ok(certificate) => {
                if let Err(error) = x509_parser::parse_x509_certificate(&certificate) {
                    return Some(format!("certificate {count} is none: {error}"));
                }
            }
        }
    }
    (count == 0).then(|| "it holds no certificate in PEM form".to_owned())
}

fn fault_of_key(path: &Path) -> Option<String> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) => return Some(error.to_string()),
    };
    PrivateKeyDer::from_pem_slice(&text).err().map(|_| "it holds no private key in PEM form".to_owned())
}
