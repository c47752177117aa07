//! `wit/since-v0.1.0`: the bindings, and their conversion to the gateway's own types.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use wasmtime::Store;
use wasmtime::component::{Component, HasSelf, Linker, ResourceAny};

use super::legal;
use super::sandbox::{self, Confined, Limits};
use super::{Answer, Ending, Manifest, Passage, Route, Step, Translator};
use crate::domain::http::{CredentialKind, Loss, UpstreamRequest, foreign_header};
use crate::domain::{Operation, Usage};
use crate::error::{GatewayError, Kind, Origin};

/// The generated side of the contract.
pub(super) mod contract {
    wasmtime::component::bindgen!({ path: "../wit/since-v0.1.0", world: "adapter" });
}

use contract::causeway::adapter::types as wit;
use contract::exports::causeway::adapter::translate::Guest;

/// The version this file speaks.
pub(super) const VERSION: &str = "0.1.0";

/// A component of this version, linked and ready to be instantiated.
#[derive(Clone)]
pub(super) struct Prepared {
    name: Arc<str>,
    pre: contract::AdapterPre<Confined>,
    engine: wasmtime::Engine,
}

impl Prepared {
    pub(super) fn link(
        engine: &wasmtime::Engine,
        name: &str,
        component: &Component,
    ) -> wasmtime::Result<Self> {
        let mut linker = Linker::<Confined>::new(engine);
        contract::Adapter::add_to_linker::<_, HasSelf<Confined>>(&mut linker, |confined| confined)?;
        let pre = contract::AdapterPre::new(linker.instantiate_pre(component)?)?;
        Ok(Self { name: name.into(), pre, engine: engine.clone() })
    }

    /// Asks the adapter who it is.
    pub(super) fn describe(&self, limits: Limits) -> Result<Manifest, GatewayError> {
        let mut instance = self.instantiate(limits)?;
        let said = sandbox::call(&mut instance.store, 0, "describe", |store| {
            instance.bindings.causeway_adapter_translate().call_describe(store)
        })?;
        manifest(said)
    }

    /// A configured instance.
    pub(super) fn open(&self, limits: Limits, options: &str) -> Result<Instance, GatewayError> {
        let mut instance = self.instantiate(limits)?;
        instance.run(options.len(), "configure", |guest, store| guest.call_configure(store, options))?;
        Ok(instance)
    }

    fn instantiate(&self, limits: Limits) -> Result<Instance, GatewayError> {
        let mut store = sandbox::store(&self.engine, &self.name, limits);
        let mut bindings = None;
        sandbox::call(&mut store, 0, "instantiate", |store| {
            bindings = Some(self.pre.instantiate(store)?);
            Ok(())
        })?;
        let Some(bindings) = bindings else {
            return Err(GatewayError::plugin("an instance without bindings"));
        };
        Ok(Instance { store, bindings, stream: None, broken: false })
    }
}

/// One instance, with the stream it has open.
pub(super) struct Instance {
    store: Store<Confined>,
    bindings: contract::Adapter,
    stream: Option<ResourceAny>,
    broken: bool,
}

/// An instance that grew beyond this is not kept warm: linear memory never shrinks.
const LARGEST_WARM: usize = 8 << 20;

impl Instance {
    fn run<T>(
        &mut self,
        bytes: usize,
        function: &'static str,
        run: impl FnOnce(&Guest, &mut Store<Confined>) -> wasmtime::Result<Result<T, wit::Failure>>,
    ) -> Result<T, GatewayError> {
        if self.broken {
            return Err(GatewayError::plugin("the adapter failed earlier in this exchange"));
        }
        let guest = self.bindings.causeway_adapter_translate();
        let said = sandbox::call(&mut self.store, bytes, function, |store| run(guest, store));
        self.broken = said.is_err();
        said?.map_err(failure)
    }

    fn step(
        &mut self,
        bytes: &[u8],
        function: &'static str,
        run: impl FnOnce(
            &contract::exports::causeway::adapter::translate::GuestResponseStream<'_>,
            &mut Store<Confined>,
            ResourceAny,
        ) -> wasmtime::Result<Result<wit::Step, wit::Failure>>,
    ) -> Result<Step, GatewayError> {
        let Some(stream) = self.stream else {
            return Err(GatewayError::plugin("no stream is open"));
        };
        let said =
            self.run(bytes.len(), function, |guest, store| run(&guest.response_stream(), store, stream))?;
        Ok(Step {
            chunks: said.chunks,
            usage: said.usage.map(usage),
            losses: losses(said.losses),
            ending: said.ending.map(|ending| match ending {
                wit::Ending::Complete => Ending::Complete,
                wit::Ending::Failed(failed) => Ending::Failed(failure(failed)),
            }),
        })
    }
}

impl Translator for Instance {
    fn translate_request(
        &mut self,
        route: &Route,
        operation: Operation,
        body: &[u8],
    ) -> Result<(UpstreamRequest, Vec<Loss>), GatewayError> {
        let route = route_record(route);
        let said = self.run(body.len(), "translate-request", |guest, store| {
            guest.call_translate_request(store, &route, operation.into(), body)
        })?;
        let request = UpstreamRequest {
            method: legal::method(&said.method)?,
            path: legal::path(said.path)?,
            headers: header_map(&said.headers)?,
            body: Bytes::from(said.body),
            credential: credential(said.credential)?,
        };
        Ok((request, losses(said.losses)))
    }

    fn translate_response(
        &mut self,
        route: &Route,
        operation: Operation,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Answer, GatewayError> {
        let route = route_record(route);
        let headers = header_records(headers);
        let said = self.run(body.len(), "translate-response", |guest, store| {
            guest.call_translate_response(store, &route, operation.into(), &headers, body)
        })?;
        let content_type = said.content_type.map(|text| legal::content_type(&text)).transpose()?;
        // An OpenAI client gets these bytes as they are, so they are looked at once here.
        if content_type.is_none()
            && serde_json::from_slice::<&serde_json::value::RawValue>(&said.body).is_err()
        {
            return Err(GatewayError::plugin("the adapter's answer is not JSON"));
        }
        Ok(Answer {
            body: said.body.into(),
            content_type,
            usage: said.usage.map(usage),
            losses: losses(said.losses),
        })
    }

    fn map_error(&mut self, status: u16, headers: &HeaderMap, body: &[u8]) -> GatewayError {
        let headers = header_records(headers);
        let said = self.run(body.len(), "map-error", |guest, store| {
            Ok(Ok(guest.call_map_error(store, status, &headers, body)?))
        });
        let error = said.map_or_else(|error| error, failure);
        GatewayError { upstream_status: Some(status), ..error }
    }

    fn open_stream(
        &mut self,
        route: &Route,
        operation: Operation,
        headers: &HeaderMap,
    ) -> Result<(), GatewayError> {
        let route = route_record(route);
        let headers = header_records(headers);
        let stream = self.run(0, "open-stream", |guest, store| {
            guest.call_open_stream(store, &route, operation.into(), &headers)
        })?;
        self.stream = Some(stream);
        Ok(())
    }

    fn push(&mut self, bytes: &[u8]) -> Result<Step, GatewayError> {
        self.step(bytes, "push", |guest, store, stream| guest.call_push(store, stream, bytes))
    }

    fn finish(&mut self) -> Result<Step, GatewayError> {
        self.step(&[], "finish", |guest, store, stream| guest.call_finish(store, stream))
    }

    fn reset(&mut self) -> bool {
        if let Some(stream) = self.stream.take().filter(|_| !self.broken) {
            self.broken =
                sandbox::call(&mut self.store, 0, "drop", |store| stream.resource_drop(store)).is_err();
        }
        !self.broken && self.store.data().memory_used() <= LARGEST_WARM
    }
}

impl From<Operation> for wit::Operation {
    fn from(operation: Operation) -> Self {
        match operation {
            Operation::Chat => Self::Chat,
            Operation::CountTokens => Self::CountTokens,
            Operation::Embeddings => Self::Embeddings,
            Operation::Rerank => Self::Rerank,
            Operation::Moderation => Self::Moderation,
            Operation::ImageGeneration => Self::ImageGeneration,
            Operation::ImageEdit => Self::ImageEdit,
            Operation::ImageVariation => Self::ImageVariation,
            Operation::Speech => Self::Speech,
            Operation::Transcription => Self::Transcription,
            Operation::Translation => Self::Translation,
        }
    }
}

fn manifest(said: wit::Manifest) -> Result<Manifest, GatewayError> {
    let passages = said.passages.into_iter().map(passage).collect::<Result<_, _>>()?;
    Ok(Manifest {
        name: said.name,
        version: said.version,
        provider: said.provider,
        default_url: said.default_url,
        operations: said.operations.iter().map(kebab).collect(),
        capabilities: said.capabilities.iter().map(kebab).collect(),
        options_schema: said.options_schema,
        passages,
        client_headers: said.client_headers.iter().map(|name| name.to_ascii_lowercase()).collect(),
    })
}

fn passage(said: wit::Passage) -> Result<Passage, GatewayError> {
    Ok(Passage {
        dialect: said.dialect,
        path: legal::path(said.path)?,
        stream_path: legal::path(said.stream_path)?,
        headers: header_map(&said.headers)?,
        credential: credential(said.credential)?,
    })
}

/// `Operation::count-tokens` prints as `Operation::CountTokens`; the contract's word is wanted.
fn kebab(word: &impl std::fmt::Debug) -> String {
    let shown = format!("{word:?}");
    let name = shown.rsplit("::").next().unwrap_or(&shown);
    let mut kebab = String::new();
    for (at, letter) in name.chars().enumerate() {
        if letter.is_ascii_uppercase() && at > 0 {
            kebab.push('-');
        }
        kebab.push(letter.to_ascii_lowercase());
    }
    kebab
}

fn credential(said: wit::Credential) -> Result<CredentialKind, GatewayError> {
    Ok(match said {
        wit::Credential::None => CredentialKind::None,
        wit::Credential::Bearer => CredentialKind::Bearer,
        wit::Credential::Header(name) => CredentialKind::Header(legal::credential_header(&name)?),
        wit::Credential::Query(name) => CredentialKind::Query(legal::credential_query(name)?),
        wit::Credential::Sigv4(scope) => {
            CredentialKind::SigV4 { service: scope.service, region: scope.region }
        }
        wit::Credential::GoogleOauth(scopes) => CredentialKind::GoogleOauth { scopes },
    })
}

fn route_record(route: &Route) -> wit::Route {
    wit::Route {
        model: route.model.clone(),
        streaming: route.streaming,
        dialect: route.dialect.to_owned(),
        headers: route
            .headers
            .iter()
            .map(|(name, value)| wit::Header { name: name.clone(), value: value.clone() })
            .collect(),
    }
}

/// A provider's headers for a guest; values that are not text are left out, cookies never cross.
fn header_records(headers: &HeaderMap) -> Vec<wit::Header> {
    headers
        .iter()
        .filter(|(name, _)| *name != http::header::SET_COOKIE)
        .filter_map(|(name, value)| {
            Some(wit::Header { name: name.as_str().to_owned(), value: value.to_str().ok()?.to_owned() })
        })
        .collect()
}

fn header_map(headers: &[wit::Header]) -> Result<HeaderMap, GatewayError> {
    let mut map = HeaderMap::with_capacity(headers.len());
    for header in headers {
        let (name, value) = foreign_header(&header.name, &header.value).map_err(legal::short)?;
        map.append(name, value);
    }
    Ok(map)
}

fn losses(said: Vec<wit::Loss>) -> Vec<Loss> {
    said.into_iter().map(|loss| Loss { field: loss.field, reason: loss.reason }).collect()
}

fn usage(said: wit::Usage) -> Usage {
    Usage {
        input: said.input,
        output: said.output,
        cache_read: said.cache_read,
        cache_write: said.cache_write,
        cache_write_long: said.cache_write_long,
        reasoning: said.reasoning,
        audio_input: said.audio_input,
        audio_output: said.audio_output,
        image_input: said.image_input,
        image_output: said.image_output,
        ..Usage::default()
    }
}

fn failure(said: wit::Failure) -> GatewayError {
    let (kind, origin) = match said.kind {
        wit::FailureKind::InvalidRequest => (Kind::InvalidRequest, Origin::Client),
        wit::FailureKind::Unsupported => (Kind::Unsupported, Origin::Client),
        wit::FailureKind::Authentication => (Kind::Authentication, Origin::Upstream),
        wit::FailureKind::Permission => (Kind::Permission, Origin::Upstream),
        wit::FailureKind::ModelNotFound => (Kind::ModelNotFound, Origin::Upstream),
        wit::FailureKind::RequestTooLarge => (Kind::TooLarge, Origin::Upstream),
        wit::FailureKind::ContextLength => (Kind::ContextLength, Origin::Client),
        wit::FailureKind::ContentPolicy => (Kind::ContentPolicy, Origin::Client),
        wit::FailureKind::RateLimited => (Kind::RateLimited, Origin::Upstream),
        wit::FailureKind::Quota => (Kind::Quota, Origin::Upstream),
        wit::FailureKind::Overloaded => (Kind::Overloaded, Origin::Upstream),
        wit::FailureKind::Timeout => (Kind::Timeout, Origin::Upstream),
        wit::FailureKind::Provider => (Kind::Provider, Origin::Upstream),
        wit::FailureKind::Malformed => (Kind::Malformed, Origin::Upstream),
        wit::FailureKind::Adapter => (Kind::Adapter, Origin::Plugin),
    };
    legal::short(GatewayError {
        param: said.param,
        code: said.code,
        retry_after: said.retry_after_ms.map(std::time::Duration::from_millis),
        origin,
        ..GatewayError::client(kind, said.message)
    })
}
