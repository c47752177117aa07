//! The variables: what each name stands for in one request.

use cel::common::types::{CelBool, CelInt, CelList, CelString};
use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;

use super::kinds::Kind;
use super::pattern::Pattern;
use super::{Circumstances, check};
use crate::domain::Asks;

/// Every variable and its kind. `now` is in none: [`check`] makes a time of `@now`.
pub(super) const VARIABLES: &[(&str, Kind)] = &[
    ("model", Kind::Text),
    ("key.name", Kind::Text),
    ("key.team", Kind::Text),
    ("key.tags", Kind::Texts),
    ("messages", Kind::Int),
    ("tokens", Kind::Int),
    ("max_tokens", Kind::Int),
    ("body_bytes", Kind::Int),
    ("tools", Kind::Bool),
    ("images", Kind::Bool),
    ("documents", Kind::Bool),
    ("audio", Kind::Bool),
    ("json", Kind::Text),
    ("reasoning", Kind::Bool),
    ("stream", Kind::Bool),
    ("dialect", Kind::Text),
    ("operation", Kind::Text),
    ("session", Kind::Text),
    ("hour", Kind::Int),
    ("minute", Kind::Int),
    ("weekday", Kind::Int),
    ("now", Kind::Time),
    ("headers", Kind::Headers),
];

const DAY: u64 = 86_400;
/// Weekdays begin with Sunday, as CEL counts them, and Unix time with a Thursday.
const FIRST_WEEKDAY: u64 = 4;

/// Names and what they stand for.
pub(super) struct Scope<'a> {
    pub(super) circumstances: &'a Circumstances<'a>,
    pub(super) patterns: &'a [Pattern],
}

impl Scope<'_> {
    fn number(number: u64) -> Option<CowVal<'static, 'static>> {
        Some(CowVal::owned(CelInt::from(i64::try_from(number).unwrap_or(i64::MAX))))
    }

    fn header(&self, name: &str) -> &str {
        self.circumstances.head.header(name).unwrap_or_default()
    }

    /// What [`check`] put in the place of a header or a pattern.
    fn placed<'b>(&'b self, name: &str) -> Option<CowVal<'b, 'b>> {
        if let Some(header) = name.strip_prefix(check::HEADER) {
            return Some(text(self.header(header)));
        }
        if let Some(header) = name.strip_prefix(check::HAS_HEADER) {
            let has = self.circumstances.head.headers.contains_key(header);
            return Some(CowVal::owned(CelBool::from(has)));
        }
        let place: usize = name.strip_prefix(check::PATTERN)?.parse().ok()?;
        self.patterns.get(place).map(|pattern| CowVal::Borrowed(pattern))
    }

    fn asked(&self, name: &str) -> Option<CowVal<'_, '_>> {
        let asks: &Asks = self.circumstances.asks;
        let flag = |flag: bool| Some(CowVal::owned(CelBool::from(flag)));
        match name {
            "messages" => Self::number(asks.messages.into()),
            "tokens" => Self::number(asks.input_tokens),
            "max_tokens" => Self::number(asks.max_output.unwrap_or_default()),
            "body_bytes" => Self::number(asks.body_bytes),
            "tools" => flag(asks.tools),
            "images" => flag(asks.images),
            "documents" => flag(asks.documents),
            "audio" => flag(asks.audio_input || asks.audio_output),
            "json" => Some(text(asks.json.as_str())),
            "reasoning" => flag(asks.reasoning),
            "stream" => flag(asks.stream),
            "operation" => Some(text(asks.operation.as_str())),
            _ => None,
        }
    }
}

fn text(text: &str) -> CowVal<'_, '_> {
    CowVal::owned(CelString::from(text))
}

impl VariableResolver for Scope<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        let Circumstances { model, key, dialect, session, now, .. } = *self.circumstances;
        match variable {
            "model" => Some(text(model)),
            "key.name" => Some(text(&key.id)),
            "key.team" => Some(text(key.team.as_deref().unwrap_or_default())),
            "key.tags" => {
                let tag = |tag: &'b String| -> Box<dyn Val + 'b> { Box::new(CelString::from(tag.as_str())) };
                Some(CowVal::owned(CelList::from(key.tags.iter().map(tag).collect::<Vec<_>>())))
            }
            "dialect" => Some(text(dialect)),
            "session" => Some(text(session.unwrap_or_default())),
            "hour" => Self::number(now % DAY / 3_600),
            "minute" => Self::number(now % 3_600 / 60),
            "weekday" => Self::number((now / DAY + FIRST_WEEKDAY) % 7),
            check::NOW => Self::number(now),
            name if name.starts_with('@') => self.placed(name),
            name => self.asked(name),
        }
    }
}
