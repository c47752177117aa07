//! What was used and what it cost, asked through the admin API and from a shell.

use serde_json::{Value, json};

use super::cli_people::{causeway, undo};
use super::support::client::{Client, Reply};
use super::support::gateway::good;
use super::support::{Gateway, PATIENCE, Shape, configuration, upstream};

const PRICES: &str =
    "[prices]\n\"openai/*\" = { input = 2, output = 8 }\n\"anthropic/*\" = { input = 1, output = 4 }\n";
const DEARER: &str =
    "[prices]\n\"openai/*\" = { input = 3, output = 8 }\n\"anthropic/*\" = { input = 1, output = 4 }\n";

/// Three requests of two users and nobody's key to two models.
struct Used {
    gateway: Gateway,
    text: String,
    /// Of the user eve and of the user mal.
    eve: Client,
    mal: Client,
    eves_id: String,
    _mock: causeway::mock::Running,
}

#[track_caller]
fn told(reply: &Reply, status: u16) -> Value {
    assert_eq!(reply.status, status, "{}", reply.text());
    reply.json()
}

/// A user and the secret of a key of theirs.
async fn user(gateway: &Gateway, name: &str) -> (String, String) {
    let body = json!({ "email": format!("{name}@example.com"), "role": "member" });
    let id =
        told(&gateway.admin().post("/admin/api/users", &body).await, 201)["id"].as_str().unwrap().to_owned();
    let key = json!({ "name": format!("{name}s"), "owner": id, "limits": { "requests": ["100/h"] },
                      "budgets": [{ "usd": 1, "per": "month" }] });
    let key = told(&gateway.admin().post("/admin/api/keys", &key).await, 201);
    (id, key["secret"].as_str().unwrap().to_owned())
}

async fn used() -> Used {
    let mock = upstream::mock();
    let text = format!("[store]\npath = \"state\"\n{}", configuration(&upstream::url(&mock)));
    let gateway = Gateway::start(&format!("{text}{PRICES}")).await;
    let (eves_id, eve) = user(&gateway, "eve").await;
    let (_, mal) = user(&gateway, "mal").await;
    let bearer = |client: Client, secret: &str| client.with("authorization", &format!("Bearer {secret}"));
    let question = Shape::OpenAi.says("What is a causeway, in twenty words?");
    for (secret, model) in [(&eve, "openai/mock"), (&eve, "anthropic/mock"), (&mal, "openai/mock")] {
        let client = bearer(gateway.client(), secret);
        good(&client.post("/v1/chat/completions", &Shape::OpenAi.named(&question, model, false)).await);
    }
    good(&gateway.client().ask(Shape::OpenAi, "anthropic/mock", &question).await);
    let booked = async {
        while told(&gateway.admin().get("/admin/api/usage").await, 200)["total"]["requests"] != 4 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, booked).await.expect("all rows in the store");
    let (eve, mal) = (bearer(gateway.stranger(), &eve), bearer(gateway.stranger(), &mal));
    Used { gateway, text, eve, mal, eves_id, _mock: mock }
}

/// Of an amount of dollars, millionths of a micro-dollar.
fn cost(line: &Value) -> i64 {
    (line["cost_usd"].as_f64().unwrap() * 1e12).round() as i64
}

fn priced(line: &Value, input: i64, output: i64) -> i64 {
    (line["input"].as_i64().unwrap() * input + line["output"].as_i64().unwrap() * output) * 1_000_000
}

#[tokio::test]
async fn sums_and_rows_say_the_same_by_whatever_they_are_asked() {
    let Used { gateway, eves_id, .. } = used().await;
    let ask = async |query: &str| told(&gateway.admin().get(&format!("/admin/api/usage{query}")).await, 200);
    let by_provider = ask("?by=provider").await;
    let lines = by_provider["lines"].as_array().unwrap();
    let names: Vec<_> = lines.iter().map(|line| line["of"]["provider"].as_str().unwrap()).collect();
    assert_eq!(names, ["anthropic", "openai"]);
    for (line, (input, output)) in lines.iter().zip([(1, 4), (2, 8)]) {
        assert_eq!((&line["requests"], &line["unpriced"]), (&json!(2), &json!(0)), "{line}");
        assert!(cost(line) > 0 && cost(line) == priced(line, input, output), "{line}");
    }
    assert_eq!(cost(&by_provider["total"]), lines.iter().map(cost).sum::<i64>());
    for (query, requests) in [
        ("?by=key", json!([2, 1, 1])),
        ("?by=user,model", json!([1, 1, 1, 1])),
        ("?by=key&user=", json!([1])),
        ("?by=day&from=1h&key=eves", json!([2])),
        ("?by=hour&key=eves&provider=openai", json!([1])),
        ("?by=target&key=nobody", json!([])),
    ] {
        let lines = ask(query).await["lines"].take();
        let found: Vec<_> = lines.as_array().unwrap().iter().map(|line| line["requests"].clone()).collect();
        assert_eq!(json!(found), requests, "{query}: {lines}");
    }
    assert_eq!(ask(&format!("?user={eves_id}")).await["total"]["requests"], 2);

    // Page by page, the newest first; each row once.
    let (mut rows, mut after) = (Vec::new(), String::new());
    loop {
        let mut page = ask(&format!("/rows?limit=3{after}")).await;
        rows.append(page["items"].as_array_mut().unwrap());
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(rows.len(), 4, "{rows:?}");
    assert_eq!(rows.iter().map(cost).sum::<i64>(), cost(&by_provider["total"]));
    assert_eq!((&rows[0]["key"], &rows[0]["provider"]), (&json!("tests"), &json!("anthropic")));
    assert!(rows[0].get("places").is_none());
    let table = gateway.admin().get("/admin/api/usage/rows.csv?provider=openai").await;
    assert_eq!((table.status, table.header("content-type")), (200, "text/csv; charset=utf-8"));
    let table = table.text();
    assert!(table.starts_with("id,request,at,key,") && table.lines().count() == 3, "{table}");
    let cut = gateway.admin().get("/admin/api/usage/rows.csv?limit=1").await;
    let rest = format!("/admin/api/usage/rows.csv?after={}", cut.header("x-causeway-next"));
    assert_eq!(gateway.admin().get(&rest).await.text().lines().count(), 4);
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_with_its_place() {
    let gateway = Gateway::start(&configuration("http://127.0.0.1:9")).await;
    for (query, path) in [
        ("?by=color", "by"),
        ("?by=key,key", "by"),
        ("?by=", "by"),
        ("?from=yesterday", "from"),
        ("?from=2026-11-02&until=2026-11-01", "from"),
        ("?from=1970-01-01", "from"),
        ("?by=hour&from=500d", "from"),
        ("/rows?limit=1001", "limit"),
        ("/rows?after=elsewhere", "after"),
        ("/rows.csv?limit=0", "limit"),
        ("?fro=7d", ""),
    ] {
        let refused = told(&gateway.admin().get(&format!("/admin/api/usage{query}")).await, 400);
        assert_eq!(refused["error"]["path"].as_str().unwrap_or_default(), path, "{query}: {refused}");
    }
    let refused = gateway.admin().post("/admin/api/usage/reprice", &json!({ "from": "then" })).await;
    assert_eq!(told(&refused, 422)["error"]["path"], "from");
}

#[tokio::test]
async fn costs_are_reckoned_again_with_the_prices_of_now() {
    let Used { gateway, text, .. } = used().await;
    let sums = async || told(&gateway.admin().get("/admin/api/usage?by=provider").await, 200);
    let before = sums().await;
    gateway.rewrite(&format!("{text}{DEARER}"));
    told(&gateway.admin().post("/admin/api/config/reload", &json!({})).await, 200);
    let more = before["lines"][1]["input"].as_i64().unwrap() * 1_000_000;

    let dry = causeway(&gateway, &["usage", "reprice", "--since", "1h", "--dry-run", "--json"]).await.json();
    assert_eq!(
        (&dry["dry_run"], &dry["rows"], &dry["changed"]),
        (&json!(true), &json!(4), &json!(2)),
        "{dry}"
    );
    let difference = (dry["differences_usd"]["openai/mock"].as_f64().unwrap() * 1e12).round() as i64;
    assert_eq!((difference, dry["differences_usd"].as_object().unwrap().len()), (more, 1));
    assert_eq!(sums().await, before, "only told");

    let done = causeway(&gateway, &["usage", "reprice", "--since", "1h", "--json"]).await.json();
    assert_eq!(
        (&done["dry_run"], &done["changed"], &done["after_usd"]),
        (&json!(false), &json!(2), &dry["after_usd"])
    );
    let after = sums().await;
    assert_eq!(cost(&after["lines"][1]), priced(&after["lines"][1], 3, 8));
    assert_eq!(cost(&after["total"]), cost(&before["total"]) + more);
    let again = gateway.admin().post("/admin/api/usage/reprice", &json!({ "from": "1h" })).await;
    assert_eq!(told(&again, 200)["changed"], 0);
    let noted = told(&gateway.admin().get("/admin/api/audit?limit=1").await, 200);
    assert_eq!(noted["entries"][0]["action"], "POST /admin/api/usage/reprice", "{noted}");
}

#[tokio::test]
async fn a_member_sees_their_own_and_nothing_of_anybody_else() {
    let Used { gateway, eve, mal, .. } = used().await;
    let mine = told(&eve.get("/admin/api/me/usage").await, 200);
    assert_eq!((&mine["total"]["requests"], mine["lines"].as_array().unwrap().len()), (&json!(2), 1));
    assert!(mine["lines"][0]["of"]["day"].is_string(), "{mine}");
    assert_eq!(told(&mal.get("/admin/api/me/usage?by=model").await, 200)["total"]["requests"], 1);
    assert_eq!(told(&mal.get("/admin/api/me/usage?key=eves").await, 200)["total"]["requests"], 0);
    assert_eq!(mal.get("/admin/api/me/usage?user=anybody").await.status, 400);
    assert_eq!(mal.get("/admin/api/me/usage?by=user").await.status, 400);
    assert_eq!(mal.get("/admin/api/usage").await.status, 403);
    // A key that is nobody's sees itself.
    let plain = gateway.stranger().with_key();
    assert_eq!(told(&plain.get("/admin/api/me/usage").await, 200)["total"]["requests"], 1);
    assert_eq!(plain.get("/admin/api/me/usage?key=eves").await.status, 404);

    let limits = told(&eve.get("/admin/api/me/limits").await, 200);
    let requests =
        limits["limits"].as_array().unwrap().iter().find(|limit| limit["unit"] == "requests").unwrap();
    let (limit, used, left) = (&requests["limit"], &requests["used"], &requests["left"]);
    assert_eq!((limit, used, left), (&json!(100), &json!(2), &json!(98)), "{limits}");
    let money = limits["limits"].as_array().unwrap().iter().find(|limit| limit["unit"] == "money").unwrap();
    let spent = money["used"].as_f64().unwrap();
    assert_eq!((&money["scope"], &money["limit"]), (&json!("key/eves"), &json!(1)), "{limits}");
    let cost = told(&eve.get("/admin/api/me/usage").await, 200)["total"]["cost_usd"].as_f64().unwrap();
    assert!((spent - cost).abs() <= 1e-6 && spent > 0.0, "{spent} {cost}");
    assert_eq!(mal.get("/admin/api/me/limits?key=eves").await.status, 404);
    assert_eq!(plain.get("/admin/api/me/limits?key=eves").await.status, 404);
    let seen = told(&gateway.admin().get("/admin/api/keys/eves/limits").await, 200);
    assert_eq!(seen["limits"].as_array().unwrap().len(), 2, "{seen}");
    assert_eq!(gateway.admin().get("/admin/api/keys/nothing/limits").await.status, 404);
}

#[tokio::test]
async fn a_shell_asks_what_was_used_and_adds_models_and_providers() {
    let Used { gateway, _mock, .. } = used().await;
    let usage = causeway(&gateway, &["usage", "--by", "key", "--since", "1d", "--json"]).await.json();
    assert_eq!(usage["lines"][0]["of"]["key"], "eves", "{usage}");
    assert_eq!((&usage["lines"][0]["requests"], &usage["total"]["requests"]), (&json!(2), &json!(4)));
    let table = causeway(&gateway, &["usage", "--by", "day,provider"]).await.out;
    assert!(
        table.starts_with("day ") && table.contains("  anthropic  2 ") && table.contains("\ntotal "),
        "{table}"
    );
    let csv = causeway(&gateway, &["usage", "--by", "model", "--key", "eves", "--csv"]).await.out;
    assert!(csv.starts_with("model,requests,errors,") && csv.lines().count() == 3, "{csv}");
    let refused = causeway(&gateway, &["usage", "--by", "color"]).await;
    assert!(!refused.good && refused.beside.contains("by: `color` is none of"), "{}", refused.beside);

    let added = causeway(&gateway, &["models", "add", "my/fast", "--target", "openai/mock"]).await;
    assert!(added.good, "{}", added.beside);
    let question = Shape::OpenAi.says("hi");
    good(&gateway.client().ask(Shape::OpenAi, "my/fast", &question).await);
    let listed = causeway(&gateway, &["models", "list"]).await.out;
    assert!(listed.starts_with("name ") && listed.contains("my/fast"), "{listed}");
    let removed = undo(&gateway, &added).await;
    assert_ne!(gateway.client().ask(Shape::OpenAi, "my/fast", &question).await.status, 200);
    undo(&gateway, &removed).await;
    good(&gateway.client().ask(Shape::OpenAi, "my/fast", &question).await);

    let tested = causeway(&gateway, &["providers", "test", "openai"]).await;
    assert!(tested.good && tested.out.contains(" ok"), "{} {}", tested.out, tested.beside);
    let listed = causeway(&gateway, &["providers", "list", "--json"]).await.json();
    assert!(
        listed["items"].as_array().unwrap().iter().any(|provider| provider["name"] == "openai"),
        "{listed}"
    );
    let add = ["providers", "add", "other", "--plugin", "openai", "--url", "http://127.0.0.1:9"];
    let refused = causeway(&gateway, &add).await;
    assert!(!refused.good && refused.beside.contains("allow_private"), "{}", refused.beside);
}
