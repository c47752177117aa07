//! Kinds of values, and what every operator and function takes and gives.

use cel::common::ast::operators;

/// What kind of value an expression is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    Int,
    Double,
    Text,
    Texts,
    /// A list of numbers.
    Numbers,
    /// A list of nothing, or of flags.
    List,
    Time,
    Duration,
    Headers,
    Null,
}

impl Kind {
    /// As a message calls it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Bool => "true or false",
            Self::Int | Self::Double => "a number",
            Self::Text => "a text",
            Self::Texts => "a list of texts",
            Self::Numbers => "a list of numbers",
            Self::List => "a list",
            Self::Time => "a time",
            Self::Duration => "a duration",
            Self::Headers => "the headers",
            Self::Null => "null",
        }
    }

    pub(super) fn is_number(self) -> bool {
        matches!(self, Self::Int | Self::Double)
    }

    pub(super) fn is_list(self) -> bool {
        matches!(self, Self::Texts | Self::Numbers | Self::List)
    }

    /// What a list of this kind holds.
    pub(super) fn element(self) -> Option<Self> {
        match self {
            Self::Texts => Some(Self::Text),
            Self::Numbers => Some(Self::Int),
            Self::List => Some(Self::Bool),
            _ => None,
        }
    }

    /// The list of such elements.
    pub(super) fn list(self) -> Option<Self> {
        match self {
            Self::Text => Some(Self::Texts),
            Self::Int | Self::Double => Some(Self::Numbers),
            Self::Bool => Some(Self::List),
            _ => None,
        }
    }

    /// Whether two of them can be compared.
    pub(super) fn meets(self, other: Self) -> bool {
        self == other || self.is_number() && other.is_number()
    }
}

/// What an operator makes of one or two values. `None`: it does not take these.
pub(super) fn operator(name: &str, kinds: &[Kind]) -> Option<Kind> {
    use Kind::{Bool, Double, Duration, Int, List, Numbers, Text, Texts, Time};
    Some(match (name, kinds) {
        (operators::LOGICAL_NOT, [Bool]) => Bool,
        (operators::LOGICAL_AND | operators::LOGICAL_OR, [Bool, Bool]) => Bool,
        (operators::NOT_STRICTLY_FALSE, [Bool]) => Bool,
        (operators::NEGATE, [Int]) => Int,
        (operators::NEGATE, [Double]) => Double,
        (operators::EQUALS | operators::NOT_EQUALS, [one, other]) if one.meets(*other) => Bool,
        (
            operators::LESS | operators::LESS_EQUALS | operators::GREATER | operators::GREATER_EQUALS,
            [one, other],
        ) if one.meets(*other) && matches!(one, Int | Double | Text | Time | Duration) => Bool,
        (operators::IN, [Text, Texts]) => Bool,
        (operators::IN, [Int | Double, Numbers]) => Bool,
        (operators::IN, [_, List]) => Bool,
        (operators::CONDITIONAL, [Bool, one, other]) if one == other => *one,
        (operators::INDEX, [list, Int]) => list.element()?,
        (operators::ADD, [Text, Text]) => Text,
        (operators::ADD, [Time, Duration] | [Duration, Time]) => Time,
        (operators::ADD | operators::SUBSTRACT, [Duration, Duration]) => Duration,
        (operators::SUBSTRACT, [Time, Duration]) => Time,
        (operators::SUBSTRACT, [Time, Time]) => Duration,
        (
            operators::ADD
            | operators::SUBSTRACT
            | operators::MULTIPLY
            | operators::DIVIDE
            | operators::MODULO,
            [Int, Int],
        ) => Int,
        (
            operators::ADD | operators::SUBSTRACT | operators::MULTIPLY | operators::DIVIDE,
            [Double, Double],
        ) => Double,
        _ => return None,
    })
}

/// As a message calls it.
pub(super) fn sign(name: &str) -> &str {
    match name {
        operators::IN => "in",
        operators::CONDITIONAL => "? :",
        operators::INDEX => "[ ]",
        _ => name.trim_matches('_'),
    }
}

/// Every function, for a message.
pub(super) const FUNCTIONS: &str = "contains, startsWith, endsWith, matches, lowerAscii, upperAscii, size, has, exists, \
     all, exists_one, int, double, string, timestamp, duration, getHours, getMinutes, getSeconds, getDayOfWeek, getDate, \
     getDayOfMonth, getDayOfYear, getMonth and getFullYear";

/// What a function makes of its values; what it is called on stands first. `None`: there is no such function.
pub(super) fn function(name: &str, is_member: bool, kinds: &[Kind]) -> Option<Option<Kind>> {
    use Kind::{Bool, Double, Duration, Int, Text, Time};
    Some(match (name, is_member) {
        ("contains" | "startsWith" | "endsWith", true) => (kinds == [Text, Text]).then_some(Bool),
        ("lowerAscii" | "upperAscii", true) => (kinds == [Text]).then_some(Text),
        ("size", _) => match kinds {
            [kind] if *kind == Text || kind.is_list() => Some(Int),
            _ => None,
        },
        ("int", false) => matches!(kinds, [Int | Double | Text | Time]).then_some(Int),
        ("double", false) => matches!(kinds, [Int | Double | Text]).then_some(Double),
        ("string", false) => matches!(kinds, [Int | Double | Text | Bool]).then_some(Text),
        ("timestamp", false) => matches!(kinds, [Text | Int | Time]).then_some(Time),
        ("duration", false) => matches!(kinds, [Text | Duration]).then_some(Duration),
        (
            "getHours" | "getMinutes" | "getSeconds" | "getDayOfWeek" | "getDate" | "getDayOfMonth"
            | "getDayOfYear" | "getMonth" | "getFullYear",
            true,
        ) => matches!(kinds, [Time] | [Time, Text]).then_some(Int),
        _ => return None,
    })
}
