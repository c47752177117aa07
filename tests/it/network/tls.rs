//! Whom the gateway trusts, and whom it shows a certificate to.

use super::super::support::gateway::run;
use super::super::support::{Gateway, until, upstream};
use super::certificates::{Authority, Front, Server};
use super::{answers, one_provider, unreachable};

/// This authority beside the system's; with `only_ca` alone.
fn trusting(authority: &Authority, more: &str) -> String {
    let comma = if more.is_empty() { "" } else { ", " };
    format!("tls = {{ ca = {:?}{comma}{more} }}\n", authority.path().display().to_string())
}

#[tokio::test]
async fn a_provider_is_trusted_by_its_own_authority_and_by_no_other() {
    let (own, other) = (Authority::new(), Authority::new());
    let mock = upstream::mock();
    let front = Front::start(Server::new().acceptor(&own.sign("localhost")), mock.address()).await;
    for more in ["", "only_ca = true"] {
        let gateway = Gateway::start(&one_provider(&front.url(), &trusting(&own, more))).await;
        answers(&gateway).await;
        answers(&gateway).await;
        let wrong = Gateway::start(&one_provider(&front.url(), &trusting(&other, more))).await;
        unreachable(&wrong, &["provider `p`", "UnknownIssuer"]).await;
    }
    assert_eq!(front.connections(), 4, "connections are used again");
    let system = Gateway::start(&one_provider(&front.url(), "")).await;
    unreachable(&system, &["UnknownIssuer"]).await;
    let blind = Gateway::start(&one_provider(&front.url(), "tls = { verify = false }")).await;
    answers(&blind).await;
    assert_eq!(mock.requests().len(), 5);
}

/// They are read when the first connection needs them, not at start.
#[tokio::test]
async fn the_systems_authorities_are_trusted_where_nothing_else_is_said() {
    let (system, other) = (Authority::new(), Authority::new());
    let mock = upstream::mock();
    let front = Front::start(Server::new().acceptor(&system.sign("localhost")), mock.address()).await;
    let path = |authority: &Authority| authority.path().display().to_string();
    for more in ["", "http2 = false\n"] {
        let configuration = one_provider(&front.url(), more);
        let known = path(&system);
        let gateway = Gateway::start_with(&configuration, &[("SSL_CERT_FILE", &known)]).await;
        answers(&gateway).await;
        let unknown = path(&other);
        let gateway = Gateway::start_with(&configuration, &[("SSL_CERT_FILE", &unknown)]).await;
        unreachable(&gateway, &["UnknownIssuer"]).await;
    }
    assert_eq!(mock.requests().len(), 2);
}

#[tokio::test]
async fn an_expired_certificate_and_one_for_another_name_are_refused() {
    let authority = Authority::new();
    let mock = upstream::mock();
    let expired = authority.sign_until("localhost", 2020);
    let expired = Front::start(Server::new().acceptor(&expired), mock.address()).await;
    let gateway = Gateway::start(&one_provider(&expired.url(), &trusting(&authority, ""))).await;
    unreachable(&gateway, &["certificate expired"]).await;
    let named = Front::start(Server::new().acceptor(&authority.sign("llm.internal")), mock.address()).await;
    let gateway = Gateway::start(&one_provider(&named.url(), &trusting(&authority, ""))).await;
    unreachable(&gateway, &["not valid for name"]).await;
    assert_eq!(mock.requests().len(), 0);
    let as_named = trusting(&authority, "server_name = \"llm.internal\"");
    let gateway = Gateway::start(&one_provider(&named.url(), &as_named)).await;
    answers(&gateway).await;
}

#[tokio::test]
async fn a_provider_that_asks_for_a_certificate_gets_ours() {
    let (servers, clients) = (Authority::new(), Authority::new());
    let mock = upstream::mock();
    let acceptor = Server::new().asking(&clients).acceptor(&servers.sign("localhost"));
    let front = Front::start(acceptor, mock.address()).await;
    let own = clients.sign("gateway.internal");
    let gateway = Gateway::start(&one_provider(&front.url(), &trusting(&servers, &own.lines()))).await;
    answers(&gateway).await;
    let stranger = servers.sign("gateway.internal");
    for more in [String::new(), stranger.lines()] {
        let gateway = Gateway::start(&one_provider(&front.url(), &trusting(&servers, &more))).await;
        let reply = super::ask(&gateway).await;
        assert_eq!(reply.status, 502, "{}", reply.text());
    }
    assert_eq!(mock.requests().len(), 1);
}

#[tokio::test]
async fn an_old_version_of_tls_is_refused_before_anything_is_sent() {
    let authority = Authority::new();
    let mock = upstream::mock();
    let old = Front::start(Server::old().acceptor(&authority.sign("localhost")), mock.address()).await;
    let new = Front::start(Server::new().acceptor(&authority.sign("localhost")), mock.address()).await;
    let strict = trusting(&authority, "min_version = \"1.3\"");
    let gateway = Gateway::start(&one_provider(&old.url(), &strict)).await;
    unreachable(&gateway, &["TLSv1_2", "`tls.min_version` is 1.3"]).await;
    assert_eq!(mock.requests().len(), 0);
    answers(&Gateway::start(&one_provider(&new.url(), &strict)).await).await;
    answers(&Gateway::start(&one_provider(&old.url(), &trusting(&authority, ""))).await).await;
}

#[tokio::test]
async fn certificates_are_read_again_with_the_file() {
    let (old, new) = (Authority::new(), Authority::new());
    let mock = upstream::mock();
    let front = Front::start(Server::new().acceptor(&new.sign("localhost")), mock.address()).await;
    let configuration = one_provider(&front.url(), &trusting(&old, ""));
    let gateway = Gateway::start(&configuration).await;
    unreachable(&gateway, &["UnknownIssuer"]).await;
    std::fs::copy(new.path(), old.path()).unwrap();
    gateway.hangup();
    until("in force", || gateway.log().iter().any(|line| line["message"] == "the configuration is in force"))
        .await;
    answers(&gateway).await;
}

#[tokio::test]
async fn files_that_cannot_be_used_are_told_with_their_line() {
    let authority = Authority::new();
    let (one, other) = (authority.sign("one"), authority.sign("other"));
    let (key, cert) = (other.lines(), one.lines());
    let key = key.split_once("key = ").unwrap().1;
    let cert = cert.split_once(", key").unwrap().0;
    let quoted = format!("{:?}", authority.path().display().to_string());
    for (line, why) in [
        ("tls = { ca = \"gone.pem\" }".to_owned(), "No such file"),
        ("tls = { ca = \"empty.pem\" }".to_owned(), "holds no certificate"),
        ("tls = { ca = \"broken.pem\" }".to_owned(), "certificate 1"),
        ("tls = { only_ca = true }".to_owned(), "and there is none"),
        (format!("tls = {{ {cert} }}"), "without its `key`"),
        (format!("tls = {{ {cert}, key = {quoted} }}"), "no private key"),
        ("tls = { server_name = \"not a name\" }".to_owned(), "neither a name nor an address"),
        (format!("tls = {{ ca = {quoted}, verify = false }}"), "certificate is not checked"),
    ] {
        let text = one_provider("https://api.example.com", &line);
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let files: [(&str, &[u8]); 3] =
            [("c.toml", text.as_bytes()), ("empty.pem", b"nothing"), ("broken.pem", broken.as_bytes())];
        let output = run(&["check", "-c", "c.toml"], &files, &[]);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{line}: {told}");
        let flowing = told.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
        assert!(flowing.contains(why) && flowing.contains("c.toml:10"), "{line}: {told}");
    }
    // Each file is good in itself.
    let mixed = one_provider("https://api.example.com", &format!("tls = {{ {cert}, key = {key} }}"));
    let output = run(&["serve", "-c", "c.toml"], &[("c.toml", mixed.as_bytes())], &[]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && told.contains("providers.p: tls: "), "{told}");
}
