//! Anthropic's messages.

mod answer;
mod request;
mod strict;
mod turns;

use bytes::Bytes;
use hyper::HeaderMap;
use serde_json::Value;

use super::prompt::Prompt;
use super::reply::Reply;
use super::tree::{NULL, Tree, object};
use super::vendor::{Complaint, MODELS, Memory, Target, Vendor, bearer, header};

/// The name its signatures are bound to.
const SIGNER: &str = "anthropic";

pub(super) struct Anthropic;

impl Vendor for Anthropic {
    fn variable(&self) -> &'static str {
        "ANTHROPIC_API_KEY"
    }

    fn key(&self, headers: &HeaderMap, _query: &str) -> Option<String> {
        header(headers, "x-api-key").or_else(|| bearer(headers))
    }

    fn wrong_key(&self, key: Option<&str>) -> Complaint {
        match key {
            Some(_) => Complaint::new(401, "invalid x-api-key"),
            None => Complaint::new(401, "x-api-key header is required"),
        }
    }

    fn unknown_model(&self, model: &str) -> Complaint {
        Complaint::new(404, format!("model: {model}"))
    }

    fn not_json(&self, reason: &str) -> Complaint {
        Complaint::invalid(format!("The request body is not valid JSON: {reason}"))
    }

    fn check(&self, headers: &HeaderMap, body: &Value, _model: &str) -> Result<(), Complaint> {
        strict::check(headers, body)
    }

    fn read(&self, body: &Value, _target: &Target, memory: &Memory) -> Prompt {
        request::read(body, memory)
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

    fn error(&self, complaint: &Complaint, serial: u64) -> Vec<u8> {
        error(complaint).with("request_id", request_id(serial)).compact()
    }

    fn error_frame(&self, complaint: &Complaint, _prompt: &Prompt, _first: bool) -> Bytes {
        answer::frame("error", &error(complaint), 0)
    }

    fn headers(&self, serial: u64, now: u64) -> Vec<(&'static str, String)> {
        let reset = timestamp(now + 60);
        let mut headers = vec![
            ("request-id", request_id(serial)),
            ("anthropic-organization-id", "00000000-0000-4000-8000-000000000000".to_owned()),
        ];
        for (limit, remaining, end, most) in [
            (
                "anthropic-ratelimit-requests-limit",
                "anthropic-ratelimit-requests-remaining",
                "anthropic-ratelimit-requests-reset",
                1000,
            ),
            (
                "anthropic-ratelimit-tokens-limit",
                "anthropic-ratelimit-tokens-remaining",
                "anthropic-ratelimit-tokens-reset",
                400_000,
            ),
            (
                "anthropic-ratelimit-input-tokens-limit",
                "anthropic-ratelimit-input-tokens-remaining",
                "anthropic-ratelimit-input-tokens-reset",
                320_000,
            ),
            (
                "anthropic-ratelimit-output-tokens-limit",
                "anthropic-ratelimit-output-tokens-remaining",
                "anthropic-ratelimit-output-tokens-reset",
                80_000,
            ),
        ] {
            headers.extend([
                (limit, most.to_string()),
                (remaining, (most - 1).to_string()),
                (end, reset.clone()),
            ]);
        }
        headers
    }

    fn models(&self) -> Tree {
        let models: Vec<_> = MODELS.iter().map(|name| self.one_model(name)).collect();
        object([
            ("data", models.into()),
            ("has_more", false.into()),
            ("first_id", MODELS.first().copied().into()),
            ("last_id", MODELS.last().copied().into()),
        ])
    }

    fn one_model(&self, name: &str) -> Tree {
        object([
            ("type", "model".into()),
            ("id", name.into()),
            ("display_name", name.into()),
            ("created_at", "2026-01-01T00:00:00Z".into()),
            ("max_input_tokens", NULL),
            ("max_tokens", NULL),
        ])
    }

    fn count(&self, tokens: u64) -> Tree {
        object([("input_tokens", tokens.into())])
    }
}

fn request_id(serial: u64) -> String {
    format!("req_01{serial:022}")
}

fn error(complaint: &Complaint) -> Tree {
    let kind = match complaint.status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        409 => "conflict_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "timeout_error",
        529 => "overloaded_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    };
    let mut error = object([("type", kind.into()), ("message", complaint.message.as_str().into())]);
    if let Some(code) = complaint.code {
        error = error.with("details", object([("error_code", code.into())]));
    }
    object([("type", "error".into()), ("error", error)])
}

/// Unix time as Anthropic's reset headers write it.
fn timestamp(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Days since 1 March of the year 0: leap days come last, so that months need no table.
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}
