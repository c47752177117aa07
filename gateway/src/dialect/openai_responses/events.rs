//! Events of a stream: a type, a number that counts up, and fields.

use serde_json::value::RawValue;

use super::output::{Item, Part, Response};
use crate::dialect::sse;

/// One event beside its type and number.
#[derive(serde::Serialize, Default)]
pub(super) struct Event<'e> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) response: Option<&'e Response<'e>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) item_id: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) output_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) summary_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) annotation_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) item: Option<&'e Item>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) part: Option<&'e Part>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) annotation: Option<&'e RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) delta: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refusal: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) arguments: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) input: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) logprobs: Option<&'e [Box<RawValue>]>,
}

/// Numbers the events; a whole answer has none.
pub(super) struct Events {
    next: u64,
    silent: bool,
}

impl Events {
    /// Of a stream, or of a whole answer, which is `silent`.
    pub(super) fn new(silent: bool) -> Self {
        Self { next: 0, silent }
    }

    /// Writes one event.
    pub(super) fn send(&mut self, kind: &'static str, event: &impl serde::Serialize, out: &mut Vec<u8>) {
        if self.silent {
            return;
        }
        let mut data = format!("{{\"type\":\"{kind}\",\"sequence_number\":{}", self.next).into_bytes();
        let fields = data.len();
        self.next += 1;
        // What we serialise here has no way to fail, and never is without a field: its brace becomes the comma.
        if serde_json::to_writer(&mut data, event).is_ok()
            && let Some(brace) = data.get_mut(fields)
        {
            *brace = b',';
        }
        sse::event(out, kind, &data);
    }
}
