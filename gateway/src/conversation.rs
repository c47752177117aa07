//! Answers that clients refer to instead of sending the conversation again: `previous_response_id`.
//!
//! One record per answer: what was asked anew, what came of it, and which answer it follows. A conversation is read by
//! walking back. Each virtual key sees its own; what another key was told does not exist.

use std::collections::HashSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::{GatewayError, Kind};
use crate::store::{Batch, Class, Key, Space, Store};

/// The most that is put together for one request.
const LONGEST: usize = 64 << 20;

/// One answer and what it answers.
#[derive(Debug, Serialize, Deserialize)]
pub struct Kept {
    /// The answer it follows.
    pub previous: Option<String>,
    /// The items that were new in its request.
    pub input: Vec<Box<RawValue>>,
    /// The answer as it was sent.
    pub response: Box<RawValue>,
}

/// The answers of all clients.
#[derive(Clone)]
pub struct Conversations {
    store: Arc<dyn Store>,
}

impl Conversations {
    /// Conversations in this store.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    /// Keeps an answer; when this comes back it is on the disk.
    ///
    /// # Errors
    /// When it was not kept.
    pub async fn keep(&self, tenant: &str, id: &str, kept: &Kept) -> Result<(), GatewayError> {
        let bytes = serde_json::to_vec(kept).map_err(|error| {
            GatewayError::gateway(Kind::Internal, "the answer could not be written down").context(error)
        })?;
        let batch = Batch::default().put(key(tenant, id), bytes, Space::Response.life());
        Ok(self.store.write(batch, Class::Durable).await?)
    }

    /// One answer.
    ///
    /// # Errors
    /// When the store cannot read it.
    pub async fn get(&self, tenant: &str, id: &str) -> Result<Option<Kept>, GatewayError> {
        let Some(bytes) = self.store.get(key(tenant, id)).await? else { return Ok(None) };
        let kept = serde_json::from_slice(&bytes).map_err(|error| {
            GatewayError::gateway(Kind::Internal, "a kept answer cannot be read any more").context(error)
        })?;
        Ok(Some(kept))
    }

    /// Forgets an answer for good; false: there was none.
    ///
    /// # Errors
    /// When the store cannot.
    pub async fn forget(&self, tenant: &str, id: &str) -> Result<bool, GatewayError> {
        let key = key(tenant, id);
        if self.store.get(key.clone()).await?.is_none() {
            return Ok(false);
        }
        self.store.write(Batch::default().delete(key), Class::Durable).await?;
        Ok(true)
    }

    /// The conversation up to an answer, oldest first; the id of the answer that is not there when one is missing.
    ///
    /// # Errors
    /// When the store cannot read it, or it is too long to be put together.
    pub async fn up_to(&self, tenant: &str, id: &str) -> Result<Result<Vec<Kept>, String>, GatewayError> {
        let mut line = Vec::new();
        let mut seen = HashSet::new();
        let mut bytes = 0;
        let mut next = Some(id.to_owned());
        while let Some(id) = next {
            let Some(kept) = self.get(tenant, &id).await? else { return Ok(Err(id)) };
            bytes +=
                kept.response.get().len() + kept.input.iter().map(|item| item.get().len()).sum::<usize>();
            // A circle cannot be written by us; a record that was overwritten could still make one.
            if bytes > LONGEST || !seen.insert(id) {
                let message = "the conversation behind `previous_response_id` is too long to be put together";
                return Err(GatewayError::client(Kind::TooLarge, message));
            }
            next = kept.previous.clone();
            line.push(kept);
        }
        line.reverse();
        Ok(Ok(line))
    }
}

fn key(tenant: &str, id: &str) -> Key {
    Space::Response.key(&[tenant, id])
}
