//! A condition: an expression in CEL over what is known of a request, read once and asked often.
//!
//! CEL is the language of Kubernetes' and Envoy's rules; the crate `cel` reads and evaluates it and is named nowhere
//! else. It knows no types before it runs, and a rule that fails at night helps nobody: so [`check`] walks the tree when
//! the configuration is read, refuses unknown names, wrong types and patterns that do not compile with their place, and
//! puts simpler things in the place of what would need a look-up. What is left cannot loop: an expression has a greatest
//! length and depth, goes through short lists only, one at a time, and matches patterns in linear time.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use cel::common::types::CelBool;
use cel::parser::Parser;
use cel::{Context, Env, IdedExpr, Value};

use super::{Asks, RequestHead, VirtualKey};

mod check;
mod kinds;
mod pattern;
mod scope;

use pattern::Pattern;

/// Longest expression, in bytes.
const LONGEST: usize = 2_048;
/// Deepest nesting that is read: parentheses within parentheses.
const DEEPEST: u16 = 32;
/// Room to read it in: what is nested is read by functions that call themselves.
const ROOM: usize = 32 << 20;

/// What can be called beside operators: CEL's own functions, those for texts, and our patterns.
static LIBRARY: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut library = Env::stdlib();
    // Both are refused for a name that is taken, which a test would see.
    let _texts = library.add_extension(cel::extensions::strings);
    let _patterns = pattern::declare(&mut library);
    Arc::new(library)
});

/// What a condition looks at.
pub struct Circumstances<'a> {
    /// The model's name as the client said it.
    pub model: &'a str,
    /// Path and headers.
    pub head: &'a RequestHead,
    /// Who asks.
    pub key: &'a VirtualKey,
    /// What is asked, looked for when an expression wants to know.
    pub asks: &'a (dyn Deref<Target = Asks> + Sync + 'a),
    /// The id of the client's dialect.
    pub dialect: &'static str,
    /// The conversation, where the client names it.
    pub session: Option<&'a str>,
    /// Unix time in seconds.
    pub now: u64,
}

/// An expression that was read and checked.
#[derive(Clone)]
pub struct Condition(Arc<Read>);

struct Read {
    /// As it was written.
    text: String,
    tree: IdedExpr,
    patterns: Vec<Pattern>,
    /// Its failure was told.
    told: AtomicBool,
}

/// What is wrong with an expression, and where in it: line and column, both from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Lower case, no full stop.
    pub message: String,
    /// Nothing: everywhere.
    pub place: Option<(usize, usize)>,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some((1, column)) => write!(formatter, "column {column} of the condition: {}", self.message),
            Some((line, column)) => {
                write!(formatter, "line {line}, column {column} of the condition: {}", self.message)
            }
            None => write!(formatter, "the condition {}", self.message),
        }
    }
}

impl Condition {
    /// Reads and checks an expression.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn read(text: &str) -> Result<Self, Fault> {
        let everywhere = |message: &str| Fault { message: message.to_owned(), place: None };
        if text.trim().is_empty() {
            return Err(everywhere("is empty"));
        }
        if text.len() > LONGEST {
            return Err(everywhere(&format!("is longer than {LONGEST} bytes")));
        }
        // The parser calls itself for all that is nested, and is not ours: it gets a stack of its own, and should it stop
        // in the middle, then not us.
        let reading = std::thread::scope(|scope| {
            let reader = std::thread::Builder::new().name("condition".to_owned()).stack_size(ROOM);
            reader.spawn_scoped(scope, || parse(text)).ok().map(std::thread::ScopedJoinHandle::join)
        });
        match reading {
            Some(Ok(read)) => read.map(|read| Self(Arc::new(read))),
            Some(Err(_)) | None => Err(everywhere("could not be read")),
        }
    }

    /// Whether it holds.
    ///
    /// # Errors
    /// What went wrong, for instance a text that is not the number it should be.
    pub fn holds(&self, circumstances: &Circumstances<'_>) -> Result<bool, String> {
        let scope = scope::Scope { circumstances, patterns: &self.0.patterns };
        let mut context = Context::with_env(Arc::clone(&LIBRARY));
        context.set_variable_resolver(&scope);
        let value =
            Value::resolve_val(&self.0.tree, &context).map_err(|error| shortened(error.to_string()))?;
        match value.downcast_ref::<CelBool>() {
            Some(answer) => Ok(*answer.inner()),
            None => Err(format!("it is {} and neither true nor false", value.get_type().name())),
        }
    }

    /// True the first time it is called: a failure is told once, not with every request.
    pub fn is_first_failure(&self) -> bool {
        !self.0.told.swap(true, Ordering::Relaxed)
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0.text
    }
}

fn parse(text: &str) -> Result<Read, Fault> {
    let parser = Parser::new().max_recursion_depth(DEEPEST).error_recovery_limit(1);
    let (tree, places) = parser.parse_with_source_info(text).map_err(|errors| {
        let error = errors.errors.into_iter().next();
        let message = error.as_ref().map_or("is not CEL".to_owned(), |error| plainly(&error.msg));
        let place = error.and_then(|error| {
            let (line, column) = error.pos;
            Some((usize::try_from(line).ok()?.max(1), usize::try_from(column).ok()?.max(1)))
        });
        Fault { message, place }
    })?;
    let checked = check::check(tree).map_err(|wrong| {
        let place = places.offset_for(wrong.id).map(|(start, _)| place_of(text, start as usize));
        Fault { message: wrong.message, place }
    })?;
    let told = AtomicBool::new(false);
    Ok(Read { text: text.to_owned(), tree: checked.tree, patterns: checked.patterns, told })
}

/// Line and column of a byte, both from 1; columns count letters.
fn place_of(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
    (before.matches('\n').count() + 1, column)
}

/// The parser's words, without those for people who write parsers.
fn plainly(message: &str) -> String {
    let message = message.strip_prefix("Syntax error: ").unwrap_or(message);
    let message = message.split(" expecting ").next().unwrap_or(message);
    shortened(message.replace("<EOF>", "the end").replace('\n', " "))
}

/// A message may repeat a value, and a value may be long.
fn shortened(message: String) -> String {
    match message.char_indices().nth(200) {
        Some((end, _)) => format!("{}…", message.get(..end).unwrap_or_default()),
        None => message,
    }
}

impl FromStr for Condition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::read(text).map_err(|fault| fault.to_string())
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.text)
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.0.text)
    }
}

impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.0.text == other.0.text
    }
}

impl Eq for Condition {}

#[cfg(test)]
mod tests;
