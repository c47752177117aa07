//! Checks a tree before it is ever asked: names, kinds, patterns, zones, depth.
//!
//! On the way it replaces what needs no look-up in a map: `headers["x"]` and `"x" in headers` become variables of their
//! own, `now` a time made of a number, and the pattern of `matches` one that is compiled.

use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, LiteralValue, operators};
use cel::{Context, IdedExpr, Value};

use super::kinds::{self, Kind};
use super::pattern::Pattern;
use super::scope::VARIABLES;
use super::{LIBRARY, LazyLock};

/// Deepest tree that is evaluated.
const DEEPEST: usize = 64;
/// Longest list that is written out.
const LONGEST_LIST: usize = 256;

/// What the name of a header stands behind, and what tells whether there is one.
pub(super) const HEADER: &str = "@header:";
pub(super) const HAS_HEADER: &str = "@has:";
/// What the number of a pattern stands behind.
pub(super) const PATTERN: &str = "@pattern:";
/// Unix time in seconds.
pub(super) const NOW: &str = "@now";
/// The function for patterns.
pub(super) const MATCHES: &str = "matches";

/// A tree that may be asked.
pub(super) struct Checked {
    pub(super) tree: IdedExpr,
    pub(super) patterns: Vec<Pattern>,
}

/// What is wrong, and at which node.
pub(super) struct Wrong {
    pub(super) id: u64,
    pub(super) message: String,
}

type Answer = Result<Kind, Wrong>;

/// Checks a whole tree.
pub(super) fn check(mut tree: IdedExpr) -> Result<Checked, Wrong> {
    let mut check = Check::default();
    let id = tree.id;
    match check.node(&mut tree)? {
        Kind::Bool => Ok(Checked { tree, patterns: check.patterns }),
        kind => Err(wrong(id, format!("it is {} and must be true or false", kind.as_str()))),
    }
}

fn wrong(id: u64, message: impl Into<String>) -> Wrong {
    Wrong { id, message: message.into() }
}

#[derive(Default)]
struct Check {
    patterns: Vec<Pattern>,
    depth: usize,
    /// Names that a list's elements have inside `exists` and its like.
    named: Vec<(String, Kind)>,
}

impl Check {
    fn node(&mut self, node: &mut IdedExpr) -> Answer {
        if self.depth >= DEEPEST {
            return Err(wrong(node.id, format!("it is nested more than {DEEPEST} deep")));
        }
        self.depth += 1;
        let kind = self.expression(node);
        self.depth -= 1;
        kind
    }

    fn expression(&mut self, node: &mut IdedExpr) -> Answer {
        let id = node.id;
        if let Some(expr) = header(node)? {
            let kind = if matches!(&expr, Expr::Ident(name) if name.starts_with(HEADER)) {
                Kind::Text
            } else {
                Kind::Bool
            };
            node.expr = expr;
            return Ok(kind);
        }
        match &mut node.expr {
            Expr::Literal(literal) => {
                constant(literal).ok_or_else(|| wrong(id, "write numbers without `u`, and texts without `b`"))
            }
            Expr::Ident(name) => {
                let kind = self.variable(name).ok_or_else(|| unknown(id, name))?;
                if kind == Kind::Headers {
                    return Err(wrong(id, "write `headers[\"name\"]`, or `\"name\" in headers`"));
                }
                if name == "now" {
                    let number = IdedExpr { id, expr: Expr::Ident(NOW.to_owned()) };
                    let func_name = "timestamp".to_owned();
                    node.expr = Expr::Call(CallExpr { func_name, target: None, args: vec![number] });
                }
                Ok(kind)
            }
            Expr::Select(select) => {
                let Expr::Ident(operand) = &select.operand.expr else {
                    return Err(wrong(id, format!("nothing here has a `{}`", select.field)));
                };
                if select.test {
                    return Err(wrong(id, "`has` is for headers; what is not known is empty"));
                }
                let name = format!("{operand}.{}", select.field);
                self.variable(&name).ok_or_else(|| unknown(id, &name))
            }
            Expr::Call(call) => self.call(id, call),
            Expr::List(list) => {
                if list.elements.len() > LONGEST_LIST {
                    return Err(wrong(id, format!("the list has more than {LONGEST_LIST} elements")));
                }
                let mut kinds = Vec::with_capacity(list.elements.len());
                for element in &mut list.elements {
                    kinds.push((element.id, self.node(element)?));
                }
                let first = kinds.first().map_or(Kind::Bool, |(_, kind)| *kind);
                match kinds.iter().find(|(_, kind)| !kind.meets(first)) {
                    Some((id, _)) => Err(wrong(*id, "the list holds values of different kinds")),
                    None => first.list().ok_or_else(|| wrong(id, "a list holds texts or numbers")),
                }
            }
            Expr::Comprehension(comprehension) => self.comprehension(id, comprehension),
            Expr::Map(_) | Expr::Struct(_) => Err(wrong(id, "a map or message is of no use here")),
            Expr::Unspecified => Err(wrong(id, "something is missing here")),
        }
    }

    fn variable(&self, name: &str) -> Option<Kind> {
        let own = self.named.iter().rev().find(|(own, _)| own == name).map(|(_, kind)| *kind);
        own.or_else(|| VARIABLES.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind))
    }

    fn call(&mut self, id: u64, call: &mut CallExpr) -> Answer {
        if call.func_name == MATCHES {
            return self.matches(id, call);
        }
        let mut kinds = Vec::with_capacity(call.args.len() + 1);
        for value in call.target.as_deref_mut().into_iter().chain(&mut call.args) {
            kinds.push(self.node(value)?);
        }
        let name = call.func_name.as_str();
        let shown = |kinds: &[Kind]| {
            let words: Vec<_> = kinds.iter().map(|kind| kind.as_str()).collect();
            words.join(" and ")
        };
        if !name.starts_with(|first: char| first.is_ascii_alphabetic()) {
            return kinds::operator(name, &kinds).ok_or_else(|| {
                wrong(id, format!("`{}` is not possible with {}", kinds::sign(name), shown(&kinds)))
            });
        }
        match kinds::function(name, call.target.is_some(), &kinds) {
            None => Err(wrong(id, format!("there is no function `{name}`; there are {}", kinds::FUNCTIONS))),
            Some(None) => Err(wrong(id, format!("`{name}` does not take {}", shown(&kinds)))),
            Some(Some(kind)) => constant_call(id, call).map(|()| kind),
        }
    }

    /// `text.matches("pattern")` or `matches(text, "pattern")`
    fn matches(&mut self, id: u64, call: &mut CallExpr) -> Answer {
        let Some(pattern) = call.args.pop() else { return Err(wrong(id, "`matches` takes a pattern")) };
        if call.target.is_none() {
            call.target = call.args.pop().map(Box::new);
        }
        let Some(target) = call.target.as_deref_mut().filter(|_| call.args.is_empty()) else {
            return Err(wrong(id, "`matches` takes a text and a pattern"));
        };
        let kind = self.node(target)?;
        if kind != Kind::Text {
            return Err(wrong(id, format!("`matches` does not take {}", kind.as_str())));
        }
        let Some(text) = written(&pattern.expr) else {
            return Err(wrong(pattern.id, "the pattern must be written out, in quotes"));
        };
        let compiled = Pattern::new(text).map_err(|why| wrong(pattern.id, why))?;
        let expr = Expr::Ident(format!("{PATTERN}{}", self.patterns.len()));
        self.patterns.push(compiled);
        call.args.push(IdedExpr { id: pattern.id, expr });
        Ok(Kind::Bool)
    }

    /// `list.exists(element, condition)` and its like; the parser has made a loop of it.
    fn comprehension(&mut self, id: u64, comprehension: &mut ComprehensionExpr) -> Answer {
        if !self.named.is_empty() {
            return Err(wrong(id, "one list cannot be gone through inside another"));
        }
        let range = self.node(&mut comprehension.iter_range)?;
        let Some(element) = range.element() else {
            return Err(wrong(id, format!("{} cannot be gone through", range.as_str())));
        };
        let initial = self.node(&mut comprehension.accu_init)?;
        if !matches!(initial, Kind::Bool | Kind::Int) || comprehension.iter_var2.is_some() {
            return Err(wrong(id, "of loops there are `exists`, `all` and `exists_one`"));
        }
        if VARIABLES.iter().any(|(known, _)| known.split('.').next() == Some(&comprehension.iter_var)) {
            return Err(wrong(id, format!("`{}` means something else already", comprehension.iter_var)));
        }
        self.named.push((comprehension.iter_var.clone(), element));
        self.named.push((comprehension.accu_var.clone(), initial));
        let inside = [&mut comprehension.loop_cond, &mut comprehension.loop_step, &mut comprehension.result];
        // The last of them is what the loop comes to.
        let mut result = Ok(initial);
        for node in inside {
            result = result.and_then(|_| self.node(node));
        }
        self.named.clear();
        result
    }
}

/// What stands for a header: `headers["x"]`, `headers.x`, `"x" in headers`, `has(headers.x)`.
fn header(node: &IdedExpr) -> Result<Option<Expr>, Wrong> {
    let is_headers = |node: &IdedExpr| matches!(&node.expr, Expr::Ident(name) if name == "headers");
    let (prefix, name) = match &node.expr {
        Expr::Select(select) if is_headers(&select.operand) => {
            (if select.test { HAS_HEADER } else { HEADER }, Some(select.field.as_str()))
        }
        Expr::Call(CallExpr { func_name, args, .. }) => match (func_name.as_str(), args.as_slice()) {
            (operators::INDEX, [headers, name]) if is_headers(headers) => (HEADER, written(&name.expr)),
            (operators::IN, [name, headers]) if is_headers(headers) => (HAS_HEADER, written(&name.expr)),
            _ => return Ok(None),
        },
        _ => return Ok(None),
    };
    let Some(name) = name else {
        return Err(wrong(node.id, "the name of a header must be written out, in quotes"));
    };
    let name = http::HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| wrong(node.id, format!("`{name}` is not the name of a header")))?;
    Ok(Some(Expr::Ident(format!("{prefix}{name}"))))
}

/// A text that stands there as it is.
fn written(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
        _ => None,
    }
}

fn constant(literal: &LiteralValue) -> Option<Kind> {
    match literal {
        LiteralValue::Boolean(_) => Some(Kind::Bool),
        LiteralValue::Int(_) => Some(Kind::Int),
        LiteralValue::Double(_) => Some(Kind::Double),
        LiteralValue::String(_) => Some(Kind::Text),
        LiteralValue::Null => Some(Kind::Null),
        LiteralValue::UInt(_) | LiteralValue::Bytes(_) => None,
    }
}

/// Times, durations, numbers and zones that are written out are tried now, and not at night.
fn constant_call(id: u64, call: &CallExpr) -> Result<(), Wrong> {
    let mut tried = call.clone();
    if tried.func_name.starts_with("get") {
        // Any time will do to see whether there is such a zone.
        let some = Expr::Literal(LiteralValue::Int(0.into()));
        let time = CallExpr {
            func_name: "timestamp".to_owned(),
            target: None,
            args: vec![IdedExpr { id, expr: some }],
        };
        tried.target = Some(Box::new(IdedExpr { id, expr: Expr::Call(time) }));
    } else if tried.target.is_some()
        || !matches!(call.func_name.as_str(), "timestamp" | "duration" | "int" | "double")
    {
        return Ok(());
    }
    if tried.args.is_empty() || !tried.args.iter().all(|value| written(&value.expr).is_some()) {
        return Ok(());
    }
    let context = Context::with_env(std::sync::Arc::clone(LazyLock::force(&LIBRARY)));
    let tried = IdedExpr { id, expr: Expr::Call(tried) };
    match Value::resolve_val(&tried, &context) {
        Ok(_) => Ok(()),
        Err(_) => {
            let text = call.args.iter().find_map(|value| written(&value.expr)).unwrap_or_default();
            let what = match call.func_name.as_str() {
                "timestamp" => "no time; write \"2026-11-21T09:00:00Z\"",
                "duration" => "no duration; write \"90s\" or \"1h30m\"",
                "int" | "double" => "no number",
                _ => "no time zone; write \"Europe/Berlin\" or \"+01:00\"",
            };
            Err(wrong(id, format!("`{text}` is {what}")))
        }
    }
}

/// A name that is not known, and one that is meant perhaps.
fn unknown(id: u64, name: &str) -> Wrong {
    let known = VARIABLES.iter().map(|(known, _)| *known);
    let close = known
        .map(|known| (strsim::jaro_winkler(known, name), known))
        .filter(|(score, _)| *score > 0.8)
        .max_by(|(one, _), (other, _)| one.total_cmp(other));
    let hint = match close {
        Some((_, close)) => format!("did you mean `{close}`?"),
        None => {
            let names: Vec<_> = VARIABLES.iter().map(|(known, _)| *known).collect();
            format!("there are {}", names.join(", "))
        }
    };
    wrong(id, format!("there is no `{name}`; {hint}"))
}
