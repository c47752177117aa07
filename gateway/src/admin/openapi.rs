//! The document of the API: what the handlers say of themselves, and what is true of all of them.

use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::Ref;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{ContentBuilder, OpenApi as Document, RefOr, ResponseBuilder};
use utoipa::{Modify, OpenApi};

use super::audit::Refused;
use super::caller::{COOKIE, Role};
use super::rights::{self, Right, Rule};

/// The frame of the document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Causeway's admin API",
        description = "Everything that can be seen and changed in a running gateway. `x-role` says who may do an \
                       operation: `member`, `viewer` or `admin`; a higher role may do what a lower one may. Changes by \
                       cookie want the header `x-causeway-csrf` with what the session was given, and an `origin` of \
                       this host.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(Refused)),
    modifiers(&Schemes),
    servers((url = "/"))
)]
pub(super) struct Frame;

struct Schemes;

impl Modify for Schemes {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_with(Default::default);
        let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        components.add_security_scheme("bearer", bearer);
        components.add_security_scheme("basic", SecurityScheme::Http(Http::new(HttpAuthScheme::Basic)));
        let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(COOKIE)));
        components.add_security_scheme("session", cookie);
    }
}

/// Adds who may do an operation, and what any of them may answer. Says what has no rule.
pub(super) fn complete(document: &mut Document) -> Result<(), String> {
    for (method, path, operation) in rights::operations(document) {
        let rule = rights::RULES.iter().find(|rule| rule.method == method && rule.path == path);
        let rule =
            rule.ok_or_else(|| format!("nobody may do {method} {path}: it is not in the table of rights"))?;
        guard(operation, rule);
        refusals(operation, rule);
    }
    Ok(())
}

fn guard(operation: &mut Operation, rule: &Rule) {
    let role = match rule.right {
        Right::Anyone => "anyone",
        Right::Metrics => "metrics",
        Right::At(Role::Member) => "member",
        Right::At(Role::Viewer) => "viewer",
        Right::At(Role::Admin) => "admin",
    };
    operation.extensions = Some(ExtensionsBuilder::new().add("x-role", role).build());
    if let Right::At(_) = rule.right {
        let schemes = ["bearer", "basic", "session"];
        let none = || -> [&str; 0] { [] };
        operation.security =
            Some(schemes.into_iter().map(|scheme| SecurityRequirement::new(scheme, none())).collect());
    }
}

/// What any operation may be refused with.
fn refusals(operation: &mut Operation, rule: &Rule) {
    let mut add = |status: &str, description: &str| {
        if operation.responses.responses.contains_key(status) {
            return;
        }
        let content =
            ContentBuilder::new().schema(Some(RefOr::Ref(Ref::from_schema_name("Problem")))).build();
        let response =
            ResponseBuilder::new().description(description).content("application/json", content).build();
        operation.responses.responses.insert(status.to_owned(), RefOr::T(response));
    };
    add("400", "it cannot be read");
    add("404", "there is no such thing here, or not for you");
    add("405", "not with this method");
    let signs_in = rule.path.starts_with("/admin/api/sign-in/");
    if rule.right != Right::Anyone || rule.method != "GET" || signs_in {
        add("401", "nobody knows who asks");
        add("403", "you may not");
        add("429", "too many wrong tries; `retry-after` says how long to wait");
        add("503", "the store does not answer now");
    }
    if rule.method != "GET" {
        add("409", "something else stands in the way");
        add("413", "the body is too large");
        add("415", "the body is not JSON");
        add("422", "it can be read and makes no sense; `error.path` says where");
    }
}

/// The frame alone.
pub(super) fn frame() -> Document {
    Frame::openapi()
}
