//! What a request costs at one target. Whole numbers only; the unit is a millionth of a micro-dollar, so that the price of
//! one token is exact.

use super::{Micros, ModelPrice};

/// The price of one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    base: ModelPrice,
    /// For each request, beside its tokens.
    request: Micros,
    /// For prompts of more tokens than this; the longest first.
    above: Vec<(u64, ModelPrice)>,
}

impl Price {
    /// `above` are the prices of longer prompts, in any order.
    pub fn new(base: ModelPrice, request: Micros, mut above: Vec<(u64, ModelPrice)>) -> Self {
        above.sort_by_key(|(tokens, _)| std::cmp::Reverse(*tokens));
        Self { base, request, above }
    }

    /// What a million tokens cost when the prompt has so many.
    pub fn of_prompt(&self, tokens: u64) -> &ModelPrice {
        let above = self.above.iter().find(|(least, _)| tokens > *least);
        above.map_or(&self.base, |(_, price)| price)
    }

    /// What a million tokens cost at most, however long the prompt is.
    pub fn dearest(&self) -> ModelPrice {
        self.above.iter().fold(self.base, |dearest, (_, price)| dearest.ceiling(*price))
    }

    /// What each request costs beside its tokens.
    pub fn request(&self) -> Micros {
        self.request
    }

    /// What a request costs, in millionths of a micro-dollar. `cached` of its `input` tokens come from a cache.
    pub fn cost(&self, input: u64, cached: u64, output: u64) -> u64 {
        let price = self.of_prompt(input);
        let cached = cached.min(input);
        let part = |tokens: u64, per_million: Micros| {
            tokens.saturating_mul(u64::try_from(per_million.get()).unwrap_or(0))
        };
        part(input - cached, price.input)
            .saturating_add(part(cached, price.cache_read.unwrap_or(price.input)))
            .saturating_add(part(output, price.output))
            .saturating_add(part(1_000_000, self.request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(input: i64, output: i64, cache_read: Option<i64>) -> ModelPrice {
        ModelPrice {
            input: Micros(input),
            output: Micros(output),
            cache_read: cache_read.map(Micros),
            cache_write: None,
        }
    }

    #[test]
    fn long_prompts_caches_and_requests_have_their_own_price() {
        let above = vec![(1_000, price(20, 30, None)), (5_000, price(40, 60, Some(4)))];
        let tiered = Price::new(price(10, 15, Some(1)), Micros(2), above);
        for ((input, cached, output), expected) in [
            ((100, 0, 10), 100 * 10 + 10 * 15 + 2_000_000),
            ((1_000, 900, 0), 100 * 10 + 900 + 2_000_000),
            ((1_001, 900, 1), 1_001 * 20 + 30 + 2_000_000),
            ((6_000, 6_000, 0), 6_000 * 4 + 2_000_000),
            ((0, 50, 0), 2_000_000),
            ((u64::MAX, 0, u64::MAX), u64::MAX),
        ] {
            assert_eq!(tiered.cost(input, cached, output), expected, "{input} {cached} {output}");
        }
    }
}
