//! Paths that can be read in two ways are read in none: whoever stands before us and the router must see the same.

use axum::extract::Request;
use axum::http::{StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::refusal::Refusal;

/// Refuses what is not plain, and gives bare refusals of the router their form.
pub(super) async fn straight(request: Request, next: Next) -> Response {
    let uri = request.uri();
    if uri.scheme().is_some() || uri.authority().is_some() {
        return Refusal::malformed("the request names a whole URL; its path is wanted").into_response();
    }
    if request.headers().get_all(header::HOST).iter().count() != 1 {
        return Refusal::malformed("exactly one `host` is wanted").into_response();
    }
    if !is_plain(uri) {
        return nothing_here().await.into_response();
    }
    let response = next.run(request).await;
    if response.status() != StatusCode::METHOD_NOT_ALLOWED {
        return response;
    }
    let mut refused = Refusal::method().into_response();
    if let Some(allow) = response.headers().get(header::ALLOW) {
        refused.headers_mut().insert(header::ALLOW, allow.clone());
    }
    refused
}

/// What every path that is not there is answered.
pub(super) async fn nothing_here() -> Refusal {
    Refusal::not_found("there is nothing at this path; `/admin/api/openapi.json` names what there is")
}

/// Whether a path has one meaning only.
fn is_plain(uri: &Uri) -> bool {
    let path = uri.path();
    let lower = path.to_ascii_lowercase();
    let tricks = ["//", "%2e", "%2f", "%5c", "%00", "\\", ";", "%3b"];
    let dots = path.split('/').any(|segment| segment == "." || segment == "..");
    path.starts_with('/') && !dots && !tricks.iter().any(|trick| lower.contains(trick))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_with_two_meanings_are_not_plain() {
        for path in [
            "//admin",
            "/./admin",
            "/admin/..",
            "/%2e/admin",
            "/a/..%2fadmin",
            "/a%5Cb",
            "/a;x",
            "/a%3Bx",
            "/a%00",
            "/admin//api",
        ] {
            assert!(!is_plain(&path.parse().unwrap()), "{path}");
        }
        for path in ["/", "/admin/api/users", "/admin/api/models/gpt-5.1", "/admin/api/models/a~1b%20c"] {
            assert!(is_plain(&path.parse().unwrap()), "{path}");
        }
    }
}
