//! Patterns, compiled when the expression is read. `regex` takes linear time whatever the pattern.

use std::any::Any;

use cel::common::types::{CelBool, CelString, STRING_TYPE, Type};
use cel::common::value::{CowVal, StaticVal, Val};
use cel::{DeclarationError, Env, ExecutionError};
use regex::{Regex, RegexBuilder};

/// Longest pattern, in bytes.
const LONGEST: usize = 512;
/// Most memory for one.
const LARGEST: usize = 1 << 20;

const PATTERN: Type = Type::new_unspecified_type("pattern");
static PATTERN_TYPE: Type = PATTERN;

/// One pattern, as a value of the language: it stands where its text stood.
#[derive(Clone, Debug)]
pub(super) struct Pattern(Regex);

impl Pattern {
    /// Compiles one.
    pub(super) fn new(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("the pattern is longer than {LONGEST} bytes"));
        }
        let built = RegexBuilder::new(text).size_limit(LARGEST).dfa_size_limit(LARGEST).build();
        built.map(Self).map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "the pattern would be too large".to_owned(),
            error => {
                // Its last line says what is wrong, those before show where.
                let text = error.to_string();
                let last = text.lines().last().unwrap_or_default();
                format!("the pattern is none: {}", last.trim_start_matches("error: "))
            }
        })
    }
}

impl Val for Pattern {
    fn get_type(&self) -> &Type {
        &PATTERN_TYPE
    }

    fn cel_type() -> &'static Type {
        &PATTERN_TYPE
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(self.clone())
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl StaticVal for Pattern {}

/// `text.matches(pattern)`
pub(super) fn declare(library: &mut Env) -> Result<(), DeclarationError> {
    library.add_member_overload(
        super::check::MATCHES,
        "string_matches_pattern",
        STRING_TYPE,
        vec![PATTERN],
        matches,
    )
}

fn matches<'b, 'v>(values: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let text = values.first().and_then(|text| text.downcast_ref::<CelString<'_>>());
    let pattern = values.get(1).and_then(|pattern| pattern.downcast_ref::<Pattern>());
    match (text, pattern) {
        (Some(text), Some(Pattern(pattern))) => {
            Ok(CowVal::owned(CelBool::from(pattern.is_match(text.inner()))))
        }
        _ => Err(ExecutionError::function_error("matches", "it takes a text and a pattern")),
    }
}
