//! Money as integer millionths of a US dollar, so that a long bill adds up to the cent.

use std::fmt;
use std::str::FromStr;

/// Micro-dollars. Parsed from exact decimals; never computed in floating point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Micros(pub i64);

/// Micro-dollars in one dollar.
pub const PER_DOLLAR: i64 = 1_000_000;

impl Micros {
    /// The amount in micro-dollars.
    pub fn get(self) -> i64 {
        self.0
    }
}

impl FromStr for Micros {
    type Err = String;

    /// `20`, `0.05`, `1e-3`: dollars in decimal, down to six places.
    fn from_str(text: &str) -> Result<Self, String> {
        let refuse = |why: &str| Err(format!("`{text}` is not an amount of US dollars: {why}"));
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            None => (text, 0),
            Some((mantissa, exponent)) => match exponent.parse::<i32>() {
                Ok(exponent @ -18..=18) => (mantissa, exponent),
                _ => return refuse("the exponent is out of range"),
            },
        };
        let (negative, digits) = match mantissa.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
            return refuse("write it like 20 or 0.05");
        }
        let Ok(mut amount) = format!("{whole}{fraction}").parse::<i128>() else {
            return refuse("it is too large");
        };
        let places = 6 + exponent - i32::try_from(fraction.len()).unwrap_or(i32::MAX / 2);
        for _ in 0..places.min(40) {
            amount = amount.saturating_mul(10);
        }
        for _ in 0..places.saturating_neg().min(80) {
            if amount % 10 != 0 {
                return refuse("six decimal places is the finest");
            }
            amount /= 10;
        }
        match i64::try_from(if negative { -amount } else { amount }) {
            Ok(amount) => Ok(Self(amount)),
            Err(_) => refuse("it is too large"),
        }
    }
}

impl fmt::Display for Micros {
    /// Dollars in decimal, without trailing zeros.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let amount = self.0.unsigned_abs();
        let (whole, fraction) = (amount / PER_DOLLAR.unsigned_abs(), amount % PER_DOLLAR.unsigned_abs());
        if fraction == 0 {
            return write!(formatter, "{sign}{whole}");
        }
        let places = format!("{fraction:06}");
        write!(formatter, "{sign}{whole}.{}", places.trim_end_matches('0'))
    }
}
