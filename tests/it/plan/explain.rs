//! An explanation, and then the request.

use serde_json::{Value, json};

use super::{answered, ask, attempts, begin, decided, explained, targets};
use crate::support::{Gateway, KEY, upstream};

/// A model per strategy and per number of targets that fail before one answers.
fn models(strategy: &str) -> String {
    let mut text = String::new();
    for failing in 0..3 {
        let target = |(index, provider): (usize, &str)| {
            let model = if index < failing { "mock@fault=status:500" } else { "mock" };
            let price = (index + 1) * 3 % 5;
            format!(
                "{{ to = \"{provider}/{model}\", weight = {}, price = {{ input = {price}, output = {price} }} }}",
                3 - index
            )
        };
        let all: Vec<_> = ["a", "b", "c"].into_iter().enumerate().map(target).collect();
        text.push_str(&format!(
            "[models.{strategy}-{failing}]\nbalance = \"{strategy}\"\ntargets = [{}]\n\
             retry = {{ attempts = 4, on = [\"5xx\"], backoff = \"1ms..2ms\" }}\nbreaker = false\ndegrade = false\n",
            all.join(", ")
        ));
    }
    text
}

const EXACT: [&str; 4] = ["smooth", "round-robin", "priority", "cheapest"];
const BY_CHANCE: [&str; 6] =
    ["weighted", "random", "least-busy", "least-latency", "fastest", "highest-success"];

/// The attempts are the plan from its beginning to the first target that answers.
fn walked(decision: &Value) {
    let (attempts, targets) = (attempts(decision), targets(decision));
    assert_eq!(attempts, targets[..attempts.len()], "{decision}");
    let (last, failed) = attempts.split_last().unwrap();
    assert!(!last.contains("fault") && failed.iter().all(|target| target.contains("fault")), "{decision}");
}

#[tokio::test]
async fn what_is_explained_is_what_happens() {
    let mock = upstream::mock();
    let all: Vec<_> = EXACT.iter().chain(&BY_CHANCE).map(|strategy| models(strategy)).collect();
    let gateway = Gateway::start(&[begin(&mock), all.concat()].concat()).await;
    for strategy in EXACT {
        for failing in 0..3 {
            let model = format!("{strategy}-{failing}");
            for _ in 0..4 {
                let explanation = explained(&gateway, &format!("model={model}&key=tests")).await;
                assert_eq!(explanation["balance"], strategy);
                let decision = answered(&gateway, &model).await;
                assert_eq!(targets(&explanation), targets(&decision), "{model}");
                walked(&decision);
            }
        }
    }
    for strategy in BY_CHANCE {
        for failing in 0..3 {
            let decision = answered(&gateway, &format!("{strategy}-{failing}")).await;
            walked(&decision);
        }
    }
}

/// Chance is drawn from a number that the decision tells: with it the same order is explained again.
#[tokio::test]
async fn a_draw_can_be_repeated() {
    let mock = upstream::mock();
    let all = ["weighted", "random"].map(models).concat();
    let gateway = Gateway::start(&[begin(&mock), all].concat()).await;
    for model in ["weighted-0", "random-0"] {
        for _ in 0..6 {
            let decision = answered(&gateway, model).await;
            let seed = decision["seed"].as_str().unwrap();
            let explanation = explained(&gateway, &format!("model={model}&seed={seed}")).await;
            assert_eq!(targets(&explanation), targets(&decision), "{seed}");
        }
    }
    let explanation = explained(&gateway, "model=weighted-0").await;
    let mut shares: Vec<_> = explanation["targets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|target| target["share"].as_f64().unwrap())
        .collect();
    shares.sort_by(f64::total_cmp);
    for (share, expected) in shares.into_iter().zip([1.0 / 6.0, 2.0 / 6.0, 3.0 / 6.0]) {
        assert!((share - expected).abs() < 1e-9, "{explanation}");
    }
}

#[tokio::test]
async fn why_the_others_are_not_asked_is_told() {
    let mock = upstream::mock();
    let more = "[models.either]\nbalance = \"round-robin\"\ntargets = [\"a/mock\", \"b/mock\"]\n\
        [models.m]\nbalance = \"priority\"\nfallback = [\"b/late\"]\n\
        targets = [{ to = \"c/paused\", pause_until = 2126-01-01T00:00:00Z }, { to = \"c/gone\", weight = 0 }, \
        { model = \"either\", tier = 1 }, { to = \"c/back\", tier = 2, pause_until = \"2026-01-01T00:00:00+02:00\", tags = [\"eu\"] }]\n";
    let gateway = Gateway::start(&[&begin(&mock), more].concat()).await;
    let explanation = explained(&gateway, "model=m&key=tests").await;
    assert_eq!(targets(&explanation), ["a/mock", "b/mock", "c/back", "b/late"]);
    let passed = json!([
        { "target": "c/paused", "why": "it is paused until 2126-01-01T00:00:00Z" },
        { "target": "c/gone", "why": "its weight is 0" },
    ]);
    assert_eq!(explanation["passed_over"], passed);
    let first = &explanation["targets"][0];
    assert_eq!((&first["within"], &first["tier"]), (&json!(["either"]), &json!(0)), "{explanation}");
    assert_eq!(explanation["targets"][2]["tags"], json!(["eu"]));
    let reply = ask(&gateway, "m").await;
    let decision = decided(&gateway, &reply).await;
    assert_eq!((&decision["passed_over"], &decision["status"]), (&passed, &json!(200)));
    let line = gateway.request_line(reply.header("x-request-id")).await;
    assert_eq!(
        (&line["balance"], &line["planned"], &line["passed_over"]),
        (&json!("priority"), &json!(4), &json!(2)),
        "{line}"
    );
    // A body says the same as a query.
    let asked = gateway
        .admin()
        .post("/admin/api/explain", &json!({ "model": "m", "only": ["eu", "b"], "tokens": 7 }))
        .await;
    assert_eq!(targets(&asked.json()), ["b/mock", "c/back", "b/late"], "{}", asked.text());
}

#[tokio::test]
async fn a_wrong_question_is_told_what_is_wrong() {
    let mock = upstream::mock();
    let more = "[models.m]\ntargets = [\"a/mock\"]\n[keys.plain]\nsecret = \"another-secret-of-tests\"\nmodels = [\"m\"]\n";
    let gateway = Gateway::start(&[&begin(&mock), more].concat()).await;
    for (question, status, part) in [
        ("", 400, "`model` is missing"),
        ("model=m&key=nobody", 400, "no key `nobody`"),
        ("model=m&colour=red", 400, "`colour` says nothing"),
        ("model=m&tools=perhaps", 400, "`tools=perhaps`"),
        ("model=m&model=n", 400, "twice"),
        ("model=n", 400, "does not exist"),
        ("model=m&key=plain&only=a", 400, "`preferences` is false"),
        ("request=never-seen", 404, "no request `never-seen`"),
    ] {
        let reply = gateway.admin().get(&format!("/admin/api/explain?{question}")).await;
        assert_eq!(reply.status, status, "{question}: {}", reply.text());
        assert!(
            reply.json()["error"]["message"].as_str().unwrap().contains(part),
            "{question}: {}",
            reply.text()
        );
    }
    let reply = gateway.admin().send("DELETE", "/admin/api/explain?model=m", b"").await;
    assert_eq!(reply.status, 405, "{}", reply.text());
}

#[tokio::test]
async fn on_an_open_address_the_password_is_wanted() {
    let mock = upstream::mock();
    let admin = super::super::support::gateway::free_address();
    let open = admin.replace("127.0.0.1", "0.0.0.0");
    let text = format!(
        "[admin]\nlisten = \"{open}\" # {{admin}}\npassword = \"open-sesame-and-close\"\n{}[models.m]\ntargets = [\"a/mock\"]\n",
        begin(&mock)
    );
    let gateway = Gateway::start_at(&text, &admin).await;
    let path = "/admin/api/explain?model=m";
    assert_eq!(gateway.stranger().get(path).await.status, 401);
    assert_eq!(
        gateway.stranger().with("authorization", &format!("Bearer {KEY}")).get(path).await.status,
        403
    );
    let reply = gateway.stranger().with("authorization", "Bearer open-sesame-and-close").get(path).await;
    assert_eq!((reply.status, targets(&reply.json())), (200, vec!["a/mock".to_owned()]));
}
