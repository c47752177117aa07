//! One line of Ollama's own stream (or its whole answer) on its way through. Most lines are judged by a byte search.

use memchr::memmem;
use serde::Deserialize;

use super::error;
use crate::dialect::Passing;
use crate::domain::Usage;
use crate::error::{GatewayError, Kind};

/// What is told with the end.
#[derive(Deserialize)]
struct Last {
    #[serde(default)]
    done: bool,
    prompt_eval_count: Option<u64>,
    eval_count: Option<u64>,
}

impl Last {
    fn usage(&self) -> Usage {
        Usage { input: self.prompt_eval_count, output: self.eval_count, ..Usage::default() }
    }
}

/// Usage in a whole answer.
pub(in crate::dialect) fn usage(body: &[u8]) -> Option<Usage> {
    let last: Last = serde_json::from_slice(body).ok()?;
    Some(last.usage()).filter(|usage| *usage != Usage::default())
}

/// What a line is. Inside a JSON string quotes are escaped, so a search for `"done"` finds keys (and short values), never
/// text; what it finds is then read properly.
pub(in crate::dialect) fn look(data: &[u8], usage: &mut Usage) -> Passing {
    let data = data.trim_ascii();
    if data.is_empty() {
        return Passing::Quiet;
    }
    if !(data.starts_with(b"{") && data.ends_with(b"}")) {
        let message = "the provider sent a line that is not a JSON object";
        return Passing::Failed(GatewayError::upstream(Kind::Malformed, message));
    }
    let holds = |name: &[u8]| memmem::find(data, name).is_some();
    if holds(b"\"error\"")
        && let Some(error) = error::reported(data)
    {
        return Passing::Failed(error);
    }
    if is_done(data)
        && let Ok(last) = serde_json::from_slice::<Last>(data)
        && last.done
    {
        usage.update(last.usage());
        return Passing::End;
    }
    let silent = holds(b"\"content\":\"\"") || holds(b"\"response\":\"\"");
    let more = holds(b"\"thinking\"") || holds(b"\"tool_calls\"") || holds(b"\"images\"");
    if silent && !more { Passing::Quiet } else { Passing::Content }
}

/// A `done` with `true` behind it stands somewhere.
fn is_done(data: &[u8]) -> bool {
    memmem::find_iter(data, b"\"done\"").any(|at| {
        let rest = data.get(at + b"\"done\"".len()..).unwrap_or_default().trim_ascii_start();
        rest.strip_prefix(b":").is_some_and(|value| value.trim_ascii_start().starts_with(b"true"))
    })
}
