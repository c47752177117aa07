//! One line of Ollama's own stream (or its whole answer) on its way through. Most lines are judged by a byte search.

use serde::Deserialize;

use super::error;
use crate::dialect::Passing;
use crate::dialect::word::{self, Word};
use crate::domain::Usage;
use crate::error::{GatewayError, Kind};

static ERROR: Word = Word::new("\"error\"");
static DONE: Word = Word::new("\"done\"");
/// A line without text, unless there is something else.
static SILENT: [Word; 2] = [Word::new("\"content\":\"\""), Word::new("\"response\":\"\"")];
static MORE: [Word; 3] = [Word::new("\"thinking\""), Word::new("\"tool_calls\""), Word::new("\"images\"")];

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
    if ERROR.is_in(data)
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
    let silent = word::any(&SILENT, data) && !word::any(&MORE, data);
    if silent { Passing::Quiet } else { Passing::Content }
}

/// A `done` with `true` behind it stands somewhere.
fn is_done(data: &[u8]) -> bool {
    DONE.places(data).any(|at| {
        let rest = data.get(at + DONE.len()..).unwrap_or_default().trim_ascii_start();
        rest.strip_prefix(b":").is_some_and(|value| value.trim_ascii_start().starts_with(b"true"))
    })
}
