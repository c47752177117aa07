//! What can go wrong on purpose.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// One fault. A number counts the events of a stream that are still sent before it strikes; an answer that is not a
/// stream is struck in the middle of its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `status:500`: the vendor's own error with this status; 429, 503 and 529 say when to come back.
    Status(u16),
    /// `cut:3`: the connection closes after three events, without a clean end.
    Cut(usize),
    /// `cut-bytes:100`: the connection closes after this many bytes of the body.
    CutBytes(usize),
    /// `hang`: the request is taken and never answered.
    Hang,
    /// `hang:3`: nothing comes after three events (`hang:0`: only the head comes).
    HangAfter(usize),
    /// `garbage`: 200 and JSON that is none.
    Garbage,
    /// `html`: 200 and a web page.
    Html,
    /// `empty`: a correct answer without any content.
    Empty,
    /// `blank`: 200 and a body of no bytes.
    Blank,
    /// `error-event:2`: the vendor's error inside the stream after two events.
    ErrorEvent(usize),
    /// `close`: the connection closes before any byte of an answer.
    Close,
    /// `slow:50`: this many milliseconds before each event (`slow-body` is `slow:500`).
    Slow(u64),
    /// `trickle:3`: the body goes out three bytes at a time, one write each.
    Trickle(usize),
}

const FORMS: &str = "status:<code>, cut:<events>, cut-bytes:<bytes>, hang, hang:<events>, garbage, html, empty, \
                     blank, error-event:<events>, close, slow:<milliseconds>, slow-body, trickle:<bytes>";

/// The pause of `slow-body` in milliseconds.
const SLOW_BODY: u64 = 500;

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (word, number) = match text.split_once(':') {
            Some((word, number)) => (word, Some(number)),
            None => (text, None),
        };
        let number = match number {
            Some(number) => match number.parse::<u64>() {
                Ok(number) if number <= 1 << 30 => Some(number),
                _ => return Err(format!("`{number}` in fault `{text}` is not a number this mock can use")),
            },
            None => None,
        };
        let count = number.and_then(|number| usize::try_from(number).ok());
        match (word, number, count) {
            ("status", Some(code @ 400..=599), _) => Ok(Self::Status(u16::try_from(code).unwrap_or(500))),
            ("status", _, _) => Err(format!("fault `{text}` needs a status between 400 and 599")),
            ("cut", _, Some(events)) => Ok(Self::Cut(events)),
            ("cut-bytes", _, Some(bytes)) => Ok(Self::CutBytes(bytes)),
            ("hang", None, None) => Ok(Self::Hang),
            ("hang", _, Some(events)) => Ok(Self::HangAfter(events)),
            ("garbage", None, None) => Ok(Self::Garbage),
            ("html", None, None) => Ok(Self::Html),
            ("empty", None, None) => Ok(Self::Empty),
            ("blank", None, None) => Ok(Self::Blank),
            ("error-event", _, Some(events)) => Ok(Self::ErrorEvent(events)),
            ("error-event", None, None) => Ok(Self::ErrorEvent(0)),
            ("close", None, None) => Ok(Self::Close),
            ("slow", Some(pause), _) => Ok(Self::Slow(pause)),
            ("slow-body", _, _) => Ok(Self::Slow(number.unwrap_or(SLOW_BODY))),
            ("trickle", _, Some(bytes @ 1..)) => Ok(Self::Trickle(bytes)),
            _ => Err(format!("unknown fault `{text}`; there are {FORMS}")),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(code) => write!(formatter, "status:{code}"),
            Self::Cut(events) => write!(formatter, "cut:{events}"),
            Self::CutBytes(bytes) => write!(formatter, "cut-bytes:{bytes}"),
            Self::Hang => formatter.write_str("hang"),
            Self::HangAfter(events) => write!(formatter, "hang:{events}"),
            Self::Garbage => formatter.write_str("garbage"),
            Self::Html => formatter.write_str("html"),
            Self::Empty => formatter.write_str("empty"),
            Self::Blank => formatter.write_str("blank"),
            Self::ErrorEvent(events) => write!(formatter, "error-event:{events}"),
            Self::Close => formatter.write_str("close"),
            Self::Slow(pause) => write!(formatter, "slow:{pause}"),
            Self::Trickle(bytes) => write!(formatter, "trickle:{bytes}"),
        }
    }
}

impl Fault {
    /// The pause this fault puts before each event.
    pub(super) fn pause(self) -> Option<Duration> {
        match self {
            Self::Slow(pause) => Some(Duration::from_millis(pause)),
            _ => None,
        }
    }
}
