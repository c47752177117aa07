//! Costs are exact, never below zero, and count each token once, whatever counts come.

use super::*;

fn rates(input: i64, output: i64, cache_read: Option<i64>) -> ModelPrice {
    ModelPrice {
        input: Micros(input),
        output: Micros(output),
        cache_read: cache_read.map(Micros),
        ..ModelPrice::default()
    }
}

/// Every part at a price of its own; a part's price tells which it was.
fn each_its_own() -> Price {
    let base = ModelPrice {
        input: Micros(100),
        output: Micros(1_000),
        cache_read: Some(Micros(10)),
        cache_write: Some(Micros(125)),
        cache_write_long: Some(Micros(200)),
        reasoning: Some(Micros(3_000)),
        audio_input: Some(Micros(400)),
        audio_output: Some(Micros(8_000)),
        image_input: Some(Micros(150)),
        image_output: Some(Micros(4_000)),
    };
    let each = PiecePrice {
        request: None,
        image: Some(Micros(40_000)),
        characters: Some(Micros(15_000_000)),
        hour: Some(Micros(40_000)),
        search: Some(Micros(2_000)),
    };
    Price::named("file", base, Vec::new(), each)
}

fn tokens(input: u64, output: u64) -> Usage {
    Usage { input: Some(input), output: Some(output), ..Usage::default() }
}

#[test]
fn long_prompts_caches_and_requests_have_their_own_price() {
    let above = vec![(1_000, rates(20, 30, None)), (5_000, rates(40, 60, Some(4)))];
    let tiered = Price::new(rates(10, 15, Some(1)), Micros(2), above);
    for ((input, cached, output), expected) in [
        ((100, 0, 10), 100 * 10 + 10 * 15 + 2_000_000),
        ((1_000, 900, 0), 100 * 10 + 900 + 2_000_000),
        ((1_001, 900, 1), 1_001 * 20 + 30 + 2_000_000),
        ((6_000, 6_000, 0), 6_000 * 4 + 2_000_000),
        ((0, 50, 0), 2_000_000),
        ((u64::MAX, 0, u64::MAX), u64::MAX),
    ] {
        assert_eq!(tiered.expected(input, cached, output), Cost(expected), "{input} {cached} {output}");
    }
}

#[test]
fn each_part_of_a_usage_is_paid_once_as_what_it_is() {
    let price = each_its_own();
    let (all, none) = (tokens(1_000, 100), Usage::default());
    for (usage, expected) in [
        (all, 1_000 * 100 + 100 * 1_000),
        (Usage { cache_read: Some(600), ..all }, 600 * 10 + 400 * 100 + 100_000),
        (
            Usage { cache_read: Some(600), cache_write: Some(300), ..all },
            6_000 + 300 * 125 + 10_000 + 100_000,
        ),
        (
            Usage { cache_write: Some(300), cache_write_long: Some(100), ..all },
            200 * 125 + 100 * 200 + 700 * 100 + 100_000,
        ),
        (Usage { cache_write_long: Some(100), ..all }, 100 * 200 + 900 * 100 + 100_000),
        (Usage { reasoning: Some(60), ..all }, 100_000 + 60 * 3_000 + 40 * 1_000),
        (
            Usage { audio_input: Some(300), image_input: Some(200), audio_output: Some(10), ..all },
            300 * 400 + 200 * 150 + 500 * 100 + 10 * 8_000 + 90 * 1_000,
        ),
        (Usage { image_output: Some(100), reasoning: Some(10), ..all }, 100_000 + 10 * 3_000 + 90 * 4_000),
        // Sound that came from the cache costs what the cache does.
        (Usage { cache_read: Some(900), audio_input: Some(1_000), ..all }, 9_000 + 100 * 400 + 100_000),
        // Parts beyond the whole: the provider calls another sum the whole; what it counted is paid.
        (Usage { cache_read: Some(2_000), ..all }, 20_000 + 100_000),
        (Usage { reasoning: Some(200), ..all }, 100_000 + 200 * 3_000),
        (Usage { cache_read: Some(5), ..none }, 50),
        (Usage { images: Some(2), ..all }, 200_000 + 2 * 40_000 * 1_000_000),
        (Usage { characters: Some(11), ..none }, 11 * 15_000_000),
        (Usage { searches: Some(3), ..none }, 3 * 2_000 * 1_000_000),
        (Usage { seconds: Some(3_600), ..none }, 40_000 * 1_000_000),
        (Usage { seconds: Some(1), ..none }, 11_111_112),
        (tokens(0, 0), 0),
    ] {
        assert_eq!(price.cost(&usage), Some(Cost(expected)), "{usage:?}");
    }
}

#[test]
fn what_is_not_counted_has_no_cost_and_zero_has_one() {
    let price = Price::named("", rates(100, 1_000, None), Vec::new(), PiecePrice::default());
    assert_eq!(price.cost(&Usage::default()), None);
    assert_eq!(price.cost(&Usage { images: Some(2), ..Usage::default() }), None, "pictures have no price");
    assert_eq!(price.cost(&tokens(0, 0)), Some(Cost(0)));
    let by_request = Price::new(rates(0, 0, None), Micros(5), Vec::new());
    assert_eq!(by_request.cost(&Usage::default()), Some(Cost(5_000_000)));
}

#[test]
fn other_facts_have_another_version_and_the_same_have_the_same() {
    let version = |price: &Price| price.version().to_string();
    let one = each_its_own();
    assert!(
        version(&one).starts_with("file ") && version(&one).len() == "file ".len() + 16,
        "{}",
        version(&one)
    );
    assert_eq!(version(&one), version(&each_its_own()));
    let mut seen = vec![version(&one)];
    let base = rates(1, 2, Some(1));
    for other in [
        Price::new(base, Micros(0), Vec::new()),
        Price::new(base, Micros(1), Vec::new()),
        Price::new(base, Micros(0), vec![(5, base)]),
        Price::new(base, Micros(0), vec![(6, base)]),
        Price::new(
            ModelPrice { cache_read: None, cache_write: Some(Micros(1)), ..base },
            Micros(0),
            Vec::new(),
        ),
        Price::named("", base, Vec::new(), PiecePrice::default()),
        Price::named("file", base, Vec::new(), PiecePrice::default()),
    ] {
        assert!(!seen.contains(&version(&other)), "{other:?}");
        seen.push(version(&other));
    }
}

#[test]
fn the_order_in_which_long_prices_are_written_does_not_matter() {
    let (low, high) = ((10, rates(2, 2, None)), (20, rates(3, 3, None)));
    let one = Price::new(rates(1, 1, None), Micros(0), vec![low, high]);
    assert_eq!(one, Price::new(rates(1, 1, None), Micros(0), vec![high, low]));
}

struct Draw(fastrand::Rng);

impl Draw {
    fn amount(&mut self) -> Micros {
        let digits = self.0.u32(0..12);
        Micros(self.0.i64(0..10_i64.pow(digits)))
    }

    fn maybe(&mut self) -> Option<Micros> {
        self.0.bool().then(|| self.amount())
    }

    fn rates(&mut self) -> ModelPrice {
        ModelPrice {
            input: self.amount(),
            output: self.amount(),
            cache_read: self.maybe(),
            cache_write: self.maybe(),
            cache_write_long: self.maybe(),
            reasoning: self.maybe(),
            audio_input: self.maybe(),
            audio_output: self.maybe(),
            image_input: self.maybe(),
            image_output: self.maybe(),
        }
    }

    fn price(&mut self) -> Price {
        let above = (0..self.0.usize(0..3)).map(|_| (self.0.u64(0..2_000), self.rates())).collect();
        let each = PiecePrice {
            request: self.maybe(),
            image: self.maybe(),
            characters: self.maybe(),
            hour: self.maybe(),
            search: self.maybe(),
        };
        let base = self.rates();
        Price::named("", base, above, each)
    }

    /// Any count at all, the absurd ones of a broken provider among them.
    fn count(&mut self) -> Option<u64> {
        match self.0.u8(0..6) {
            0 => None,
            1 => Some(0),
            2 => Some(1 << 63),
            3 => Some(u64::MAX),
            _ => Some(self.0.u64(0..5_000)),
        }
    }

    fn usage(&mut self) -> Usage {
        Usage {
            input: self.count(),
            output: self.count(),
            cache_read: self.count(),
            cache_write: self.count(),
            cache_write_long: self.count(),
            reasoning: self.count(),
            audio_input: self.count(),
            audio_output: self.count(),
            image_input: self.count(),
            image_output: self.count(),
            images: self.count(),
            characters: self.count(),
            seconds: self.count(),
            searches: self.count(),
            estimated: false,
        }
    }

    /// Counts of a provider that can add up, within a prompt and an answer of these lengths.
    fn honest(&mut self, most: &Most) -> Usage {
        let mut within = |whole: u64| if whole == 0 { 0 } else { self.0.u64(0..=whole) };
        let (input, output) = (within(most.input), within(most.output));
        let read = within(input);
        let written = within(input - read);
        let reasoning = within(output);
        let (heard, spoken) = (within(input), within(output));
        let sound = |count: u64| most.sound.then_some(count);
        let written = most.cache_writes.then_some(written);
        Usage {
            cache_read: Some(read),
            cache_write: written,
            cache_write_long: written.map(&mut within),
            reasoning: Some(reasoning),
            audio_input: sound(heard),
            audio_output: sound(spoken),
            image_input: Some(input - heard),
            image_output: Some(output - spoken),
            images: Some(within(most.images)),
            characters: Some(within(most.characters)),
            seconds: Some(within(most.seconds)),
            searches: Some(within(most.searches)),
            ..tokens(input, output)
        }
    }
}

#[test]
fn no_cost_is_above_its_ceiling() {
    for seed in 0..20_000 {
        let mut draw = Draw(fastrand::Rng::with_seed(seed));
        let price = draw.price();
        let most = Most {
            input: draw.0.u64(0..3_000),
            output: draw.0.u64(0..3_000),
            cache_writes: draw.0.bool(),
            sound: draw.0.bool(),
            images: draw.0.u64(0..10),
            characters: draw.0.u64(0..1_000),
            seconds: draw.0.u64(0..10_000),
            searches: draw.0.u64(0..5),
        };
        let usage = draw.honest(&most);
        let cost = price.cost(&usage).expect("tokens are counted");
        assert!(cost <= price.at_most(&most), "seed {seed}: {usage:?} {most:?} {price:?}");
        let anything = Most { cache_writes: true, sound: true, ..most };
        assert!(price.at_most(&most) <= price.at_most(&anything), "seed {seed}");
        assert!(price.ceiling(most.input, most.output) <= price.at_most(&anything), "seed {seed}");
    }
}

#[test]
fn more_tokens_never_cost_less_and_nothing_overflows() {
    for seed in 0..20_000 {
        let mut draw = Draw(fastrand::Rng::with_seed(seed));
        let base = draw.rates();
        let price = Price::named("", base, Vec::new(), PiecePrice::default());
        let usage = draw.usage();
        let Some(cost) = price.cost(&usage) else { continue };
        let more = |count: Option<u64>, by: u64| Some(count.unwrap_or(0).saturating_add(by));
        let by = draw.0.u64(0..1_000);
        for longer in [
            Usage { input: more(usage.input, by), ..usage },
            Usage { output: more(usage.output, by), ..usage },
            Usage { input: Some(u64::MAX), output: Some(u64::MAX), ..usage },
        ] {
            assert!(
                price.cost(&longer).expect("tokens") >= cost,
                "seed {seed}: {usage:?} {longer:?} {base:?}"
            );
        }
        // A part that costs what the whole does changes nothing.
        let flat = Price::named("", rates(7, 7, None), Vec::new(), PiecePrice::default());
        let mut draw = Draw(fastrand::Rng::with_seed(seed));
        let most = Most { input: 3_000, output: 3_000, cache_writes: true, sound: true, ..Most::default() };
        let usage = draw.honest(&most);
        let whole = tokens(usage.input.unwrap_or(0), usage.output.unwrap_or(0));
        assert_eq!(flat.cost(&usage), flat.cost(&whole), "seed {seed}: {usage:?}");
    }
}
