//! Cases 39 and 40 through the real binary: connections that end, clients that leave, streams side by side.

use serde_json::json;

use crate::support::upstream::{Scripted, Step, stream_head};
use crate::support::{Gateway, Shape, configuration, provider_key, until, upstream};

#[tokio::test]
async fn case_39_a_cut_connection_is_an_error_to_the_client() {
    let opening = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"c\",\"content\":[],\"stop_reason\":null,\"usage\":{\"input_tokens\":1,\"output_tokens\":1}}}\n\nevent: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\nevent: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"half an ans\"}}\n\n";
    let half = vec![Step::send(stream_head()), Step::send(opening), Step::Close];
    let upstream = Scripted::start(half).await;
    let gateway = Gateway::start(&configuration(&upstream.url())).await;
    for dialect in Shape::ALL {
        let reply =
            gateway.client().stream(dialect, "anthropic/claude", &dialect.says("hello")).await.rest().await;
        let text = reply.text();
        assert!(reply.status == 200 && text.contains("half an ans"), "{dialect:?}: {text}");
        assert!(
            !text.contains("[DONE]") && !text.contains("message_stop") && !text.contains("\"STOP\""),
            "{dialect:?}: {text}"
        );
        assert!(text.contains("error"), "{dialect:?}: {text}");
        assert!(!text.contains(&provider_key("anthropic")), "{dialect:?}: {text}");
    }
}

#[tokio::test]
async fn case_40_a_client_that_leaves_cancels_its_provider_and_streams_side_by_side_do_not_mix() {
    let mock = upstream::mock();
    let gateway = Gateway::start(&configuration(&upstream::url(&mock))).await;
    let mut open = gateway
        .client()
        .stream(Shape::OpenAi, "anthropic/mock@rate=20@chunks=1000", &Shape::OpenAi.says("hello"))
        .await;
    assert!(open.event().await.is_some());
    drop(open);
    until("the provider is left", || mock.requests().iter().all(|request| request.aborted())).await;

    let asking: Vec<_> = (0..24)
        .map(|number| {
            let (dialect, provider) = Shape::pairs().nth(number % 9).unwrap();
            let client = gateway.client();
            let word = format!("only-{number}-mine");
            tokio::spawn(async move {
                let model = format!("{}/mock@text={word}-{word}-{word}", provider.word());
                let reply = client.stream(dialect, &model, &dialect.says("hello")).await.rest().await;
                (word, dialect.streamed(&reply.events()).text, reply.status)
            })
        })
        .collect();
    for task in asking {
        let (word, text, status) = task.await.unwrap();
        assert_eq!((status, json!(text)), (200, json!(format!("{word}-{word}-{word}"))));
    }
}
