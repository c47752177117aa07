//! Claude at Vertex AI (<https://docs.claude.com/en/api/claude-on-vertex-ai>): the model stands in the path, the API's version in
//! the body.

use crate::place::Place;
use plugin_sdk::chat::Fields;
use plugin_sdk::{Failure, Loss, Operation, Route, UpstreamRequest, json};

/// What the body's `anthropic_version` must say.
const VERSION: &str = "vertex-2023-10-16";

/// Betas of features that Vertex AI serves; it answers 400 to any it does not know.
const BETAS: [&str; 9] = [
    "computer-use-",
    "context-1m-",
    "context-management-",
    "effort-",
    "fine-grained-tool-streaming-",
    "interleaved-thinking-",
    "output-128k-",
    "token-efficient-tools-",
    "tool-search-tool-",
];

/// Whether an error's body is one Anthropic wrote: `{"type":"error","error":{"type":…,"message":…}}`.
pub(crate) fn wrote(body: &[u8]) -> bool {
    let fields: Result<Fields<'_>, _> = serde_json::from_slice(body);
    fields.is_ok_and(|fields| {
        fields.get("type").is_some_and(|kind| kind.read::<String>().is_some_and(|kind| kind == "error"))
    })
}

/// A request to Anthropic's own API as one to Vertex AI.
pub(crate) fn at_vertex(
    place: &Place,
    route: &Route,
    operation: Operation,
    mut request: UpstreamRequest,
) -> Result<UpstreamRequest, Failure> {
    let counts = operation == Operation::CountTokens;
    let mut fields: Fields<'_> = json::request(&request.body)?;
    // Counting is a model of its own there, and the one to be asked stands in the body.
    fields.0.retain(|(name, _)| counts || name != "model");
    fields.push("anthropic_version", serde_json::Value::from(VERSION));
    let body = json::to_vec(&fields)?;
    request.body = body;
    let method = if route.streaming { "streamRawPredict" } else { "rawPredict" };
    let model = if counts { "count-tokens".to_owned() } else { encoded(&route.model) };
    request.path = place.path("anthropic", &format!("{model}:{method}"));
    betas(place, &mut request);
    Ok(request)
}

/// Leaves the betas Vertex AI knows, and those of the operator.
fn betas(place: &Place, request: &mut UpstreamRequest) {
    let asked = request.headers.iter().filter(|header| header.name == "anthropic-beta");
    let asked: Vec<String> =
        asked.flat_map(|header| header.value.split(',')).map(|beta| beta.trim().to_owned()).collect();
    let mut kept: Vec<String> = place.betas.clone();
    for beta in asked {
        if kept.contains(&beta) {
            continue;
        }
        if BETAS.iter().any(|front| beta.starts_with(front)) {
            kept.push(beta);
        } else {
            let reason = format!("vertex ai has no beta {beta}");
            request.losses.push(Loss { field: "headers.anthropic-beta".to_owned(), reason });
        }
    }
    request.headers.retain(|header| !header.name.starts_with("anthropic-"));
    if !kept.is_empty() {
        let value = kept.join(",");
        request.headers.push(plugin_sdk::Header { name: "anthropic-beta".to_owned(), value });
    }
}

/// A model's name in a path; versions stand behind `@`, which may.
fn encoded(model: &str) -> String {
    let mut path = String::with_capacity(model.len());
    for byte in model.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte) {
            path.push(char::from(byte));
        } else {
            path.push_str(&format!("%{byte:02X}"));
        }
    }
    path
}
