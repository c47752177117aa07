//! Changes to a request's parameters: an effort in the model's name, then the rules of the model and of the provider, and
//! then the length a budget pays for, and last of
//! all cache marks. Without any of them a passage stays the client's own bytes.

use bytes::Bytes;

use super::attempt::Request;
use super::cache_marks;
use crate::config::Cache;
use crate::dialect::Dialect;
use crate::domain::rules::{Fields, Put};
use crate::domain::{Operation, Rules};
use crate::error::{GatewayError, Kind};
use crate::route::Model;
use crate::state::Provider;

/// What is changed for one target.
pub(super) struct Changes<'a> {
    model: &'a Model,
    provider: &'a Provider,
    effort: Option<&'static str>,
    marks: bool,
    /// The last word on the length of the answer: what a budget pays for.
    cap: Option<Rules>,
}

impl<'a> Changes<'a> {
    /// `None`: nothing is changed.
    pub(super) fn of(
        model: &'a Model,
        provider: &'a Provider,
        effort: Option<&'static str>,
        request: &Request<'_>,
    ) -> Option<Self> {
        let Request { dialect, envelope, most_output, .. } = *request;
        if dialect.operation() != Operation::Chat {
            return None;
        }
        let marks = model.cache == Cache::Auto
            && cache_marks::are_wanted_by(provider)
            && cache_marks::are_missing_in(&envelope.body);
        let cap = most_output.map(|most| Rules { max_tokens: Some(most), ..Rules::default() });
        let ruled = !model.rules.is_empty() || !provider.rules.is_empty();
        let any = marks || effort.is_some() || cap.is_some() || ruled;
        any.then_some(Self { model, provider, effort, marks, cap })
    }

    /// True when the client's own form has a place for everything that is changed. Otherwise the request is translated.
    pub(super) fn fit(&self, dialect: &dyn Dialect) -> bool {
        let effort = self.effort.map(|_| EFFORT);
        let capped = self.cap.iter().flat_map(Rules::paths);
        let paths = self.model.rules.paths().chain(self.provider.rules.paths()).chain(effort).chain(capped);
        !self.marks && paths.into_iter().all(|path| dialect.own_path(path).is_some())
    }

    /// A passed-on body with the changes; other values keep their bytes.
    pub(super) fn in_own_form(&self, dialect: &dyn Dialect, body: &[u8]) -> Result<Bytes, GatewayError> {
        self.applied(body, &|path| dialect.own_path(path).unwrap_or_else(|| path.to_owned()))
    }

    /// The canonical body with the changes.
    pub(super) fn in_canonical(&self, body: &[u8], provider_model: &str) -> Result<Bytes, GatewayError> {
        let changed = self.applied(body, &str::to_owned)?;
        if self.marks && cache_marks::fit(self.provider, provider_model) {
            return Ok(cache_marks::set(&changed).unwrap_or(changed));
        }
        Ok(changed)
    }

    fn applied(&self, body: &[u8], own: &dyn Fn(&str) -> String) -> Result<Bytes, GatewayError> {
        let wrong = || GatewayError::gateway(Kind::Internal, "the request could not be changed");
        let text = std::str::from_utf8(body).map_err(|_| wrong())?;
        let mut fields = Fields::read(text).ok_or_else(wrong)?;
        if let Some(effort) = self.effort {
            let value = serde_json::value::to_raw_value(effort).map_err(|_| wrong())?;
            fields.put(&own(EFFORT), value, Put::Always);
        }
        self.model.rules.apply(&mut fields, own);
        self.provider.rules.apply(&mut fields, own);
        if let Some(cap) = &self.cap {
            cap.apply(&mut fields, own);
        }
        serde_json::to_vec(&fields).map(Bytes::from).map_err(|_| wrong())
    }
}

const EFFORT: &str = "reasoning_effort";
