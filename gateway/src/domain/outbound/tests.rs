//! Proxy URLs in all their forms, and whom the environment's proxies are for.

use super::*;

#[test]
fn a_proxy_is_read_with_its_user_and_shown_without() {
    for (text, shown, user) in [
        ("http://proxy.example:3128", "http://proxy.example:3128", None),
        ("http://proxy.example", "http://proxy.example:80", None),
        ("https://proxy.example/", "https://proxy.example:443", None),
        ("socks5://10.0.0.1", "socks5://10.0.0.1:1080", None),
        ("SOCKS5H://[fd00::1]:9", "socks5h://[fd00::1]:9", None),
        ("socks5://[fd00::1]", "socks5://[fd00::1]:1080", None),
        ("http://ada:s3cr%40t@proxy.example:1", "http://proxy.example:1", Some(("ada", "s3cr@t"))),
        ("http://ada:a@b:c@proxy.example:1", "http://proxy.example:1", Some(("ada", "a@b:c"))),
        ("http://token@proxy.example:1", "http://proxy.example:1", Some(("token", ""))),
    ] {
        let proxy = ProxyUrl::parse(text).unwrap_or_else(|why| panic!("{text}: {why}"));
        assert_eq!(proxy.to_string(), shown);
        assert_eq!(format!("{proxy:?}"), shown);
        let found = proxy.user().map(|(user, password)| (user.expose(), password.expose()));
        assert_eq!(found, user, "{text}");
    }
}

#[test]
fn the_password_is_sent_as_rfc_7617_says() {
    let proxy = ProxyUrl::parse("http://Aladdin:open%20sesame@proxy:1").expect("a proxy");
    assert_eq!(proxy.basic().expect("a header").expose(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
}

#[test]
fn what_is_no_proxy_is_refused() {
    for text in [
        "",
        "proxy.example:3128",
        "ftp://proxy.example",
        "http://",
        "http://:3128",
        "http://proxy.example:",
        "http://proxy.example:0",
        "http://proxy.example:99999",
        "http://proxy.example:3128/path",
        "http://proxy.example?x",
        "http://[proxy]:1",
        "http://[::1",
        "http://ada:%zz@proxy.example",
        "http://:password@proxy.example",
        "http://a%0d%0ab:c@proxy.example",
        "http://proxy example",
        "Direct",
    ] {
        let why = Outbound::parse(text).expect_err(text);
        assert!(
            !why.contains("password") || !text.contains("password@") || why.starts_with("its user"),
            "{why}"
        );
    }
    assert_eq!(Outbound::parse("direct"), Ok(Outbound::Direct));
    assert_eq!(Outbound::parse("environment"), Ok(Outbound::Environment));
}

fn surroundings(pairs: &[(&str, &str)]) -> Surroundings {
    let find =
        |name: &str| pairs.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned());
    Surroundings::read(find).expect("proxies")
}

#[test]
fn the_environment_names_a_proxy_for_each_scheme_and_exceptions() {
    let around = surroundings(&[
        ("HTTPS_PROXY", "http://secure:1"),
        ("http_proxy", "plain:2"),
        ("HTTP_PROXY", "http://not-this-one:2"),
        (
            "no_proxy",
            "internal.example, .corp.example,10.0.0.0/8,192.168.7.7,[fd00::]/8,only.example:8443,fd12::1",
        ),
    ]);
    let proxy = |tls, host, port| around.proxy_for(tls, host, port).map(ToString::to_string);
    let secure = Some("http://secure:1".to_owned());
    assert_eq!(proxy(true, "api.openai.com", 443), secure);
    assert_eq!(proxy(false, "api.openai.com", 80), Some("http://plain:2".to_owned()));
    for host in ["internal.example", "a.internal.example", "x.corp.example", "CORP.example", "10.9.8.7"] {
        assert_eq!(proxy(true, host, 443), None, "{host}");
    }
    for host in ["192.168.7.7", "localhost", "127.0.0.1", "[::1]", "[fd12::1]"] {
        assert_eq!(proxy(true, host, 443), None, "{host}");
    }
    for host in ["notinternal.example", "192.168.7.8", "11.0.0.1"] {
        assert_eq!(proxy(true, host, 443), secure, "{host}");
    }
    assert_eq!(proxy(true, "only.example", 8443), None);
    assert_eq!(proxy(true, "only.example", 443), secure);
}

#[test]
fn an_environment_for_all_schemes_an_empty_one_and_a_broken_one() {
    let all = surroundings(&[("ALL_PROXY", "socks5h://tor:9050")]);
    assert!(
        all.proxy_for(true, "a.example", 443).is_some() && all.proxy_for(false, "a.example", 80).is_some()
    );
    let none = surroundings(&[("HTTPS_PROXY", " "), ("NO_PROXY", "*")]);
    assert_eq!(none, Surroundings { except: vec![Exception::All], ..Surroundings::default() });
    let broken = Surroundings::read(|name| (name == "HTTPS_PROXY").then(|| "ftp://hunter2@x".to_owned()));
    let why = broken.expect_err("not a proxy");
    assert!(why.contains("HTTPS_PROXY") && !why.contains("hunter2"), "{why}");
}
