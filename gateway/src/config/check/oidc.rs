//! Checks of `[admin.oidc]`.

use super::Check;
use super::network::fault_of_certificates;
use crate::config::Oidc;
use crate::config::oidc::CALLBACK;
use crate::config::tree::Route;
use crate::domain::service_account::is_loopback;

impl Check<'_> {
    pub(super) fn oidc(&mut self) {
        let Some(oidc) = &self.config.admin.oidc else { return };
        let route = Route::keys(&["admin", "oidc"]);
        self.urls_of(oidc, &route);
        self.client_of(oidc, &route);
        self.roles_of(oidc, &route);
        for (index, allowed) in oidc.allowed_emails.iter().enumerate() {
            let is_one = allowed.split_once('@').is_some_and(|(_, domain)| is_domain(domain));
            if !is_one {
                let message = format!("`{allowed}` is neither an e-mail address nor a domain");
                let help = Some("as in \"ada@example.com\" or \"@example.com\"".to_owned());
                self.report(&route.key("allowed_emails").index(index), message, "not an address", help);
            }
        }
        if let Some(ca) = &oidc.ca {
            let path = self.folder.join(ca);
            if let Some(fault) = fault_of_certificates(&path) {
                let message = format!("`{route}.ca` of {}: {fault}", path.display());
                self.report(&route.key("ca"), message, "cannot be used", None);
            }
        }
    }

    fn urls_of(&mut self, oidc: &Oidc, route: &Route) {
        if is_in_the_open(&oidc.issuer) {
            let message = "the issuer would be asked in the open who somebody is";
            self.report(&route.key("issuer"), message, "not https", None);
        }
        let Some(url) = &oidc.redirect_url else {
            if !self.config.admin.listen.0.ip().to_canonical().is_loopback()
                && !self.dropped.contains(&route.key("redirect_url"))
            {
                let message = "the issuer is not told where to send browsers back to";
                let help = format!("as in `redirect_url = \"https://causeway.example.com{CALLBACK}\"`");
                self.report(route, message, "without `redirect_url`", Some(help));
            }
            return;
        };
        let route = route.key("redirect_url");
        if is_in_the_open(url) {
            let message = "browsers would be sent back with a code that everybody can read on the way";
            self.report(&route, message, "not https", None);
        }
        if url.parse::<http::Uri>().is_ok_and(|url| url.path() != CALLBACK) {
            let message = "browsers would be sent back to where nobody waits for them";
            self.report(&route, message, "another path", Some(format!("its path must be `{CALLBACK}`")));
        }
    }

    fn client_of(&mut self, oidc: &Oidc, route: &Route) {
        if oidc.client_id.trim().is_empty() {
            self.report(&route.key("client_id"), "the id of the client is empty", "empty", None);
        }
        if oidc.client_secret.as_ref().is_some_and(|secret| secret.expose().is_empty()) {
            let help = Some("leave the key out for a public client".to_owned());
            self.report(&route.key("client_secret"), "the client's secret is empty", "empty", help);
        }
        let legal = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        for (index, scope) in oidc.scopes.iter().enumerate() {
            if scope.is_empty() || !scope.bytes().all(legal) {
                let message = format!("`{scope}` is not a scope");
                self.report(&route.key("scopes").index(index), message, "not a scope", None);
            }
        }
        if !oidc.scopes.iter().any(|scope| scope == "openid") {
            let message = "without the scope `openid` the issuer does not tell who somebody is";
            self.report(&route.key("scopes"), message, "without `openid`", None);
        }
    }

    fn roles_of(&mut self, oidc: &Oidc, route: &Route) {
        match &oidc.role_claim {
            Some(_) if oidc.roles.is_empty() && !self.dropped.contains(&route.key("roles")) => {
                let message = "a claim says what somebody is, and nothing says what that means here";
                let help = Some("as in `roles = { \"gateway-admins\" = \"admin\" }`".to_owned());
                self.report(&route.key("role_claim"), message, "without `roles`", help);
            }
            None if !oidc.roles.is_empty() && !self.dropped.contains(&route.key("role_claim")) => {
                let message = "no claim says which of these roles somebody has";
                let help = Some("as in `role_claim = \"groups\"`".to_owned());
                self.report(&route.key("roles"), message, "without `role_claim`", help);
            }
            None if oidc.create_users
                && oidc.default_role.is_none()
                && !self.dropped.iter().any(|dropped| dropped.0.starts_with(&route.0)) =>
            {
                let message = "users cannot be made: nothing says which role they get";
                let help = Some("set `default_role`, or `role_claim` and `roles`".to_owned());
                self.report(&route.key("create_users"), message, "without a role", help);
            }
            _ => {}
        }
    }
}

fn is_in_the_open(url: &str) -> bool {
    url.starts_with("http://") && !is_loopback(url)
}

fn is_domain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte))
}
