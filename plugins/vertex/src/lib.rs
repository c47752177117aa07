//! Google's Vertex AI as a provider: Gemini and Claude there. Their translations are the crates of the adapters for Google's
//! and Anthropic's own APIs; this one knows where Vertex differs: paths, the credential, and what stands in a body.
//!
//! `claude` and `gemini` change requests, `place` makes paths and holds the options.

mod claude;
mod gemini;
mod place;

use anthropic_messages::Anthropic;
use gemini_generate::Gemini;
use plugin_sdk::{
    Adapter, Answer, Capability, Credential, Failure, Header, Manifest, Operation, Route, Step,
    StreamTranslator, UpstreamRequest,
};

use place::Place;

/// The adapter, with the operator's options.
struct Vertex {
    place: Place,
    claude: Anthropic,
    gemini: Gemini,
}

/// Tokens of a service account with this scope are taken by every method used here.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

impl Adapter for Vertex {
    type Stream = Stream;

    fn describe() -> Manifest {
        Manifest {
            name: "vertex".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            provider: "gcp.vertex_ai".to_owned(),
            default_url: "https://{location}aiplatform.googleapis.com".to_owned(),
            operations: vec![Operation::Chat, Operation::CountTokens],
            // What both families can do; Gemini alone takes sound and counts choices.
            capabilities: vec![
                Capability::Streaming,
                Capability::Tools,
                Capability::ParallelTools,
                Capability::Images,
                Capability::ImageUrls,
                Capability::Documents,
                Capability::JsonSchema,
                Capability::Reasoning,
            ],
            options_schema: place::SCHEMA.to_owned(),
            // A path would depend on the family of the model, which a passage cannot say.
            passages: Vec::new(),
            client_headers: ["anthropic-beta", "x-goog-user-project"].map(str::to_owned).into(),
        }
    }

    fn configure(options: &str) -> Result<Self, Failure> {
        Ok(Self {
            place: Place::read(options)?,
            claude: Anthropic::configure("{}")?,
            gemini: Gemini::configure("{}")?,
        })
    }

    fn translate_request(
        &self,
        route: &Route,
        operation: Operation,
        body: &[u8],
    ) -> Result<UpstreamRequest, Failure> {
        let mut request = if is_claude(route) {
            let route = with_headers(route, "anthropic-");
            let request = self.claude.translate_request(&route, operation, body)?;
            claude::at_vertex(&self.place, &route, operation, request)?
        } else {
            let route = with_headers(route, "x-goog-");
            let request = self.gemini.translate_request(&route, operation, body)?;
            gemini::at_vertex(&self.place, operation, request)?
        };
        request.credential = Credential::GoogleOauth(vec![SCOPE.to_owned()]);
        Ok(request)
    }

    fn translate_response(
        &self,
        route: &Route,
        operation: Operation,
        headers: &[Header],
        body: &[u8],
    ) -> Result<Answer, Failure> {
        if is_claude(route) {
            self.claude.translate_response(route, operation, headers, body)
        } else {
            self.gemini.translate_response(route, operation, headers, body)
        }
    }

    /// Claude's own refusals come as Anthropic writes them, those of the platform as Google does.
    fn map_error(&self, status: u16, headers: &[Header], body: &[u8]) -> Failure {
        if claude::wrote(body) {
            self.claude.map_error(status, headers, body)
        } else {
            self.gemini.map_error(status, headers, body)
        }
    }

    fn open_stream(
        &self,
        route: &Route,
        operation: Operation,
        headers: &[Header],
    ) -> Result<Stream, Failure> {
        Ok(if is_claude(route) {
            Stream::Claude(self.claude.open_stream(route, operation, headers)?)
        } else {
            Stream::Gemini(self.gemini.open_stream(route, operation, headers)?)
        })
    }
}

/// One stream of either family.
enum Stream {
    Claude(<Anthropic as Adapter>::Stream),
    Gemini(<Gemini as Adapter>::Stream),
}

impl StreamTranslator for Stream {
    fn push(&mut self, bytes: &[u8]) -> Result<Step, Failure> {
        match self {
            Self::Claude(stream) => stream.push(bytes),
            Self::Gemini(stream) => stream.push(bytes),
        }
    }

    fn finish(&mut self) -> Result<Step, Failure> {
        match self {
            Self::Claude(stream) => stream.finish(),
            Self::Gemini(stream) => stream.finish(),
        }
    }
}

/// `claude-sonnet-4-5@20250929`; everything else there that this adapter knows is Google's.
fn is_claude(route: &Route) -> bool {
    route.model.starts_with("claude")
}

/// A client's headers are meant for one family only.
fn with_headers(route: &Route, front: &str) -> Route {
    let mut route = route.clone();
    route.headers.retain(|header| header.name.starts_with(front));
    route
}

plugin_sdk::register_adapter!(Vertex);

#[cfg(test)]
mod tests;
