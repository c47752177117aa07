//! What a request costs at one target. Whole numbers only; the unit is a millionth of a micro-dollar, so that the price of
//! one token is exact.

use std::fmt::Write;
use std::sync::Arc;

use super::{Cost, Micros, ModelPrice, Usage};

mod book;
mod names;

pub use book::{Listed, PriceBook};

/// The price of one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    base: ModelPrice,
    /// For prompts of more tokens than this; the longest first.
    above: Vec<(u64, ModelPrice)>,
    each: PiecePrice,
    version: Arc<str>,
}

/// What is paid by the piece, beside tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PiecePrice {
    /// For each request.
    pub request: Option<Micros>,
    /// For each picture made.
    pub image: Option<Micros>,
    /// For a million characters spoken.
    pub characters: Option<Micros>,
    /// For an hour of sound heard.
    pub hour: Option<Micros>,
    /// For each search of a ranking.
    pub search: Option<Micros>,
}

/// What a request takes at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Most {
    /// Tokens of its prompt.
    pub input: u64,
    /// Tokens of its answer.
    pub output: u64,
    /// It may write to the provider's cache.
    pub cache_writes: bool,
    /// Sound may be in it or in its answer.
    pub sound: bool,
    /// Pictures made.
    pub images: u64,
    /// Characters spoken.
    pub characters: u64,
    /// Seconds of sound heard.
    pub seconds: u64,
    /// Searches of a ranking.
    pub searches: u64,
}

/// Millionths of a micro-dollar in one.
const MILLION: u128 = 1_000_000;
const SECONDS_PER_HOUR: u128 = 3_600;

impl Price {
    /// `above` are the prices of longer prompts, in any order.
    pub fn new(base: ModelPrice, request: Micros, above: Vec<(u64, ModelPrice)>) -> Self {
        Self::named("", base, above, PiecePrice { request: Some(request), ..PiecePrice::default() })
    }

    /// The same with everything there is to pay; where it comes from is a part of its version.
    pub fn named(
        origin: &str,
        base: ModelPrice,
        mut above: Vec<(u64, ModelPrice)>,
        each: PiecePrice,
    ) -> Self {
        above.sort_by_key(|(tokens, _)| std::cmp::Reverse(*tokens));
        let version = version(origin, &base, &above, &each).into();
        Self { base, above, each, version }
    }

    /// Names these facts: where they come from, and a digest of them. Other facts have another version.
    pub fn version(&self) -> &Arc<str> {
        &self.version
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
        self.each.request.unwrap_or_default()
    }

    /// What is paid by the piece.
    pub fn each(&self) -> &PiecePrice {
        &self.each
    }

    /// What a request costs of which only this is known. `cached` of its `input` tokens come from a cache.
    pub fn expected(&self, input: u64, cached: u64, output: u64) -> Cost {
        let cached = Some(cached.min(input));
        let usage =
            Usage { input: Some(input), output: Some(output), cache_read: cached, ..Usage::default() };
        self.cost(&usage).unwrap_or_default()
    }

    /// What this cost. `None`: nothing of it is counted that has a price.
    pub fn cost(&self, usage: &Usage) -> Option<Cost> {
        let tokens = usage.counts_tokens().then(|| self.of_tokens(usage));
        let by_piece = [
            of(self.each.request.map(|_| 1), self.each.request, MILLION),
            of(usage.images, self.each.image, MILLION),
            of(usage.characters, self.each.characters, 1),
            of(usage.searches, self.each.search, MILLION),
            // An hour's price need not be divisible; the seconds of one answer are rounded up together.
            of(usage.seconds, self.each.hour, MILLION).map(|hours| hours.div_ceil(SECONDS_PER_HOUR)),
        ];
        let known = by_piece.into_iter().chain([tokens]).flatten();
        known.reduce(u128::saturating_add).map(cost)
    }

    /// Each token once: a part is priced as what it is, the rest as plain.
    fn of_tokens(&self, usage: &Usage) -> u128 {
        let count = |part: Option<u64>| u128::from(part.unwrap_or(0));
        let (read, written) = (count(usage.cache_read), count(usage.cache_write));
        let long = count(usage.cache_write_long);
        let written = written.max(long);
        let cached = read + written;
        // Where parts are larger than the whole, the provider means another whole by it: all that it counted is paid.
        let input = count(usage.input).max(cached).max(count(usage.audio_input) + count(usage.image_input));
        let price = self.of_prompt(clamped(input));
        let [audio_in, image_in, plain_in] =
            split(input - cached, [count(usage.audio_input), count(usage.image_input)]);
        let reasoning = count(usage.reasoning);
        let media = count(usage.audio_output) + count(usage.image_output);
        let output = count(usage.output).max(reasoning).max(media);
        let [audio_out, image_out, plain_out] =
            split(output - reasoning, [count(usage.audio_output), count(usage.image_output)]);
        let rates = [
            (read, price.cache_read.unwrap_or(price.input)),
            (written - long, price.cache_write.unwrap_or(price.input)),
            (long, price.cache_write_long.or(price.cache_write).unwrap_or(price.input)),
            (audio_in, price.audio_input.unwrap_or(price.input)),
            (image_in, price.image_input.unwrap_or(price.input)),
            (plain_in, price.input),
            (reasoning, price.reasoning.unwrap_or(price.output)),
            (audio_out, price.audio_output.unwrap_or(price.output)),
            (image_out, price.image_output.unwrap_or(price.output)),
            (plain_out, price.output),
        ];
        rates
            .into_iter()
            .fold(0, |sum, (tokens, rate)| sum.saturating_add(tokens.saturating_mul(micros(rate))))
    }

    /// What a request of so many tokens costs at most, whatever they turn out to be.
    pub fn ceiling(&self, input: u64, output: u64) -> Cost {
        self.at_most(&Most { input, output, cache_writes: true, sound: true, ..Most::default() })
    }

    /// What a request costs at most: its longest prompt at the dearest price that it can come to.
    pub fn at_most(&self, most: &Most) -> Cost {
        let reached = self.above.iter().filter(|(tokens, _)| most.input > *tokens).map(|(_, price)| price);
        let (mut input, mut output) = (0, 0);
        for price in reached.chain([&self.base]) {
            let writes =
                [price.cache_write, price.cache_write_long].map(|own| own.filter(|_| most.cache_writes));
            let sound = [price.audio_input, price.audio_output].map(|own| own.filter(|_| most.sound));
            let [heard, spoken] = sound;
            let dearest = |plain: Micros, others: &[Option<Micros>]| {
                micros(others.iter().flatten().copied().fold(plain, Micros::max))
            };
            let [short, long] = writes;
            input =
                input.max(dearest(price.input, &[price.cache_read, short, long, heard, price.image_input]));
            output = output.max(dearest(price.output, &[price.reasoning, spoken, price.image_output]));
        }
        let each = &self.each;
        let hours = of(Some(most.seconds), each.hour, MILLION).map(|hours| hours.div_ceil(SECONDS_PER_HOUR));
        let by_piece = [
            of(Some(1), each.request, MILLION),
            of(Some(most.images), each.image, MILLION),
            of(Some(most.characters), each.characters, 1),
            of(Some(most.searches), each.search, MILLION),
            hours,
            Some(u128::from(most.input).saturating_mul(input)),
            Some(u128::from(most.output).saturating_mul(output)),
        ];
        cost(by_piece.into_iter().flatten().fold(0, u128::saturating_add))
    }
}

/// Two parts of a whole and its rest; what does not fit into the whole has been paid as something else.
fn split(whole: u128, [one, other]: [u128; 2]) -> [u128; 3] {
    let one = one.min(whole);
    let other = other.min(whole - one);
    [one, other, whole - one - other]
}

fn of(count: Option<u64>, price: Option<Micros>, factor: u128) -> Option<u128> {
    Some(u128::from(count?).saturating_mul(micros(price?)).saturating_mul(factor))
}

/// A price below zero would make money; a checked configuration has none.
fn micros(price: Micros) -> u128 {
    u128::try_from(price.get()).unwrap_or(0)
}

fn clamped(count: u128) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn cost(amount: u128) -> Cost {
    Cost(clamped(amount))
}

/// Sixteen digits of a digest are enough to tell the prices of one deployment apart.
fn version(origin: &str, base: &ModelPrice, above: &[(u64, ModelPrice)], each: &PiecePrice) -> String {
    let mut facts = String::new();
    let all = [(&0, base)].into_iter().chain(above.iter().map(|(tokens, price)| (tokens, price)));
    let rates = all.flat_map(|(tokens, price)| {
        [i64::try_from(*tokens).ok()].into_iter().chain(price.rates().map(|rate| rate.map(Micros::get)))
    });
    let each = [each.request, each.image, each.characters, each.hour, each.search];
    for fact in rates.chain(each.map(|rate| rate.map(Micros::get))) {
        // Writing to a String cannot fail.
        let _ = match fact {
            Some(number) => write!(facts, "{number} "),
            None => write!(facts, "- "),
        };
    }
    let digest = blake3::hash(facts.as_bytes()).to_hex();
    let digest = digest.get(..16).unwrap_or_default();
    if origin.is_empty() { digest.to_owned() } else { format!("{origin} {digest}") }
}

#[cfg(test)]
mod tests;
