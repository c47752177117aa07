//! Every bundled adapter with every fixture, through the sandbox: the golden files know no difference.
//!
//! The runner is the SDK's own; only the adapter it runs is a component. So streams are also cut here at every byte.

use std::cell::Cell;
use std::path::PathBuf;
use std::sync::OnceLock;

use causeway::adapter::{self, Lease, Limits, Pool, Registry, Runtime, Source};
use causeway::domain::http::CredentialKind;
use causeway::error::{GatewayError, Kind};
use http::HeaderMap;
use parking_lot::Mutex;
use plugin_sdk::{
    Adapter, Answer, Credential, Ending, Failure, FailureKind, Header, Loss, Manifest, Operation, Route,
    Sigv4, Step, StreamTranslator, UpstreamRequest, Usage, testing,
};

thread_local! {
    /// The adapter that [`ThroughWasm::configure`] opens: a type has no name to look up.
    static NAME: Cell<&'static str> = const { Cell::new("") };
}

#[test]
fn every_bundled_adapter_says_the_same_as_natively() {
    let bundled: Vec<_> = Registry::bundled().collect();
    for name in ["anthropic", "gemini", "openai"] {
        assert!(bundled.contains(&name), "{bundled:?}");
    }
    std::thread::scope(|scope| {
        for name in bundled {
            let running = std::thread::Builder::new().name(name.to_owned());
            running.spawn_scoped(scope, move || check(name)).unwrap();
        }
    });
}

fn check(name: &'static str) {
    NAME.set(name);
    testing::run::<ThroughWasm>(PathBuf::from("../plugins").join(name).join("fixtures"));
}

fn registry() -> &'static Registry {
    static REGISTRY: OnceLock<Registry> = OnceLock::new();
    REGISTRY.get_or_init(|| Registry::new(Runtime::start(None).unwrap()))
}

/// Time is not what is tested here, and the machine may be busy.
fn limits() -> Limits {
    Limits { budget: std::time::Duration::from_secs(5), ..Limits::default() }
}

/// A component in the clothes of a native adapter.
struct ThroughWasm {
    pool: Pool,
}

/// A stream keeps its instance.
struct Stream(Mutex<Lease>);

impl ThroughWasm {
    fn ask<T>(
        &self,
        ask: impl FnOnce(&mut dyn adapter::Translator) -> Result<T, GatewayError>,
    ) -> Result<T, Failure> {
        let mut lease = self.pool.checkout().map_err(failure)?;
        ask(lease.translator().map_err(failure)?).map_err(failure)
    }
}

impl Adapter for ThroughWasm {
    type Stream = Stream;

    fn describe() -> Manifest {
        unreachable!("the runner does not ask")
    }

    fn configure(options: &str) -> Result<Self, Failure> {
        let loaded = registry().load(NAME.get(), &Source::Bundled, limits()).map_err(failure)?;
        Ok(Self { pool: Pool::open(loaded, options.to_owned(), limits()).map_err(failure)? })
    }

    fn translate_request(
        &self,
        route: &Route,
        operation: Operation,
        body: &[u8],
    ) -> Result<UpstreamRequest, Failure> {
        let (request, losses) =
            self.ask(|translator| translator.translate_request(&of(route), asked(operation), body))?;
        Ok(UpstreamRequest {
            method: request.method.to_string(),
            path: request.path,
            headers: records(&request.headers),
            body: request.body.to_vec(),
            credential: credential(request.credential),
            losses: said(losses),
        })
    }

    fn translate_response(
        &self,
        route: &Route,
        operation: Operation,
        headers: &[Header],
        body: &[u8],
    ) -> Result<Answer, Failure> {
        let headers = map(headers);
        let answer = self
            .ask(|translator| translator.translate_response(&of(route), asked(operation), &headers, body))?;
        Ok(Answer {
            body: answer.body.to_vec(),
            content_type: answer.content_type.map(|value| value.to_str().unwrap().to_owned()),
            usage: answer.usage.map(usage),
            losses: said(answer.losses),
        })
    }

    fn map_error(&self, status: u16, headers: &[Header], body: &[u8]) -> Failure {
        let error = self.ask(|translator| Ok(translator.map_error(status, &map(headers), body)));
        error.map_or_else(|failure| failure, failure)
    }

    fn open_stream(
        &self,
        route: &Route,
        operation: Operation,
        headers: &[Header],
    ) -> Result<Stream, Failure> {
        let mut lease = self.pool.checkout().map_err(failure)?;
        let translator = lease.translator().map_err(failure)?;
        translator.open_stream(&of(route), asked(operation), &map(headers)).map_err(failure)?;
        Ok(Stream(Mutex::new(lease)))
    }
}

impl StreamTranslator for Stream {
    fn push(&mut self, bytes: &[u8]) -> Result<Step, Failure> {
        self.0.get_mut().translator().and_then(|translator| translator.push(bytes)).map(step).map_err(failure)
    }

    fn finish(&mut self) -> Result<Step, Failure> {
        self.0.get_mut().translator().and_then(|translator| translator.finish()).map(step).map_err(failure)
    }
}

fn of(route: &Route) -> adapter::Route {
    adapter::Route {
        model: route.model.clone(),
        streaming: route.streaming,
        // The gateway's dialects live as long as it does; a test's route may name any of them.
        dialect: match route.dialect.as_str() {
            "anthropic-messages" => "anthropic-messages",
            "gemini-generate" => "gemini-generate",
            _ => "openai-chat",
        },
        headers: route.headers.iter().map(|header| (header.name.clone(), header.value.clone())).collect(),
    }
}

fn map(headers: &[Header]) -> HeaderMap {
    let pair =
        |header: &Header| Some((header.name.parse::<http::HeaderName>().ok()?, header.value.parse().ok()?));
    headers.iter().filter_map(pair).collect()
}

fn records(headers: &HeaderMap) -> Vec<Header> {
    let text = |value: &http::HeaderValue| value.to_str().unwrap().to_owned();
    headers.iter().map(|(name, value)| Header { name: name.to_string(), value: text(value) }).collect()
}

fn asked(operation: Operation) -> causeway::domain::Operation {
    use causeway::domain::Operation as Asked;
    match operation {
        Operation::Chat => Asked::Chat,
        Operation::CountTokens => Asked::CountTokens,
        Operation::Embeddings => Asked::Embeddings,
        Operation::Rerank => Asked::Rerank,
        Operation::Moderation => Asked::Moderation,
        Operation::ImageGeneration => Asked::ImageGeneration,
        Operation::ImageEdit => Asked::ImageEdit,
        Operation::ImageVariation => Asked::ImageVariation,
        Operation::Speech => Asked::Speech,
        Operation::Transcription => Asked::Transcription,
        Operation::Translation => Asked::Translation,
    }
}

fn credential(kind: CredentialKind) -> Credential {
    match kind {
        CredentialKind::None => Credential::None,
        CredentialKind::Bearer => Credential::Bearer,
        CredentialKind::Header(name) => Credential::Header(name.to_string()),
        CredentialKind::Query(name) => Credential::Query(name),
        CredentialKind::SigV4 { service, region } => Credential::Sigv4(Sigv4 { service, region }),
        CredentialKind::GoogleOauth { scopes } => Credential::GoogleOauth(scopes),
    }
}

fn step(step: adapter::Step) -> Step {
    Step {
        chunks: step.chunks,
        usage: step.usage.map(usage),
        losses: said(step.losses),
        ending: step.ending.map(|ending| match ending {
            adapter::Ending::Complete => Ending::Complete,
            adapter::Ending::Failed(error) => Ending::Failed(failure(error)),
        }),
    }
}

fn said(losses: Vec<causeway::domain::http::Loss>) -> Vec<Loss> {
    losses.into_iter().map(|loss| Loss { field: loss.field, reason: loss.reason }).collect()
}

fn usage(usage: causeway::domain::Usage) -> Usage {
    Usage {
        input: usage.input,
        output: usage.output,
        cache_read: usage.cache_read,
        cache_write: usage.cache_write,
        cache_write_long: usage.cache_write_long,
        reasoning: usage.reasoning,
        audio_input: usage.audio_input,
        audio_output: usage.audio_output,
        image_input: usage.image_input,
        image_output: usage.image_output,
    }
}

fn failure(error: GatewayError) -> Failure {
    let kind = match error.kind {
        Kind::InvalidRequest => FailureKind::InvalidRequest,
        Kind::Unsupported => FailureKind::Unsupported,
        Kind::Authentication => FailureKind::Authentication,
        Kind::Permission => FailureKind::Permission,
        Kind::ModelNotFound => FailureKind::ModelNotFound,
        Kind::TooLarge => FailureKind::RequestTooLarge,
        Kind::ContextLength => FailureKind::ContextLength,
        Kind::ContentPolicy => FailureKind::ContentPolicy,
        Kind::RateLimited => FailureKind::RateLimited,
        Kind::Quota => FailureKind::Quota,
        Kind::Overloaded => FailureKind::Overloaded,
        Kind::Timeout => FailureKind::Timeout,
        Kind::Provider => FailureKind::Provider,
        Kind::Malformed => FailureKind::Malformed,
        Kind::Adapter => FailureKind::Adapter,
        other => panic!("no adapter fails with {other:?}: {error}"),
    };
    Failure {
        kind,
        message: error.message,
        code: error.code,
        param: error.param,
        retry_after_ms: error.retry_after.map(|wait| wait.as_millis().try_into().unwrap()),
    }
}
