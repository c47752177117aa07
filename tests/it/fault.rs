//! Everything a provider can do wrong, byte by byte: the client always gets a valid answer or a valid error, in time.
//!
//! Each fault is played to each dialect, whole and streamed, with and without a second target behind it.

use std::sync::Arc;

use bytes::Bytes;

use super::support::client::Reply;
use super::support::upstream::{self, Scripted, Step};
use super::support::{Gateway, KEY, Shape, provider, steady};

pub(crate) mod script;

use script::{FAULTS, Fault, Makes};

/// What a client got, after its form was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Got {
    Answer,
    /// An error instead of an answer, with this status.
    Error(u16),
    /// An error behind the beginning of an answer.
    Broken,
}

#[track_caller]
fn got(dialect: Shape, stream: bool, reply: &Reply, case: &str) -> Got {
    if reply.status != 200 {
        assert!(reply.status >= 400 && reply.complete, "{case}: {} {}", reply.status, reply.text());
        let (kind, message) = dialect.error(&reply.json());
        assert!(!kind.is_empty() && !message.is_empty() && message.len() < 8192, "{case}: {}", reply.text());
        assert_eq!(dialect.request_id(&reply.json()), reply.header("x-request-id"), "{case}");
        return Got::Error(reply.status);
    }
    if !stream {
        assert!(reply.complete, "{case}: {}", reply.text());
        assert!(reply.json().is_object(), "{case}: {}", reply.text());
        return Got::Answer;
    }
    if !reply.complete {
        super::stream::cut::failed(dialect, reply, case);
        return Got::Broken;
    }
    assert!(dialect.is_ended(&reply.events()), "{case}: {}", reply.text());
    Got::Answer
}

async fn gateway(faulty: &str, healthy: &str) -> Gateway {
    let text = [
        format!("[keys.tests]\nsecret = \"{KEY}\"\n[server.timeouts]\nfirst_token = \"1s\"\nidle = \"1s\"\n"),
        provider("faulty", Shape::OpenAi, faulty),
        "[models.alone]\ntargets = [\"faulty/m\"]\nretry = { attempts = 1 }\n".to_owned(),
        "[models.both]\ntargets = [\"faulty/m\"]\nfallback = [\"healthy/mock\"]\nretry = { attempts = 1 }\n"
            .to_owned(),
    ];
    Gateway::start(&(steady(&text.concat()) + &provider("healthy", Shape::Anthropic, healthy))).await
}

async fn ask(gateway: &Gateway, dialect: Shape, stream: bool, model: &str) -> Reply {
    let question = dialect.says("hello");
    if stream {
        gateway.client().stream(dialect, model, &question).await.rest().await
    } else {
        gateway.client().ask(dialect, model, &question).await
    }
}

/// One fault to one client, alone and with another target behind it.
async fn check(gateway: Arc<Gateway>, scripted: Arc<Scripted>, fault: &Fault, dialect: Shape, stream: bool) {
    let case = format!("{} to {}, streamed: {stream}", fault.name, dialect.word());
    scripted.play((fault.script)(stream));
    let alone = got(dialect, stream, &ask(&gateway, dialect, stream, "alone").await, &case);
    match fault.makes {
        Makes::Error => assert_ne!(alone, Got::Answer, "{case}"),
        Makes::Answer => assert_eq!(alone, Got::Answer, "{case}"),
        Makes::Either => {}
    }
    let both = got(dialect, stream, &ask(&gateway, dialect, stream, "both").await, &case);
    match alone {
        // Nothing had been sent, and it was not the client's fault.
        Got::Error(status) if status >= 500 || status == 429 => {
            assert_eq!(both, Got::Answer, "{case}, with another target")
        }
        _ => assert_eq!(both, alone, "{case}, with another target"),
    }
}

#[tokio::test]
async fn whatever_a_provider_does_the_client_gets_a_valid_answer_or_a_valid_error() {
    let (scripted, healthy) = (Arc::new(Scripted::start(Vec::new()).await), upstream::mock());
    let gateway = Arc::new(gateway(&scripted.url(), &upstream::url(&healthy)).await);
    let mut failed = Vec::new();
    for fault in FAULTS.iter().copied().flatten() {
        for dialect in Shape::ALL {
            for stream in [false, true] {
                // A task of its own, so that all failures are seen at once.
                let checked = check(Arc::clone(&gateway), Arc::clone(&scripted), fault, dialect, stream);
                if tokio::spawn(checked).await.is_err() {
                    failed.push(format!("{} to {}, streamed: {stream}", fault.name, dialect.word()));
                }
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
    // One line per request, and none of them is a panic.
    let requests = FAULTS.iter().map(|faults| faults.len()).sum::<usize>() as f64 * 12.0;
    gateway.until_metric("causeway_requests_total", &[], requests).await;
    gateway.until_metric("causeway_inflight", &[], 0.0).await;
    assert!(!gateway.lines().iter().any(|line| line.contains("panicked")));
    scripted.play(script::good(false));
    let reply = ask(&gateway, Shape::OpenAi, false, "alone").await;
    assert_eq!(got(Shape::OpenAi, false, &reply, "afterwards"), Got::Answer);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let mock = upstream::mock();
    let head = format!(
        "HTTP/1.1 302 Found\r\nlocation: {}/v1/chat/completions\r\ncontent-length: 0\r\n\r\n",
        upstream::url(&mock)
    );
    let scripted = Scripted::start(vec![Step::Send(Bytes::from(head))]).await;
    let gateway = gateway(&scripted.url(), &upstream::url(&upstream::mock())).await;
    for dialect in Shape::ALL {
        let reply = ask(&gateway, dialect, false, "alone").await;
        assert!(matches!(got(dialect, false, &reply, "a redirect"), Got::Error(500..)), "{}", reply.text());
    }
    assert!(mock.requests().is_empty());
}
