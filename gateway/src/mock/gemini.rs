//! Google's generateContent.

mod answer;
mod request;
mod shape;
mod strict;

use bytes::Bytes;
use hyper::HeaderMap;
use serde_json::Value;

use super::prompt::Prompt;
use super::reply::Reply;
use super::settings::percent_decoded;
use super::tree::{Tree, object};
use super::vendor::{Complaint, MODELS, Memory, Target, Vendor, bearer, header};

/// The name its signatures are bound to.
const SIGNER: &str = "gemini";

pub(super) struct Gemini;

impl Vendor for Gemini {
    fn variable(&self) -> &'static str {
        "GEMINI_API_KEY"
    }

    fn key(&self, headers: &HeaderMap, query: &str) -> Option<String> {
        let asked = query.split('&').find_map(|pair| pair.strip_prefix("key=")).filter(|key| !key.is_empty());
        header(headers, "x-goog-api-key").or_else(|| asked.map(percent_decoded)).or_else(|| bearer(headers))
    }

    fn wrong_key(&self, key: Option<&str>) -> Complaint {
        match key {
            Some(_) => {
                Complaint::invalid("API key not valid. Please pass a valid API key.").code("API_KEY_INVALID")
            }
            None => Complaint::new(
                403,
                "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.",
            ),
        }
    }

    fn unknown_model(&self, model: &str) -> Complaint {
        Complaint::new(
            404,
            format!(
                "models/{model} is not found for API version v1beta, or is not supported for generateContent."
            ),
        )
    }

    fn not_json(&self, reason: &str) -> Complaint {
        Complaint::invalid(format!("Invalid JSON payload received. {reason}"))
    }

    fn check(&self, _headers: &HeaderMap, body: &Value, model: &str) -> Result<(), Complaint> {
        strict::check(body, request::signs_calls(model))
    }

    fn read(&self, body: &Value, target: &Target, _memory: &Memory) -> Prompt {
        request::read(body, target)
    }

    fn whole(&self, prompt: &Prompt, reply: &Reply) -> Vec<u8> {
        answer::whole(prompt, reply).pretty()
    }

    fn stream(&self, prompt: &Prompt, reply: &Reply) -> Vec<Bytes> {
        answer::stream(prompt, reply)
    }

    fn content_type(&self, prompt: Option<&Prompt>) -> &'static str {
        match prompt {
            Some(prompt) if prompt.stream && prompt.extras.events => "text/event-stream",
            _ => "application/json; charset=UTF-8",
        }
    }

    fn error(&self, complaint: &Complaint, _serial: u64) -> Vec<u8> {
        error(complaint).pretty()
    }

    fn error_frame(&self, complaint: &Complaint, prompt: &Prompt, first: bool) -> Bytes {
        let error = error(complaint);
        if prompt.extras.events {
            return answer::frame(&error);
        }
        let opening: &[u8] = if first { b"[" } else { b",\r\n" };
        [opening, &error.pretty(), b"\n]"].concat().into()
    }

    fn headers(&self, _serial: u64, _now: u64) -> Vec<(&'static str, String)> {
        let fixed = |name, value: &str| (name, value.to_owned());
        vec![
            fixed("vary", "Origin, X-Origin, Referer"),
            fixed("server", "scaffolding on HTTPServer2"),
            fixed("server-timing", "gfet4t7; dur=7"),
            fixed("x-content-type-options", "nosniff"),
        ]
    }

    fn error_headers(&self, _complaint: &Complaint) -> Vec<(&'static str, String)> {
        // Google says when to come back in the body.
        Vec::new()
    }

    fn models(&self) -> Tree {
        let models: Vec<_> = MODELS.iter().map(|name| self.one_model(name)).collect();
        object([("models", models.into())])
    }

    fn one_model(&self, name: &str) -> Tree {
        let methods = ["generateContent", "streamGenerateContent", "countTokens"].map(Tree::from);
        object([
            ("name", format!("models/{name}").into()),
            ("version", "001".into()),
            ("displayName", name.into()),
            ("description", "Causeway's built-in mock provider".into()),
            ("inputTokenLimit", 1_048_576_u64.into()),
            ("outputTokenLimit", 65_536_u64.into()),
            ("supportedGenerationMethods", Vec::from(methods).into()),
        ])
    }

    fn count(&self, tokens: u64) -> Tree {
        object([("totalTokens", tokens.into()), ("promptTokensDetails", answer::by_modality(tokens))])
    }
}

fn error(complaint: &Complaint) -> Tree {
    let status = match complaint.status {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        409 => "ABORTED",
        429 => "RESOURCE_EXHAUSTED",
        499 => "CANCELLED",
        501 => "UNIMPLEMENTED",
        503 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        500.. => "INTERNAL",
        _ => "INVALID_ARGUMENT",
    };
    let mut error = object([
        ("code", u64::from(complaint.status).into()),
        ("message", complaint.message.as_str().into()),
        ("status", status.into()),
    ]);
    if let Some(details) = details(complaint) {
        error = error.with("details", vec![details]);
    }
    object([("error", error)])
}

fn details(complaint: &Complaint) -> Option<Tree> {
    if let Some(reason) = complaint.code {
        return Some(object([
            ("@type", "type.googleapis.com/google.rpc.ErrorInfo".into()),
            ("reason", reason.into()),
            ("domain", "googleapis.com".into()),
        ]));
    }
    if complaint.passes() {
        return Some(object([
            ("@type", "type.googleapis.com/google.rpc.RetryInfo".into()),
            ("retryDelay", "1s".into()),
        ]));
    }
    let field = complaint.param.as_deref()?;
    let violation = object([("field", field.into()), ("description", complaint.message.as_str().into())]);
    Some(object([
        ("@type", "type.googleapis.com/google.rpc.BadRequest".into()),
        ("fieldViolations", vec![violation].into()),
    ]))
}
