//! Once the client has got a byte there is no other target: an error event, and never a success terminator.

use std::time::{Duration, Instant};

use super::{PLUGINS, plugins};
use crate::support::sse::Event;
use crate::support::upstream::{Scripted, Step, chunk, chunked_head};
use crate::support::{Gateway, KEY, Shape, provider};

/// Place, mode.
const CASES: [(&str, &str); 12] = [
    ("push", "loop"),
    ("push", "memory"),
    ("push", "trap"),
    ("push", "recursion"),
    ("push", "realloc"),
    ("push", "nonsense"),
    ("push", "unclosed"),
    ("push", "shapeless"),
    ("push", "braces"),
    ("push", "losses"),
    ("push", "failed"),
    ("push", "open"),
];

fn configuration(upstream: &str) -> String {
    let mut text = format!("[keys.tests]\nsecret = \"{KEY}\"\n{}", plugins());
    for plugin in PLUGINS {
        for (place, mode) in CASES.iter().chain(&LATE) {
            let after = u8::from(*place == "push");
            text.push_str(&format!(
                "[providers.{plugin}-{place}-{mode}]\nplugin = \"{plugin}\"\nurl = \"{upstream}\"\nkeys = [\"k\"]\n\
                 options = {{ mode = \"{mode}\", in = \"{place}\", after = {after} }}\n\
                 [models.{plugin}-{place}-{mode}]\ntargets = [\"{plugin}-{place}-{mode}/m\"]\n"
            ));
        }
    }
    text
}

fn event(delta: &str, finish: &str) -> String {
    format!(
        "data: {{\"id\":\"x\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":\
         [{{\"index\":0,\"delta\":{delta},\"finish_reason\":{finish}}}]}}\n\n"
    )
}

/// A good stream in two slices with a pause between, so that the first is with the client before the second comes.
fn script() -> Vec<Step> {
    let first = event("{\"role\":\"assistant\",\"content\":\"one\"}", "null");
    let second = event("{\"content\":\" two\"}", "null") + &event("{}", "\"stop\"") + "data: [DONE]\n\n";
    vec![
        Step::send(chunked_head()),
        Step::Send(chunk(first.as_bytes())),
        Step::Wait(Duration::from_millis(100)),
        Step::Send(chunk(second.as_bytes())),
        Step::Send(chunk(b"")),
    ]
}

#[tokio::test]
async fn the_client_gets_an_error_event_and_no_terminator() {
    let upstream = Scripted::start(script()).await;
    let gateway = Gateway::start(&configuration(&upstream.url())).await;
    let mut wrong = Vec::new();
    for plugin in PLUGINS {
        for (place, mode) in CASES {
            for dialect in Shape::ALL {
                let model = format!("{plugin}-{place}-{mode}");
                let reply =
                    gateway.client().stream(dialect, &model, &dialect.says("hello")).await.rest().await;
                let (text, events) = (reply.text(), reply.events());
                let last = events.last().map(Event::json).unwrap_or_default();
                let good = reply.status == 200
                    && text.contains("one")
                    && !reply.complete
                    && !dialect.is_ended(&events)
                    && last["error"].is_object();
                if good {
                    dialect.error(&last);
                } else {
                    wrong.push(format!("{model} {dialect:?} complete={}: {text}", reply.complete));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} cases\n{}", wrong.len(), wrong.join("\n"));
}

/// After its own good end an adapter can do nothing any more.
const LATE: [(&str, &str); 5] = [
    ("finish", "trap"),
    ("finish", "loop"),
    ("finish", "nonsense"),
    ("finish", "failed"),
    ("finish", "twice"),
];

#[tokio::test]
async fn a_complete_answer_stays_complete() {
    let upstream = Scripted::start(script()).await;
    let gateway = Gateway::start(&configuration(&upstream.url())).await;
    let mut wrong = Vec::new();
    for plugin in PLUGINS {
        for (place, mode) in LATE {
            for dialect in Shape::ALL {
                let model = format!("{plugin}-{place}-{mode}");
                let reply =
                    gateway.client().stream(dialect, &model, &dialect.says("hello")).await.rest().await;
                if !reply.complete || reply.text().contains("error") {
                    wrong.push(format!("{model} {dialect:?} complete={}: {}", reply.complete, reply.text()));
                    continue;
                }
                assert_eq!(dialect.streamed(&reply.events()).text, "one two", "{model} {dialect:?}");
            }
        }
    }
    assert!(wrong.is_empty(), "{} cases\n{}", wrong.len(), wrong.join("\n"));
}

/// What the provider's connection does after the end of an answer is not the client's business: it may hang, it may break.
#[tokio::test]
async fn a_connection_that_does_not_end_well_breaks_nothing() {
    let upstream = Scripted::start(Vec::new()).await;
    let native = provider("openai", Shape::OpenAi, &upstream.url());
    let honest =
        format!("[providers.honest]\nplugin = \"stranger\"\nurl = \"{}\"\nkeys = [\"k\"]\n", upstream.url());
    let models = "[models.translated]\ntargets = [\"honest/m\"]\n[models.passed]\ntargets = [\"openai/m\"]\n";
    let keys = format!("[keys.tests]\nsecret = \"{KEY}\"\n");
    let gateway = Gateway::start(&format!("{keys}{}{native}{honest}{models}", plugins())).await;
    for last in [Step::Hang, Step::Reset, Step::Close, Step::send("zz\r\nnonsense")] {
        let mut steps = script();
        steps.truncate(4);
        // The end is read before the connection breaks.
        steps.extend([Step::Wait(Duration::from_millis(100)), last.clone()]);
        upstream.play(steps);
        for (model, dialect) in
            [("passed", Shape::OpenAi), ("translated", Shape::OpenAi), ("translated", Shape::Anthropic)]
        {
            let began = Instant::now();
            let reply = gateway.client().stream(dialect, model, &dialect.says("hello")).await.rest().await;
            assert!(reply.status == 200 && reply.complete, "{model} {last:?}: {}", reply.text());
            assert_eq!(dialect.streamed(&reply.events()).text, "one two", "{model} {dialect:?} {last:?}");
            assert!(began.elapsed() < Duration::from_secs(10), "{model} {last:?} took {:?}", began.elapsed());
        }
    }
}
