//! THE TABLE: every operation there is, and who may do it.
//!
//! What is not in here does not exist for anybody: the router's own list is held against it when the gateway starts.

use axum::http::Method;
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::{Operation, PathItem};

use super::caller::Role;

/// Who may do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Right {
    /// Anyone, also who does not say who he is.
    Anyone,
    /// Who may read metrics: `[admin] metrics` says.
    Metrics,
    /// Who has this role or a higher one.
    At(Role),
}

/// One operation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) right: Right,
    /// It changes something: it is noted in the audit log, and not done where nothing may be changed.
    pub(super) changes: bool,
}

const fn reads(path: &'static str, role: Role) -> Rule {
    Rule { method: "GET", path, right: Right::At(role), changes: false }
}

/// A question that is too long for a query.
const fn asks(path: &'static str, role: Role) -> Rule {
    Rule { method: "POST", path, right: Right::At(role), changes: false }
}

const fn changes(method: &'static str, path: &'static str, role: Role) -> Rule {
    Rule { method, path, right: Right::At(role), changes: true }
}

const fn open(method: &'static str, path: &'static str, right: Right) -> Rule {
    Rule { method, path, right, changes: false }
}

use Role::{Admin, Member, Viewer};

/// All operations, in order of path.
pub(super) const RULES: &[Rule] = &[
    open("GET", "/healthz", Right::Anyone),
    open("GET", "/readyz", Right::Anyone),
    open("GET", "/metrics", Right::Metrics),
    reads("/admin/api/audit", Viewer),
    reads("/admin/api/config", Viewer),
    reads("/admin/api/config/export", Viewer),
    changes("POST", "/admin/api/config/reload", Admin),
    reads("/admin/api/explain", Viewer),
    asks("/admin/api/explain", Viewer),
    reads("/admin/api/health", Viewer),
    reads("/admin/api/keys", Viewer),
    changes("POST", "/admin/api/keys", Admin),
    reads("/admin/api/keys/{name}", Viewer),
    changes("PATCH", "/admin/api/keys/{name}", Admin),
    changes("DELETE", "/admin/api/keys/{name}", Admin),
    changes("POST", "/admin/api/keys/{name}/credits", Admin),
    changes("DELETE", "/admin/api/keys/{name}/credits/{id}", Admin),
    reads("/admin/api/keys/{name}/limits", Viewer),
    changes("POST", "/admin/api/keys/{name}/rotate", Admin),
    reads("/admin/api/me", Member),
    reads("/admin/api/me/keys", Member),
    changes("POST", "/admin/api/me/keys", Member),
    reads("/admin/api/me/keys/{name}", Member),
    changes("PATCH", "/admin/api/me/keys/{name}", Member),
    changes("DELETE", "/admin/api/me/keys/{name}", Member),
    changes("POST", "/admin/api/me/keys/{name}/rotate", Member),
    reads("/admin/api/me/limits", Member),
    reads("/admin/api/me/models", Member),
    changes("PUT", "/admin/api/me/password", Member),
    reads("/admin/api/me/usage", Member),
    reads("/admin/api/models", Viewer),
    changes("POST", "/admin/api/models", Admin),
    reads("/admin/api/models/{name}", Viewer),
    changes("PUT", "/admin/api/models/{name}", Admin),
    changes("DELETE", "/admin/api/models/{name}", Admin),
    reads("/admin/api/openapi.json", Member),
    reads("/admin/api/own-prices", Viewer),
    changes("POST", "/admin/api/own-prices", Admin),
    reads("/admin/api/own-prices/{name}", Viewer),
    changes("PUT", "/admin/api/own-prices/{name}", Admin),
    changes("DELETE", "/admin/api/own-prices/{name}", Admin),
    reads("/admin/api/plugins", Viewer),
    reads("/admin/api/plugins/{name}", Viewer),
    reads("/admin/api/prices", Viewer),
    reads("/admin/api/provider-keys", Viewer),
    changes("POST", "/admin/api/provider-keys/restore", Admin),
    reads("/admin/api/providers", Viewer),
    changes("POST", "/admin/api/providers", Admin),
    reads("/admin/api/providers/{name}", Viewer),
    changes("PUT", "/admin/api/providers/{name}", Admin),
    changes("DELETE", "/admin/api/providers/{name}", Admin),
    asks("/admin/api/providers/{name}/fetch-models", Admin),
    changes("POST", "/admin/api/providers/{name}/keys", Admin),
    changes("DELETE", "/admin/api/providers/{name}/keys/{id}", Admin),
    asks("/admin/api/providers/{name}/test", Admin),
    open("POST", "/admin/api/redeem", Right::Anyone),
    reads("/admin/api/requests", Viewer),
    reads("/admin/api/requests/running", Viewer),
    changes("POST", "/admin/api/requests/running/{id}/cancel", Admin),
    changes("POST", "/admin/api/secrets/rotate", Admin),
    open("POST", "/admin/api/session", Right::Anyone),
    reads("/admin/api/session", Member),
    open("DELETE", "/admin/api/session", Right::At(Member)),
    open("GET", "/admin/api/sign-in/oidc", Right::Anyone),
    open("GET", "/admin/api/sign-in/oidc/callback", Right::Anyone),
    open("POST", "/admin/api/sign-up", Right::Anyone),
    reads("/admin/api/sign-ups", Viewer),
    changes("DELETE", "/admin/api/sign-ups/{id}", Admin),
    changes("POST", "/admin/api/sign-ups/{id}/approve", Admin),
    changes("POST", "/admin/api/sign-ups/{id}/reject", Admin),
    reads("/admin/api/targets", Viewer),
    changes("POST", "/admin/api/targets/lift", Admin),
    changes("POST", "/admin/api/targets/rest", Admin),
    reads("/admin/api/teams", Viewer),
    changes("POST", "/admin/api/teams", Admin),
    reads("/admin/api/teams/{name}", Viewer),
    changes("PATCH", "/admin/api/teams/{name}", Admin),
    changes("DELETE", "/admin/api/teams/{name}", Admin),
    changes("POST", "/admin/api/teams/{name}/credits", Admin),
    changes("DELETE", "/admin/api/teams/{name}/credits/{id}", Admin),
    reads("/admin/api/tiers", Viewer),
    changes("POST", "/admin/api/tiers", Admin),
    reads("/admin/api/tiers/{name}", Viewer),
    changes("PATCH", "/admin/api/tiers/{name}", Admin),
    changes("DELETE", "/admin/api/tiers/{name}", Admin),
    reads("/admin/api/usage", Viewer),
    changes("POST", "/admin/api/usage/reprice", Admin),
    reads("/admin/api/usage/rows", Viewer),
    reads("/admin/api/usage/rows.csv", Viewer),
    reads("/admin/api/users", Viewer),
    changes("POST", "/admin/api/users", Admin),
    reads("/admin/api/users/{id}", Viewer),
    changes("PATCH", "/admin/api/users/{id}", Admin),
    changes("DELETE", "/admin/api/users/{id}", Admin),
    changes("POST", "/admin/api/users/{id}/credits", Admin),
    changes("DELETE", "/admin/api/users/{id}/credits/{credit}", Admin),
    changes("POST", "/admin/api/users/{id}/invite", Admin),
    changes("PUT", "/admin/api/users/{id}/password", Admin),
    reads("/admin/api/users/{id}/top-ups", Viewer),
    changes("POST", "/admin/api/users/{id}/top-ups", Admin),
];

/// The rule of an operation. `path` is as the router has it, not as it was asked.
pub(super) fn of(method: &Method, path: &str) -> Option<&'static Rule> {
    let method = if method == Method::HEAD { "GET" } else { method.as_str() };
    RULES.iter().find(|rule| rule.method == method && rule.path == path)
}

/// Every operation of a document with its method and path.
pub(super) fn operations(document: &mut OpenApi) -> Vec<(&'static str, &str, &mut Operation)> {
    let all = document.paths.paths.iter_mut();
    all.flat_map(|(path, item)| {
        let PathItem { get, put, post, delete, patch, .. } = item;
        let named =
            [("GET", get), ("PUT", put), ("POST", post), ("DELETE", delete), ("PATCH", patch)].into_iter();
        named.filter_map(|(method, operation)| Some((method, path.as_str(), operation.as_mut()?)))
    })
    .collect()
}
