//! Write a Causeway adapter: implement [`Adapter`], call [`register_adapter!`], keep golden files.
//!
//! An adapter translates and does nothing else. It has no network, no files, no clock and never sees a
//! credential: it names a [`Credential`] kind and the host signs afterwards. Bodies are canonical chat
//! (`wit/canonical-chat.md`); control data is typed.
//!
//! ```ignore
//! use plugin_sdk::{Adapter, Failure, Manifest, /* … */};
//!
//! struct Acme;
//! impl Adapter for Acme { /* describe, configure, translate_request, translate_response, open_stream */ }
//! plugin_sdk::register_adapter!(Acme);
//! ```

#[doc(hidden)]
pub mod bindings;

pub mod base64;

pub use bindings::causeway::adapter::types::{
    Answer, Capability, Credential, Ending, Failure, FailureKind, Header, Loss, Manifest, Operation, Passage,
    Route, Sigv4, Step, UpstreamRequest, Usage,
};

/// One provider's translation. One value serves one configured provider.
pub trait Adapter: Sized + 'static {
    /// The state of one streamed answer.
    type Stream: StreamTranslator;

    /// Who this adapter is and what it can do. Called without configuration.
    fn describe() -> Manifest;

    /// Takes the operator's `options`: a JSON object already checked against the manifest's schema.
    ///
    /// # Errors
    /// When the options contradict each other in a way a schema cannot say.
    fn configure(options: &str) -> Result<Self, Failure>;

    /// Canonical request in, plain HTTP request out.
    ///
    /// # Errors
    /// [`FailureKind::InvalidRequest`] for what no provider would take, [`FailureKind::Unsupported`] for what this one cannot do.
    fn translate_request(
        &self,
        route: &Route,
        operation: Operation,
        body: &[u8],
    ) -> Result<UpstreamRequest, Failure>;

    /// A 2xx answer.
    ///
    /// # Errors
    /// When the body is not the vendor's JSON, or holds an error in spite of its status.
    fn translate_response(
        &self,
        route: &Route,
        operation: Operation,
        headers: &[Header],
        body: &[u8],
    ) -> Result<Answer, Failure>;

    /// Anything but 2xx. The default judges by status and `retry-after` alone.
    fn map_error(&self, status: u16, headers: &[Header], _body: &[u8]) -> Failure {
        failure::from_status(status, headers)
    }

    /// A 2xx answer to a streamed request.
    ///
    /// # Errors
    /// [`FailureKind::Unsupported`] when the operation has no stream.
    fn open_stream(
        &self,
        route: &Route,
        operation: Operation,
        headers: &[Header],
    ) -> Result<Self::Stream, Failure>;
}

/// Turns one upstream stream into canonical chunks.
pub trait StreamTranslator: 'static {
    /// Takes any slice of upstream bytes, cut anywhere.
    ///
    /// # Errors
    /// When the bytes make no sense. A provider's own error inside the stream is an [`Ending::Failed`] in the step.
    fn push(&mut self, bytes: &[u8]) -> Result<Step, Failure>;

    /// The upstream closed.
    ///
    /// # Errors
    /// As [`StreamTranslator::push`].
    fn finish(&mut self) -> Result<Step, Failure>;
}

#[cfg(feature = "build")]
pub mod build;
pub mod chat;
pub mod embeddings;
pub mod failure;
pub mod files;
pub mod json;
pub mod losses;
pub mod multipart;
pub mod ndjson;
pub mod rerank;
pub mod sse;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;

pub use losses::Losses;
#[doc(hidden)]
pub use serde;

/// The provider said nothing.
impl Default for Usage {
    fn default() -> Self {
        Self {
            input: None,
            output: None,
            cache_read: None,
            cache_write: None,
            cache_write_long: None,
            reasoning: None,
            audio_input: None,
            audio_output: None,
            image_input: None,
            image_output: None,
        }
    }
}

/// Nothing came of it.
impl Default for Step {
    fn default() -> Self {
        Self { chunks: Vec::new(), usage: None, losses: Vec::new(), ending: None }
    }
}

/// Exports an [`Adapter`] from the component. Call once, in `lib.rs`. Does nothing in native builds.
#[macro_export]
macro_rules! register_adapter {
    ($adapter:ty) => {
        // Natively nothing calls the adapter; this keeps the compiler from calling all of it dead.
        #[cfg(not(target_arch = "wasm32"))]
        const _: fn(&str) -> Result<$adapter, $crate::Failure> = <$adapter as $crate::Adapter>::configure;

        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code, reason = "the export macro is generated code")]
        mod causeway_export {
            use super::*;
            use $crate::bindings::exports::causeway::adapter::translate as export;
            use $crate::{Adapter as _, StreamTranslator as _};

            type Chosen = $adapter;
            ::std::thread_local! {
                static ADAPTER: ::core::cell::OnceCell<Chosen> = const { ::core::cell::OnceCell::new() };
            }

            fn with<T>(
                run: impl FnOnce(&Chosen) -> Result<T, $crate::Failure>,
            ) -> Result<T, $crate::Failure> {
                ADAPTER.with(|cell| match cell.get() {
                    Some(adapter) => run(adapter),
                    None => Err($crate::failure::adapter("used before `configure`")),
                })
            }

            struct Export;
            struct Stream(::core::cell::RefCell<<Chosen as $crate::Adapter>::Stream>);

            impl export::GuestResponseStream for Stream {
                fn push(&self, bytes: ::std::vec::Vec<u8>) -> Result<$crate::Step, $crate::Failure> {
                    self.0.borrow_mut().push(&bytes)
                }
                fn finish(&self) -> Result<$crate::Step, $crate::Failure> {
                    self.0.borrow_mut().finish()
                }
            }

            impl export::Guest for Export {
                type ResponseStream = Stream;

                fn describe() -> $crate::Manifest {
                    Chosen::describe()
                }
                fn configure(options: ::std::string::String) -> Result<(), $crate::Failure> {
                    let adapter = Chosen::configure(&options)?;
                    ADAPTER.with(|cell| cell.set(adapter)).map_err(|_| $crate::failure::adapter("configured twice"))
                }
                fn translate_request(
                    route: $crate::Route,
                    operation: $crate::Operation,
                    body: ::std::vec::Vec<u8>,
                ) -> Result<$crate::UpstreamRequest, $crate::Failure> {
                    with(|adapter| adapter.translate_request(&route, operation, &body))
                }
                fn translate_response(
                    route: $crate::Route,
                    operation: $crate::Operation,
                    headers: ::std::vec::Vec<$crate::Header>,
                    body: ::std::vec::Vec<u8>,
                ) -> Result<$crate::Answer, $crate::Failure> {
                    with(|adapter| adapter.translate_response(&route, operation, &headers, &body))
                }
                fn map_error(
                    status: u16,
                    headers: ::std::vec::Vec<$crate::Header>,
                    body: ::std::vec::Vec<u8>,
                ) -> $crate::Failure {
                    with(|adapter| Ok(adapter.map_error(status, &headers, &body))).unwrap_or_else(|failure| failure)
                }
                fn open_stream(
                    route: $crate::Route,
                    operation: $crate::Operation,
                    headers: ::std::vec::Vec<$crate::Header>,
                ) -> Result<export::ResponseStream, $crate::Failure> {
                    with(|adapter| adapter.open_stream(&route, operation, &headers))
                        .map(|stream| export::ResponseStream::new(Stream(::core::cell::RefCell::new(stream))))
                }
            }

            $crate::bindings::export_component!(Export with_types_in $crate::bindings);
        }
    };
}
