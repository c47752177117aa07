//! What follows from a failure: where a request goes next, what a client hears meanwhile, and what it is told.

use std::time::Duration;

use serde_json::{Value, json};

use super::fault::script::{DONE, FIRST, LAST, WHOLE, ok, reply};
use super::support::client::Reply;
use super::support::gateway::good;
use super::support::upstream::{Scripted, Step};
use super::support::{Gateway, KEY, Shape, provider, steady};

/// Two providers of OpenAI's dialect, and these models.
async fn gateway(first: &Scripted, second: &Scripted, models: &str) -> Gateway {
    let text = [
        format!("[keys.tests]\nsecret = \"{KEY}\"\n"),
        provider("first", Shape::OpenAi, &first.url()),
        "error_triggers = [\"out of order\"]\n".to_owned(),
        provider("second", Shape::OpenAi, &second.url()),
        models.to_owned(),
    ];
    Gateway::start(&steady(&text.concat())).await
}

async fn ask(gateway: &Gateway, dialect: Shape, model: &str, stream: bool) -> Reply {
    let question = dialect.says("hello");
    if stream {
        gateway.client().stream(dialect, model, &question).await.rest().await
    } else {
        gateway.client().ask(dialect, model, &question).await
    }
}

fn error(line: &str, headers: &str, message: &str, code: &str) -> Vec<Step> {
    let body = json!({ "error": { "message": message, "type": null, "param": null, "code": code } });
    let body = body.to_string();
    let head = format!(
        "HTTP/1.1 {line}\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    );
    vec![Step::send(head + &body), Step::Close]
}

/// Good for whole answers and for streams.
async fn healthy() -> Scripted {
    Scripted::by_request(
        |streamed| if streamed { ok(true, [FIRST, LAST, DONE].concat()) } else { ok(false, WHOLE) },
    )
    .await
}

const PAIR: &str = "targets = [\"first/m\"]\nfallback = [\"second/m\"]\n";

#[tokio::test]
async fn statuses_say_whether_another_target_is_asked() {
    let (first, second) = (Scripted::start(Vec::new()).await, healthy().await);
    let models = format!(
        "[models.usual]\n{PAIR}retry = {{ attempts = 1 }}\n\
         [models.wide]\n{PAIR}retry = {{ attempts = 1 }}\nfailover = \"400-403,405-999\"\n\
         [models.narrow]\n{PAIR}retry = {{ attempts = 1, on = [] }}\nfailover = \"429\"\n\
         [models.careful]\n{PAIR}retry = {{ attempts = 1, sent = false }}\n"
    );
    let gateway = gateway(&first, &second, &models).await;
    // The status, and which of the models go on: usual, wide, narrow, careful.
    for (line, goes_on) in [
        ("400 Bad Request", [false, true, false, false]),
        ("401 Unauthorized", [true, true, false, true]),
        ("402 Payment Required", [true, true, false, true]),
        ("404 Not Found", [true, false, false, true]),
        ("413 Payload Too Large", [false, true, false, false]),
        ("422 Unprocessable Entity", [false, true, false, false]),
        ("429 Too Many Requests", [true, true, true, true]),
        ("500 Internal Server Error", [true, true, false, false]),
        ("503 Service Unavailable", [true, true, false, true]),
        ("529 Overloaded", [true, true, false, true]),
    ] {
        first.play(error(line, "", "it did not work", ""));
        for (model, goes_on) in ["usual", "wide", "narrow", "careful"].into_iter().zip(goes_on) {
            for stream in [false, true] {
                let before = second.requests().len();
                let reply = ask(&gateway, Shape::OpenAi, model, stream).await;
                let case = format!("{line} {model} {stream}: {}", reply.text());
                assert_eq!(reply.status == 200, goes_on, "{case}");
                assert_eq!(second.requests().len() - before, usize::from(goes_on), "{case}");
            }
        }
    }
}

#[tokio::test]
async fn a_refused_content_and_a_prompt_too_long_have_targets_of_their_own() {
    let (first, second) = (Scripted::start(Vec::new()).await, healthy().await);
    let models = "[models.m]\ntargets = [\"first/m\"]\n\
         fallback_on = { content-policy = [\"second/mild\"], context-length = [\"second/large\"] }\n\
         [models.grows]\ntargets = [{ to = \"first/m\", context = 9000, tier = 1 }, { to = \"second/same\", context = 9000, tier = 2 }, \
         { to = \"second/unknown\", tier = 2 }, { to = \"second/most\", context = 90000, tier = 2 }]\n\
         [models.plain]\ntargets = [\"first/m\"]\nfallback = [\"second/never\"]\nretry = { attempts = 1 }\n";
    let gateway = gateway(&first, &second, models).await;
    let long =
        error("400 Bad Request", "", "This model's maximum context length is 10", "context_length_exceeded");
    let refused = error("400 Bad Request", "", "The response was filtered", "content_filter");
    for (fails, goes) in [(&long, "large"), (&refused, "mild")] {
        first.play(fails.clone());
        for stream in [false, true] {
            for dialect in Shape::ALL {
                let reply = ask(&gateway, dialect, "m", stream).await;
                assert_eq!(reply.status, 200, "{goes}: {}", reply.text());
                let asked = second.requests().pop().unwrap();
                let asked = String::from_utf8_lossy(&asked).into_owned();
                assert!(asked.contains(&format!("\"{goes}\"")), "{asked}");
            }
        }
    }
    assert_eq!(first.requests().len(), 12);
    // Without targets for it, a prompt that is too long goes to those that take more, as they say.
    for stream in [false, true] {
        first.play(long.clone());
        let before = second.requests().len();
        let reply = ask(&gateway, Shape::OpenAi, "grows", stream).await;
        assert_eq!((reply.status, second.requests().len() - before), (200, 1), "{}", reply.text());
        assert!(String::from_utf8_lossy(&second.requests().pop().unwrap()).contains("\"most\""));
        let line = gateway.request_line(reply.header("x-request-id")).await;
        assert_eq!(line["attempts"], 2, "{line}");
    }
    // A refusal stays with the client, where nothing else is said.
    first.play(long);
    let before = second.requests().len();
    let reply = ask(&gateway, Shape::OpenAi, "plain", false).await;
    assert_eq!((reply.status, second.requests().len()), (400, before), "{}", reply.text());
}

#[tokio::test]
async fn an_answer_without_content_is_asked_for_again_unless_it_has_a_reason() {
    let (first, second) = (Scripted::start(Vec::new()).await, healthy().await);
    let models = format!(
        "[models.m]\n{PAIR}retry = {{ attempts = 1 }}\n[models.pass]\n{PAIR}empty = \"pass\"\n\
         [models.again]\ntargets = [\"first/m\"]\nretry = {{ backoff = \"1ms..2ms\" }}\n"
    );
    let gateway = gateway(&first, &second, &models).await;
    let empty = |streamed: bool, reason: &str| {
        let text = if streamed { [FIRST, LAST, DONE].concat() } else { WHOLE.to_owned() };
        let text = text.replace("\"fine\"", "\"\"").replace("\"fi\"", "\"\"").replace("\"ne\"", "\"\"");
        ok(streamed, text.replace("\"stop\"", &format!("{reason:?}")))
    };
    for dialect in Shape::ALL {
        for stream in [false, true] {
            for (model, reason, asked) in
                [("m", "stop", 1), ("m", "length", 0), ("m", "content_filter", 0), ("pass", "stop", 0)]
            {
                first.play(empty(stream, reason));
                let before = second.requests().len();
                let reply = ask(&gateway, dialect, model, stream).await;
                let case = format!("{dialect:?} {stream} {model} {reason}: {}", reply.text());
                assert_eq!((reply.status, reply.complete), (200, true), "{case}");
                assert_eq!(second.requests().len() - before, asked, "{case}");
            }
            let before = first.requests().len();
            first.play(empty(stream, "stop"));
            let reply = ask(&gateway, dialect, "again", stream).await;
            assert!(reply.status >= 500 && first.requests().len() - before == 3, "{}", reply.text());
        }
    }
    // Who asks for a text to stop at may be answered by nothing.
    first.play(empty(false, "stop"));
    let mut question = Shape::OpenAi.says("hello");
    question["stop"] = json!(["."]);
    let before = second.requests().len();
    good(&gateway.client().ask(Shape::OpenAi, "m", &question).await);
    assert_eq!(second.requests().len(), before);
}

#[tokio::test]
async fn a_text_that_means_failure_is_one() {
    let (first, second) = (Scripted::start(Vec::new()).await, healthy().await);
    let gateway = gateway(&first, &second, &format!("[models.m]\n{PAIR}retry = {{ attempts = 1 }}\n")).await;
    for stream in [false, true] {
        let text = if stream { [FIRST, LAST, DONE].concat() } else { WHOLE.to_owned() };
        first.play(ok(stream, text.replace("\"content\":\"fi", "\"content\":\"We are OUT  of\\norder fi")));
        for dialect in Shape::ALL {
            let before = second.requests().len();
            let reply = ask(&gateway, dialect, "m", stream).await;
            assert_eq!((reply.status, second.requests().len() - before), (200, 1), "{}", reply.text());
            assert!(!reply.text().contains("OUT"), "{}", reply.text());
        }
    }
}

/// The data of all events, without signs of life.
fn data(text: &str) -> Vec<Value> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let data = lines.filter(|data| *data != "[DONE]").map(|data| serde_json::from_str(data).unwrap());
    data.filter(|data: &Value| data["type"] != "ping").collect()
}

#[tokio::test]
async fn a_waiting_client_hears_signs_of_life_and_then_one_answer() {
    let (first, second) = (Scripted::start(Vec::new()).await, healthy().await);
    let models = format!(
        "[models.m]\n{PAIR}keep_alive = \"50ms\"\nretry = {{ attempts = 1 }}\n\
         [models.alone]\ntargets = [\"first/m\"]\nkeep_alive = \"50ms\"\nretry = {{ attempts = 1 }}\n\
         [models.silent]\n{PAIR}keep_alive = \"0s\"\nretry = {{ attempts = 1 }}\n"
    );
    let gateway = gateway(&first, &second, &models).await;
    let pause = Step::Wait(Duration::from_millis(400));
    let late: Vec<_> = std::iter::once(pause.clone()).chain(ok(true, [FIRST, LAST, DONE].concat())).collect();
    let fails: Vec<_> =
        std::iter::once(pause).chain(error("500 Internal Server Error", "", "no", "")).collect();
    for dialect in Shape::ALL {
        let sign = if dialect == Shape::Anthropic { "event: ping" } else { ": keep-alive" };
        // A late answer, and one of the other target behind a late failure.
        for script in [&late, &fails] {
            first.play(script.clone());
            let reply = ask(&gateway, dialect, "m", true).await;
            let text = reply.text();
            assert_eq!((reply.status, reply.complete), (200, true), "{dialect:?}: {text}");
            assert!(text.starts_with(sign) && !text.contains("HTTP/1.1"), "{dialect:?}: {text}");
            assert!(dialect.is_ended(&reply.events()), "{dialect:?}: {text}");
            assert_eq!(reply.header("content-type"), "text/event-stream");
            assert!(!reply.header("x-request-id").is_empty());
        }
        // Nobody answers: an error event and a cut.
        first.play(fails.clone());
        let reply = ask(&gateway, dialect, "alone", true).await;
        let text = reply.text();
        assert_eq!((reply.status, reply.complete), (200, false), "{dialect:?}: {text}");
        let told = data(&text);
        assert!(text.starts_with(sign) && told.len() == 1, "{dialect:?}: {text}");
        dialect.error(&told[0]);
        let line = gateway.request_line(reply.header("x-request-id")).await;
        assert_eq!((&line["status"], &line["attempts"]), (&json!(200), &json!(1)), "{line}");
        // Where signs are off, and where no stream was asked for, the status waits for the answer.
        let reply = ask(&gateway, dialect, "silent", true).await;
        assert_eq!(reply.status, 200);
        assert!(!reply.text().contains(sign), "{}", reply.text());
        assert!(ask(&gateway, dialect, "alone", false).await.status >= 500);
    }
}

#[tokio::test]
async fn clients_hear_whether_asking_again_helps() {
    let (first, second) = (Scripted::start(Vec::new()).await, healthy().await);
    let models = "[models.once]\ntargets = [\"first/m\"]\nretry = { attempts = 1 }\n\
         [models.often]\ntargets = [\"first/m\"]\nretry = { attempts = 2, backoff = \"1ms..2ms\" }\n";
    let gateway = gateway(&first, &second, models).await;
    let wait = "retry-after: 7\r\n";
    for (line, headers, message, model, told) in [
        ("429 Too Many Requests", wait, "slow down", "once", "true"),
        ("503 Service Unavailable", wait, "busy", "often", "true"),
        // Longer than clients wait when they are told to.
        ("429 Too Many Requests", "retry-after: 600\r\n", "slow down", "once", "false"),
        ("500 Internal Server Error", "", "no", "once", ""),
        ("500 Internal Server Error", "", "no", "often", "false"),
        ("401 Unauthorized", "", "no", "once", "false"),
        ("429 Too Many Requests", "", "You exceeded your current quota", "once", "false"),
        ("400 Bad Request", "", "no", "once", ""),
    ] {
        first.play(error(line, headers, message, ""));
        for dialect in Shape::ALL {
            let reply = ask(&gateway, dialect, model, false).await;
            let case = format!("{line} {headers} {model} {dialect:?}: {:?}", reply.headers);
            assert_eq!(reply.header("x-should-retry"), told, "{case}");
            dialect.error(&reply.json());
        }
    }
    first.play(reply("200 OK", "application/json", WHOLE.as_bytes()));
    good(&ask(&gateway, Shape::OpenAi, "once", false).await);
}

#[tokio::test]
async fn an_error_inside_a_good_answer_is_one_in_every_framing() {
    const GOOGLE: &str =
        "{\"error\":{\"code\":503,\"message\":\"The model is overloaded.\",\"status\":\"UNAVAILABLE\"}}";
    const OLLAMA: &str = "{\"error\":\"model runner has unexpectedly stopped\"}";
    const ANTHROPIC: &str =
        "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}";
    let gemini = json!({ "contents": [{ "role": "user", "parts": [{ "text": "hi" }] }] });
    let messages = json!([{ "role": "user", "content": "hi" }]);
    let ollama = json!({ "model": "m", "messages": messages, "stream": true });
    let anthropic = json!({ "model": "m", "max_tokens": 9, "messages": messages, "stream": true });
    let (first, second) = (Scripted::start(Vec::new()).await, healthy().await);
    for (plugin, path, body, content_type, said) in [
        ("gemini", "/v1beta/models/m:generateContent", &gemini, "application/json", GOOGLE.to_owned()),
        (
            "gemini",
            "/v1beta/models/m:streamGenerateContent",
            &gemini,
            "application/json",
            format!("[{GOOGLE}]"),
        ),
        (
            "gemini",
            "/v1beta/models/m:streamGenerateContent?alt=sse",
            &gemini,
            "text/event-stream",
            format!("data: {GOOGLE}\n\n"),
        ),
        ("ollama", "/api/chat", &ollama, "application/x-ndjson", format!("{OLLAMA}\n")),
        (
            "anthropic",
            "/v1/messages",
            &anthropic,
            "text/event-stream",
            format!("event: error\ndata: {ANTHROPIC}\n\n"),
        ),
    ] {
        let text = [
            format!("[keys.tests]\nsecret = \"{KEY}\"\n"),
            format!("[providers.first]\nplugin = \"{plugin}\"\nurl = \"{}\"\n", first.url()),
            provider("second", Shape::OpenAi, &second.url()),
            format!("[models.m]\n{PAIR}retry = {{ attempts = 1 }}\n"),
        ];
        let gateway = Gateway::start(&steady(&text.concat())).await;
        first.play(reply("200 OK", content_type, said.as_bytes()));
        let before = second.requests().len();
        let answer = gateway.client().with_key().post(path, body).await;
        let case = format!("{plugin} {path}: {}", answer.text());
        assert_eq!(
            (answer.status, answer.complete, second.requests().len() - before),
            (200, true, 1),
            "{case}"
        );
        assert!(answer.text().contains("ne"), "{case}");
        let line = gateway.request_line(answer.header("x-request-id")).await;
        assert_eq!((&line["attempts"], &line["translated"]), (&json!(2), &json!(true)), "{line}");
    }
}
