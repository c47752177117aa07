//! Rules for parameters, efforts in a model's name, and cache marks: what the provider gets is what was configured, in
//! the provider's own words, and everything else as the client wrote it.

use serde_json::{Value, json};

use super::support::client::Client;
use super::support::gateway::{good, run};
use super::support::upstream::{self, Scripted, Step};
use super::support::{Gateway, Shape, configuration, provider};

fn body(mock: &causeway::mock::Running) -> Value {
    serde_json::from_slice(&mock.requests().pop().unwrap().body).unwrap()
}

fn words(provider: Shape, body: &Value) -> Value {
    match provider {
        Shape::OpenAi => {
            json!([body["temperature"], body["max_completion_tokens"], body["user"], body["seed"]])
        }
        Shape::Anthropic => {
            json!([body["temperature"], body["max_tokens"], body["metadata"]["user_id"], body["seed"]])
        }
        Shape::Gemini => {
            let config = &body["generationConfig"];
            json!([config["temperature"], config["maxOutputTokens"], Value::Null, config["seed"]])
        }
    }
}

#[tokio::test]
async fn rules_of_models_and_providers_reach_every_provider() {
    let mock = upstream::mock();
    let mut text = configuration(&upstream::url(&mock));
    for shape in Shape::ALL {
        let word = shape.word();
        let rules = "params = { set = { user = \"shop\" }, remove = [\"seed\"], default = { temperature = 0.5 }, max_tokens = 40 }\n";
        text.push_str(&format!("[models.{word}-ruled]\ntargets = [\"{word}/mock\"]\n{rules}"));
        // The provider has the last word.
        text.push_str(&provider(&format!("{word}-2"), shape, &upstream::url(&mock)));
        text.push_str("params = { set = { temperature = 0.25 }, max_tokens = 30 }\n");
        text.push_str(&format!("[models.{word}-both]\ntargets = [\"{word}-2/mock\"]\n{rules}"));
    }
    let gateway = Gateway::start(&text).await;
    for (dialect, provider) in Shape::pairs() {
        let mut question = dialect.with_limit(dialect.says("x"), 99);
        match dialect {
            Shape::OpenAi => question["seed"] = json!(7),
            Shape::Gemini => question["generationConfig"]["seed"] = json!(7),
            Shape::Anthropic => {}
        }
        let user = if provider == Shape::Gemini { Value::Null } else { json!("shop") };
        for (model, temperature, limit) in [("ruled", 0.5, 40), ("both", 0.25, 30)] {
            let model = format!("{}-{model}", provider.word());
            good(&gateway.client().ask(dialect, &model, &question).await);
            let expected = json!([temperature, limit, user, Value::Null]);
            assert_eq!(words(provider, &body(&mock)), expected, "{dialect:?}→{model}: {}", body(&mock));
        }
        // A request's own value goes before a default, and a smaller one before a cap.
        let mut question = dialect.with_limit(dialect.says("x"), 5);
        match dialect {
            Shape::Gemini => question["generationConfig"]["temperature"] = json!(0.75),
            _ => question["temperature"] = json!(0.75),
        }
        good(&gateway.client().ask(dialect, &format!("{}-ruled", provider.word()), &question).await);
        assert_eq!(
            words(provider, &body(&mock)),
            json!([0.75, 5, user, Value::Null]),
            "{dialect:?}→{provider:?}"
        );
    }
}

/// The body of the last request to a script.
fn sent(scripted: &Scripted) -> String {
    let request = String::from_utf8(scripted.requests().pop().unwrap().to_vec()).unwrap();
    request.split_once("\r\n\r\n").unwrap().1.to_owned()
}

#[tokio::test]
async fn a_passage_with_rules_keeps_every_value_that_no_rule_touches() {
    const DONE: &str = "HTTP/1.1 500 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let scripted = Scripted::start(vec![Step::send(DONE), Step::Close]).await;
    let mut text = configuration(&scripted.url());
    text.push_str("[models.ruled]\ntargets = [\"openai/m\"]\nretry = { attempts = 1 }\nparams = { rename = { max_completion_tokens = \"max_tokens\" }, set = { a = { b = 1.5 } }, remove = [\"logit_bias\"] }\n");
    text.push_str("[models.plain]\ntargets = [\"openai/m\"]\nretry = { attempts = 1 }\n");
    let gateway = Gateway::start(&text).await;
    let client: Client = gateway.client().with_key();
    let body = r#"{ "messages":[ {"role":"user","content":"\u0068i"} ],"model":"NAME","temperature":1.0e0,"max_completion_tokens":10,"logit_bias":{"1":2},"a":{"c": 12345678901234567890}}"#;
    client.send("POST", "/v1/chat/completions", body.replace("NAME", "ruled").as_bytes()).await;
    assert_eq!(
        sent(&scripted),
        r#"{"messages":[ {"role":"user","content":"\u0068i"} ],"model":"m","temperature":1.0e0,"a":{"c":12345678901234567890,"b":1.5},"max_tokens":10}"#
    );
    client.send("POST", "/v1/chat/completions", body.replace("NAME", "plain").as_bytes()).await;
    assert_eq!(sent(&scripted), body.replace("NAME", "m"), "nothing is changed without rules");
}

#[tokio::test]
async fn an_effort_in_the_models_name_is_set_on_every_provider() {
    let mock = upstream::mock();
    let mut text = configuration(&upstream::url(&mock));
    for shape in Shape::ALL {
        text.push_str(&format!("[models.{0}-thinks]\ntargets = [\"{0}/mock-think\"]\n", shape.word()));
    }
    // A name that is configured as it stands is that name.
    text.push_str("[models.\"openai-thinks<low>\"]\ntargets = [\"openai/mock@text=literal\"]\n");
    text = text.replace(
        "[keys.tests]\n",
        "[keys.few]\nsecret = \"cw-key-of-the-few-0123456789\"\nmodels = [\"openai-thinks\"]\n[keys.tests]\n",
    );
    let gateway = Gateway::start(&text).await;
    for (dialect, provider) in Shape::pairs() {
        let word = provider.word();
        for asked in [
            format!("{word}-thinks<high>"),
            format!("{word}-thinks:high"),
            format!("{word}/mock-think<high>"),
        ] {
            let question = dialect.with_limit(dialect.says("x"), 9000);
            let reply = gateway.client().ask(dialect, &asked, &question).await;
            good(&reply);
            let body = body(&mock);
            let effort = match provider {
                Shape::OpenAi => body["reasoning_effort"] == "high",
                Shape::Anthropic => {
                    body["output_config"]["effort"] == "high"
                        || body["thinking"]["budget_tokens"].as_u64() > Some(1024)
                }
                Shape::Gemini => {
                    let config = &body["generationConfig"]["thinkingConfig"];
                    config["thinkingLevel"].as_str().is_some_and(|level| level.eq_ignore_ascii_case("high"))
                        || config["thinkingBudget"].as_u64() > Some(1024)
                }
            };
            assert!(effort, "{dialect:?}→{asked}: {body}");
        }
    }
    let literal = gateway.client().ask(Shape::OpenAi, "openai-thinks<low>", &Shape::OpenAi.says("x")).await;
    assert_eq!(Shape::OpenAi.whole(&good(&literal)).text, "literal");
    assert!(body(&mock)["reasoning_effort"].is_null());
    // Behind a colon vendors write sizes: nothing of a pattern is cut off.
    good(&gateway.client().ask(Shape::OpenAi, "openai/mock@text=a:medium", &Shape::OpenAi.says("x")).await);
    assert_eq!(body(&mock)["model"], "mock@text=a:medium");
    // Who may use a model may use its efforts, and no other's.
    let client = gateway.client().with("authorization", "Bearer cw-key-of-the-few-0123456789");
    let mut question = Shape::OpenAi.named(&Shape::OpenAi.says("x"), "openai-thinks<high>", false);
    good(&client.post("/v1/chat/completions", &question).await);
    question["model"] = json!("anthropic-thinks<high>");
    assert_eq!(client.post("/v1/chat/completions", &question).await.status, 403);
}

#[tokio::test]
async fn cache_marks_are_set_where_the_client_set_none() {
    let mock = upstream::mock();
    let mut text = configuration(&upstream::url(&mock));
    text.push_str("[models.cached]\ntargets = [\"anthropic/mock\"]\ncache = \"auto\"\n");
    text.push_str("[models.other]\ntargets = [\"openai/mock\"]\ncache = \"auto\"\n");
    let gateway = Gateway::start(&text).await;
    let long = "a system prompt that is worth its place ".repeat(150);
    let marks = |body: &Value| body.to_string().matches("cache_control").count();
    for dialect in Shape::ALL {
        let question =
            dialect.with_tools(dialect.with_system(dialect.says(&format!("hello {dialect:?}")), &long));
        let first = gateway.client().ask(dialect, "cached", &question).await;
        good(&first);
        let got = body(&mock);
        assert_eq!(marks(&got), 2, "{got}");
        assert_eq!(got["tools"][1]["cache_control"]["type"], "ephemeral", "{got}");
        assert_eq!(got["system"][0]["cache_control"]["type"], "ephemeral", "{got}");
        let again = gateway.client().ask(dialect, "cached", &question).await;
        // The mock remembers what was marked; what it counts is told and recorded.
        let line = gateway.request_line(again.header("x-request-id")).await;
        assert!(
            line["cached"].as_u64() > Some(1000) && line["in"].as_u64() > line["cached"].as_u64(),
            "{line}"
        );
        // Too short, not a provider of that kind, and a client that does it itself.
        good(
            &gateway.client().ask(dialect, "cached", &dialect.with_system(dialect.says("x"), "short")).await,
        );
        assert_eq!(marks(&body(&mock)), 0);
        good(&gateway.client().ask(dialect, "other", &question).await);
        assert_eq!(marks(&body(&mock)), 0);
    }
    let own = json!({ "max_tokens": 9, "system": [{ "type": "text", "text": long }],
        "messages": [{ "role": "user", "content": [{ "type": "text", "text": "x", "cache_control": { "type": "ephemeral", "ttl": "1h" } }] }] });
    let reply = gateway.client().ask(Shape::Anthropic, "cached", &own).await;
    good(&reply);
    let mut expected = own.clone();
    expected["model"] = json!("mock");
    assert_eq!(body(&mock), expected, "a client's own marks stay alone");
    // A conversation is marked behind its last message.
    let turns = json!({ "messages": [{ "role": "user", "content": long }, { "role": "assistant", "content": "yes" },
        { "role": "user", "content": "and?" }] });
    good(&gateway.client().ask(Shape::OpenAi, "cached", &turns).await);
    let got = body(&mock);
    assert_eq!(got["messages"][2]["content"][0]["cache_control"]["type"], "ephemeral", "{got}");
    assert_eq!(marks(&got), 1, "{got}");
}

#[test]
fn rules_that_cannot_be_are_told_by_check() {
    let check = |params: &str| {
        let text = format!(
            "[providers.lab]\nplugin = \"openai\"\nurl = \"http://127.0.0.1:1\"\n[models.m]\ntargets = [\"lab/m\"]\n[models.m.params]\n{params}\n"
        );
        let output = run(&["check", "-c", "causeway.toml"], &[("causeway.toml", text.as_bytes())], &[]);
        (
            output.status.success(),
            String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
        )
    };
    let good = "default = { temperature = 0.2, reasoning = { max_tokens = 9 } }\nremove = [\"seed\"]\nmax_tokens = 5";
    assert!(check(good).0, "{}", check(good).1);
    for (params, said) in [
        ("sett = { a = 1 }", "did you mean `set`?"),
        ("set = { model = \"x\" }", "`model` is not a parameter"),
        ("rename = { user = \"messages.x\" }", "`messages.x` is not a parameter"),
        ("remove = [\"a..b\"]", "`a..b` is no path of a field"),
        ("max_tokens = 0", "max_tokens"),
        ("rename = { a = 1 }", "rename"),
    ] {
        let (passed, told) = check(params);
        assert!(!passed && told.contains(said), "{params}: {told}");
    }
}
