//! Bytes that pass through untouched, and what is put around them.

use serde_json::json;

use super::{asks, configuration, converse, says};
use crate::support::upstream::{Scripted, Step};
use crate::support::{Gateway, in_path};

const ANSWER: &str = "{ \"output\":{\"message\":{\"role\":\"assistant\",\"content\":[{\"text\":\"\\u0068i\"}]}} , \"odd\":1.50,\"stopReason\":\"end_turn\",\n\"usage\":{\"inputTokens\":4,\"cacheReadInputTokens\":3,\"outputTokens\":2,\"totalTokens\":9},\"metrics\":{\"latencyMs\":1}}\n";
const COHERES: &str = "{\"id\":\"1\" ,\"odd\":[],\"message\":{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"\\u0068i\"}]},\"finish_reason\":\"COMPLETE\",\"usage\":{\"tokens\":{\"input_tokens\":7.0,\"output_tokens\":2.0}}}";

fn head(answer: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", answer.len())
}

async fn asked(scripted: &Scripted, gateway: &Gateway, path: &str, body: &str) -> (String, String, String) {
    let reply = gateway.client().with_key().send("POST", path, body.as_bytes()).await;
    let line = gateway.request_line(reply.header("x-request-id")).await;
    assert_eq!(
        (&line["in"], &line["out"], &line["translated"]),
        (&json!(7), &json!(2), &json!(false)),
        "{line}"
    );
    let request = String::from_utf8(scripted.requests().pop().unwrap().to_vec()).unwrap();
    let (head, sent) = request.split_once("\r\n\r\n").unwrap();
    (reply.text(), head.to_owned(), sent.to_owned())
}

#[tokio::test]
async fn converse_leaves_every_byte_and_escapes_the_model_as_aws_wants_it() {
    let scripted = Scripted::start(Vec::new()).await;
    let gateway = Gateway::start(&configuration(&scripted.url())).await;
    let arn = "arn:aws:bedrock:eu-central-1:1:inference-profile/eu.anthropic.claude-v1:0";
    let body = " { \"messages\" : [ {\"role\":\"user\",\"content\":[{\"text\":\"\\u0068i\"}]} ], \"odd\":[1.50, -0.0] }\n";
    for (provider, credential) in [
        ("bedrock", "authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"),
        ("keyed", "authorization: Bearer sk-bedrock"),
    ] {
        for prefix in ["", "/bedrock"] {
            scripted.play(vec![Step::send(head(ANSWER)), Step::send(ANSWER), Step::Close]);
            let path = format!("{prefix}{}", converse(&format!("{provider}/{arn}"), false));
            let (answer, head, sent) = asked(&scripted, &gateway, &path, body).await;
            assert_eq!((answer.as_str(), sent.as_str()), (ANSWER, body), "{path}");
            let line = format!("POST /model/{}/converse HTTP/1.1\r\n", in_path(arn));
            assert!(
                head.starts_with(&line) && line.contains("eu-central-1%3A1%3Ainference-profile%2Feu."),
                "{head}"
            );
            assert!(head.to_ascii_lowercase().contains(&credential.to_ascii_lowercase()), "{head}");
        }
    }
}

#[tokio::test]
async fn coheres_chat_leaves_every_byte_but_the_models_name() {
    let scripted = Scripted::start(Vec::new()).await;
    for version in ["", "/v1", "/v2/"] {
        let gateway = Gateway::start(&configuration(&format!("{}{version}", scripted.url()))).await;
        scripted.play(vec![Step::send(head(COHERES)), Step::send(COHERES), Step::Close]);
        let body = "{ \"messages\":[{\"role\":\"user\",\"content\":\"\\u0068i\"}],\"odd\":1.50 ,\"model\" : \"NAME\" }";
        let named = body.replace("NAME", "cohere/command");
        let (answer, head, sent) = asked(&scripted, &gateway, "/v2/chat", &named).await;
        assert_eq!((answer.as_str(), sent), (COHERES, body.replace("NAME", "command")));
        assert!(head.starts_with("POST /v2/chat HTTP/1.1\r\n"), "{head}");
        assert!(head.contains("Bearer sk-1"), "{head}");
    }
}

#[tokio::test]
async fn a_translated_request_asks_version_two_as_well() {
    let scripted = Scripted::start(Vec::new()).await;
    let gateway = Gateway::start(&configuration(&format!("{}/v1", scripted.url()))).await;
    scripted.play(vec![Step::send(head(COHERES)), Step::send(COHERES), Step::Close]);
    let reply = gateway.client().with_key().post(&converse("cohere/command", false), &says("hi")).await;
    assert_eq!(reply.json()["output"]["message"]["content"], json!([{ "text": "hi" }]));
    let request = scripted.requests().pop().unwrap();
    assert!(request.starts_with(b"POST /v2/chat HTTP/1.1\r\n"));
}

#[tokio::test]
async fn a_stream_of_another_kind_is_not_passed_on() {
    let scripted = Scripted::start(Vec::new()).await;
    let gateway = Gateway::start(&configuration(&scripted.url())).await;
    let page = "<html>502</html>";
    let head =
        format!("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\n\r\n", page.len());
    scripted.play(vec![Step::send(head), Step::send(page), Step::Close]);
    let client = gateway.client().with_key();
    let reply = client.post(&converse("bedrock/m", true), &says("hi")).await;
    assert_eq!((reply.status, reply.header("x-amzn-errortype")), (424, "ModelErrorException"));
    let reply = client.post("/v2/chat", &asks("cohere/m", "hi", true)).await;
    assert_eq!(reply.status, 502);
}
