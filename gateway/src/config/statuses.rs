//! Sets of HTTP statuses, written as one line: `"401-404,429,5xx"`.

use std::fmt;
use std::str::FromStr;

use super::text::{Text, text_values};

/// Statuses that are failures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statuses(Vec<(u16, u16)>);

impl Statuses {
    /// Those of these ranges, both ends included.
    pub fn of(ranges: &[(u16, u16)]) -> Self {
        Self(ranges.to_vec())
    }

    /// True when this status is one of them.
    pub fn hold(&self, status: u16) -> bool {
        self.0.iter().any(|(from, to)| (*from..=*to).contains(&status))
    }
}

impl FromStr for Statuses {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        text.split(',').map(|part| range(part.trim())).collect::<Result<_, _>>().map(Self)
    }
}

fn range(part: &str) -> Result<(u16, u16), String> {
    match part {
        "" => return Err("there is nothing between two commas".to_owned()),
        "4xx" => return Ok((400, 499)),
        "5xx" => return Ok((500, 599)),
        _ => {}
    }
    let status = |text: &str| match text.trim().parse::<u16>() {
        Ok(status @ 400..=999) => Ok(status),
        Ok(_) => Err(format!("`{part}`: only statuses from 400 to 999 are failures")),
        Err(_) => Err(format!("`{part}` is not a status or a range of statuses")),
    };
    let (from, to) = part.split_once('-').unwrap_or((part, part));
    let (from, to) = (status(from)?, status(to)?);
    if from > to {
        return Err(format!("`{part}`: the range ends before it begins"));
    }
    Ok((from, to))
}

impl fmt::Display for Statuses {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (from, to)) in self.0.iter().enumerate() {
            if place > 0 {
                formatter.write_str(",")?;
            }
            write!(formatter, "{from}")?;
            if from != to {
                write!(formatter, "-{to}")?;
            }
        }
        Ok(())
    }
}

impl Text for Statuses {
    const KIND: &'static str = "statuses";
    const PATTERN: &'static str = r"^\s*(([4-9][0-9][0-9](\s*-\s*[4-9][0-9][0-9])?|[45]xx)(\s*,\s*([4-9][0-9][0-9](\s*-\s*[4-9][0-9][0-9])?|[45]xx))*)?\s*$";
    const WRITTEN: &'static str =
        "statuses, ranges and classes between commas, as in \"401-404,429,5xx\"; \"\" is none";
}

text_values!(Statuses);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_held_and_nothing_else() {
        let statuses: Statuses = "400-403, 405 - 407,429,5xx,999".parse().expect("statuses");
        for (status, held) in [
            (400, true),
            (403, true),
            (404, false),
            (405, true),
            (407, true),
            (408, false),
            (429, true),
            (500, true),
            (599, true),
            (600, false),
            (999, true),
        ] {
            assert_eq!(statuses.hold(status), held, "{status}");
        }
        assert_eq!(statuses.to_string(), "400-403,405-407,429,500-599,999");
        assert_eq!(statuses.to_string().parse(), Ok(statuses));
        assert_eq!("".parse(), Ok(Statuses::default()));
    }

    #[test]
    fn what_is_no_set_of_statuses_is_refused_with_its_reason() {
        for (text, why) in [
            ("200", "`200`: only statuses from 400 to 999 are failures"),
            ("400-", "`400-` is not a status or a range of statuses"),
            ("500-400", "`500-400`: the range ends before it begins"),
            ("429,,500", "there is nothing between two commas"),
            ("6xx", "`6xx` is not a status or a range of statuses"),
            ("400-1000", "`400-1000`: only statuses from 400 to 999 are failures"),
            ("99999", "`99999` is not a status or a range of statuses"),
        ] {
            assert_eq!(text.parse::<Statuses>(), Err(why.to_owned()), "{text}");
        }
    }
}
