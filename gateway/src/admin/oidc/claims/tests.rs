//! Roles, addresses and terms, by what a token says.

use serde_json::json;

use super::*;

fn settings(text: &str) -> Oidc {
    let text = format!(
        "[admin.oidc]\nissuer = \"https://id.example.com\"\nclient_id = \"causeway\"\n{text}\n[providers.openai]\n"
    );
    let loaded = crate::config::parse(&text, "a.toml", &[], &|_| None).map_err(|error| error.to_string());
    loaded.unwrap().config.admin.oidc.unwrap()
}

fn ask(settings: &Oidc, claims: Value) -> Result<(Vouched, Terms), String> {
    let Value::Object(all) = claims else { panic!("not an object") };
    let claims = Claims { subject: "s-1".to_owned(), all };
    read(settings, &claims).map_err(|refusal| refusal.message().to_owned())
}

const ROLES: &str =
    "role_claim = \"groups\"\nroles = { admins = \"admin\", readers = \"viewer\", staff = \"member\" }";

#[test]
fn the_highest_role_of_all_values_counts() {
    let settings = settings(ROLES);
    for (groups, role) in [
        (json!(["staff", "admins", "readers"]), Role::Admin),
        (json!(["readers", "staff", 7, null]), Role::Viewer),
        (json!("staff"), Role::Member),
    ] {
        let (_, terms) = ask(&settings, json!({ "groups": groups })).unwrap();
        assert_eq!((terms.role, terms.new), (Some(role), None), "{groups}");
    }
    for claims in
        [json!({}), json!({ "groups": [] }), json!({ "groups": ["Admins"] }), json!({ "groups": true })]
    {
        assert!(ask(&settings, claims.clone()).is_err(), "{claims}");
    }
}

#[test]
fn who_has_no_role_there_gets_the_usual_one_and_loses_a_higher_one() {
    let settings = settings(&format!("{ROLES}\ndefault_role = \"member\"\ncreate_users = true"));
    let (_, terms) = ask(&settings, json!({ "groups": ["others"] })).unwrap();
    assert_eq!((terms.role, terms.new), (Some(Role::Member), Some(Role::Member)));
}

#[test]
fn without_a_claim_users_keep_their_role_and_new_ones_get_the_usual_one() {
    let (_, terms) = ask(&settings("default_role = \"viewer\"\ncreate_users = true"), json!({})).unwrap();
    assert_eq!((terms.role, terms.new), (None, Some(Role::Viewer)));
    let (_, terms) = ask(&settings("default_role = \"viewer\""), json!({})).unwrap();
    assert_eq!((terms.role, terms.new), (None, None));
}

#[test]
fn a_claim_may_be_inside_of_others_or_have_dots_in_its_name() {
    let inside = settings("role_claim = \"realm_access.roles\"\nroles = { a = \"admin\" }");
    assert!(ask(&inside, json!({ "realm_access": { "roles": ["a"] } })).is_ok());
    assert!(ask(&inside, json!({ "realm_access.roles": ["a"] })).is_ok());
    assert!(ask(&inside, json!({ "realm_access": ["a"] })).is_err());
    let dotted = settings("role_claim = \"https://example.com/roles\"\nroles = { a = \"admin\" }");
    assert!(ask(&dotted, json!({ "https://example.com/roles": "a" })).is_ok());
}

#[test]
fn an_address_counts_only_when_the_issuer_has_verified_it() {
    let settings = settings("");
    let email = |verified: Value| {
        let claims = json!({ "email": "ada@example.com", "email_verified": verified });
        ask(&settings, claims).unwrap().0.email
    };
    assert_eq!(email(json!(true)).as_deref(), Some("ada@example.com"));
    assert_eq!(email(json!("true")).as_deref(), Some("ada@example.com"));
    for verified in [json!(false), json!("false"), json!(null), json!(1), json!("yes")] {
        assert_eq!(email(verified.clone()), None, "{verified}");
    }
    assert_eq!(ask(&settings, json!({ "email": "ada@example.com" })).unwrap().0.email, None);
}

#[test]
fn who_may_come_in_is_a_list_of_addresses_and_domains() {
    let settings = settings("allowed_emails = [\"@example.com\", \"bob@other.org\"]");
    let may = |email: &str| ask(&settings, json!({ "email": email, "email_verified": true })).is_ok();
    for email in ["ada@example.com", "ada@EXAMPLE.com", "BOB@other.org"] {
        assert!(may(email), "{email}");
    }
    for email in ["eve@other.org", "ada@sub.example.com", "ada@notexample.com", "@example.com@evil.org", ""] {
        assert!(!may(email), "{email}");
    }
    assert!(ask(&settings, json!({ "email": "ada@example.com" })).is_err());
}
