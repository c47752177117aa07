//! Who somebody is, and what they may do, by the claims of an ID token that was checked.

use serde_json::Value;

use super::token::Claims;
use crate::admin::refusal::Refusal;
use crate::config::{AdminRole, Oidc};
use crate::people::{Identity, Role, Terms, Vouched};

/// Who it is and on which terms they come in.
///
/// # Errors
/// When they may not.
pub(super) fn read(settings: &Oidc, claims: &Claims) -> Result<(Vouched, Terms), Refusal> {
    let email = verified_email(claims);
    if !settings.allowed_emails.is_empty() {
        let Some(email) = &email else {
            return Err(Refusal::forbidden("the issuer tells no address of yours that it has verified"));
        };
        if !settings.allowed_emails.iter().any(|allowed| fits(allowed, email)) {
            return Err(Refusal::forbidden("your address is not one of `[admin.oidc] allowed_emails`"));
        }
    }
    let terms = terms(settings, claims)?;
    let name = text(claims, "name").unwrap_or_default();
    let identity = Identity { issuer: settings.issuer.clone(), subject: claims.subject.clone() };
    Ok((Vouched { identity, email, name }, terms))
}

/// An address that is not verified is anybody's.
fn verified_email(claims: &Claims) -> Option<String> {
    // Some issuers write what is a boolean in the standard (OpenID Connect Core, 5.1) as a string.
    let verified = match claims.all.get("email_verified")? {
        Value::Bool(verified) => *verified,
        Value::String(verified) => verified == "true",
        _ => false,
    };
    text(claims, "email").filter(|email| verified && !email.is_empty())
}

fn terms(settings: &Oidc, claims: &Claims) -> Result<Terms, Refusal> {
    let told = settings.role_claim.as_deref().map(|claim| role(settings, claims, claim));
    let chosen = told.flatten().or(settings.default_role);
    if settings.role_claim.is_some() && chosen.is_none() {
        return Err(Refusal::forbidden("none of what the issuer says you are has a role here"));
    }
    let chosen = chosen.map(role_of);
    let new = chosen.filter(|_| settings.create_users);
    Ok(Terms { role: chosen.filter(|_| settings.role_claim.is_some()), new })
}

/// The highest role that the values of a claim have.
fn role(settings: &Oidc, claims: &Claims, claim: &str) -> Option<AdminRole> {
    // Auth0's claims are URLs, dots and all; Keycloak's are inside of others.
    let whole = claims.all.get(claim);
    let inside = || {
        let mut parts = claim.split('.');
        let first = claims.all.get(parts.next()?)?;
        parts.try_fold(first, |value, part| value.get(part))
    };
    let values = match whole.or_else(inside)? {
        Value::Array(values) => values.as_slice(),
        one => std::slice::from_ref(one),
    };
    values.iter().filter_map(|value| settings.roles.get(value.as_str()?)).max().copied()
}

fn role_of(role: AdminRole) -> Role {
    match role {
        AdminRole::Admin => Role::Admin,
        AdminRole::Viewer => Role::Viewer,
        AdminRole::Member => Role::Member,
    }
}

/// `@example.com` is everybody there, and nobody of its subdomains.
fn fits(allowed: &str, email: &str) -> bool {
    match (allowed.strip_prefix('@'), email.rsplit_once('@')) {
        (Some(domain), Some((_, own))) => domain.eq_ignore_ascii_case(own),
        _ => allowed.eq_ignore_ascii_case(email),
    }
}

fn text(claims: &Claims, name: &str) -> Option<String> {
    claims.all.get(name)?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests;
