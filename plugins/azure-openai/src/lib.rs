//! OpenAI's models at Azure: the same bodies and streams as OpenAI's, with Azure's paths, credential and errors.

mod error;
mod options;

use openai_chat::OpenAi;
use options::Options;
use plugin_sdk::{Adapter, Answer, Failure, Header, Manifest, Operation, Route, UpstreamRequest, failure};

/// Those of OpenAI's that a deployment can serve: Azure moderates in a service of its own.
const OPERATIONS: [Operation; 7] = [
    Operation::Chat,
    Operation::Embeddings,
    Operation::ImageGeneration,
    Operation::ImageEdit,
    Operation::Speech,
    Operation::Transcription,
    Operation::Translation,
];

/// The adapter of one configured resource.
struct AzureOpenAi {
    chat: OpenAi,
    options: Options,
}

impl Adapter for AzureOpenAi {
    type Stream = openai_chat::Stream;

    fn describe() -> Manifest {
        Manifest {
            name: "azure-openai".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            provider: "azure.ai.openai".to_owned(),
            // Every resource has a host of its own.
            default_url: String::new(),
            operations: OPERATIONS.to_vec(),
            capabilities: OpenAi::describe().capabilities,
            options_schema: options::SCHEMA.to_owned(),
            // A passage's path is fixed before the options are known, and the path depends on `api_version`.
            passages: Vec::new(),
            client_headers: Vec::new(),
        }
    }

    fn configure(options: &str) -> Result<Self, Failure> {
        let options = Options::read(options)?;
        Ok(Self { chat: OpenAi::configure(&options.for_chat())?, options })
    }

    fn translate_request(
        &self,
        route: &Route,
        operation: Operation,
        body: &[u8],
    ) -> Result<UpstreamRequest, Failure> {
        if !OPERATIONS.contains(&operation) {
            return Err(failure::not_translated("azure-openai", operation));
        }
        let request = self.chat.translate_request(route, operation, body)?;
        let endpoint = request.path.strip_prefix("/v1/").unwrap_or(&request.path);
        Ok(UpstreamRequest {
            path: self.options.path(&route.model, endpoint),
            credential: self.options.credential(),
            ..request
        })
    }

    fn translate_response(
        &self,
        route: &Route,
        operation: Operation,
        headers: &[Header],
        body: &[u8],
    ) -> Result<Answer, Failure> {
        self.chat.translate_response(route, operation, headers, body)
    }

    fn map_error(&self, status: u16, headers: &[Header], body: &[u8]) -> Failure {
        error::refine(self.chat.map_error(status, headers, body), body)
    }

    fn open_stream(
        &self,
        route: &Route,
        operation: Operation,
        headers: &[Header],
    ) -> Result<Self::Stream, Failure> {
        self.chat.open_stream(route, operation, headers)
    }
}

plugin_sdk::register_adapter!(AzureOpenAi);

#[cfg(test)]
mod tests;
