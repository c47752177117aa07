//! Ollama on both sides: every byte but the model's name stays.

use serde_json::json;

use super::gateway;
use crate::support::upstream::{Scripted, Step, chunk};
use crate::support::{KEY, provider_key};

/// Bodies as no writer of ours would write them.
const ODD: [(&str, &str); 2] = [
    (
        "/api/chat",
        "{ \"x_unknown\" : {\"model\":\"inner\"},\"model\"\t: \"NAME\" ,\n \"options\":{\"temperature\":1.0e0,\"mirostat\":2},\"messages\":[ {\"role\":\"user\",\"content\":\"a\\u00e4 \\/ é\"}]STREAM }",
    ),
    (
        "/api/generate",
        "{\"prompt\":\"\\u0068i\",\"raw\":true ,\"context\":[1,2],\n\"model\":\"NAME\"STREAM}\n",
    ),
];

const WHOLE: &str = "{ \"model\":\"other\",\"odd\" : 1.50,\"message\":{\"role\":\"assistant\",\"content\":\"\\u0068i\"},\"response\":\"\\u0068i\",\"done\": true,\"done_reason\":\"stop\",\"prompt_eval_count\":7,\"eval_count\":2}\n";

const LINES: &str = "{ \"model\":\"other\",\"message\":{\"content\":\"\\u0068i\"},\"response\":\"\\u0068i\",\"done\":false}\r\n{\"done\" : true,\"prompt_eval_count\":7,\"eval_count\":2}\n";

fn head(kind: &str, framing: &str) -> Step {
    Step::send(format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\n{framing}\r\n\r\n"))
}

#[tokio::test]
async fn both_ways_stay_as_they_are() {
    let scripted = Scripted::start(Vec::new()).await;
    let gateway = gateway(&scripted.url()).await;
    for (path, odd) in ODD {
        for (stream, answer) in [(false, WHOLE), (true, LINES)] {
            scripted.play(if stream {
                let body = chunk(answer.as_bytes());
                vec![
                    head("application/x-ndjson", "transfer-encoding: chunked"),
                    Step::Send(body),
                    Step::send("0\r\n\r\n"),
                    Step::Close,
                ]
            } else {
                let length = format!("content-length: {}", answer.len());
                vec![head("application/json; charset=utf-8", &length), Step::send(answer), Step::Close]
            });
            // Nothing said about it is a stream.
            let odd = odd.replace("STREAM", if stream { "" } else { ", \"stream\" :false" });
            let client = gateway.client().with_key();
            let reply = client.send("POST", path, odd.replace("NAME", "ollama/m:1b").as_bytes()).await;
            assert_eq!(reply.text(), answer, "{path}, streamed: {stream}");
            let request = String::from_utf8(scripted.requests().pop().unwrap().to_vec()).unwrap();
            let (head, body) = request.split_once("\r\n\r\n").unwrap();
            assert_eq!(body, odd.replace("NAME", "m:1b"), "{path}, streamed: {stream}");
            // The provider's URL ends in `/v1`, which is not where Ollama's own API is.
            assert!(head.starts_with(&format!("POST {path} HTTP/1.1")), "{head}");
            assert!(head.contains(&provider_key("ollama")) && !request.contains(KEY), "{head}");
            let line = gateway.request_line(reply.header("x-request-id")).await;
            assert_eq!(
                (&line["in"], &line["out"], &line["translated"]),
                (&json!(7), &json!(2), &json!(false)),
                "{line}"
            );
        }
    }
}

#[tokio::test]
async fn a_stream_of_another_kind_or_an_error_in_it_is_no_answer() {
    let scripted = Scripted::start(Vec::new()).await;
    let gateway = gateway(&scripted.url()).await;
    let body = json!({ "model": "ollama/m", "messages": [{ "role": "user", "content": "hi" }] });
    for (kind, answer, status) in [
        ("text/event-stream", "data: {}\n\n", 502),
        ("application/x-ndjson", "{\"error\":\"server busy, please try again\"}\n", 503),
        ("application/x-ndjson", "not JSON\n", 502),
        ("application/x-ndjson", "", 502),
    ] {
        let length = format!("content-length: {}", answer.len());
        scripted.play(vec![head(kind, &length), Step::send(answer), Step::Close]);
        let reply = gateway.client().with_key().post("/api/chat", &body).await;
        assert_eq!(reply.status, status, "{answer:?}: {}", reply.text());
        assert!(reply.json()["error"].is_string(), "{}", reply.text());
    }
}
