//! OpenAI's legacy completions with every provider: passed on where the provider has them, a conversation elsewhere.

use serde_json::{Value, json};

use super::support::client::Reply;
use super::support::gateway::good;
use super::support::upstream::{self, Scripted, Step};
use super::support::{Gateway, Shape, configuration};

async fn ask(gateway: &Gateway, provider: &str, fields: Value) -> Reply {
    let mut body = fields;
    body["model"] = json!(format!("{provider}/mock"));
    gateway.client().with_key().post("/v1/completions", &body).await
}

/// The texts of the choices of a whole answer, after its form was checked.
#[track_caller]
fn texts(answer: &Value) -> Vec<String> {
    assert_eq!(answer["object"], "text_completion", "{answer}");
    assert!(answer["id"].as_str().is_some_and(|id| !id.is_empty()), "{answer}");
    assert!(answer["created"].as_u64().unwrap() > 0, "{answer}");
    let choices = answer["choices"].as_array().unwrap().iter().enumerate();
    choices
        .map(|(index, choice)| {
            assert_eq!(choice["index"], index, "{answer}");
            assert!(choice.get("logprobs").is_some() && choice.get("message").is_none(), "{answer}");
            choice["text"].as_str().unwrap().to_owned()
        })
        .collect()
}

#[tokio::test]
async fn a_prompt_is_completed_whole_and_streamed() {
    let mock = upstream::mock();
    let gateway = Gateway::start(&configuration(&upstream::url(&mock))).await;
    for provider in Shape::ALL {
        let word = provider.word();
        let reply = ask(&gateway, word, json!({ "prompt": "ahoy ⛵", "max_tokens": 4096 })).await;
        let answer = good(&reply);
        let [text] = texts(&answer).try_into().unwrap();
        assert!(text.starts_with("You said: \"ahoy ⛵\"."), "{word}: {text}");
        assert_eq!(answer["choices"][0]["finish_reason"], "stop", "{word}");
        assert!(answer["usage"]["total_tokens"].as_u64().unwrap() > 0, "{word}: {answer}");
        let line = gateway.request_line(reply.header("x-request-id")).await;
        assert_eq!(line["translated"], provider != Shape::OpenAi, "{line}");
        assert_eq!(line["in"], answer["usage"]["prompt_tokens"], "{line}");
        for include_usage in [true, false] {
            let fields = json!({
                "prompt": ["ahoy ⛵"], "max_tokens": 4096, "stream": true,
                "stream_options": { "include_usage": include_usage },
            });
            let reply = ask(&gateway, word, fields).await;
            assert!(reply.status == 200 && reply.complete, "{word}: {}", reply.text());
            let events = reply.events();
            let (last, events) = events.split_last().unwrap();
            assert_eq!(last.data, "[DONE]", "{word}");
            let chunks: Vec<_> = events.iter().map(super::support::sse::Event::json).collect();
            assert!(chunks.iter().all(|chunk| chunk["object"] == "text_completion"), "{word}: {chunks:?}");
            let pieces = chunks.iter().filter_map(|chunk| chunk["choices"][0]["text"].as_str());
            assert_eq!(pieces.collect::<String>(), text, "{word}");
            let usage: Vec<_> = chunks.iter().filter(|chunk| chunk["usage"].is_object()).collect();
            assert_eq!(usage.len(), usize::from(include_usage), "{word}: {chunks:?}");
            for chunk in usage {
                assert_eq!((&chunk["choices"], &chunk["usage"]), (&json!([]), &answer["usage"]), "{word}");
            }
        }
    }
}

#[tokio::test]
async fn settings_arrive_and_an_echo_comes_back() {
    let mock = upstream::mock();
    let gateway = Gateway::start(&configuration(&upstream::url(&mock))).await;
    for provider in Shape::ALL {
        let word = provider.word();
        let cut =
            good(&ask(&gateway, word, json!({ "prompt": "hello", "max_tokens": 3, "echo": true })).await);
        assert_eq!(texts(&cut), ["helloYou said: \"h"], "{word}");
        assert_eq!(cut["choices"][0]["finish_reason"], "length", "{word}");
        let fields = json!({ "prompt": "hello", "stop": "built-in", "max_tokens": 4096, "temperature": 0 });
        let stopped = good(&ask(&gateway, word, fields).await);
        assert!(texts(&stopped)[0].ends_with("This is Causeway's "), "{word}: {stopped}");
        if provider != Shape::Anthropic {
            let twice = good(&ask(&gateway, word, json!({ "prompt": "hello", "n": 2 })).await);
            assert_eq!(texts(&twice).len(), 2, "{word}");
        }
    }
}

#[tokio::test]
async fn what_a_chat_cannot_do_goes_where_it_can_be_done() {
    let mock = upstream::mock();
    let both = "[models.both]\ntargets = [\"anthropic/mock\"]\nfallback = [\"openai/mock\"]\n";
    let gateway = Gateway::start(&(configuration(&upstream::url(&mock)) + both)).await;
    for (fields, param) in [
        (json!({ "prompt": ["a", "b"] }), "prompt[1]"),
        (json!({ "prompt": [1, 2, 3] }), "prompt[0]"),
        (json!({ "prompt": "a", "suffix": "b" }), "suffix"),
        (json!({ "prompt": "a", "best_of": 2 }), "best_of"),
    ] {
        let reply = ask(&gateway, "gemini", fields.clone()).await;
        assert_eq!(reply.status, 400, "{fields}: {}", reply.text());
        assert_eq!(reply.json()["error"]["param"], param, "{fields}");
        assert_eq!(texts(&good(&ask(&gateway, "openai", fields.clone()).await)).len(), 1, "{fields}");
        let mut body = fields;
        body["model"] = json!("both");
        let reply = gateway.client().with_key().post("/v1/completions", &body).await;
        texts(&good(&reply));
        assert_eq!(reply.header("x-causeway-model"), "openai/mock", "{body}");
    }
}

#[tokio::test]
async fn a_provider_that_has_them_gets_every_byte() {
    let scripted = Scripted::start(Vec::new()).await;
    let gateway = Gateway::start(&configuration(&scripted.url())).await;
    let answer = "{ \"id\":\"c\",\"object\" : \"text_completion\",\"odd\":1.50,\"choices\":[{\"text\":\"\\u0068i\",\"index\":0,\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":2,\"total_tokens\":9}}\n";
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        answer.len()
    );
    scripted.play(vec![Step::send(head), Step::send(answer), Step::Close]);
    let odd = "{ \"prompt\" : [[1,2],[3]] ,\n\"model\":\"NAME\",\"suffix\":\"\\u0068\", \"x\":1.0e0}";
    let client = gateway.client().with_key();
    let reply = client.send("POST", "/completions", odd.replace("NAME", "openai/davinci").as_bytes()).await;
    assert_eq!(reply.text(), answer);
    let request = String::from_utf8(scripted.requests().pop().unwrap().to_vec()).unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, odd.replace("NAME", "davinci"));
    assert!(head.starts_with("POST /v1/completions HTTP/1.1"), "{head}");
    let line = gateway.request_line(reply.header("x-request-id")).await;
    assert_eq!((&line["in"], &line["out"]), (&json!(7), &json!(2)), "{line}");
}

#[tokio::test]
async fn what_goes_wrong_is_told_as_openai_does() {
    let mock = upstream::mock();
    let gateway = Gateway::start(&configuration(&upstream::url(&mock))).await;
    for provider in Shape::ALL {
        let word = provider.word();
        for (model, status) in [("unknown", 404), ("mock@fault=status:429", 429), ("mock@fault=garbage", 502)]
        {
            let body = json!({ "model": format!("{word}/{model}"), "prompt": "hi" });
            let reply = gateway.client().with_key().post("/v1/completions", &body).await;
            assert_eq!(reply.status, status, "{word} {model}: {}", reply.text());
            Shape::OpenAi.error(&reply.json());
        }
        let body =
            json!({ "model": format!("{word}/mock@chunks=9@fault=cut:5"), "prompt": "hi", "stream": true });
        let reply = gateway.client().with_key().post("/v1/completions", &body).await;
        assert!(reply.status == 200 && !reply.complete, "{word}: {}", reply.text());
        let events = reply.events();
        assert!(!events.iter().any(|event| event.data == "[DONE]"), "{word}: {}", reply.text());
        Shape::OpenAi.error(&events.last().unwrap().json());
    }
    let reply =
        gateway.client().post("/v1/completions", &json!({ "model": "openai/mock", "prompt": "hi" })).await;
    assert_eq!(reply.status, 401);
    Shape::OpenAi.error(&reply.json());
}
