//! Answers and final refusals by the name their client gave its request, in the store.

use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};

use super::fingerprint::Fingerprint;
use super::kept::Kept;
use crate::error::{GatewayError, Kind, Origin};
use crate::store::{Batch, Key, Space, Store};

const ANSWER: u8 = 1;
const REFUSAL: u8 = 2;
const DIGEST: usize = 64;

/// What all requests with an `Idempotency-Key` share.
#[derive(Clone)]
pub struct Idempotency {
    store: Arc<dyn Store>,
}

/// What is known under a name.
#[derive(Debug)]
pub enum Known {
    /// It was answered.
    Answer(Box<Kept>),
    /// It was refused for good.
    Refused(GatewayError),
}

/// A refusal in the store.
#[derive(Deserialize, Serialize)]
struct Refused {
    kind: String,
    upstream: bool,
    message: String,
    param: Option<String>,
    code: Option<String>,
    status: Option<u16>,
}

/// Refusals that the same request would always get again.
const FINAL: [Kind; 5] =
    [Kind::InvalidRequest, Kind::Unsupported, Kind::ContextLength, Kind::ContentPolicy, Kind::TooLarge];

impl Idempotency {
    /// Kept in this store.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    /// What came of the request of this name.
    ///
    /// # Errors
    /// 422 when it asked something else; when the store cannot be read.
    pub async fn known(
        &self,
        name: &Fingerprint,
        asked: &Fingerprint,
    ) -> Result<Option<Known>, GatewayError> {
        let Some(bytes) = self.store.get(key(name)).await? else { return Ok(None) };
        let Some((digest, rest)) = bytes.split_at_checked(DIGEST) else { return Ok(None) };
        if digest != asked.hex().as_bytes() {
            return Err(reused());
        }
        let Some((form, rest)) = rest.split_first() else { return Ok(None) };
        let rest = bytes.slice_ref(rest);
        Ok(match *form {
            ANSWER => Kept::decode(rest).map(|kept| Known::Answer(Box::new(kept))),
            REFUSAL => refused(&rest).map(Known::Refused),
            _ => None,
        })
    }

    /// Keeps an answer.
    pub fn keep(&self, name: &Fingerprint, asked: &Fingerprint, kept: &Kept, ttl: Duration) {
        if let Some(bytes) = kept.encode() {
            self.write(name, asked, (ANSWER, &bytes), ttl);
        }
    }

    /// Keeps a refusal, if it is final: what another try could change is not kept.
    pub fn refuse(&self, name: &Fingerprint, asked: &Fingerprint, error: &GatewayError, ttl: Duration) {
        if !FINAL.contains(&error.kind) {
            return;
        }
        let refused = Refused {
            kind: error.kind.as_str().to_owned(),
            upstream: error.origin == Origin::Upstream,
            message: error.message.clone(),
            param: error.param.clone(),
            code: error.code.clone(),
            status: error.upstream_status,
        };
        if let Ok(bytes) = serde_json::to_vec(&refused) {
            self.write(name, asked, (REFUSAL, &bytes), ttl);
        }
    }

    fn write(&self, name: &Fingerprint, asked: &Fingerprint, (form, bytes): (u8, &[u8]), ttl: Duration) {
        let mut value = BytesMut::with_capacity(DIGEST + 1 + bytes.len());
        value.extend_from_slice(asked.hex().as_bytes());
        value.put_u8(form);
        value.extend_from_slice(bytes);
        // The answer goes out all the same: without this record a second try is a second call.
        if let Err(error) = self.store.note(Batch::default().put(key(name), value, Some(ttl))) {
            tracing::warn!(%error, "an idempotent answer could not be kept");
        }
    }
}

fn key(name: &Fingerprint) -> Key {
    Space::Idempotency.key(&[&name.hex()])
}

fn refused(bytes: &Bytes) -> Option<GatewayError> {
    let Refused { kind, upstream, message, param, code, status } = serde_json::from_slice(bytes).ok()?;
    let kind = FINAL.into_iter().find(|known| known.as_str() == kind)?;
    let error = if upstream { GatewayError::upstream } else { GatewayError::client };
    Some(GatewayError { param, code, upstream_status: status, ..error(kind, message) })
}

/// The key stands for another request already.
pub fn reused() -> GatewayError {
    let message = "this `Idempotency-Key` was used for another request; a new request needs a new key";
    GatewayError {
        param: Some("Idempotency-Key".to_owned()),
        ..GatewayError::client(Kind::KeyReused, message)
    }
}
