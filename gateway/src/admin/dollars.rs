//! Money as it is told: a number with every digit, down to the millionth of a micro-dollar.

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// An amount in millionths of a micro-dollar, told in US dollars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dollars(pub(super) i128);

impl Dollars {
    /// Of micro-dollars.
    pub(super) fn of_micros(micros: i64) -> Self {
        Self(i128::from(micros) * 1_000_000)
    }

    fn text(self) -> String {
        const PER_DOLLAR: u128 = 1_000_000_000_000;
        let sign = if self.0 < 0 { "-" } else { "" };
        let amount = self.0.unsigned_abs();
        let text = format!("{sign}{}.{:012}", amount / PER_DOLLAR, amount % PER_DOLLAR);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

impl Serialize for Dollars {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.text()).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_keeps_every_digit() {
        for (amount, text) in [
            (0, "0"),
            (20_000_000_000_000, "20"),
            (-1, "-0.000000000001"),
            (26_000_000, "0.000026"),
            (123_456_789_012_345_678_901, "123456789.012345678901"),
        ] {
            assert_eq!(serde_json::to_string(&Dollars(amount)).unwrap(), text);
        }
        assert_eq!(serde_json::to_string(&Dollars::of_micros(1_500_000)).unwrap(), "1.5");
    }
}
