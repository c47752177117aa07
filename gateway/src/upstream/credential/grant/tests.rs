//! What is sent to a token endpoint, and what is made of its answers.

use std::time::{Duration, UNIX_EPOCH};

use super::Grant;
use crate::domain::Secret;
use crate::error::Kind;
use crate::upstream::AzureAd;

fn azure() -> Grant {
    Grant::of_azure_ad(AzureAd {
        tenant: "acme.onmicrosoft.com".to_owned(),
        client_id: "6731de76-14a6-49ae-97bc-6eba6914391e".to_owned(),
        secret: Secret::new("p@ss word/16charsmin"),
        scope: AzureAd::SCOPE.to_owned(),
        authority: "https://login.microsoftonline.com/".to_owned(),
    })
    .expect("a grant")
}

#[test]
fn a_client_of_a_directory_sends_its_secret_as_a_form() {
    let grant = azure();
    let request = grant.request(&grant.scope(&[]), UNIX_EPOCH).expect("a request");
    assert_eq!(grant.endpoint.url.host_header(), "login.microsoftonline.com");
    assert_eq!(grant.endpoint.url.path(&request.path), "/acme.onmicrosoft.com/oauth2/v2.0/token");
    assert_eq!(request.headers["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(
        request.body,
        "grant_type=client_credentials&client_id=6731de76-14a6-49ae-97bc-6eba6914391e\
         &client_secret=p%40ss%20word%2F16charsmin&scope=https%3A%2F%2Fcognitiveservices.azure.com%2F.default"
    );
}

#[test]
fn a_token_holds_as_long_as_the_endpoint_says() {
    for (body, seconds) in [
        (r#"{"access_token":"t","expires_in":3599,"token_type":"Bearer","ext_expires_in":3599}"#, 3599),
        (r#"{"access_token":"t"}"#, 300),
    ] {
        let fetched = azure().read(200, body.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((fetched.token.expose(), fetched.lifetime), ("t", Duration::from_secs(seconds)));
    }
}

#[test]
fn a_refusal_says_why_and_repeats_no_secret() {
    let long = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJhQGIifQ.c2lnbmF0dXJl";
    for (status, body, kind) in [
        (
            401,
            format!(
                "{{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: bad p@ss word/16charsmin\\r\\nin {long}\"}}"
            ),
            Kind::Authentication,
        ),
        (400, "{\"error\":\"invalid_grant\"}".to_owned(), Kind::Authentication),
        (200, "{\"access_token\":\"\"}".to_owned(), Kind::Authentication),
        (200, "<html>".to_owned(), Kind::Authentication),
        (302, String::new(), Kind::Authentication),
        (429, String::new(), Kind::RateLimited),
        (503, "busy".to_owned(), Kind::Provider),
    ] {
        let Err(error) = azure().read(status, body.as_bytes()) else { panic!("{status} {body}") };
        assert_eq!(error.kind, kind, "{status} {body}");
        let said = format!("{error} {error:?}");
        assert!(said.contains(&format!("login.microsoftonline.com answered {status}")), "{said}");
        assert!(!said.contains("p@ss") && !said.contains("eyJ") && !said.contains('\r'), "{said}");
    }
    let Err(error) = azure().read(401, b"{\"error\":\"invalid_client\"}") else { panic!("a token") };
    assert!(error.context.ends_with("401: invalid_client"), "{}", error.context);
}
