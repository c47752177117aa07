//! Nine pairs, streamed: the same as whole, whatever the network does to the bytes in between.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::support::gateway::good;
use super::support::said::Said;
use super::support::upstream::{self, Scripted, Step};
use super::support::{Gateway, Shape, configuration, in_path, until};

pub(crate) mod cut;
mod leave;

/// What was said, without what differs from answer to answer.
fn said(said: &Said) -> Value {
    json!([
        said.text,
        said.reasoning,
        said.called(),
        said.finish,
        said.tokens.map(|tokens| (tokens.input, tokens.output))
    ])
}

#[tokio::test]
async fn a_streamed_answer_says_what_the_whole_one_says() {
    let mock = upstream::mock();
    let gateway = Gateway::start(&configuration(&upstream::url(&mock))).await;
    for (dialect, provider) in Shape::pairs() {
        let questions = [
            ("mock", dialect.with_system(dialect.says("hello ⛵"), "be brief")),
            ("mock", dialect.with_tools(dialect.says("How is the weather?"))),
            ("mock", dialect.with_tools(dialect.says("both in parallel"))),
            ("mock", dialect.with_limit(dialect.says("hello"), 3)),
            ("mock", dialect.with_stop(dialect.says("hello"), "built-in")),
            ("mock-think", dialect.with_reasoning(dialect.says("hello"))),
            ("mock@finish=refusal", dialect.says("no")),
            ("mock@text=%F0%9F%A6%80%C3%A9x", dialect.says("crabs")),
        ];
        for (model, question) in questions {
            let asked = format!("{}/{model}", provider.word());
            let case = format!("{}→{asked}", dialect.word());
            let whole = gateway.client().ask(dialect, &asked, &question).await;
            assert_eq!(whole.status, 200, "{case}: {}", whole.text());
            let whole = dialect.whole(&good(&whole));
            let stream = gateway.client().stream(dialect, &asked, &question).await.rest().await;
            assert!(stream.status == 200 && stream.complete, "{case}: {}", stream.text());
            assert_eq!(stream.header("content-type"), "text/event-stream", "{case}");
            assert_eq!(said(&dialect.streamed(&stream.events())), said(&whole), "{case}");
        }
    }
}

#[tokio::test]
async fn a_gemini_client_may_have_its_stream_as_one_array() {
    let mock = upstream::mock();
    let gateway = Gateway::start(&configuration(&upstream::url(&mock))).await;
    for provider in Shape::ALL {
        let model = format!("{}/mock", provider.word());
        let path = format!("/v1beta/models/{}:streamGenerateContent", in_path(&model));
        let question = Shape::Gemini.with_tools(Shape::Gemini.says("both in parallel"));
        let whole = good(&gateway.client().ask(Shape::Gemini, &model, &question).await);
        let reply = gateway.client().with_key().post(&path, &question).await;
        assert!(
            reply.header("content-type").starts_with("application/json"),
            "{provider:?}: {:?}",
            reply.headers
        );
        assert_eq!(said(&array(&good(&reply))), said(&Shape::Gemini.whole(&whole)), "{provider:?}");

        let cut = format!("{}/mock@fault=cut:5", provider.word());
        let path = format!("/v1beta/models/{}:streamGenerateContent", in_path(&cut));
        let reply = gateway.client().with_key().post(&path, &Shape::Gemini.says("hello")).await;
        assert!(reply.status == 200 && !reply.complete, "{provider:?}: {}", reply.text());
        let elements = reply.json();
        let (last, before) = elements.as_array().unwrap().split_last().unwrap();
        Shape::Gemini.error(last);
        assert!(!before.is_empty(), "{provider:?}: {elements}");
        assert!(
            before.iter().all(|chunk| chunk["candidates"][0]["finishReason"].is_null()),
            "{provider:?}: {elements}"
        );
    }
}

/// The elements of an array as the events of a stream.
fn array(elements: &Value) -> Said {
    let events = elements
        .as_array()
        .unwrap()
        .iter()
        .map(|chunk| super::support::sse::Event { name: String::new(), data: chunk.to_string() });
    Shape::Gemini.streamed(&events.collect::<Vec<_>>())
}

/// A short answer of each vendor, as it comes over the wire: comments, carriage returns, pings and characters of
/// several bytes included.
const SHORT: [(Shape, &str); 3] = [
    (
        Shape::OpenAi,
        ": hi\n\ndata: {\"id\":\"1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"é\"}}]}\r\n\r\ndata:{\"id\":\"1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"🦀\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
    ),
    (
        Shape::Anthropic,
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"type\":\"message\",\"role\":\"assistant\",\"id\":\"1\",\"model\":\"m\",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{\"input_tokens\":1,\"output_tokens\":1}}}\n\nevent: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}      }\n\nevent: ping\ndata: {\"type\":\"ping\"}\n\nevent: content_block_delta\r\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"é🦀\"}}\r\n\r\nevent: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\nevent: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},\"usage\":{\"output_tokens\":2}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
    ),
    (
        Shape::Gemini,
        "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"é\"}],\"role\":\"model\"}}],\"modelVersion\":\"m\"}\r\n\r\ndata: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"🦀\"}],\"role\":\"model\"},\"finishReason\":\"STOP\"}],\"usageMetadata\":{\"promptTokenCount\":1,\"candidatesTokenCount\":2,\"totalTokenCount\":3},\"modelVersion\":\"m\"}\r\n\r\n",
    ),
];

#[tokio::test]
async fn events_cut_at_every_byte_are_the_same_answer() {
    for (provider, stream) in SHORT {
        let scripted = Scripted::start(Vec::new()).await;
        let gateway = Gateway::start(&configuration(&scripted.url())).await;
        let model = format!("{}/m", provider.word());
        for dialect in Shape::ALL {
            for at in 0..stream.len() {
                let (one, other) = stream.as_bytes().split_at(at);
                scripted.play(vec![
                    Step::send([upstream::chunked_head().as_bytes(), &upstream::chunk(one)[..]].concat()),
                    Step::Wait(Duration::from_millis(1)),
                    Step::send([&upstream::chunk(other)[..], b"0\r\n\r\n"].concat()),
                    Step::Close,
                ]);
                if one.is_empty() {
                    scripted.play(vec![
                        Step::send(upstream::chunked_head()),
                        Step::send([&upstream::chunk(other)[..], b"0\r\n\r\n"].concat()),
                    ]);
                }
                let reply = gateway.client().stream(dialect, &model, &dialect.says("x")).await.rest().await;
                let case = format!("{}→{} at {at}", dialect.word(), provider.word());
                assert!(reply.status == 200 && reply.complete, "{case}: {}", reply.text());
                let streamed = dialect.streamed(&reply.events());
                assert_eq!((streamed.text.as_str(), streamed.finish), ("é🦀", "stop"), "{case}");
            }
        }
    }
}

#[tokio::test]
async fn a_trickle_of_single_bytes_is_the_same_answer() {
    let mock = upstream::mock();
    let gateway = Gateway::start(&configuration(&upstream::url(&mock))).await;
    for (dialect, provider) in Shape::pairs() {
        let questions = [
            dialect.with_reasoning(dialect.says("hello ⛵")),
            dialect.with_tools(dialect.says("both in parallel ⛵")),
        ];
        for question in questions {
            let ask = async |fault: &str| {
                let asked = format!("{}/mock-think@chunks=3{fault}", provider.word());
                let reply = gateway.client().stream(dialect, &asked, &question).await.rest().await;
                assert!(reply.status == 200 && reply.complete, "{dialect:?}→{provider:?}: {}", reply.text());
                said(&dialect.streamed(&reply.events()))
            };
            assert_eq!(ask("@fault=trickle:1").await, ask("").await, "{dialect:?}→{provider:?}");
        }
    }
}

#[tokio::test]
async fn a_slow_client_slows_the_provider_and_gets_everything() {
    /// More than all buffers between the mock and the client hold.
    const PIECES: usize = 1000;
    const PIECE: usize = 40_000;
    let mock = upstream::mock();
    let gateway = Gateway::start(&configuration(&upstream::url(&mock))).await;
    let model = format!("openai/mock@chunks={PIECES}@piece={PIECE}");
    let open = gateway.client().stream(Shape::OpenAi, &model, &Shape::OpenAi.says("hello")).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!mock.requests()[0].finished, "the gateway took everything although the client took nothing");
    let reply = open.rest().await;
    assert!(reply.complete && mock.requests()[0].finished);
    assert!(reply.body.len() > PIECES * PIECE && reply.body.ends_with(b"data: [DONE]\n\n"));
}

#[tokio::test]
async fn silence_ends_a_stream_with_an_error() {
    let mock = upstream::mock();
    let timeouts = "[server.timeouts]\nidle = \"300ms\"\n";
    let gateway = Gateway::start(&[timeouts, &configuration(&upstream::url(&mock))].concat()).await;
    for (dialect, provider) in Shape::pairs() {
        let model = format!("{}/mock@fault=hang:3", provider.word());
        let reply = gateway.client().stream(dialect, &model, &dialect.says("hello")).await.rest().await;
        cut::failed(dialect, &reply, &model);
        until("the upstream is left", || mock.requests().iter().all(causeway::mock::Received::aborted)).await;
    }
}

#[tokio::test]
async fn a_stream_that_takes_too_long_ends_with_an_error() {
    let mock = upstream::mock();
    let timeouts = "[server.timeouts]\ntotal = \"600ms\"\n";
    let gateway = Gateway::start(&[timeouts, &configuration(&upstream::url(&mock))].concat()).await;
    for (dialect, provider) in Shape::pairs() {
        let model = format!("{}/mock@rate=20@chunks=1000", provider.word());
        let start = Instant::now();
        let reply = gateway.client().stream(dialect, &model, &dialect.says("hello")).await.rest().await;
        cut::failed(dialect, &reply, &model);
        assert!(start.elapsed() > Duration::from_millis(500), "{model}");
    }
    // A whole answer that does not come in time is an error from the start.
    for (dialect, provider) in Shape::pairs() {
        let model = format!("{}/mock@fault=hang", provider.word());
        let reply = gateway.client().ask(dialect, &model, &dialect.says("hello")).await;
        assert_eq!(reply.status, 504, "{model}: {}", reply.text());
        dialect.error(&reply.json());
    }
}
