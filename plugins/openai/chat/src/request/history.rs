//! Which reasoning of the history goes back.

use plugin_sdk::chat::{Message, ReasoningDetail, Role};

use crate::options::{Extension, Options, ReasoningField, ReturnReasoning};

/// For each message, whether its reasoning goes back.
pub(super) fn returned(messages: &[Message<'_>], policy: ReturnReasoning) -> Vec<bool> {
    match policy {
        ReturnReasoning::Never => vec![false; messages.len()],
        ReturnReasoning::Always => vec![true; messages.len()],
        ReturnReasoning::ToolTurns => {
            // A turn begins with what the user says and holds all the model said and called thereafter.
            let turns = messages.chunk_by(|_, next| next.role != Role::User);
            turns
                .flat_map(|turn| {
                    let called = turn.iter().any(|message| !message.tool_calls.is_empty());
                    std::iter::repeat_n(called, turn.len())
                })
                .collect()
        }
    }
}

/// Puts reasoning where the server wants it back. What is lost: the field and why.
pub(super) fn convert(
    message: &mut Message<'_>,
    returned: bool,
    options: &Options,
) -> Option<(&'static str, &'static str)> {
    let details = std::mem::take(&mut message.reasoning_details);
    let text = message.reasoning_content.take();
    if options.keeps(Extension::ReasoningDetails) && !details.is_empty() {
        // Entries of another API's own state would be refused; a compatible server marks its own otherwise.
        let (foreign, own): (Vec<_>, Vec<_>) = details.into_iter().partition(is_foreign);
        message.reasoning_details = own;
        return (!foreign.is_empty()).then_some(("reasoning_details", super::messages::FOREIGN_STATE));
    }
    if returned {
        let all: String = details.iter().filter_map(ReasoningDetail::readable).collect();
        let text = if all.is_empty() { text.map(|text| text.to_string()) } else { Some(all) };
        // A server that insists on its reasoning takes an empty one for messages another model wrote.
        let insists = options.return_reasoning == ReturnReasoning::ToolTurns;
        if let Some(text) = text.or_else(|| insists.then(String::new)) {
            match options.reasoning_field {
                ReasoningField::ReasoningContent => message.reasoning_content = Some(text.into()),
                ReasoningField::Reasoning => message.rest.push("reasoning", serde_json::Value::from(text)),
            }
        }
        let state = details.iter().any(|detail| detail.data.is_some());
        return state.then_some(("reasoning_details", super::messages::FOREIGN_STATE));
    }
    let reason = match options.return_reasoning {
        ReturnReasoning::ToolTurns => "this server ignores the reasoning of turns without tools",
        _ => "openai chat takes no reasoning back",
    };
    match (details.is_empty(), text) {
        (false, _) => Some(("reasoning_details", reason)),
        (true, Some(_)) => Some(("reasoning_content", reason)),
        (true, None) => None,
    }
}

fn is_foreign(detail: &ReasoningDetail<'_>) -> bool {
    detail.format.as_deref().is_some_and(|format| ["anthropic", "gemini"].contains(&format))
}
