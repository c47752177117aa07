//! Lifted and rested by hand: over the admin listener and from the command line.

use super::{Gateway, Pair, Shape, ask, ask_well, bad_target, open_for, run, well};
use crate::support::gateway::free_address;

#[tokio::test]
async fn a_lift_brings_it_back_at_once() {
    let pair = Pair::start().await;
    let gateway = Gateway::start(&pair.configuration(&open_for("1h"))).await;
    for _ in 0..5 {
        ask_well(&gateway, "m").await;
    }
    pair.bad.play(well());
    ask_well(&gateway, "m").await;
    assert_eq!(pair.asked(), 5);
    for (query, lifted) in [("target=good/mock", "[]"), ("provider=bad", "[\"bad/m\"]"), ("all=true", "[]")] {
        let reply = gateway.admin().send("POST", &format!("/admin/api/targets/lift?{query}"), b"").await;
        assert_eq!((reply.status, reply.json()["lifted"].to_string().as_str()), (200, lifted), "{query}");
    }
    assert_eq!(ask(&gateway, "m").await.text(), super::DONE);
}

#[tokio::test]
async fn a_rest_by_hand_holds_also_for_the_last_target() {
    let pair = Pair::start().await;
    pair.bad.play(well());
    let gateway = Gateway::start(&pair.configuration("")).await;
    let path = "/admin/api/targets/rest?target=bad%2Fm&for=10m";
    let reply = gateway.admin().send("POST", path, b"").await;
    assert_eq!(reply.json()["resting"], serde_json::json!(["bad/m"]));
    ask_well(&gateway, "m").await;
    let reply = ask(&gateway, "lone").await;
    assert_eq!(reply.status, 503, "{}", reply.text());
    let wait: u64 = reply.header("retry-after").parse().unwrap();
    assert!((500..=600).contains(&wait), "{wait}");
    Shape::OpenAi.error(&reply.json());
    let target = bad_target(&gateway).await;
    assert_eq!((pair.asked(), &target["reason"]), (0, &"hand".into()), "{target}");
}

#[tokio::test]
async fn only_post_changes_anything_and_only_with_the_password() {
    const PASSWORD: &str = "a-long-admin-password";
    let pair = Pair::start().await;
    let port = free_address().rsplit_once(':').unwrap().1.to_owned();
    let admin = format!("[admin]\nlisten = \"0.0.0.0:{port}\" # {{admin}}\npassword = \"{PASSWORD}\"\n");
    let gateway =
        Gateway::start_at(&[admin, pair.configuration("")].concat(), &format!("127.0.0.1:{port}")).await;
    let guest = gateway.stranger();
    let operator = gateway.stranger().with("authorization", &format!("Bearer {PASSWORD}"));
    for (method, path) in [
        ("GET", "/admin/api/targets"),
        ("POST", "/admin/api/targets/lift?all=true"),
        ("POST", "/admin/api/targets/rest?all=true"),
    ] {
        assert_eq!(guest.send(method, path, b"").await.status, 401, "{path}");
        assert_eq!(operator.send(method, path, b"").await.status, 200, "{path}");
    }
    let elsewhere = operator.clone().with("origin", "https://example.com");
    for (client, method, path, status) in [
        (&operator, "GET", "/admin/api/targets/lift?all=true", 405),
        (&operator, "POST", "/admin/api/targets", 405),
        (&elsewhere, "POST", "/admin/api/targets/lift?all=true", 403),
        (&operator, "POST", "/admin/api/targets/lift", 400),
        (&operator, "POST", "/admin/api/targets/lift?target=bad", 400),
        (&operator, "POST", "/admin/api/targets/rest?target=nobody/m", 404),
        (&operator, "POST", "/admin/api/targets/rest?target=bad/m&for=soon", 400),
        (&operator, "POST", "/admin/api/targets/rest?target=bad/m&for=0s", 400),
        (&operator, "GET", "/admin/nothing", 404),
    ] {
        assert_eq!(client.send(method, path, b"").await.status, status, "{method} {path}");
    }
}

#[tokio::test]
async fn the_command_line_lists_lifts_and_rests() {
    let pair = Pair::start().await;
    let configuration = pair.configuration(&open_for("1h"));
    let gateway = Gateway::start(&configuration).await;
    for _ in 0..5 {
        ask_well(&gateway, "m").await;
    }
    let file = format!("[admin]\nlisten = \"{}\"\n{configuration}", gateway.admin().address());
    let say = async |arguments: &[&str]| {
        let arguments: Vec<String> = arguments.iter().map(|word| (*word).to_owned()).collect();
        let file = file.clone();
        let output = tokio::task::spawn_blocking(move || {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            run(&arguments, &[("causeway.toml", file.as_bytes())], &[])
        });
        let output = output.await.unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.success(), text(&output.stdout), text(&output.stderr))
    };
    let (good, listed, _) = say(&["targets"]).await;
    let line = listed.lines().find(|line| line.starts_with("bad/m")).unwrap_or_default();
    assert!(good && line.contains("open") && line.contains("failed too often"), "{listed}");
    let (_, listed, _) = say(&["targets", "--json"]).await;
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    assert!(listed["targets"].as_array().is_some_and(|targets| targets.len() >= 2), "{listed}");
    let (good, said, _) = say(&["targets", "lift", "bad/m"]).await;
    assert_eq!((good, said.as_str()), (true, "lifted: bad/m\n"));
    assert_eq!(bad_target(&gateway).await["state"], "closed");
    let (good, said, _) = say(&["targets", "rest", "bad/m", "--for", "1h", "-c", "causeway.toml"]).await;
    assert_eq!((good, said.as_str()), (true, "resting: bad/m\n"));
    assert_eq!(bad_target(&gateway).await["reason"], "hand");
    let (good, _, complaint) = say(&["targets", "lift", "nobody/m"]).await;
    assert!(!good && complaint.contains("no provider `nobody`"), "{complaint}");
}
