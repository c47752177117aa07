//! Which price holds for a name.

use super::*;
use crate::domain::{Micros, ModelPrice};

fn price(input: i64) -> Price {
    Price::new(ModelPrice { input: Micros(input), ..ModelPrice::default() }, Micros(0), Vec::new())
}

#[test]
fn the_operators_word_goes_before_the_list_and_the_exact_name_before_shorter_ones() {
    let mut book = PriceBook::of([
        ("own".into(), "gpt-5".to_owned(), price(1)),
        ("own".into(), "gpt-5-2025-08-07".to_owned(), price(2)),
        ("all".into(), "*".to_owned(), price(3)),
        ("all".into(), "gpt-5".to_owned(), price(4)),
    ]);
    let listed: Listed = [("gpt-5", 10), ("gpt-4", 11), ("o3", 12)]
        .map(|(name, input)| (name.to_owned(), Arc::new(price(input))))
        .into();
    let listed = Arc::new(listed);
    for provider in ["own", "all", "listed"] {
        book.list(&provider.into(), Arc::clone(&listed));
    }
    for (provider, model, expected) in [
        ("own", "gpt-5", Some(1)),
        ("own", "gpt-5-2025-08-07", Some(2)),
        ("own", "gpt-5-2026-01-01", Some(1)),
        ("own", "gpt-4", Some(11)),
        ("own", "gpt-4-latest", Some(11)),
        ("own", "gpt-5-mini", None),
        ("own", "*", None),
        ("all", "gpt-5-2026-01-01", Some(4)),
        ("all", "gpt-4", Some(3)),
        ("all", "*", Some(3)),
        ("listed", "o3", Some(12)),
        ("listed", "o4", None),
        ("nobody", "gpt-5", None),
    ] {
        let found = book.price(provider, model).map(|price| price.dearest().input.get());
        assert_eq!(found, expected, "{provider}/{model}");
    }
}
