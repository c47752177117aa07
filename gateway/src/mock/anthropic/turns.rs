//! The turns of a conversation: messages of one role in a row count as one.

use serde_json::Value;

use super::SIGNER;
use super::answer::ENCRYPTED;
use crate::mock::signature;
use crate::mock::vendor::{Complaint, list, text};

pub(super) struct Turn<'a> {
    pub(super) role: &'a str,
    /// The number of its first message.
    pub(super) first: usize,
    /// Each block with its path.
    pub(super) blocks: Vec<(String, &'a Value)>,
}

pub(super) fn of(messages: &[Value]) -> Vec<Turn<'_>> {
    let mut turns: Vec<Turn<'_>> = Vec::new();
    for (number, message) in messages.iter().enumerate() {
        let role = text(message, "role");
        // Instructions are nobody's turn.
        if role == "system" {
            continue;
        }
        let blocks = list(message, "content").iter().enumerate();
        let blocks = blocks.map(|(at, block)| (format!("messages.{number}.content.{at}"), block));
        match turns.last_mut() {
            Some(turn) if turn.role == role => turn.blocks.extend(blocks),
            _ => turns.push(Turn { role, first: number, blocks: blocks.collect() }),
        }
    }
    turns
}

fn ids<'a>(turn: &Turn<'a>, kind: &str, field: &str) -> Vec<&'a str> {
    turn.blocks
        .iter()
        .filter(|(_, block)| text(block, "type") == kind)
        .map(|(_, block)| text(block, field))
        .collect()
}

/// Each call is answered in the next turn, before anything else; nothing is answered that was not called.
pub(super) fn pairs(turns: &[Turn<'_>]) -> Result<(), Complaint> {
    let mut called: Vec<&str> = Vec::new();
    for turn in turns {
        for (path, block) in turn.blocks.iter().filter(|(_, block)| text(block, "type") == "tool_result") {
            let id = text(block, "tool_use_id");
            if !called.contains(&id) {
                return Err(Complaint::invalid(format!(
                    "{path}: unexpected `tool_use_id` found in `tool_result` blocks: {id}. Each `tool_result` block must have a corresponding `tool_use` block in the previous message."
                )));
            }
        }
        // Results that stand behind something else do not count.
        let leading = turn.blocks.iter().take_while(|(_, block)| text(block, "type") == "tool_result");
        let answered: Vec<_> = leading.map(|(_, block)| text(block, "tool_use_id")).collect();
        unanswered(&called, &answered, turn.first)?;
        let mut sorted = answered;
        sorted.sort_unstable();
        if sorted.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err(Complaint::invalid(format!(
                "messages.{}: each tool_use must have a single result",
                turn.first
            )));
        }
        called = ids(turn, "tool_use", "id");
    }
    unanswered(&called, &[], turns.last().map_or(0, |turn| turn.first + 1))
}

fn unanswered(called: &[&str], answered: &[&str], at: usize) -> Result<(), Complaint> {
    let open: Vec<_> = called.iter().filter(|id| !answered.contains(id)).copied().collect();
    if open.is_empty() {
        return Ok(());
    }
    Err(Complaint::invalid(format!(
        "messages.{}: `tool_use` ids were found without `tool_result` blocks immediately after: {}. Each `tool_use` block must have a corresponding `tool_result` block in the next message.",
        at.saturating_sub(1),
        open.join(", ")
    )))
}

/// Signatures are our own, and for the text they stand with.
pub(super) fn signatures(turns: &[Turn<'_>]) -> Result<(), Complaint> {
    for (path, block) in turns.iter().flat_map(|turn| &turn.blocks) {
        let valid = match text(block, "type") {
            "thinking" if text(block, "thinking").is_empty() => {
                signature::is_own(SIGNER, text(block, "signature"))
            }
            "thinking" => signature::is_for(SIGNER, text(block, "signature"), text(block, "thinking")),
            "redacted_thinking" if !signature::is_for(SIGNER, text(block, "data"), ENCRYPTED) => {
                return Err(Complaint::invalid(format!(
                    "{path}: Invalid `data` in `redacted_thinking` block"
                )));
            }
            _ => true,
        };
        if !valid {
            return Err(Complaint::invalid(format!("{path}: Invalid `signature` in `thinking` block")));
        }
    }
    Ok(())
}

/// With thinking enabled, the turn that called the tools whose results come now must start with its thinking.
pub(super) fn thinking_is_returned(turns: &[Turn<'_>]) -> Result<(), Complaint> {
    let [.., call, result] = turns else { return Ok(()) };
    let answers = result.blocks.iter().any(|(_, block)| text(block, "type") == "tool_result");
    let Some((path, first)) = call.blocks.first().filter(|_| answers && call.role == "assistant") else {
        return Ok(());
    };
    let kind = text(first, "type");
    if ["thinking", "redacted_thinking"].contains(&kind) {
        return Ok(());
    }
    Err(Complaint::invalid(format!(
        "{path}.type: Expected `thinking` or `redacted_thinking`, but found `{kind}`. When `thinking` is enabled, a final `assistant` message must start with a thinking block (preceeding the lastmost set of `tool_use` and `tool_result` blocks)."
    )))
}
