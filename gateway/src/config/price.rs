//! `[prices]` and `[currencies]`: what the built-in price table lacks or has otherwise.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::{self, Micros, ModelPrice, PiecePrice};

/// US dollars per million tokens of one target. What costs nothing says 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Prompt tokens.
    pub input: Micros,
    /// Generated tokens, reasoning included.
    pub output: Micros,
    /// Prompt tokens read from the provider's cache. Default: as `input`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_read: Option<Micros>,
    /// Prompt tokens written to the provider's cache. Default: as `input`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write: Option<Micros>,
    /// Prompt tokens written to a cache that keeps them for an hour. Default: as `cache_write`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write_long: Option<Micros>,
    /// Generated tokens that are reasoning. Default: as `output`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<Micros>,
    /// Prompt tokens that are sound. Default: as `input`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio_input: Option<Micros>,
    /// Generated tokens that are sound. Default: as `output`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio_output: Option<Micros>,
    /// Prompt tokens that are pictures. Default: as `input`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_input: Option<Micros>,
    /// Generated tokens that are pictures. Default: as `output`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_output: Option<Micros>,
    /// US dollars for each request, beside its tokens. Default: 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Micros>,
    /// US dollars for each picture made, beside its tokens. Default: 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Micros>,
    /// US dollars for a million characters spoken. Default: 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub characters: Option<Micros>,
    /// US dollars for an hour of sound heard; seconds count. Default: 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hour: Option<Micros>,
    /// US dollars for each search that a ranking is billed as. Default: 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<Micros>,
    /// The currency of all these amounts, by its name in `[currencies]`. Default: US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// Other prices for long prompts: they hold for the whole request. The highest entry that the prompt exceeds counts.
    #[serde(default)]
    pub above: Vec<PriceAbove>,
}

/// US dollars per million tokens of a request whose prompt is long.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceAbove {
    /// It counts for prompts of more tokens than this.
    pub tokens: u64,
    /// Prompt tokens.
    pub input: Micros,
    /// Generated tokens, reasoning included.
    pub output: Micros,
    /// Prompt tokens read from the provider's cache. Default: as `input`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_read: Option<Micros>,
    /// Prompt tokens written to the provider's cache. Default: as `input`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write: Option<Micros>,
    /// Prompt tokens written to a cache that keeps them for an hour. Default: as `cache_write`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write_long: Option<Micros>,
    /// Generated tokens that are reasoning. Default: as `output`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<Micros>,
    /// Prompt tokens that are sound. Default: as `input`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio_input: Option<Micros>,
    /// Generated tokens that are sound. Default: as `output`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio_output: Option<Micros>,
    /// Prompt tokens that are pictures. Default: as `input`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_input: Option<Micros>,
    /// Generated tokens that are pictures. Default: as `output`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_output: Option<Micros>,
}

impl Price {
    /// As the rest of the program reckons with it, in US dollars. `origin` says where these facts are from.
    pub fn compiled(&self, currencies: &BTreeMap<String, Micros>, origin: &str) -> domain::Price {
        let rate = self.currency.as_ref().and_then(|name| currencies.get(name)).copied();
        let usd = |amount: Micros| rate.map_or(amount, |rate| exchanged(amount, rate));
        let maybe = |amount: Option<Micros>| amount.map(usd);
        let base = ModelPrice {
            input: usd(self.input),
            output: usd(self.output),
            cache_read: maybe(self.cache_read),
            cache_write: maybe(self.cache_write),
            cache_write_long: maybe(self.cache_write_long),
            reasoning: maybe(self.reasoning),
            audio_input: maybe(self.audio_input),
            audio_output: maybe(self.audio_output),
            image_input: maybe(self.image_input),
            image_output: maybe(self.image_output),
        };
        let above = self.above.iter().map(|above| {
            let price = ModelPrice {
                input: usd(above.input),
                output: usd(above.output),
                cache_read: maybe(above.cache_read),
                cache_write: maybe(above.cache_write),
                cache_write_long: maybe(above.cache_write_long),
                reasoning: maybe(above.reasoning),
                audio_input: maybe(above.audio_input),
                audio_output: maybe(above.audio_output),
                image_input: maybe(above.image_input),
                image_output: maybe(above.image_output),
            };
            (above.tokens, price)
        });
        let each = PiecePrice {
            request: maybe(self.request),
            image: maybe(self.image),
            characters: maybe(self.characters),
            hour: maybe(self.hour),
            search: maybe(self.search),
        };
        domain::Price::named(origin, base, above.collect(), each)
    }

    /// Every amount in it and the name of its key; the place in `above` where it stands there.
    pub(crate) fn amounts(&self) -> impl Iterator<Item = (Option<usize>, &'static str, Micros)> {
        let own = [
            ("input", Some(self.input)),
            ("output", Some(self.output)),
            ("cache_read", self.cache_read),
            ("cache_write", self.cache_write),
            ("cache_write_long", self.cache_write_long),
            ("reasoning", self.reasoning),
            ("audio_input", self.audio_input),
            ("audio_output", self.audio_output),
            ("image_input", self.image_input),
            ("image_output", self.image_output),
            ("request", self.request),
            ("image", self.image),
            ("characters", self.characters),
            ("hour", self.hour),
            ("search", self.search),
        ];
        let own = own.into_iter().map(|(name, amount)| (None, name, amount));
        let above = self.above.iter().enumerate().flat_map(|(index, above)| {
            [
                ("input", Some(above.input)),
                ("output", Some(above.output)),
                ("cache_read", above.cache_read),
                ("cache_write", above.cache_write),
                ("cache_write_long", above.cache_write_long),
                ("reasoning", above.reasoning),
                ("audio_input", above.audio_input),
                ("audio_output", above.audio_output),
                ("image_input", above.image_input),
                ("image_output", above.image_output),
            ]
            .map(|(name, amount)| (Some(index), name, amount))
        });
        own.chain(above).filter_map(|(at, name, amount)| Some((at, name, amount?)))
    }
}

/// In US dollars at a rate, rounded up to the next micro-dollar: a millionth of a millionth of a dollar for each token.
fn exchanged(amount: Micros, rate: Micros) -> Micros {
    let product = i128::from(amount.get()) * i128::from(rate.get());
    let million = i128::from(domain::money::PER_DOLLAR);
    let rounded = product.div_euclid(million) + i128::from(product.rem_euclid(million) > 0);
    Micros(i64::try_from(rounded).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_in_another_currency_is_exact_or_a_millionth_dearer() {
        for (amount, rate, usd) in [
            (2_000_000, 1_080_000, 2_160_000),
            (75_000, 1_083_700, 81_278),
            (1, 1, 1),
            (0, 1_080_000, 0),
            (i64::MAX, 2_000_000, i64::MAX),
        ] {
            assert_eq!(exchanged(Micros(amount), Micros(rate)), Micros(usd), "{amount} at {rate}");
        }
    }
}
