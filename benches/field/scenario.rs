//! What is measured with each peer.

use std::fmt;

/// Which pair of APIs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pair {
    /// OpenAI's on both sides.
    Pass,
    /// OpenAI's in front, Anthropic's behind.
    Translated,
}

impl fmt::Display for Pair {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if *self == Self::Pass { "pass" } else { "translated" })
    }
}

/// One thing that is done with a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    /// As fast as answers come, 64 connections.
    Saturate,
    /// So many requests a second, evenly.
    Rate(u32),
    /// 64 streams of 64 chunks, one each 10 ms.
    Paced,
    /// 32 streams of 64 chunks, as fast as they come.
    Burst,
    /// Requests of so many bytes.
    Body(usize),
    /// So many open streams in which little happens.
    Held(usize),
}

impl Scenario {
    /// In the order in which they are measured; those with streams held have a fresh process each.
    pub(crate) const ALL: [Self; 13] = [
        Self::Saturate,
        Self::Rate(50),
        Self::Rate(200),
        Self::Rate(2000),
        Self::Paced,
        Self::Burst,
        Self::Body(1 << 10),
        Self::Body(10 << 10),
        Self::Body(100 << 10),
        Self::Body(1 << 20),
        Self::Body(10 << 20),
        Self::Held(1000),
        Self::Held(10_000),
    ];

    /// Whether it is worth the time with a peer of that kind.
    pub(crate) fn suits(self, pair: Pair, slow: bool) -> bool {
        match self {
            Self::Rate(rate) => slow == (rate < 200) && (pair == Pair::Pass || rate < 2000),
            Self::Held(streams) => !slow && (pair == Pair::Pass || streams <= 1000),
            Self::Body(bytes) => !slow && (pair == Pair::Pass || bytes <= 1 << 20),
            Self::Saturate | Self::Paced | Self::Burst => true,
        }
    }

    pub(crate) fn streams(self) -> bool {
        matches!(self, Self::Paced | Self::Burst | Self::Held(_))
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Saturate => formatter.write_str("saturate"),
            Self::Rate(rate) => write!(formatter, "rate-{rate}"),
            Self::Paced => formatter.write_str("paced"),
            Self::Burst => formatter.write_str("burst"),
            Self::Body(bytes) if *bytes < 1 << 20 => write!(formatter, "body-{}k", bytes >> 10),
            Self::Body(bytes) => write!(formatter, "body-{}m", bytes >> 20),
            Self::Held(streams) => write!(formatter, "held-{streams}"),
        }
    }
}

/// What somebody wants of all that: words such as `saturate`, `pass.paced`, `rate`, `body`, `held`; none: everything.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted(pub(crate) Vec<String>);

impl Wanted {
    pub(crate) fn takes(&self, pair: Pair, scenario: Scenario) -> bool {
        let (name, full) = (scenario.to_string(), format!("{pair}.{scenario}"));
        let kind = name.split('-').next().unwrap_or_default();
        let one = |word: &String| {
            [name.as_str(), full.as_str(), kind].contains(&word.as_str()) || *word == format!("{pair}.{kind}")
        };
        self.0.is_empty() || self.0.iter().any(one)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_name_scenarios() {
        let names = |words: &[&str]| {
            let wanted = Wanted(words.iter().map(|word| (*word).to_owned()).collect());
            let pairs = [Pair::Pass, Pair::Translated];
            let all = pairs.iter().flat_map(|pair| Scenario::ALL.map(|scenario| (*pair, scenario)));
            let taken = all.filter(|(pair, scenario)| wanted.takes(*pair, *scenario));
            taken.map(|(pair, scenario)| format!("{pair}.{scenario}")).collect::<Vec<_>>()
        };
        assert_eq!(names(&["pass.paced"]), ["pass.paced"]);
        assert_eq!(names(&["held"]).len(), 4);
        assert_eq!(names(&["pass.body"]).len(), 5);
        assert_eq!(names(&[]).len(), 26);
        assert_eq!(names(&["nonsense"]), [""; 0]);
    }
}
