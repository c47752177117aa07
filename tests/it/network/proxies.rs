//! Through proxies: HTTP, HTTPS and SOCKS5, to plain and TLS targets, with and without a password.

use super::super::support::{Gateway, Shape, upstream};
use super::certificates::{Authority, Front, Server};
use super::forwarding::{PASSWORD, Proxy, USER};
use super::{answers, one_provider, unreachable};

/// Escaped as it must be in a URL.
fn with_user(scheme: &str, at: &str) -> String {
    format!("proxy = \"{scheme}://{USER}:{}@{at}\"", PASSWORD.replace('@', "%40"))
}

fn without(scheme: &str, at: &str) -> String {
    format!("proxy = \"{scheme}://{at}\"")
}

// `0.0.0.0` is this machine, too, but no address of the loopback, which the environment's proxies are not for.

#[tokio::test]
async fn a_plain_target_is_told_to_an_http_proxy_as_a_whole_url() {
    for (with_password, in_environment) in [(false, false), (true, false), (false, true)] {
        let mock = upstream::mock();
        let proxy = Proxy::http(with_password, None).await;
        let url = upstream::url(&mock).replace("127.0.0.1", "0.0.0.0");
        let line = match (with_password, in_environment) {
            (true, _) => with_user("http", &proxy.at()),
            (_, true) => "proxy = \"environment\"".to_owned(),
            _ => without("http", &proxy.at()),
        };
        let environment = format!("http://{}", proxy.at());
        let gateway = Gateway::start_with(&one_provider(&url, &line), &[("HTTP_PROXY", &environment)]).await;
        answers(&gateway).await;
        assert_eq!(proxy.seen(), [format!("POST {url}/v1/chat/completions")]);
        let received = &mock.requests()[0];
        assert_eq!(received.header("proxy-authorization"), "");
        assert_eq!(received.header("host"), url.trim_start_matches("http://"));
    }
}

#[tokio::test]
async fn a_tls_target_is_reached_through_a_tunnel_that_is_used_again() {
    let authority = Authority::new();
    let mock = upstream::mock();
    let front = Front::start(Server::new().acceptor(&authority.sign("localhost")), mock.address()).await;
    let secure = || Some(Server::new().acceptor(&authority.sign("localhost")));
    let cases = [
        ("http", Proxy::http(false, None).await, false),
        ("http", Proxy::http(true, None).await, true),
        ("https", Proxy::http(false, secure()).await, false),
        ("https", Proxy::http(true, secure()).await, true),
        ("socks5", Proxy::socks(false).await, false),
        ("socks5h", Proxy::socks(true).await, true),
    ];
    for (scheme, proxy, with_password) in cases {
        let line = if with_password { with_user(scheme, &proxy.at()) } else { without(scheme, &proxy.at()) };
        // An https proxy shows a certificate of the same authority; `ca` is good for both.
        let more = format!("{line}\ntls = {{ ca = {:?} }}\n", authority.path().display().to_string());
        let gateway = Gateway::start(&one_provider(&front.url(), &more)).await;
        for _ in 0..3 {
            answers(&gateway).await;
        }
        let stream = gateway.client().stream(Shape::OpenAi, "m", &Shape::OpenAi.says("hello")).await;
        assert!(stream.rest().await.complete);
        let host = if scheme == "socks5" { "127.0.0.1" } else { "localhost" };
        assert_eq!(proxy.seen(), [format!("CONNECT {host}:{}", front.port())], "{scheme}");
    }
}

#[tokio::test]
async fn a_plain_target_is_reached_through_socks() {
    let mock = upstream::mock();
    for scheme in ["socks5", "socks5h"] {
        let proxy = Proxy::socks(true).await;
        let url = upstream::url(&mock).replace("127.0.0.1", "localhost");
        let gateway = Gateway::start(&one_provider(&url, &with_user(scheme, &proxy.at()))).await;
        answers(&gateway).await;
        answers(&gateway).await;
        let host = if scheme == "socks5" { "127.0.0.1" } else { "localhost" };
        assert_eq!(proxy.seen(), [format!("CONNECT {host}:{}", mock.address().port())]);
    }
}

#[tokio::test]
async fn a_proxy_that_refuses_is_named_without_its_password() {
    let mock = upstream::mock();
    let plain = upstream::url(&mock);
    let tls = plain.replace("http://", "https://");
    let http = Proxy::http(true, None).await;
    let socks = Proxy::socks(true).await;
    let wrong = |scheme: &str, at: &str| format!("proxy = \"{scheme}://{USER}:s3cret-but-wrong@{at}\"");
    for (url, line, reason) in [
        (&tls, without("http", &http.at()), "wants a user and a password (407)"),
        (&plain, without("http", &http.at()), "wants a user and a password (407)"),
        (&tls, wrong("http", &http.at()), "refuses the user and the password (407)"),
        (&plain, wrong("http", &http.at()), "refuses the user and the password (407)"),
        (&tls, without("socks5", &socks.at()), "auth methods"),
        (&tls, wrong("socks5h", &socks.at()), "refuses to connect to 127.0.0.1"),
    ] {
        let gateway = Gateway::start(&one_provider(url, &line)).await;
        unreachable(&gateway, &["provider `p`", "through proxy `", "localhost:", reason]).await;
    }
    assert_eq!(http.seen(), Vec::<String>::new());
    assert_eq!(mock.requests().len(), 0);
}

#[tokio::test]
async fn a_target_that_the_proxy_cannot_reach_is_unreachable() {
    let nobody = "https://127.0.0.1:1";
    let (http, socks) = (Proxy::http(false, None).await, Proxy::socks(false).await);
    for (line, reason) in [
        (without("http", &http.at()), "503 No way there"),
        (without("socks5", &socks.at()), "Connection refused"),
        (without("http", "127.0.0.1:1"), "the proxy cannot be reached"),
    ] {
        let gateway = Gateway::start(&one_provider(nobody, &line)).await;
        unreachable(&gateway, &["provider `p`", reason]).await;
    }
}

#[tokio::test]
async fn a_provider_may_go_straight_where_all_others_take_a_proxy() {
    let mock = upstream::mock();
    let proxy = Proxy::http(false, None).await;
    let url = upstream::url(&mock);
    let begin = format!(
        "[server]\nlisten = [\"{{listen}}\"]\nproxy = \"http://{}\"\n[admin]\nlisten = \"{{admin}}\"\n",
        proxy.at()
    );
    let gateway = Gateway::start(&format!("{begin}{}", one_provider(&url, "proxy = \"direct\""))).await;
    answers(&gateway).await;
    assert_eq!(proxy.seen().len(), 0);
    // The same connection must not serve whoever is to go through the proxy.
    gateway.rewrite(&format!("{begin}{}", one_provider(&url, "")));
    gateway.hangup();
    gateway.until_metric("causeway_config_reload_success", &[], 1.0).await;
    super::super::support::until("through the proxy", || {
        gateway.log().iter().any(|line| line["message"] == "the configuration is in force")
    })
    .await;
    answers(&gateway).await;
    assert_eq!(proxy.seen().len(), 1);
}

#[tokio::test]
async fn the_environment_is_obeyed_only_when_it_is_asked_to_be() {
    let mock = upstream::mock();
    let proxy = Proxy::http(false, None).await;
    let url = upstream::url(&mock).replace("127.0.0.1", "0.0.0.0");
    let address = format!("http://{}", proxy.at());
    let silent = Gateway::start_with(&one_provider(&url, ""), &[("HTTP_PROXY", &address)]).await;
    answers(&silent).await;
    let variables = [("HTTP_PROXY", address.as_str()), ("NO_PROXY", "example.com,0.0.0.0/8")];
    let excepted = Gateway::start_with(&one_provider(&url, "proxy = \"environment\""), &variables).await;
    answers(&excepted).await;
    assert_eq!(proxy.seen(), Vec::<String>::new());
}

#[tokio::test]
async fn a_password_in_a_proxys_url_is_not_shown() {
    let text = one_provider("https://api.example.com", "proxy = \"http://ada:s3cret@proxy.example:3128\"");
    let shown = super::super::support::gateway::run(
        &["config", "show", "-c", "c.toml"],
        &[("c.toml", text.as_bytes())],
        &[],
    );
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("proxy = \"http://***@proxy.example:3128\""), "{shown}");
    assert!(!shown.contains("s3cret") && !shown.contains("ada@"), "{shown}");
    let wrong = text.replace(":3128", ":port");
    let told =
        super::super::support::gateway::run(&["check", "-c", "c.toml"], &[("c.toml", wrong.as_bytes())], &[]);
    let told = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(told.contains("is not a proxy: its port is missing or not a number"), "{told}");
    assert!(!told.contains("s3cret"), "{told}");
}

#[tokio::test]
async fn a_stream_that_is_left_does_not_spoil_the_tunnel_of_the_next() {
    let authority = Authority::new();
    let mock =
        upstream::mock_with(causeway::mock::Settings { rate: 300.0, chunks: 300, ..Default::default() });
    let front = Front::start(Server::new().acceptor(&authority.sign("localhost")), mock.address()).await;
    let proxy = Proxy::http(false, Some(Server::new().acceptor(&authority.sign("localhost")))).await;
    let more = format!(
        "{}\ntls = {{ ca = {:?} }}\n",
        without("https", &proxy.at()),
        authority.path().display().to_string()
    );
    let gateway = Gateway::start(&one_provider(&front.url(), &more)).await;
    let mut open = gateway.client().stream(Shape::OpenAi, "m", &Shape::OpenAi.says("hello")).await;
    assert!(open.event().await.is_some());
    drop(open);
    super::super::support::until("the provider sees that nobody listens", || {
        mock.requests().iter().any(causeway::mock::Received::aborted)
    })
    .await;
    answers(&gateway).await;
}
