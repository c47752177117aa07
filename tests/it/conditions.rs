//! Who is asked what: conditions, abilities, contexts, body sizes and `auto`, through the real gateway.

use serde_json::{Value, json};

use super::support::client::{Client, Reply};
use super::support::gateway::{free_address, run};
use super::support::question::PNG;
use super::support::{Gateway, KEY, Shape, provider, upstream};

/// The secret of a key with the tag `gold`.
const GOLD: &str = "cw-key-of-gold-0123456789";

/// Two keys, and providers `one`, `two` and `three` that speak OpenAI's API.
fn begin(upstream: &str) -> String {
    let keys = format!(
        "[keys.tests]\nsecret = \"{KEY}\"\n[keys.rich]\nsecret = \"{GOLD}\"\ntags = [\"gold\"]\nteam = \"shop\"\n[teams.shop]\n"
    );
    let providers = ["one", "two", "three"].map(|name| provider(name, Shape::OpenAi, upstream));
    keys + &providers.concat()
}

fn question(model: &str, more: Value) -> Value {
    let mut body = json!({ "model": model, "messages": [{ "role": "user", "content": "hello" }] });
    if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
        body.extend(more);
    }
    body
}

async fn ask(client: &Client, body: &Value) -> Reply {
    client.clone().send("POST", "/v1/chat/completions", body.to_string().as_bytes()).await
}

/// Which target answered.
#[track_caller]
fn target(reply: &Reply) -> &str {
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.header("x-causeway-model")
}

#[track_caller]
fn refused(reply: &Reply, status: u16, code: &str) -> String {
    assert_eq!(reply.status, status, "{}", reply.text());
    let body = reply.json();
    assert_eq!(body["error"]["code"], code, "{body}");
    body["error"]["message"].as_str().unwrap_or_default().to_owned()
}

fn picture() -> Value {
    let url = format!("data:image/png;base64,{PNG}");
    json!([{ "type": "text", "text": "what is it?" }, { "type": "image_url", "image_url": { "url": url } }])
}

fn looking(model: &str) -> Value {
    question(model, json!({ "messages": [{ "role": "user", "content": picture() }] }))
}

#[tokio::test]
async fn headers_tags_length_and_tools_decide_where_a_request_goes() {
    let mock = upstream::mock();
    let gateway = Gateway::start(&format!(
        r#"{}
[models.m]
targets = [
    {{ to = "one/mock", when = '"gold" in key.tags && key.team == "shop" || headers["x-lane"] == "fast"' }},
    {{ to = "two/mock", when = "tools || tokens > 500" }},
    {{ to = "three/mock", when = '!("gold" in key.tags) && !("x-lane" in headers) && !tools && tokens <= 500' }},
]
[models.closed]
when = 'model.startsWith("closed") && "gold" in key.tags'
targets = ["one/mock"]
"#,
        begin(&upstream::url(&mock))
    ))
    .await;
    let plain = gateway.client().with_key();
    let gold = gateway.client().with("authorization", &format!("Bearer {GOLD}"));
    let hello = question("m", json!({}));
    assert_eq!(target(&ask(&plain, &hello).await), "three/mock");
    assert_eq!(target(&ask(&gold, &hello).await), "one/mock");
    assert_eq!(target(&ask(&plain.clone().with("X-Lane", "fast"), &hello).await), "one/mock");
    let tools =
        json!([{ "type": "function", "function": { "name": "f", "parameters": { "type": "object" } } }]);
    assert_eq!(target(&ask(&plain, &question("m", json!({ "tools": tools }))).await), "two/mock");
    let long = "an owl sat in the oak ".repeat(200);
    let long = question("m", json!({ "messages": [{ "role": "user", "content": long }] }));
    assert_eq!(target(&ask(&plain, &long).await), "two/mock");
    // Nobody's condition holds: no `fast` lane, and the header is there.
    let message =
        refused(&ask(&plain.clone().with("x-lane", "slow"), &hello).await, 403, "permission_denied");
    assert_eq!(message, "no target of the model `m` is open to this request");
    let message = refused(&ask(&plain, &question("closed", json!({}))).await, 403, "permission_denied");
    assert_eq!(message, "the model `closed` is not open to this request");
    assert_eq!(target(&ask(&gold, &question("closed", json!({}))).await), "one/mock");
}

#[tokio::test]
async fn a_condition_that_cannot_be_answered_is_told_once_and_false() {
    let mock = upstream::mock();
    let gateway = Gateway::start(&format!(
        "{}\n[models.m]\ntargets = [{{ to = \"one/mock\", when = 'int(headers[\"x-priority\"]) > 5' }}, \"two/mock\"]\n",
        begin(&upstream::url(&mock))
    ))
    .await;
    let client = gateway.client().with_key();
    for _ in 0..3 {
        let reply = ask(&client.clone().with("x-priority", "high"), &question("m", json!({}))).await;
        assert_eq!(target(&reply), "two/mock");
    }
    let warned =
        gateway.log().iter().filter(|line| line.to_string().contains("could not be answered")).count();
    assert_eq!(warned, 1, "{:?}", gateway.lines());
}

#[tokio::test]
async fn abilities_are_preferred_or_insisted_on() {
    let mock = upstream::mock();
    let gateway = Gateway::start(&format!(
        r#"{}
[models.prefer]
targets = [{{ to = "one/mock", weight = 1000, cannot = ["images"] }}, {{ to = "two/mock", weight = 1 }}]
[models.strict]
capabilities = "strict"
targets = [{{ to = "one/mock", cannot = ["images", "json-schema"] }}, {{ to = "two/mock", cannot = ["images"] }}]
[models.lone]
targets = [{{ to = "one/mock", cannot = ["images"] }}]
"#,
        begin(&upstream::url(&mock))
    ))
    .await;
    let client = gateway.client().with_key();
    for _ in 0..8 {
        assert_eq!(target(&ask(&client, &looking("prefer")).await), "two/mock");
    }
    // Nothing that worked is refused by default.
    assert_eq!(target(&ask(&client, &looking("lone")).await), "one/mock");
    let schema =
        json!({ "type": "json_schema", "json_schema": { "name": "a", "schema": { "type": "object" } } });
    for _ in 0..8 {
        let reply = ask(&client, &question("strict", json!({ "response_format": schema }))).await;
        assert_eq!(target(&reply), "two/mock");
    }
    let message = refused(&ask(&client, &looking("strict")).await, 400, "unsupported");
    assert_eq!(
        message,
        "no target of the model `strict` can do what is asked: `one/mock` lacks images; `two/mock` lacks images"
    );
    // Other dialects are told in their own words.
    let source = json!({ "type": "base64", "media_type": "image/png", "data": PNG });
    let body = json!({ "model": "strict", "max_tokens": 9, "messages": [
        { "role": "user", "content": [{ "type": "image", "source": source }] },
    ] });
    let reply = client.send("POST", "/v1/messages", body.to_string().as_bytes()).await;
    assert_eq!((reply.status, reply.json()["error"]["type"].as_str()), (400, Some("invalid_request_error")));
}

#[tokio::test]
async fn a_context_or_a_body_that_is_too_small_for_all_is_named() {
    let mock = upstream::mock();
    let gateway = Gateway::start(&format!(
        r#"{}
[models.m]
targets = [
    {{ to = "one/mock", context = 1000, max_body = "4KB" }},
    {{ to = "two/mock", weight = 0 }},
    {{ to = "three/mock", context = 3000, max_body = "64KB" }},
]
[models.larger]
targets = ["one/mock"]
context = 1000
fallback_on = {{ context-length = ["two/mock"] }}
"#,
        begin(&upstream::url(&mock))
    ))
    .await;
    let client = gateway.client().with_key();
    let says = |words: usize| {
        let content = "owl ".repeat(words);
        json!({ "messages": [{ "role": "user", "content": content }] })
    };
    for _ in 0..6 {
        assert_eq!(target(&ask(&client, &question("m", says(1_800))).await), "three/mock");
    }
    let reply = ask(&client, &question("m", says(6_000))).await;
    let message = refused(&reply, 400, "context_length_exceeded");
    assert!(message.ends_with("the largest context of the model `m` has 3000"), "{message}");
    let data = "QUJD".repeat(20_000);
    let url = format!("data:image/png;base64,{data}");
    let large = json!({ "messages": [{ "role": "user", "content": [{ "type": "image_url", "image_url": { "url": url } }] }] });
    let message = refused(&ask(&client, &question("m", large)).await, 413, "request_too_large");
    assert!(message.contains("takes 64000 at most"), "{message}");
    // What is surely too long goes to the larger context at once.
    assert_eq!(target(&ask(&client, &question("larger", says(6_000))).await), "two/mock");
}

#[tokio::test]
async fn auto_is_the_first_model_that_can_and_a_named_one_is_never_swapped() {
    let mock = upstream::mock();
    let gateway = Gateway::start(&format!(
        r#"{}
[routing]
auto = ["fast", "vision", "smart"]
[models.fast]
targets = [{{ to = "one/mock", cannot = ["images"], context = 2000 }}]
[models.vision]
targets = [{{ to = "two/mock", context = 4000 }}]
[models.smart]
when = '"gold" in key.tags'
targets = ["three/mock"]
"#,
        begin(&upstream::url(&mock))
    ))
    .await;
    let client = gateway.client().with_key();
    let gold = gateway.client().with("authorization", &format!("Bearer {GOLD}"));
    let long = question("auto", json!({ "messages": [{ "role": "user", "content": "owl ".repeat(9_000) }] }));
    for (client, body, to, chosen) in [
        (&client, question("auto", json!({})), "one/mock", "fast"),
        (&client, looking("auto"), "two/mock", "vision"),
        (&gold, long.clone(), "three/mock", "smart"),
    ] {
        let reply = ask(client, &body).await;
        assert_eq!(target(&reply), to);
        assert_eq!(reply.header("x-causeway-auto"), chosen);
        let line = gateway.request_line(reply.header("x-request-id")).await;
        assert!(line.to_string().contains(&format!("\"{chosen}\"")), "{line}");
    }
    let list = client.get("/v1/models").await.json();
    let names: Vec<_> = list["data"].as_array().into_iter().flatten().map(|model| &model["id"]).collect();
    assert_eq!(names, ["fast", "smart", "vision", "auto"]);
    assert_eq!(client.get("/v1/models/auto").await.json()["id"], "auto");
    let message = refused(&ask(&client, &long).await, 400, "unsupported");
    assert!(message.contains("`vision`: its context of 4000"), "{message}");
    let named = ask(&client, &looking("fast")).await;
    assert_eq!((target(&named), named.header("x-causeway-auto")), ("one/mock", ""));
}

#[test]
fn check_names_the_place_inside_a_condition() {
    let good = format!(
        "[server]\nlisten = [\"{}\"]\n[admin]\nlisten = \"{}\"\n{}",
        free_address(),
        free_address(),
        begin("http://127.0.0.1:9")
    );
    let lines = good.lines().count();
    for (model, line, column, part) in [
        ("when = 'tokens >'\ntargets = [\"one/m\"]", 2, 8, "column 9 of the condition"),
        ("when = 'modle == \"a\"'\ntargets = [\"one/m\"]", 2, 9, "did you mean `model`?"),
        ("when = 'stream && tokens'\ntargets = [\"one/m\"]", 2, 16, "`&&` is not possible"),
        (
            "when = '''\nstream\n  && tokns > 1'''\ntargets = [\"one/m\"]",
            2,
            8,
            "line 2, column 6 of the condition",
        ),
        ("targets = [{ to = \"one/m\", when = 'model.matches(\"(\")' }]", 2, 50, "the pattern is none"),
        ("targets = [{ to = \"one/m\", can = [\"imagse\"] }]", 2, 35, "images"),
        (
            "targets = [{ to = \"one/m\", can = [\"images\"], cannot = [\"images\"] }]",
            2,
            55,
            "both can and cannot",
        ),
    ] {
        let text = format!("{good}\n[models.x]\n{model}\n");
        let output =
            run(&["check", "--json", "-c", "causeway.toml"], &[("causeway.toml", text.as_bytes())], &[]);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        assert_ne!(output.status.code(), Some(0), "{model}");
        let problem = &report["problems"][0];
        assert!(
            problem["message"].to_string().contains(&part.replace('"', "\\\""))
                || problem.to_string().contains(part),
            "{problem}"
        );
        assert_eq!(
            (&problem["line"], &problem["column"]),
            (&json!(lines + line + 1), &json!(column)),
            "{problem}"
        );
    }
    let text = format!("{good}\n[models.fast]\ntargets = [\"one/m\"]\n[routing]\nauto = [\"fats\"]\n");
    let output = run(&["check", "-c", "causeway.toml"], &[("causeway.toml", text.as_bytes())], &[]);
    let said =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("fats") && said.contains("fast"), "{said}");
}
