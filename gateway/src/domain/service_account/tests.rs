//! Which key files are taken, and what is said of the others.

use super::ServiceAccount;

fn file(token_uri: &str) -> String {
    format!(
        r#"{{"type":"service_account","client_email":"a@b.iam.gserviceaccount.com","private_key":"pem","token_uri":"{token_uri}","universe_domain":"googleapis.com"}}"#
    )
}

#[test]
fn the_assertion_goes_to_google_or_to_this_machine() {
    for url in [
        "https://oauth2.googleapis.com/token",
        "https://accounts.google.com/o/oauth2/token",
        "http://127.0.0.1:9/token",
        "http://[::1]:9/token",
        "http://localhost/token",
    ] {
        assert_eq!(ServiceAccount::parse(&file(url)).expect(url).token_url, url);
    }
    for url in [
        "http://oauth2.googleapis.com/token",
        "https://example.com/token",
        "https://evilgoogleapis.com/token",
        "https://oauth2.googleapis.com.example.com/token",
        "http://127.0.0.1.example.com/token",
        "http://10.0.0.1/token",
        "nonsense",
    ] {
        let refusal = ServiceAccount::parse(&file(url)).expect_err(url);
        assert_eq!(refusal, "names a `token_uri` that is not Google's");
    }
}

#[test]
fn a_file_that_is_none_is_refused_without_repeating_it() {
    for (text, refusal) in [
        ("{\"private_key\": hunter2}", "is not JSON: line 1, column 17"),
        (
            "{\"type\":\"authorized_user\",\"refresh_token\":\"hunter2\"}",
            "is a credential of type `authorized_user`; only `service_account` is understood",
        ),
        (
            "{\"type\":\"service_account\",\"private_key\":\"hunter2\"}",
            "lacks `client_email` or `private_key`",
        ),
    ] {
        assert_eq!(ServiceAccount::parse(text).expect_err(text), refusal);
    }
    let without = r#"{"type":"service_account","client_email":"a@b","private_key":"hunter2"}"#;
    let account = ServiceAccount::parse(without).expect("a key file");
    assert_eq!(account.token_url, ServiceAccount::TOKEN_URL);
    assert!(!format!("{account:?}").contains("hunter2"));
}
