//! Requests that run are listed, and end by hand.

use serde_json::Value;

use super::{code, start, told};
use crate::support::{Gateway, PATIENCE, Shape};

/// The only request that is running, once it is known what it is.
async fn only(gateway: &Gateway) -> Value {
    let looking = async {
        loop {
            let running = told(&gateway.admin().get("/admin/api/requests/running").await, 200);
            match running["requests"].as_array().unwrap().as_slice() {
                [one] if one["model"] != "" => return one.clone(),
                _ => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
            }
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.expect("it is listed")
}

fn cancel(request: &Value) -> String {
    format!("/admin/api/requests/running/{}/cancel", request["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_stream_that_is_cancelled_ends_with_an_error_and_is_recorded_as_such() {
    let (_mock, gateway) = start("").await;
    for dialect in Shape::ALL {
        let model = "openai/mock@rate=20@chunks=2000";
        let mut open = gateway.client().stream(dialect, model, &dialect.says("hello")).await;
        assert!(open.event().await.is_some());
        let request = only(&gateway).await;
        assert_eq!((&request["key"], &request["stream"]), (&"tests".into(), &true.into()), "{request}");
        told(&gateway.admin().send("POST", &cancel(&request), b"").await, 200);
        let request_id = open.header("x-request-id").to_owned();
        let rest = open.rest().await;
        assert!(!rest.complete && rest.text().contains("cancelled"), "{dialect:?}: {}", rest.text());
        let line = gateway.request_line(&request_id).await;
        assert_eq!((&line["error_kind"], &line["status"]), (&"cancelled".into(), &499.into()), "{line}");
        assert!(line["out"].as_u64().is_some_and(|tokens| tokens < 2000), "{line}");
        assert_eq!(code(&gateway.admin().send("POST", &cancel(&request), b"").await, 404), "not_found");
    }
    assert_eq!(gateway.metric("causeway_inflight", &[]).await, 0.0);
}

#[tokio::test]
async fn a_request_without_an_answer_yet_is_told_that_it_was_cancelled() {
    let (_mock, gateway) = start("").await;
    let client = gateway.client();
    let asking = tokio::spawn(async move {
        client.ask(Shape::OpenAi, "openai/mock@first-token=60s", &Shape::OpenAi.says("hello")).await
    });
    let request = only(&gateway).await;
    told(&gateway.admin().send("POST", &cancel(&request), b"").await, 200);
    let reply = asking.await.unwrap();
    assert_eq!(reply.status, 499, "{}", reply.text());
    assert_eq!(reply.json()["error"]["code"], "cancelled", "{}", reply.text());
    let line = gateway.request_line(reply.header("x-request-id")).await;
    assert_eq!(line["error_kind"], "cancelled", "{line}");
}

#[tokio::test]
async fn a_request_that_is_not_there_cannot_be_cancelled() {
    let (_mock, gateway) = start("").await;
    for id in ["0", "ffffffff", "nothing", "-1"] {
        let path = format!("/admin/api/requests/running/{id}/cancel");
        assert_eq!(code(&gateway.admin().send("POST", &path, b"").await, 404), "not_found", "{id}");
    }
}
