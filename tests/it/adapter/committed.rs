//! Once the client has got a byte there is no other target: an error event, and never a success terminator.

use std::time::Duration;

use super::{PLUGINS, plugins};
use crate::support::upstream::{Scripted, Step, chunk, chunked_head};
use crate::support::{Gateway, KEY, Shape};

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
        Step::Wait(Duration::from_secs(1)),
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
                let last = events.last().map(super::super::support::sse::Event::json).unwrap_or_default();
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
