//! Where a request goes, and what another attempt is made for.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use causeway::mock::Running;
use serde_json::{Value, json};

use super::support::client::Reply;
use super::support::gateway::{free_address, good};
use super::support::upstream::{self, Scripted, Step};
use super::support::{Gateway, KEY, Shape, configuration, provider, steady};

mod body;
mod path;

/// The configuration's beginning: a client key, and no target that rests: here each request asks it again.
fn begin() -> String {
    let asked_again = "breaker = false\ncool_down = { missing = \"0s\", rate = \"0s\", longest_rate = \"0s\", longest_overload = \"0s\" }\n";
    format!("[keys.tests]\nsecret = \"{KEY}\"\n[defaults.model]\n{asked_again}")
}

fn model(name: &str, targets: &[&str], fallback: &[&str], more: &str) -> String {
    format!("[models.{name}]\ntargets = {targets:?}\nfallback = {fallback:?}\n{more}\n")
}

/// A model whose first target fails with `fault` and whose second, in another dialect, answers.
fn failing(faulty: &str, healthy: &str, fault: &str) -> String {
    [
        begin(),
        "[server.timeouts]\nfirst_token = \"400ms\"\n".to_owned(),
        provider("faulty", Shape::OpenAi, faulty),
        provider("healthy", Shape::Anthropic, healthy),
        model("m", &[&format!("faulty/mock@fault={fault}")], &["healthy/mock"], "retry = { attempts = 1 }"),
    ]
    .concat()
}

fn answered(dialect: Shape, reply: &Reply, stream: bool) -> String {
    assert_eq!(reply.status, 200, "{}", reply.text());
    if stream { dialect.streamed(&reply.events()).text } else { dialect.whole(&good(reply)).text }
}

async fn ask(gateway: &Gateway, dialect: Shape, model: &str, stream: bool) -> Reply {
    let question = dialect.says("hello");
    if stream {
        gateway.client().stream(dialect, model, &question).await.rest().await
    } else {
        gateway.client().ask(dialect, model, &question).await
    }
}

#[tokio::test]
async fn a_failing_target_hands_over_to_the_next() {
    // The fault, and whether whole answers show it before their time is up.
    const FAULTS: [(&str, bool); 16] = [
        ("cut:1", true),
        ("cut-bytes:40", true),
        ("status:429", true),
        ("status:500", true),
        ("status:502", true),
        ("status:503", true),
        ("status:529", true),
        ("status:401", true),
        ("status:403", true),
        ("status:404", true),
        ("close", true),
        ("garbage", true),
        ("html", true),
        ("blank", true),
        ("hang", false),
        ("hang:0", false),
    ];
    let (faulty, healthy) = (upstream::mock(), upstream::mock());
    for (fault, whole) in FAULTS {
        let gateway =
            Gateway::start(&failing(&upstream::url(&faulty), &upstream::url(&healthy), fault)).await;
        let mut asked = 0.0;
        for dialect in Shape::ALL {
            for stream in [true, false].into_iter().filter(|stream| *stream || whole) {
                let reply = ask(&gateway, dialect, "m", stream).await;
                assert_eq!(reply.status, 200, "{fault} {dialect:?} {stream}: {}", reply.text());
                assert!(
                    answered(dialect, &reply, stream).starts_with("You said: \"hello\"."),
                    "{fault} {dialect:?}"
                );
                asked += 1.0;
                if !reply.header("x-causeway-attempts").is_empty() {
                    assert_eq!(reply.header("x-causeway-attempts"), "2", "{fault}");
                }
            }
        }
        let provider = "provider=\"faulty\"";
        gateway.until_metric("causeway_attempts_total", &[provider], asked).await;
        assert_eq!(
            gateway.metric("causeway_attempts_total", &[provider, "outcome=\"ok\""]).await,
            0.0,
            "{fault}"
        );
        let fallbacks = &["from=\"faulty\"", "to=\"healthy\""];
        assert_eq!(gateway.metric("causeway_fallbacks_total", fallbacks).await, asked, "{fault}");
    }
}

#[tokio::test]
async fn a_target_nobody_listens_at_hands_over_to_the_next() {
    let healthy = upstream::mock();
    let nobody = format!("http://{}", free_address());
    let gateway = Gateway::start(&failing(&nobody, &upstream::url(&healthy), "none")).await;
    for dialect in Shape::ALL {
        for stream in [false, true] {
            answered(dialect, &ask(&gateway, dialect, "m", stream).await, stream);
        }
    }
    let outcome = "outcome=\"upstream_unreachable\"";
    gateway.until_metric("causeway_attempts_total", &[outcome], 6.0).await;
}

#[tokio::test]
async fn a_refused_request_is_not_tried_elsewhere() {
    let (faulty, healthy) = (upstream::mock(), upstream::mock());
    let gateway =
        Gateway::start(&failing(&upstream::url(&faulty), &upstream::url(&healthy), "status:400")).await;
    for dialect in Shape::ALL {
        for stream in [false, true] {
            let reply = ask(&gateway, dialect, "m", stream).await;
            assert_eq!(reply.status, 400, "{dialect:?}: {}", reply.text());
            dialect.error(&reply.json());
        }
    }
    assert_eq!((faulty.requests().len(), healthy.requests().len()), (6, 0));
}

#[tokio::test]
async fn nothing_is_tried_again_after_the_first_byte() {
    let (faulty, healthy) = (upstream::mock(), upstream::mock());
    let gateway = Gateway::start(&failing(&upstream::url(&faulty), &upstream::url(&healthy), "cut:4")).await;
    for dialect in Shape::ALL {
        let reply = ask(&gateway, dialect, "m", true).await;
        assert!(reply.status == 200 && !reply.complete, "{dialect:?}: {}", reply.text());
    }
    assert_eq!((faulty.requests().len(), healthy.requests().len()), (3, 0));
}

/// An answer of a vendor that speaks OpenAI's dialect.
fn answer(status: &str, headers: &str, body: &str) -> Vec<Step> {
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    );
    vec![Step::send(head), Step::send(body), Step::Close]
}

const ERROR: &str = "{\"error\":{\"message\":\"wait a little\",\"type\":null,\"param\":null,\"code\":null}}";
const DONE: &str = "{\"id\":\"1\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"done\"},\"finish_reason\":\"stop\"}]}";

#[tokio::test]
async fn the_same_target_is_tried_again_after_a_wait() {
    let scripted = Scripted::start(Vec::new()).await;
    let retry = "retry = { attempts = 3, on = [\"5xx\", \"429\"], backoff = \"10ms..2s\" }";
    let text = [begin(), provider("one", Shape::OpenAi, &scripted.url()), model("m", &["one/m"], &[], retry)]
        .concat();
    let gateway = Gateway::start(&text).await;
    // What the provider says about the wait, and how long it is at least.
    let waits = [("", 0), ("retry-after-ms: 300\r\n", 300), ("retry-after: 1\r\n", 1000)];
    for (header, least) in waits {
        let failure = answer("500 Internal Server Error", header, ERROR);
        scripted.play_each(vec![failure.clone(), failure, answer("200 OK", "", DONE)]);
        let before = scripted.requests().len();
        let start = Instant::now();
        let reply = ask(&gateway, Shape::OpenAi, "m", false).await;
        assert_eq!(reply.text(), DONE);
        assert_eq!(scripted.requests().len() - before, 3, "{header}");
        assert!(start.elapsed() >= Duration::from_millis(2 * least), "{header}: {:?}", start.elapsed());
    }
    // Always failing: three attempts, and the client is told not to try again at once.
    scripted.play(answer("500 Internal Server Error", "", ERROR));
    let before = scripted.requests().len();
    let reply = ask(&gateway, Shape::OpenAi, "m", false).await;
    assert_eq!((reply.status, reply.header("x-should-retry")), (502, "false"), "{}", reply.text());
    assert_eq!(scripted.requests().len() - before, 3);
}

#[tokio::test]
async fn a_longer_wait_than_allowed_is_the_clients_to_make() {
    let scripted = Scripted::start(answer("429 Too Many Requests", "retry-after: 7\r\n", ERROR)).await;
    let text =
        [begin(), provider("one", Shape::OpenAi, &scripted.url()), model("m", &["one/m"], &[], "")].concat();
    let gateway = Gateway::start(&steady(&text)).await;
    for dialect in Shape::ALL {
        let reply = ask(&gateway, dialect, "m", true).await;
        assert_eq!(
            (reply.status, reply.header("retry-after"), reply.header("retry-after-ms")),
            (429, "7", "7000"),
            "{}",
            reply.text()
        );
        dialect.error(&reply.json());
    }
    assert_eq!(scripted.requests().len(), 3);
    // Absurd waits are no waits to make, and harm nobody.
    for absurd in ["1000000000", "-1", "99999999999999999999", "soon", "Wed, 21 Oct 2015 07:28:00 GMT"] {
        scripted.play(answer("503 Service Unavailable", &format!("retry-after: {absurd}\r\n"), ERROR));
        let reply = ask(&gateway, Shape::OpenAi, "m", false).await;
        assert!(reply.status >= 500, "{absurd}: {}", reply.text());
    }
}

#[tokio::test]
async fn fallbacks_come_in_order_after_all_targets() {
    let mocks = [upstream::mock(), upstream::mock(), upstream::mock(), upstream::mock()];
    let names = ["one", "two", "three", "four"];
    let shapes = [Shape::OpenAi, Shape::Gemini, Shape::Anthropic, Shape::OpenAi];
    let mut text = begin();
    for ((name, shape), mock) in names.into_iter().zip(shapes).zip(&mocks) {
        text.push_str(&provider(name, shape, &upstream::url(mock)));
    }
    let broken = "mock@fault=status:500";
    let (one, two, three) = (format!("one/{broken}"), format!("two/{broken}"), format!("three/{broken}"));
    let retry = "retry = { attempts = 2, backoff = \"10ms..20ms\" }";
    text.push_str(&model("m", &[&one, &two], &[&three, "four/mock"], retry));
    text.push_str(&model("hopeless", &[&one], &[&two, &three], "retry = { attempts = 1 }"));
    let gateway = Gateway::start(&text).await;
    for dialect in Shape::ALL {
        let reply = ask(&gateway, dialect, "m", false).await;
        assert!(answered(dialect, &reply, false).starts_with("You said: \"hello\"."));
        let line = gateway.request_line(reply.header("x-request-id")).await;
        assert_eq!((&line["attempts"], &line["provider"]), (&json!(4), &json!("four")), "{line}");
        let reply = ask(&gateway, dialect, "hopeless", false).await;
        assert!(reply.status >= 500, "{}", reply.text());
        dialect.error(&reply.json());
    }
    let counts: Vec<_> = mocks.iter().map(|mock| mock.requests().len()).collect();
    assert_eq!(counts, [6, 6, 6, 3]);
}

#[tokio::test]
async fn a_large_request_goes_whole_and_translated_to_the_second_target() {
    let text = "ahoy ⛵ \"\\ ".repeat(450_000);
    assert!(text.len() > 5 << 20);
    let (faulty, healthy) = (upstream::mock(), upstream::mock());
    for (first, second) in
        [(Shape::OpenAi, Shape::Anthropic), (Shape::Anthropic, Shape::Gemini), (Shape::Gemini, Shape::OpenAi)]
    {
        let configured = [
            begin(),
            provider("faulty", first, &upstream::url(&faulty)),
            provider("healthy", second, &upstream::url(&healthy)),
            model("m", &["faulty/mock@fault=status:500"], &["healthy/mock"], "retry = { attempts = 1 }"),
        ];
        let gateway = Gateway::start(&configured.concat()).await;
        for dialect in Shape::ALL {
            let case = format!("{}→{}→{}", dialect.word(), first.word(), second.word());
            let reply = gateway.client().ask(dialect, "m", &dialect.says(&text)).await;
            assert_eq!(reply.status, 200, "{case}: {}", reply.text());
            assert!(dialect.whole(&good(&reply)).text.starts_with("You said: \"ahoy ⛵"), "{case}");
            for (mock, shape) in [(&faulty, first), (&healthy, second)] {
                let request = mock.requests().pop().unwrap();
                assert!(
                    spoken(shape, &request.json()) == text,
                    "{case}: {} got something else",
                    shape.word()
                );
                mock.clear();
            }
        }
    }
}

/// What the user says in a request a vendor got.
fn spoken(shape: Shape, request: &Value) -> String {
    let said = match shape {
        Shape::Gemini => &request["contents"][0]["parts"][0]["text"],
        _ => match &request["messages"][0]["content"] {
            Value::Array(parts) => &parts[0]["text"],
            content => content,
        },
    };
    said.as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn requests_are_shared_by_weight() {
    let mocks: BTreeMap<&str, Running> = ["most", "some", "none"].map(|name| (name, upstream::mock())).into();
    let mut text = begin();
    for (name, mock) in &mocks {
        text.push_str(&provider(name, Shape::OpenAi, &upstream::url(mock)));
    }
    text.push_str(
        "[models.m]\ntargets = [{ to = \"most/mock\", weight = 3 }, { to = \"some/mock\", weight = 1 }, \
         { to = \"none/mock\", weight = 0 }]\n",
    );
    let gateway = Gateway::start(&text).await;
    for _ in 0..200 {
        answered(Shape::OpenAi, &ask(&gateway, Shape::OpenAi, "m", false).await, false);
    }
    let count = |name: &str| mocks[name].requests().len();
    assert_eq!((count("most") + count("some"), count("none")), (200, 0));
    // Five standard deviations around 150.
    assert!((119..=181).contains(&count("most")), "{} of 200", count("most"));
}

#[tokio::test]
async fn a_full_name_goes_before_a_pattern_and_a_longer_pattern_before_a_shorter() {
    let mock = upstream::mock();
    let text = [
        begin(),
        provider("one", Shape::OpenAi, &upstream::url(&mock)),
        "[models.\"a-*\"]\ntargets = [\"one/short\"]\n[models.\"a-b-*\"]\ntargets = [\"one/long\"]\n"
            .to_owned(),
        "[models.a-b-c]\ntargets = [\"one/full\"]\n[models.\"one/*\"]\ntargets = [\"one/*\"]\n".to_owned(),
    ];
    let gateway = Gateway::start(&text.concat()).await;
    for (asked, sent) in [("a-b-c", "full"), ("a-b-d", "long"), ("a-d", "short"), ("one/x/y", "x/y")] {
        answered(Shape::OpenAi, &ask(&gateway, Shape::OpenAi, asked, false).await, false);
        assert_eq!(mock.requests().pop().unwrap().json()["model"], sent, "{asked}");
    }
}

/// A gateway in front of one mock, for what does not depend on targets.
async fn plain() -> (Running, Gateway) {
    let mock = upstream::mock();
    let gateway = Gateway::start(&configuration(&upstream::url(&mock))).await;
    (mock, gateway)
}
