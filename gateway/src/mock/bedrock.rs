//! Amazon Bedrock's Converse and ConverseStream.

mod answer;
mod request;
mod strict;

use bytes::Bytes;
use hyper::HeaderMap;
use serde_json::Value;

use super::prompt::Prompt;
use super::reply::Reply;
use super::tree::{Tree, object};
use super::vendor::{Complaint, MODELS, Memory, Target, Vendor, bearer, header};
use crate::domain::event_stream;

/// The name its signatures are bound to.
const SIGNER: &str = "bedrock";

pub(super) struct Bedrock;

impl Vendor for Bedrock {
    fn variable(&self) -> &'static str {
        "AWS_BEARER_TOKEN_BEDROCK"
    }

    /// An API key, or the id of the key that signed.
    fn key(&self, headers: &HeaderMap, _query: &str) -> Option<String> {
        let signed = || {
            let value = header(headers, "authorization")?;
            let (_, rest) = value.strip_prefix("AWS4-HMAC-SHA256 ")?.split_once("Credential=")?;
            let whole = rest.contains("SignedHeaders=") && rest.contains("Signature=");
            let (id, scope) = rest.split_once('/')?;
            (whole && scope.contains("/bedrock/aws4_request")).then(|| id.to_owned())
        };
        bearer(headers).or_else(signed)
    }

    fn wrong_key(&self, key: Option<&str>) -> Complaint {
        let complaint = |message| Complaint::new(403, message).code("AccessDeniedException");
        match key {
            Some(_) => complaint("Authentication failed: Please make sure your API Key is valid."),
            None => complaint("Missing Authentication Token"),
        }
    }

    fn unknown_model(&self, _model: &str) -> Complaint {
        Complaint::invalid("The provided model identifier is invalid.")
    }

    fn not_json(&self, reason: &str) -> Complaint {
        Complaint::invalid(format!("Malformed input request: {reason}")).code("SerializationException")
    }

    fn check(&self, _headers: &HeaderMap, body: &Value, _model: &str) -> Result<(), Complaint> {
        strict::check(body)
    }

    fn read(&self, body: &Value, target: &Target, memory: &Memory) -> Prompt {
        request::read(body, target, memory)
    }

    fn whole(&self, _prompt: &Prompt, reply: &Reply) -> Vec<u8> {
        answer::whole(reply).compact()
    }

    fn stream(&self, _prompt: &Prompt, reply: &Reply) -> Vec<Bytes> {
        answer::stream(reply)
    }

    fn content_type(&self, prompt: Option<&Prompt>) -> &'static str {
        match prompt {
            Some(prompt) if prompt.stream => "application/vnd.amazon.eventstream",
            _ => "application/json",
        }
    }

    fn error(&self, complaint: &Complaint, _serial: u64) -> Vec<u8> {
        object([("message", complaint.message.as_str().into())]).compact()
    }

    fn error_frame(&self, complaint: &Complaint, _prompt: &Prompt, _first: bool) -> Bytes {
        let mut frame = Vec::new();
        let mut name = kind(complaint).to_owned();
        name.get_mut(..1).into_iter().for_each(str::make_ascii_lowercase);
        event_stream::exception(&mut frame, &name, &self.error(complaint, 0));
        frame.into()
    }

    fn headers(&self, serial: u64, _now: u64) -> Vec<(&'static str, String)> {
        vec![("x-amzn-requestid", format!("00000000-0000-4000-8000-{serial:012}"))]
    }

    fn error_headers(&self, complaint: &Complaint) -> Vec<(&'static str, String)> {
        vec![("x-amzn-errortype", format!("{}:http://internal.amazon.com/coral/", kind(complaint)))]
    }

    /// Bedrock lists its models elsewhere; nobody asks here.
    fn models(&self) -> Tree {
        let models: Vec<_> = MODELS.iter().map(|name| self.one_model(name)).collect();
        object([("modelSummaries", models.into())])
    }

    fn one_model(&self, name: &str) -> Tree {
        object([("modelId", name.into())])
    }

    fn count(&self, tokens: u64) -> Tree {
        object([("inputTokens", tokens.into())])
    }
}

fn kind(complaint: &Complaint) -> &'static str {
    complaint.code.unwrap_or(match complaint.status {
        403 => "AccessDeniedException",
        404 => "ResourceNotFoundException",
        408 => "ModelTimeoutException",
        424 => "ModelErrorException",
        429 => "ThrottlingException",
        503 | 529 => "ServiceUnavailableException",
        500.. => "InternalServerException",
        _ => "ValidationException",
    })
}
