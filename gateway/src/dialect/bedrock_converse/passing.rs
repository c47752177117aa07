//! Bedrock's own answers on their way through: only what carries usage or an error is parsed.

use super::error;
use super::tokens::Counted;
use crate::dialect::Passing;
use crate::domain::{Usage, event_stream};
use crate::error::{GatewayError, Kind};

#[derive(serde::Deserialize)]
struct Metered {
    usage: Counted,
}

/// Usage of a whole answer.
pub(super) fn whole_usage(body: &[u8]) -> Option<Usage> {
    serde_json::from_slice::<Metered>(body).ok().map(|answer| answer.usage.usage())
}

/// What one frame is. Data here are whole frames, because the name of an event stands in its frame's headers.
pub(super) fn frame(data: &[u8], usage: &mut Usage) -> Passing {
    if data.starts_with(b"{") {
        // A whole answer: AWS tells errors by status only.
        return Passing::Quiet;
    }
    let frame = match event_stream::read(data) {
        Ok(frame) => frame,
        Err(what) => return Passing::Failed(senseless(what)),
    };
    match (frame.message_type, frame.name) {
        ("event", "contentBlockDelta" | "contentBlockStart") => Passing::Content,
        ("event", "messageStop") => Passing::Stopped,
        ("event", "metadata") => {
            if let Some(counted) = whole_usage(frame.payload) {
                usage.update(counted);
            }
            Passing::End
        }
        ("event", _) => Passing::Quiet,
        ("exception" | "error", _) => Passing::Failed(error::of_frame(&frame)),
        _ => Passing::Failed(senseless("a frame is neither event nor exception")),
    }
}

fn senseless(what: &str) -> GatewayError {
    let message = format!("the provider's event stream makes no sense: {what}");
    GatewayError::upstream(Kind::Malformed, message)
}
