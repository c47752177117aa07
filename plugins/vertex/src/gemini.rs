//! Gemini at Vertex AI (<https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference>): the same bodies below
//! another path.

use plugin_sdk::chat::Fields;
use plugin_sdk::{Failure, Operation, UpstreamRequest, failure, json};

use crate::place::Place;

/// Where the models of Google's own API stand.
const FRONT: &str = "/v1beta/models/";

/// A request to Google's Gemini API as one to Vertex AI.
pub(crate) fn at_vertex(
    place: &Place,
    operation: Operation,
    mut request: UpstreamRequest,
) -> Result<UpstreamRequest, Failure> {
    let call = request.path.strip_prefix(FRONT);
    let call = call.ok_or_else(|| failure::adapter(format!("no place at vertex ai for {}", request.path)))?;
    request.path = place.path("google", call);
    if operation == Operation::CountTokens {
        request.body = counted(&request.body)?;
    }
    Ok(request)
}

/// There the conversation stands at the top of the body, and the model in the path alone.
fn counted(body: &[u8]) -> Result<Vec<u8>, Failure> {
    let fields: Fields<'_> = json::request(body)?;
    let Some(inner) = fields.get("generateContentRequest") else { return Ok(body.to_vec()) };
    let inner: Fields<'_> = inner.read().unwrap_or_default();
    let mut inner = inner;
    inner.0.retain(|(name, _)| {
        matches!(&**name, "contents" | "systemInstruction" | "tools" | "generationConfig")
    });
    json::to_vec(&inner)
}
