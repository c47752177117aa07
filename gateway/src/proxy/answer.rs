//! An answer not yet sent. Consuming it is the commit point.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};

use super::booked::Bill;
use super::provider_key::InHand;
use super::stream::Stream;
use crate::cache::{Opening, Reader};
use crate::route::Running;
use crate::upstream;

/// What came back from the target that answered.
pub(super) struct Answer {
    /// Provider headers a client may see.
    pub(super) headers: HeaderMap,
    /// `provider/model` that answered.
    pub(super) target: String,
    /// Counts as a running request of its target until it is dropped; none: no target was asked.
    pub(super) running: Option<Running>,
    /// The provider key it was bought with.
    pub(super) in_hand: Option<InHand>,
    /// When a stream must have ended.
    pub(super) deadline: tokio::time::Instant,
    /// Whole, or still coming.
    pub(super) body: Body,
}

/// The body of an answer, already in the client's dialect.
pub(super) enum Body {
    /// All of it, and its type.
    Whole(HeaderValue, Bytes),
    /// Its first event is there.
    Stream(Box<Stream>),
    /// Bytes nobody here reads, passed as they come.
    Raw(Box<Raw>),
    /// Told to others as well, or before.
    Shared(Box<Shared>),
}

/// An answer that is read beside others.
pub(super) struct Shared {
    /// How it begins.
    pub(super) opening: Arc<Opening>,
    /// This request's part in it.
    pub(super) reader: Reader,
}

/// Sound, subtitles, events of a dialect nobody here reads.
pub(super) struct Raw {
    /// The provider's word for what it is.
    pub(super) content_type: HeaderValue,
    /// Already read.
    pub(super) first: Bytes,
    /// The rest.
    pub(super) rest: upstream::Body,
    /// What it is booked as when it ends.
    pub(super) bill: Option<Bill>,
}

/// The type of nearly every whole answer.
pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");
