//! The adapter that is looked at: its component in the sandbox, and its vendor's fixtures.

use std::time::Duration;

use http::HeaderMap;

use super::Wanted;
use super::fixture::Vendor;
use super::verdict::add;
use crate::adapter::{Answer, Lease, Limits, Pool, Registry, Route, Step};
use crate::domain::Operation;
use crate::domain::http::{Loss, UpstreamRequest};
use crate::error::GatewayError;

/// One adapter.
pub(super) struct Subject {
    pub(super) vendor: Vendor,
    pool: Pool,
}

impl Subject {
    /// Loads component and fixtures.
    pub(super) fn open(registry: &Registry, wanted: &Wanted) -> Result<Self, String> {
        let name = &wanted.name;
        let vendor =
            Vendor::load(&wanted.fixtures).map_err(|problem| format!("adapter `{name}`: {problem}"))?;
        // Time is not what is judged here, and the machine may be busy.
        let limits = Limits { budget: Duration::from_secs(5), ..Limits::default() };
        let options = serde_json::Value::from(vendor.taken.options.clone()).to_string();
        let loaded = registry.load(name, &wanted.source, limits).map_err(|error| error.message)?;
        let pool = Pool::open(loaded, options, limits).map_err(|error| error.to_string())?;
        Ok(Self { vendor, pool })
    }

    /// True when this client's bytes reach the vendor as they are.
    pub(super) fn passes(&self, dialect: &str) -> bool {
        self.pool.manifest().passage(dialect).is_some()
    }

    pub(super) fn request(
        &self,
        route: &Route,
        canonical: &[u8],
    ) -> Result<(UpstreamRequest, Vec<Loss>), GatewayError> {
        self.pool.checkout()?.translator()?.translate_request(route, Operation::Chat, canonical)
    }

    pub(super) fn response(
        &self,
        route: &Route,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Answer, GatewayError> {
        self.pool.checkout()?.translator()?.translate_response(route, Operation::Chat, headers, body)
    }

    pub(super) fn error(&self, status: u16, headers: &HeaderMap, body: &[u8]) -> GatewayError {
        let asked = self.pool.checkout();
        asked
            .and_then(|mut lease| Ok(lease.translator()?.map_error(status, headers, body)))
            .unwrap_or_else(|error| error)
    }

    /// A whole stream in these slices, with everything that came of it.
    pub(super) fn stream<'b>(
        &self,
        route: &Route,
        headers: &HeaderMap,
        slices: impl Iterator<Item = &'b [u8]>,
    ) -> Result<Step, GatewayError> {
        let mut lease: Lease = self.pool.checkout()?;
        let translator = lease.translator()?;
        translator.open_stream(route, Operation::Chat, headers)?;
        let mut all = Step::default();
        for slice in slices {
            add(&mut all, translator.push(slice)?);
        }
        if all.ending.is_none() {
            add(&mut all, translator.finish()?);
        }
        Ok(all)
    }

    /// The facts of an attempt.
    pub(super) fn route(&self, feature: &str, dialect: &'static str, streaming: bool) -> Route {
        Route { model: self.vendor.model(feature).to_owned(), streaming, dialect, headers: Vec::new() }
    }
}
