//! What a request wishes of its targets, in the words that OpenRouter made common.

use super::Micros;

/// The body's `provider` object and its `models` list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// Models to try in this order, once the asked one has failed.
    pub models: Vec<String>,
    /// These first, in this order. Like `only` and `ignore`: names of providers, of targets (`provider/model`) or tags.
    pub order: Vec<String>,
    /// None but these.
    pub only: Option<Vec<String>>,
    /// None of these.
    pub ignore: Vec<String>,
    /// What decides, instead of the model's own strategy.
    pub sort: Option<Sort>,
    /// The dearest prompt, in US dollars per million tokens.
    pub max_prompt: Option<Micros>,
    /// The dearest answer, in US dollars per million tokens.
    pub max_completion: Option<Micros>,
    /// The dearest price per request, in US dollars.
    pub max_request: Option<Micros>,
    /// No target but the first, and with `order` none but those.
    pub no_fallbacks: bool,
    /// No target that would lose something the request says.
    pub require_parameters: bool,
}

/// What targets are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// The cheapest first.
    Price,
    /// The one that writes most tokens a second first.
    Throughput,
    /// The one whose first token comes soonest first.
    Latency,
}

impl Sort {
    /// Its words, for who writes another one.
    pub const WORDS: &'static str = "price, throughput or latency";

    /// The one with this word.
    pub fn named(word: &str) -> Option<Self> {
        Some(match word {
            "price" => Self::Price,
            "throughput" => Self::Throughput,
            "latency" => Self::Latency,
            _ => return None,
        })
    }
}
