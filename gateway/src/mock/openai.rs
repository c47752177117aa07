//! OpenAI's chat completions, and its legacy completions.

mod answer;
mod legacy;
mod request;
mod strict;

use bytes::Bytes;
use hyper::HeaderMap;
use serde_json::Value;

use super::prompt::Prompt;
use super::reply::Reply;
use super::tree::{NULL, Tree, object};
use super::vendor::{Complaint, MODELS, Memory, Target, Vendor, bearer, header};

pub(super) use legacy::Completions;

pub(super) struct OpenAi;

impl Vendor for OpenAi {
    fn variable(&self) -> &'static str {
        "OPENAI_API_KEY"
    }

    fn key(&self, headers: &HeaderMap, _query: &str) -> Option<String> {
        bearer(headers).or_else(|| header(headers, "api-key"))
    }

    fn wrong_key(&self, key: Option<&str>) -> Complaint {
        match key {
            Some(_) => Complaint::new(401, "Incorrect API key provided.").code("invalid_api_key"),
            None => Complaint::new(
                401,
                "You didn't provide an API key. Send it as `Authorization: Bearer YOUR_KEY`.",
            ),
        }
    }

    fn unknown_model(&self, model: &str) -> Complaint {
        let message = format!("The model `{model}` does not exist or you do not have access to it.");
        Complaint::new(404, message).code("model_not_found")
    }

    fn not_json(&self, reason: &str) -> Complaint {
        Complaint::invalid(format!("We could not parse the JSON body of your request: {reason}"))
    }

    fn check(&self, _headers: &HeaderMap, body: &Value, _model: &str) -> Result<(), Complaint> {
        strict::check(body)
    }

    fn read(&self, body: &Value, _target: &Target, _memory: &Memory) -> Prompt {
        request::read(body)
    }

    fn whole(&self, prompt: &Prompt, reply: &Reply) -> Vec<u8> {
        answer::whole(prompt, reply).compact()
    }

    fn stream(&self, prompt: &Prompt, reply: &Reply) -> Vec<Bytes> {
        answer::stream(prompt, reply)
    }

    fn content_type(&self, prompt: Option<&Prompt>) -> &'static str {
        match prompt {
            Some(prompt) if prompt.stream => "text/event-stream; charset=utf-8",
            _ => "application/json",
        }
    }

    fn error(&self, complaint: &Complaint, _serial: u64) -> Vec<u8> {
        error(complaint).compact()
    }

    fn error_frame(&self, complaint: &Complaint, _prompt: &Prompt, _first: bool) -> Bytes {
        answer::frame(&error(complaint))
    }

    fn headers(&self, serial: u64, _now: u64) -> Vec<(&'static str, String)> {
        let fixed = |name, value: &str| (name, value.to_owned());
        vec![
            ("x-request-id", format!("req_{serial:032x}")),
            fixed("openai-organization", "causeway-mock"),
            fixed("openai-processing-ms", "7"),
            fixed("openai-version", "2020-10-01"),
            fixed("x-ratelimit-limit-requests", "10000"),
            fixed("x-ratelimit-limit-tokens", "2000000"),
            fixed("x-ratelimit-remaining-requests", "9999"),
            fixed("x-ratelimit-remaining-tokens", "1999000"),
            fixed("x-ratelimit-reset-requests", "6ms"),
            fixed("x-ratelimit-reset-tokens", "6m0s"),
        ]
    }

    fn models(&self) -> Tree {
        let models: Vec<_> = MODELS.iter().map(|name| self.one_model(name)).collect();
        object([("object", "list".into()), ("data", models.into())])
    }

    fn one_model(&self, name: &str) -> Tree {
        object([
            ("id", name.into()),
            ("object", "model".into()),
            ("created", 1_767_225_600_u64.into()),
            ("owned_by", "causeway-mock".into()),
        ])
    }

    fn count(&self, tokens: u64) -> Tree {
        object([("object", "response.input_tokens".into()), ("input_tokens", tokens.into())])
    }
}

fn error(complaint: &Complaint) -> Tree {
    let (kind, usual) = match complaint.status {
        401 | 404 => ("invalid_request_error", None),
        402 => ("insufficient_quota", Some("insufficient_quota")),
        403 => ("permission_error", None),
        429 => ("requests", Some("rate_limit_exceeded")),
        500.. => ("server_error", None),
        _ => ("invalid_request_error", None),
    };
    let code: Tree = complaint.code.or(usual).map_or(NULL, Tree::from);
    let error = object([
        ("message", complaint.message.as_str().into()),
        ("type", kind.into()),
        ("param", complaint.param.clone().into()),
        ("code", code),
    ]);
    object([("error", error)])
}
