//! Nine pairs: each vendor's clients with each vendor's models, whole answers.

use serde_json::{Value, json};

use super::support::client::{Client, Reply};
use super::support::gateway::good;
use super::support::said::Said;
use super::support::upstream::{self, Scripted, Step};
use super::support::{Gateway, KEY, Shape, configuration, provider_key};

/// Asks every provider in every dialect and hands over what was said.
async fn each(model: &str, question: impl Fn(Shape) -> Value, check: impl Fn(Shape, Said, &str)) {
    let mock = upstream::mock();
    let gateway = Gateway::start(&configuration(&upstream::url(&mock))).await;
    for (dialect, provider) in Shape::pairs() {
        let pair = format!("{}→{}", dialect.word(), provider.word());
        let asked = format!("{}/{model}", provider.word());
        let reply = gateway.client().ask(dialect, &asked, &question(dialect)).await;
        assert_eq!(reply.status, 200, "{pair}: {}", reply.text());
        check(provider, dialect.whole(&good(&reply)), &pair);
    }
}

#[tokio::test]
async fn text_and_system_prompts_arrive() {
    let question = |dialect: Shape| dialect.with_system(dialect.says("ahoy ⛵"), "be a harbour master");
    each("mock", question, |provider, said, pair| {
        let variable = provider.word().to_uppercase();
        let expected = format!(
            "You said: \"ahoy ⛵\". The system prompt is: \"be a harbour master\". \
             — This is Causeway's built-in mock provider. Set {variable}_API_KEY to talk to a real model."
        );
        assert_eq!((said.text.as_str(), said.finish), (expected.as_str(), "stop"), "{pair}");
        assert!(said.calls.is_empty() && said.reasoning.is_empty(), "{pair}: {said:?}");
    })
    .await;
}

#[tokio::test]
async fn tools_are_called() {
    let question = |dialect: Shape| dialect.with_tools(dialect.says("How is the weather?"));
    each("mock", question, |_, said, pair| {
        let arguments = json!({ "city": "x", "unit": "celsius" });
        assert_eq!((said.called(), said.finish), (vec![("get_weather", &arguments)], "tools"), "{pair}");
    })
    .await;
}

#[tokio::test]
async fn several_tools_are_called_at_once() {
    let question = |dialect: Shape| dialect.with_tools(dialect.says("both in parallel"));
    each("mock", question, |_, said, pair| {
        let weather = json!({ "city": "x", "unit": "celsius" });
        let time = json!({ "zone": "y" });
        assert_eq!(said.called(), [("get_weather", &weather), ("get_time", &time)], "{pair}");
        assert!(said.finish == "tools" && said.text.is_empty(), "{pair}: {said:?}");
    })
    .await;
}

#[tokio::test]
async fn pictures_arrive_by_bytes_and_by_address() {
    for (url, seen) in [
        (None, "image/png of 68 bytes"),
        (Some("https://example.com/a/ship.png"), "https://example.com/a/ship.png"),
    ] {
        each(
            "mock",
            |dialect| dialect.shows("look", url),
            |_, said, pair| {
                let expected = format!("You said: \"look\". I see 1 image(s): {seen}.");
                assert!(said.text.starts_with(&expected), "{pair}: {said:?}");
            },
        )
        .await;
    }
}

#[tokio::test]
async fn a_stop_sequence_ends_the_answer() {
    let question = |dialect: Shape| dialect.with_stop(dialect.says("hello"), "built-in");
    each("mock", question, |_, said, pair| {
        assert!(said.text.ends_with("This is Causeway's ") && said.finish == "stop", "{pair}: {said:?}");
    })
    .await;
}

#[tokio::test]
async fn the_most_tokens_end_the_answer() {
    let question = |dialect: Shape| dialect.with_limit(dialect.says("hello"), 3);
    each("mock", question, |_, said, pair| {
        assert_eq!((said.text.as_str(), said.finish), ("You said: \"h", "length"), "{pair}");
        assert_eq!(said.tokens.map(|tokens| tokens.output), Some(3), "{pair}");
    })
    .await;
}

#[tokio::test]
async fn an_answer_has_the_form_that_was_asked_for() {
    let schema = json!({
        "type": "object", "required": ["city", "inhabitants"], "additionalProperties": false,
        "properties": { "city": { "type": "string" }, "inhabitants": { "type": "integer" } },
    });
    let question = |dialect: Shape| dialect.with_schema(dialect.says("tell me"), &schema);
    each("mock", question, |_, said, pair| {
        let answer: Value =
            serde_json::from_str(&said.text).unwrap_or_else(|error| panic!("{pair}: {error}: {said:?}"));
        assert!(answer["city"].is_string() && answer["inhabitants"].is_i64(), "{pair}: {said:?}");
        assert_eq!((said.finish, said.calls.len()), ("stop", 0), "{pair}");
    })
    .await;
}

#[tokio::test]
async fn reasoning_is_shown() {
    let question = |dialect: Shape| dialect.with_reasoning(dialect.says("hello"));
    each("mock-think", question, |_, said, pair| {
        assert!(said.reasoning.contains("A mock has no thoughts"), "{pair}: {said:?}");
        assert!(said.text.starts_with("You said: \"hello\"."), "{pair}: {said:?}");
    })
    .await;
}

#[tokio::test]
async fn a_refusal_is_an_answer() {
    each(
        "mock@finish=refusal",
        |dialect| dialect.says("no"),
        |_, said, pair| {
            // Google has no word for it that leaves the text.
        let told = said.finish == "filter" || (pair.starts_with("gemini") && said.text.starts_with("I cannot help"));
        assert!(told, "{pair}: {said:?}");
        },
    )
    .await;
}

/// Models whose vendors demand their own state back: signatures and reasoning.
const LOOPS: [&str; 3] = ["mock", "mock-think", "mock-gemini-3"];

#[tokio::test]
async fn results_of_tools_go_back_with_what_the_vendor_demands() {
    let mock = upstream::mock();
    let gateway = Gateway::start(&configuration(&upstream::url(&mock))).await;
    let mut wrong = Vec::new();
    for (dialect, provider) in Shape::pairs() {
        for model in LOOPS {
            let asked = format!("{}/{model}", provider.word());
            let question = dialect.with_tools(dialect.says("both in parallel"));
            let question = if model == "mock-think" { dialect.with_reasoning(question) } else { question };
            let answer = good(&gateway.client().ask(dialect, &asked, &question).await);
            let question = dialect.with_results(question, &answer, &["sunny, 21°", "noon"]);
            let reply = gateway.client().ask(dialect, &asked, &question).await;
            let expected =
                "The tool get_weather returned: \"sunny, 21°\". The tool get_time returned: \"noon\".";
            if !(reply.status == 200 && dialect.whole(&good(&reply)).text == expected) {
                wrong.push(format!("{}→{asked}: {} {}", dialect.word(), reply.status, reply.text()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The request the mock got last, sent to it once more without a gateway in between.
async fn once_more(mock: &causeway::mock::Running) -> Reply {
    let request = mock.requests().pop().unwrap();
    let target = if request.query.is_empty() {
        request.path.clone()
    } else {
        format!("{}?{}", request.path, request.query)
    };
    let mut client = Client::new(&mock.address().to_string());
    for name in ["authorization", "x-api-key", "x-goog-api-key", "anthropic-version"] {
        if !request.header(name).is_empty() {
            client = client.with(name, request.header(name));
        }
    }
    client.send("POST", &target, &request.body).await
}

#[tokio::test]
async fn usage_is_what_the_provider_counted() {
    let mock = upstream::mock();
    let gateway = Gateway::start(&configuration(&upstream::url(&mock))).await;
    for (dialect, provider) in Shape::pairs() {
        let questions = [
            ("mock", dialect.with_system(dialect.says("hello, count me"), "be brief")),
            ("mock", dialect.with_tools(dialect.says("both in parallel"))),
            ("mock-think", dialect.with_reasoning(dialect.says("hello, count my thoughts"))),
        ];
        for (model, question) in questions {
            let asked = format!("{}/{model}", provider.word());
            let reply = gateway.client().ask(dialect, &asked, &question).await;
            let told = dialect.whole(&good(&reply)).tokens.unwrap();
            let counted = provider.whole(&good(&once_more(&mock).await)).tokens.unwrap();
            assert_eq!(told, counted, "{}→{asked}", dialect.word());
            let line = gateway.request_line(reply.header("x-request-id")).await;
            assert_eq!(
                (&line["in"], &line["out"]),
                (&json!(counted.input), &json!(counted.output)),
                "{line}"
            );
        }
    }
}

/// Bodies as no writer of ours would write them: spaces, unknown fields, odd numbers, escapes, a model in a nested place.
const ODD: [(Shape, &str); 3] = [
    (
        Shape::OpenAi,
        "{ \"x_unknown\" : {\"model\":\"inner\"},\"model\"\t: \"NAME\" ,\n \"temperature\":1.0e0,\"messages\":[ {\"role\":\"user\",\"content\":\"a\\u00e4 \\/ \\ud83d\\ude00 é\"}], \"seed\":12345678901234567890 }",
    ),
    (
        Shape::Anthropic,
        "{\"max_tokens\":100, \"x\":null, \"temperature\":1.0e0,\n\"messages\":[{\"content\":\"\\u0068i\",\"role\":\"user\"}],\"metadata\":{\"user_id\":\"a\",\"model\":\"m\"} ,\"model\":\"NAME\"}\n",
    ),
    (
        Shape::Gemini,
        " { \"contents\" : [ { \"role\":\"user\" , \"parts\":[{\"text\":\"\\u0068i\"}] } ] , \"model\":\"models/inner\",\"x\":[1.50, -0.0]}",
    ),
];

/// Answers the same way.
const ANSWERS: [(Shape, &str); 3] = [
    (
        Shape::OpenAi,
        "{ \"id\":\"1\",\"object\" : \"chat.completion\", \"odd\":1.50 ,\"model\":\"other-name\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"\\u0068i\"},\"finish_reason\":\"stop\"}],\n\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":2,\"total_tokens\":9}}\n",
    ),
    (
        Shape::Anthropic,
        "{\"type\":\"message\" , \"role\":\"assistant\",\"id\":\"m\",\"odd\":[],\"content\":[{\"type\":\"text\",\"text\":\"\\u0068i\"}],\"stop_reason\":\"end_turn\",\"usage\":{\"input_tokens\":7,\"output_tokens\":2}}",
    ),
    (
        Shape::Gemini,
        "{\n \"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\\u0068i\"}],\"role\":\"model\"},\"finishReason\":\"STOP\"}] ,\"odd\":{}, \"usageMetadata\":{\"promptTokenCount\":7,\"candidatesTokenCount\":2,\"totalTokenCount\":9}}",
    ),
];

#[tokio::test]
async fn the_same_dialect_on_both_sides_leaves_every_byte_but_the_models_name() {
    let scripted = Scripted::start(Vec::new()).await;
    let gateway = Gateway::start(&configuration(&scripted.url())).await;
    for ((shape, odd), (_, answer)) in
        ODD.into_iter().zip(ANSWERS)
    {
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            answer.len()
        );
        scripted.play(vec![Step::send(head), Step::send(answer), Step::Close]);
        let asked = format!("{}/the-model", shape.word());
        let sent = odd.replace("NAME", &asked);
        let client = gateway.client().with_key();
        let reply = client.send("POST", &shape.path(&asked, false), sent.as_bytes()).await;
        assert_eq!(reply.text(), answer, "{shape:?}");
        let request = scripted.requests().pop().unwrap();
        let request = String::from_utf8(request.to_vec()).unwrap();
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        assert_eq!(body, odd.replace("NAME", "the-model"), "{shape:?}");
        assert!(head.contains(&provider_key(shape.word())) && !request.contains(KEY), "{head}");
        let line = gateway.request_line(reply.header("x-request-id")).await;
        assert_eq!(
            (&line["in"], &line["out"], &line["translated"]),
            (&json!(7), &json!(2), &json!(false)),
            "{line}"
        );
    }
}
