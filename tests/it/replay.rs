//! One answer for several requests: kept ones, shared calls, requests with an `Idempotency-Key`.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::support::client::{Client, Open, Reply};
use super::support::upstream::{self, Scripted, Step, chunk, chunked_head};
use super::support::{Gateway, KEY, Shape, provider};

mod cache;
mod flight;
mod idempotency;

const OTHER: &str = "cw-key-of-somebody-else-0123456789";
const MATE: &str = "cw-key-of-a-team-mate-01234567890";

/// Three keys, two of one team; a provider of each kind at `upstream`; what else the test needs.
fn configured(upstream: &str, more: &str) -> String {
    let mut text = format!(
        "[server]\nlisten = [\"{{listen}}\"]\ndrain = \"1s\"\n[store]\npath = \"state\"\n\
         [teams.crew]\n\
         [keys.tests]\nsecret = \"{KEY}\"\nteam = \"crew\"\n\
         [keys.mate]\nsecret = \"{MATE}\"\nteam = \"crew\"\n\
         [keys.other]\nsecret = \"{OTHER}\"\n"
    );
    for shape in Shape::ALL {
        text.push_str(&provider(shape.word(), shape, upstream));
    }
    text.push_str(more);
    text
}

/// Models `<provider>/<model of the mock>` with these settings.
fn models(settings: &str) -> String {
    let model = |shape: Shape| {
        format!(
            "[models.\"{0}/*\"]\ntargets = [\"{0}/*\"]\nretry = {{ attempts = 1 }}\n{settings}\n",
            shape.word()
        )
    };
    Shape::ALL.map(model).concat()
}

/// One client API: its path and its request.
#[derive(Clone, Copy, Debug)]
enum Api {
    Of(Shape),
    Ollama,
}

const APIS: [Api; 4] =
    [Api::Of(Shape::OpenAi), Api::Of(Shape::Anthropic), Api::Of(Shape::Gemini), Api::Ollama];

impl Api {
    fn path(self, model: &str, stream: bool) -> String {
        match self {
            Self::Of(shape) => shape.path(model, stream),
            Self::Ollama => "/api/chat".to_owned(),
        }
    }

    fn body(self, model: &str, stream: bool, says: &str) -> Value {
        match self {
            Self::Of(shape) => shape.named(&shape.says(says), model, stream),
            Self::Ollama => {
                json!({ "model": model, "messages": [{ "role": "user", "content": says }], "stream": stream })
            }
        }
    }

    async fn ask(self, client: &Client, model: &str, stream: bool, says: &str) -> Reply {
        client.post(&self.path(model, stream), &self.body(model, stream, says)).await
    }

    async fn open(self, client: &Client, model: &str, says: &str) -> Open {
        let body = self.body(model, true, says).to_string();
        client.open("POST", &self.path(model, true), body.as_bytes()).await
    }
}

fn client(gateway: &Gateway) -> Client {
    gateway.client().with_key()
}

fn client_of(gateway: &Gateway, secret: &str) -> Client {
    gateway.client().with("authorization", &format!("Bearer {secret}"))
}

/// What a chat provider says first, and last.
const FIRST: &str = "data: {\"id\":\"1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"fi\"},\"finish_reason\":null}]}\n\n";
const LAST: &str = "data: {\"id\":\"1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"ne\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":11,\"completion_tokens\":5,\"total_tokens\":16}}\n\n";
const DONE: &str = "data: [DONE]\n\n";

/// A stream that begins, and goes on when the test adds a permit.
fn held(permits: &Arc<Semaphore>, then: Vec<Step>) -> Vec<Step> {
    let begin =
        [Step::send(chunked_head()), Step::Send(chunk(FIRST.as_bytes())), Step::Until(Arc::clone(permits))];
    begin.into_iter().chain(then).collect()
}

fn good_end() -> Vec<Step> {
    vec![
        Step::Send(chunk(LAST.as_bytes())),
        Step::Send(chunk(DONE.as_bytes())),
        Step::Send(chunk(b"")),
        Step::Close,
    ]
}

/// A whole reply of a chat provider.
fn whole(status: &str, body: &str) -> Vec<Step> {
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    vec![Step::send(head), Step::Close]
}

const FINE: &str = "{\"id\":\"1\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"fine\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":11,\"completion_tokens\":5,\"total_tokens\":16}}";

#[track_caller]
fn complete(reply: &Reply) -> &Reply {
    assert!(reply.status == 200 && reply.complete, "{} {}", reply.status, reply.text());
    reply
}
