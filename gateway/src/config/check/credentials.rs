//! Checks of a provider's `credential` and `headers`.

use http::{HeaderName, HeaderValue};

use super::Check;
use crate::config::tree::Route;
use crate::config::{Credential, CredentialWay, Provider};
use crate::domain::http::is_framing;
use crate::domain::service_account::is_loopback;

impl Check<'_> {
    pub(super) fn credential_of(&mut self, name: &str, provider: &Provider, route: &Route) {
        let Some(credential) = &provider.credential else { return };
        let route = route.key("credential");
        let Some(way) = credential.way() else {
            if self.dropped.iter().any(|dropped| dropped.0.starts_with(&route.0)) {
                return;
            }
            let message = format!("the credential of provider `{name}` does not say how the keys are sent");
            let help = "as in `{ kind = \"bearer\" }` or `{ header = \"x-api-key\" }`".to_owned();
            return self.report(&route, message, "no `kind`", Some(help));
        };
        self.parts(name, credential, way, &route);
        if let Some(header) = &credential.header {
            self.header_name(name, header, &route.key("header"));
        }
        let plain = |text: &String| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        if credential
            .query
            .as_ref()
            .is_some_and(|query| !plain(query) || query.contains(['&', '=', '#', '%']))
        {
            let message = format!("the credential of provider `{name}` has no name for a query parameter");
            self.report(&route.key("query"), message, "not a name", None);
        }
        let tenant = credential.tenant.as_ref();
        let legal = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.');
        if tenant.is_some_and(|tenant| tenant.is_empty() || !tenant.chars().all(legal)) {
            let message = format!("the tenant of provider `{name}` is neither an id nor a domain");
            self.report(&route.key("tenant"), message, "not a tenant", None);
        }
        if let Some(authority) = &credential.authority
            && !authority.starts_with("https://")
            && !is_loopback(authority)
        {
            let message =
                format!("the directory of provider `{name}` would be sent the client's secret in the open");
            self.report(&route.key("authority"), message, "not https", None);
        }
    }

    /// What a way needs, and what another way would.
    fn parts(&mut self, name: &str, credential: &Credential, way: CredentialWay, route: &Route) {
        use CredentialWay::{AzureAd, Header, Query};
        let parts = [
            ("header", credential.header.is_some(), Header, true),
            ("query", credential.query.is_some(), Query, true),
            ("tenant", credential.tenant.is_some(), AzureAd, true),
            ("client_id", credential.client_id.is_some(), AzureAd, true),
            ("client_secret", credential.client_secret.is_some(), AzureAd, true),
            ("scope", credential.scope.is_some(), AzureAd, false),
            ("authority", credential.authority.is_some(), AzureAd, false),
        ];
        for (part, said, of, needed) in parts {
            if said && of != way {
                let message = format!("`{part}` has no meaning for the credential of provider `{name}`");
                self.report(&route.key(part), message, "of another kind", None);
            } else if !said && of == way && needed && !self.dropped.contains(&route.key(part)) {
                let message = format!("the credential of provider `{name}` lacks `{part}`");
                self.report(route, message, &format!("without `{part}`"), None);
            }
        }
    }

    pub(super) fn headers_of(&mut self, name: &str, provider: &Provider, route: &Route) {
        for (header, value) in &provider.headers {
            let route = route.key("headers").key(header);
            self.header_name(name, header, &route);
            if HeaderValue::try_from(value.expose()).is_err() {
                let message =
                    format!("the value of header `{header}` of provider `{name}` is not legal in a header");
                self.report(&route, message, "not a header's value", None);
            }
        }
    }

    fn header_name(&mut self, provider: &str, header: &str, route: &Route) {
        match HeaderName::try_from(header) {
            Err(_) => {
                let message = format!("`{header}` is not the name of a header (provider `{provider}`)");
                self.report(route, message, "not a name", None);
            }
            Ok(name) if is_framing(&name) => {
                let message =
                    format!("header `{header}` is the gateway's own to set (provider `{provider}`)");
                self.report(route, message, "not yours to set", None);
            }
            Ok(_) => {}
        }
    }
}
