//! An answer as its client got it: what stands before its body, and the body in the pieces it was sent in.

use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

use crate::domain::http::Loss;
use crate::domain::{Attempt, Usage};
use crate::error::GatewayError;

/// What an entry takes beside the bytes of its answer, about.
const ENTRY: usize = 512;

/// How a body is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub enum Form {
    /// At once, with its length.
    Whole,
    /// As events come.
    Stream,
    /// As bytes come which nobody here reads.
    Raw,
}

/// What is known of an answer when it begins.
#[derive(Clone, Debug)]
pub struct Opening {
    /// The type of the body.
    pub content_type: HeaderValue,
    /// Provider headers a client may see.
    pub headers: HeaderMap,
    /// `provider/model` that answered.
    pub target: String,
    /// How the body is sent.
    pub form: Form,
    /// What a silent stream sends as a sign of life.
    pub keep_alive: Bytes,
    /// What could not be carried across.
    pub losses: Vec<Loss>,
    /// The attempts so far; none when it was not asked for anew.
    pub attempts: Vec<Attempt>,
    /// Time the gateway itself took before the answer began.
    pub overhead: Duration,
    /// Whose answer it was before.
    pub reused: Option<Reused>,
}

/// Where an answer was before it was given again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reused {
    /// `cache` or `idempotency`.
    pub kind: &'static str,
    /// The request it was made for.
    pub from: String,
    /// When it was complete, in Unix time in milliseconds.
    pub made: u64,
}

/// A request that got no answer.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// Why.
    pub error: GatewayError,
    /// Limits the provider told with it.
    pub headers: HeaderMap,
    /// It was refused before, and is told again.
    pub reused: bool,
}

/// A complete answer.
#[derive(Clone, Debug)]
pub struct Kept {
    /// What stands before the body.
    pub opening: Arc<Opening>,
    /// The body, in the pieces it was sent in.
    pub pieces: Vec<Bytes>,
    /// What it took, when it was made.
    pub usage: Option<Usage>,
    /// The request it was made for.
    pub request_id: String,
    /// When it was complete, in Unix time in milliseconds.
    pub made: u64,
}

impl Kept {
    /// Bytes it takes in memory, about.
    pub fn size(&self) -> u64 {
        let pieces: usize = self.pieces.iter().map(|piece| piece.len() + size_of::<Bytes>()).sum();
        (ENTRY + pieces) as u64
    }

    /// The same as something that was told before.
    pub fn again(&self, kind: &'static str) -> Opening {
        let reused = Reused { kind, from: self.request_id.clone(), made: self.made };
        Opening { reused: Some(reused), ..Opening::clone(&self.opening) }
    }

    /// As bytes: the length of a head in JSON, the head, the body.
    pub fn encode(&self) -> Option<Bytes> {
        let opening = &self.opening;
        let text = |value: &HeaderValue| value.to_str().map(str::to_owned).ok();
        let header = |(name, value)| Some((HeaderName::to_string(name), text(value)?));
        let head = Head {
            content_type: text(&opening.content_type)?,
            headers: opening.headers.iter().filter_map(header).collect(),
            target: opening.target.clone(),
            form: opening.form,
            keep_alive: String::from_utf8(opening.keep_alive.to_vec()).unwrap_or_default(),
            losses: opening.losses.clone(),
            lengths: self.pieces.iter().map(Bytes::len).collect(),
            usage: self.usage,
            request_id: self.request_id.clone(),
            made: self.made,
        };
        let head = serde_json::to_vec(&head).ok()?;
        let mut bytes = BytesMut::with_capacity(4 + head.len() + head.len());
        bytes.put_u32(u32::try_from(head.len()).ok()?);
        bytes.extend_from_slice(&head);
        self.pieces.iter().for_each(|piece| bytes.extend_from_slice(piece));
        Some(bytes.freeze())
    }

    /// Reads what [`Kept::encode`] wrote; `None`: these bytes are something else.
    pub fn decode(mut bytes: Bytes) -> Option<Self> {
        let length = usize::try_from(u32::from_be_bytes(*bytes.first_chunk()?)).ok()?;
        let head: Head = serde_json::from_slice(bytes.get(4..4_usize.checked_add(length)?)?).ok()?;
        let mut bytes = bytes.split_off(4 + length);
        let mut piece = |length: &usize| (*length <= bytes.len()).then(|| bytes.split_to(*length));
        let pieces = head.lengths.iter().map(&mut piece).collect::<Option<Vec<_>>>()?;
        let header = |(name, value): (String, String)| {
            Some((name.try_into().ok()?, HeaderValue::try_from(value).ok()?))
        };
        let opening = Opening {
            content_type: HeaderValue::try_from(head.content_type).ok()?,
            headers: head.headers.into_iter().filter_map(header).collect(),
            target: head.target,
            form: head.form,
            keep_alive: head.keep_alive.into(),
            losses: head.losses,
            attempts: Vec::new(),
            overhead: Duration::ZERO,
            reused: None,
        };
        let Head { usage, request_id, made, .. } = head;
        Some(Self { opening: Arc::new(opening), pieces, usage, request_id, made })
    }
}

/// What stands before the body in the store.
#[derive(Deserialize, Serialize)]
struct Head {
    content_type: String,
    headers: Vec<(String, String)>,
    target: String,
    form: Form,
    keep_alive: String,
    losses: Vec<Loss>,
    lengths: Vec<usize>,
    usage: Option<Usage>,
    request_id: String,
    made: u64,
}
