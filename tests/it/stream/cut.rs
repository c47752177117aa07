//! A provider that dies in the middle: an error in the client's own form, and never a success terminator.

use super::SHORT;
use crate::support::client::Reply;
use crate::support::upstream::{self, Scripted, Step};
use crate::support::{Gateway, Shape, configuration, steady};

/// Holds a failed stream to what every dialect promises, and gives back what was said before.
#[track_caller]
pub(crate) fn failed(dialect: Shape, reply: &Reply, case: &str) -> String {
    let case = format!("{}→{case}: {} {}", dialect.word(), reply.status, reply.text());
    if reply.status != 200 {
        // Nothing had been sent yet.
        assert!(reply.status >= 500 && reply.complete, "{case}");
        dialect.error(&reply.json());
        assert_eq!(dialect.request_id(&reply.json()), reply.header("x-request-id"), "{case}");
        return String::new();
    }
    assert!(!reply.complete, "a body with a proper end: {case}");
    let events = reply.events();
    assert!(!dialect.is_ended(&events), "a success terminator: {case}");
    let (last, before) = events.split_last().unwrap_or_else(|| panic!("no event: {case}"));
    assert!(last.json()["error"].is_object(), "the last event is no error: {case}");
    let (_, message) = dialect.error(&last.json());
    assert!(!message.is_empty(), "{case}");
    assert_eq!(last.name, if dialect == Shape::Anthropic { "error" } else { "" }, "{case}");
    assert!(before.iter().all(|event| event.json().get("error").is_none()), "two errors: {case}");
    text(dialect, before)
}

/// The text of the events so far.
fn text(dialect: Shape, events: &[crate::support::sse::Event]) -> String {
    let mut text = String::new();
    for json in events.iter().map(crate::support::sse::Event::json) {
        let pieces = match dialect {
            Shape::OpenAi => vec![&json["choices"][0]["delta"]["content"]],
            Shape::Anthropic => vec![&json["delta"]["text"]],
            Shape::Gemini => {
                let parts = json["candidates"][0]["content"]["parts"].as_array().into_iter().flatten();
                parts.filter(|part| part["thought"] != true).map(|part| &part["text"]).collect()
            }
        };
        text.extend(pieces.into_iter().filter_map(|piece| piece.as_str()));
    }
    text
}

#[tokio::test]
async fn a_provider_killed_at_every_event_is_an_error_and_no_end() {
    let mock = upstream::mock();
    let gateway = Gateway::start(&configuration(&upstream::url(&mock))).await;
    for (dialect, provider) in Shape::pairs() {
        let questions = [
            ("mock@chunks=3", dialect.says("hello")),
            ("mock-think@chunks=2", dialect.with_reasoning(dialect.says("hello"))),
            ("mock", dialect.with_tools(dialect.says("both in parallel"))),
        ];
        for (model, question) in questions {
            let whole =
                gateway.client().ask(dialect, &format!("{}/{model}", provider.word()), &question).await;
            let whole = dialect.whole(&whole.json());
            let mut cuts = 0;
            loop {
                let asked = format!("{}/{model}@fault=cut:{cuts}", provider.word());
                let reply = gateway.client().stream(dialect, &asked, &question).await.rest().await;
                if dialect.is_ended(&reply.events()) && reply.complete {
                    break;
                }
                let before = failed(dialect, &reply, &asked);
                assert!(whole.text.starts_with(&before), "{asked}: {before}");
                cuts += 1;
            }
            let fewest = if provider == Shape::Gemini { 2 } else { 4 };
            assert!(
                cuts >= fewest,
                "{}→{}/{model} was cut only {cuts} times",
                dialect.word(),
                provider.word()
            );
        }
    }
}

#[tokio::test]
async fn an_error_among_the_events_is_an_error_and_no_end() {
    let mock = upstream::mock();
    let gateway = Gateway::start(&configuration(&upstream::url(&mock))).await;
    for (dialect, provider) in Shape::pairs() {
        for events in 0..4 {
            let asked = format!("{}/mock@chunks=6@fault=error-event:{events}", provider.word());
            let reply = gateway.client().stream(dialect, &asked, &dialect.says("hello")).await.rest().await;
            failed(dialect, &reply, &asked);
        }
    }
}

/// Where the last data of a stream ends; behind it stand line ends only. `closed`: its connection comes to a clean end.
fn essential(dialect: Shape, provider: Shape, stream: &str, closed: bool) -> usize {
    let stream = stream.trim_end();
    let said = match provider {
        // Some servers of OpenAI's dialect never say [DONE]: a choice's end is enough, and the word is added.
        Shape::OpenAi => stream.strip_suffix("data: [DONE]").map(|before| before.trim_end().len()),
        // The event's name has said it.
        Shape::Anthropic => stream.rfind("\ndata: "),
        Shape::Gemini => None,
    };
    let enough = dialect != provider || provider == Shape::OpenAi;
    said.filter(|_| closed && enough).unwrap_or(stream.len())
}

/// Cuts each short answer behind every byte and looks at what each dialect makes of it.
async fn cut_everywhere(closed: bool, script: impl Fn(&[u8]) -> Vec<Step>) {
    for (provider, stream) in SHORT {
        let scripted = Scripted::start(Vec::new()).await;
        let gateway = Gateway::start(&steady(&configuration(&scripted.url()))).await;
        let model = format!("{}/m", provider.word());
        for dialect in Shape::ALL {
            for at in 0..=stream.len() {
                scripted.play(script(&stream.as_bytes()[..at]));
                let reply = gateway.client().stream(dialect, &model, &dialect.says("x")).await.rest().await;
                let case = format!("{} cut at {at} of {}", provider.word(), stream.len());
                if at < essential(dialect, provider, stream, closed) || !reply.complete {
                    let before = failed(dialect, &reply, &case);
                    assert!(["", "é", "é🦀"].contains(&before.as_str()), "{case}: {before:?}");
                } else {
                    // All of the answer had come.
                    let streamed = dialect.streamed(&reply.events());
                    assert_eq!((streamed.text.as_str(), streamed.finish), ("é🦀", "stop"), "{case}");
                }
                // Gemini has no word for the end but the end itself.
                if at == stream.len() && (closed || provider != Shape::Gemini) {
                    assert!(reply.complete, "{}→{case}: {}", dialect.word(), reply.text());
                }
            }
        }
    }
}

#[tokio::test]
async fn a_close_behind_every_byte_is_an_error_unless_all_was_said() {
    // The body ends with its connection, so a cut looks like a clean end.
    cut_everywhere(true, |sent| vec![Step::send(upstream::stream_head()), Step::send(sent), Step::Close])
        .await;
}

#[tokio::test]
async fn a_lost_connection_behind_every_byte_is_an_error_unless_all_was_said() {
    cut_everywhere(false, |sent| {
        let body = if sent.is_empty() { Step::send("") } else { Step::Send(upstream::chunk(sent)) };
        vec![Step::send(upstream::chunked_head()), body, Step::Close]
    })
    .await;
}
