//! Errors as vendors send them, and what they are.

use super::*;

/// An error as an adapter judges it: kind, status, code, message.
fn error(kind: Kind, status: u16, code: &str, message: &str) -> GatewayError {
    GatewayError {
        upstream_status: Some(status),
        code: (!code.is_empty()).then(|| code.to_owned()),
        ..GatewayError::upstream(kind, message)
    }
}

#[test]
fn what_vendors_write_says_whose_fault_it_is() {
    use Kind::{
        Authentication, ContentPolicy, ContextLength, InvalidRequest, ModelNotFound, Overloaded, Permission,
        Provider, Quota, RateLimited, Timeout, TooLarge,
    };
    for (judged, status, code, message, kind, whose) in [
        // OpenAI
        (RateLimited, 429, "insufficient_quota", "You exceeded your current quota", Quota, Blame::Quota),
        (RateLimited, 429, "", "You  Exceeded\n your current quota, please check …", Quota, Blame::Quota),
        (RateLimited, 429, "rate_limit_exceeded", "Rate limit reached for gpt-5", RateLimited, Blame::Rate),
        (InvalidRequest, 400, "billing_hard_limit_reached", "Billing hard limit", Quota, Blame::Quota),
        (InvalidRequest, 400, "context_length_exceeded", "too long", ContextLength, Blame::Client),
        (Provider, 503, "slow_down", "Slow Down", Overloaded, Blame::Overload),
        // Anthropic
        (
            InvalidRequest,
            400,
            "invalid_request_error",
            "Your credit balance is too low to access the Anthropic API.",
            Quota,
            Blame::Quota,
        ),
        (
            InvalidRequest,
            400,
            "invalid_request_error",
            "This organization has been disabled.",
            Authentication,
            Blame::Key,
        ),
        (
            InvalidRequest,
            400,
            "invalid_request_error",
            "prompt is too long: 210000 tokens > 200000 maximum",
            ContextLength,
            Blame::Client,
        ),
        (Provider, 500, "overloaded_error", "Overloaded", Overloaded, Blame::Overload),
        (Provider, 529, "", "", Overloaded, Blame::Overload),
        // Google
        (
            RateLimited,
            429,
            "RESOURCE_EXHAUSTED",
            "You exceeded your current quota, please check your plan and billing details",
            RateLimited,
            Blame::Rate,
        ),
        (
            RateLimited,
            429,
            "RESOURCE_EXHAUSTED",
            "Quota exceeded: GenerateRequestsPerDayPerProjectPerModel-FreeTier",
            Quota,
            Blame::Quota,
        ),
        (
            InvalidRequest,
            400,
            "INVALID_ARGUMENT",
            "API key not valid. Please pass a valid API key.",
            Authentication,
            Blame::Key,
        ),
        (
            InvalidRequest,
            400,
            "INVALID_ARGUMENT",
            "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
            ContextLength,
            Blame::Client,
        ),
        // Azure
        (
            InvalidRequest,
            400,
            "",
            "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
            ContentPolicy,
            Blame::Client,
        ),
        (ModelNotFound, 404, "DeploymentNotFound", "not there", ModelNotFound, Blame::Route),
        // Others
        (InvalidRequest, 400, "", "Model Not Exist", ModelNotFound, Blame::Route),
        (InvalidRequest, 402, "", "Insufficient Balance", Quota, Blame::Quota),
        (Permission, 403, "", "Your input was flagged by moderation", ContentPolicy, Blame::Client),
        (Permission, 403, "", "quota: insufficient credits", Quota, Blame::Quota),
        (TooLarge, 413, "", "Request too large for model with 8000 TPM", ContextLength, Blame::Client),
        (Provider, 500, "", "Server is busy, please try again later", Overloaded, Blame::Overload),
        (Provider, 500, "", "This model's maximum context length is 8192", ContextLength, Blame::Client),
        (Provider, 504, "", "upstream request timeout", Timeout, Blame::Network),
        (Provider, 500, "", "it broke", Provider, Blame::Provider),
        (InvalidRequest, 500, "", "it broke", Provider, Blame::Provider),
        (InvalidRequest, 400, "", "messages: at least one is needed", InvalidRequest, Blame::Client),
        // Inside a good answer
        (Provider, 200, "429", "slow", RateLimited, Blame::Rate),
        (Provider, 200, "", "HTTP 503: Service Temporarily Unavailable", Overloaded, Blame::Overload),
    ] {
        let found = refined(error(judged, status, code, message), b"", None);
        assert_eq!((found.kind, blame(&found)), (kind, Some(whose)), "{status} {code} {message}");
    }
}

#[test]
fn a_client_cannot_make_keys_and_targets_rest_with_its_own_words() {
    for written in [
        "your credit balance is too low",
        "API key not valid",
        "You exceeded your current quota",
        "model not found",
        "rate limit",
    ] {
        let message = format!("messages[0].content: cannot read {written:?}");
        let body = format!("{{\"error\":{{\"message\":{message:?},\"code\":null}}}}");
        let found = refined(error(Kind::InvalidRequest, 400, "", &message), body.as_bytes(), None);
        assert_eq!(blame(&found), Some(Blame::Client), "{written}");
    }
}

#[test]
fn what_the_gateway_found_itself_stays() {
    for kept in [
        GatewayError::client(Kind::InvalidRequest, "insufficient_quota"),
        GatewayError::gateway(Kind::Internal, "rate limit"),
        GatewayError::plugin("overloaded"),
        GatewayError::upstream(Kind::Unreachable, "rate limit"),
        GatewayError::upstream(Kind::Timeout, "the provider took too long"),
        GatewayError::upstream(Kind::Malformed, "rate limit"),
    ] {
        assert_eq!(refined(kept.clone(), b"", None).kind, kept.kind, "{kept}");
    }
}

#[test]
fn the_operator_says_which_statuses_are_the_keys_fault() {
    let statuses: Statuses = "401,418".parse().expect("statuses");
    for (kind, status, whose) in [
        (Kind::Authentication, 401, Blame::Key),
        (Kind::Permission, 403, Blame::Provider),
        (Kind::InvalidRequest, 418, Blame::Key),
        (Kind::Quota, 418, Blame::Quota),
        (Kind::InvalidRequest, 400, Blame::Client),
    ] {
        let found = refined(error(kind, status, "", ""), b"", Some(&statuses));
        assert_eq!(blame(&found), Some(whose), "{status}");
    }
}
