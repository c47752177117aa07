//! The built-in list is whole, and every price in it can be true.

use super::*;
use crate::config::load::parse;
use crate::config::plugin::BUNDLED;
use crate::config::preset;
use crate::domain::{Micros, PriceBook};

fn no_environment(_: &str) -> Option<String> {
    None
}

#[test]
fn the_list_can_be_read_and_every_entry_says_where_it_is_from() {
    let list: BTreeMap<String, Vendor> = toml::from_str(TEXT).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(list.len(), super::list().len());
    for (name, vendor) in &list {
        let known = BUNDLED.contains(&name.as_str()) || preset::list().contains_key(name) || name == "mock";
        assert!(known, "{name} is no vendor");
        let preset = preset::list().get(name).and_then(|preset| host(&preset.url.replace(['{', '}'], "")));
        if let Some(host) = preset {
            assert!(vendor.hosts.iter().any(|own| is_at(own, &host)), "{name}: its preset is at {host}");
        }
        for other in &vendor.like {
            assert!(list.get(other).is_some_and(|other| other.like.is_empty()), "{name} like {other}");
        }
        for (model, entry) in &vendor.models {
            let source = entry.source.as_ref().unwrap_or(&vendor.source);
            assert!(source.starts_with("https://") || source.starts_with("made up"), "{name}/{model}");
            let date = entry.date.as_ref().unwrap_or(&vendor.date);
            let plain = date.bytes().map(|byte| if byte.is_ascii_digit() { b'0' } else { byte });
            assert!(plain.eq(*b"0000-00-00") && date.as_str() >= "2024-01-01", "{name}/{model}: {date}");
        }
    }
}

#[test]
fn every_price_can_be_true() {
    for (vendor, name, entry) in list()
        .iter()
        .flat_map(|(vendor, it)| it.models.iter().map(move |(name, entry)| (vendor, name, entry)))
    {
        let at = format!("{vendor}/{name}");
        let Price { input, output, cache_read, cache_write, cache_write_long, .. } = entry.price;
        for (_, key, amount) in entry.price.amounts() {
            assert!(amount >= Micros(0), "{at}: {key}");
            assert!(
                amount <= Micros(1_000_000_000),
                "{at}: {key} of a thousand dollars is a slip of the pen"
            );
        }
        assert!(entry.price.currency.is_none(), "{at}");
        assert!(cache_read.is_none_or(|read| read <= input), "{at}: reading the cache is dearer than not");
        assert!(cache_write.is_none_or(|write| write <= Micros(input.get() * 2)), "{at}");
        assert!(cache_write_long.is_none_or(|long| Some(long) >= cache_write), "{at}");
        // Whoever is free says so with a price for each request.
        let costs = entry.price.amounts().any(|(_, _, amount)| amount > Micros(0));
        assert!(costs || entry.price.request == Some(Micros(0)), "{at} costs nothing");
        let mut before = (0, input, output, cache_read);
        for above in &entry.price.above {
            assert!(
                above.tokens > before.0 && above.input > before.1 && above.output >= before.2,
                "{at}: above"
            );
            assert_eq!(above.cache_read.is_some(), before.3.is_some(), "{at}: above");
            assert!(above.cache_read.is_none_or(|read| read <= above.input), "{at}: above");
            before = (above.tokens, above.input, above.output, above.cache_read);
        }
    }
}

#[test]
fn a_name_stands_once_and_is_found_under_itself() {
    for (vendor, it) in list() {
        let mut seen = Vec::new();
        for (name, entry) in &it.models {
            for name in entry.names.iter().chain([name]) {
                assert!(!seen.contains(&name), "{vendor}/{name} stands twice");
                seen.push(name);
            }
        }
    }
}

/// What a provider's model costs for a prompt of a million tokens and nothing else, in the file's own words.
fn input(text: &str, model: &str) -> Option<String> {
    let loaded = parse(text, "a.toml", &[], &no_environment).unwrap_or_else(|error| panic!("{error}"));
    let (name, provider) = loaded.config.providers.first_key_value().expect("a provider");
    let mut book = PriceBook::default();
    book.list(&Arc::from(name.as_str()), compiled(vendor_of(name, provider)?)?);
    book.price(name, model).map(|price| price.of_prompt(0).input.to_string())
}

#[test]
fn a_provider_has_its_vendors_prices_at_the_vendors_own_address() {
    for (provider, model, expected) in [
        ("[providers.anthropic]", "claude-opus-4-8", Some("5")),
        ("[providers.anthropic]", "claude-sonnet-4-5-20250929", Some("3")),
        ("[providers.anthropic]", "claude-9", None),
        (
            "[providers.x]\nplugin = \"anthropic\"\nurl = \"https://api.anthropic.com\"",
            "claude-opus-4-8",
            Some("5"),
        ),
        (
            "[providers.x]\nplugin = \"anthropic\"\nurl = \"https://API.anthropic.com/v1\"",
            "claude-opus-4-8",
            Some("5"),
        ),
        ("[providers.x]\nplugin = \"anthropic\"\nurl = \"http://127.0.0.1:1\"", "claude-opus-4-8", None),
        (
            "[providers.x]\nplugin = \"anthropic\"\nurl = \"https://relay.example/api.anthropic.com\"",
            "claude-opus-4-8",
            None,
        ),
        (
            "[providers.x]\nplugin = \"openai\"\nurl = \"http://127.0.0.1:1\"\nprices = \"anthropic\"",
            "claude-opus-4-8",
            Some("5"),
        ),
        ("[providers.anthropic]\nprices = \"none\"", "claude-opus-4-8", None),
        ("[providers.mock]\nplugin = \"openai\"\nurl = \"http://127.0.0.1:1\"", "mock", None),
        (
            "[providers.x]\nplugin = \"openai\"\nurl = \"http://127.0.0.1:1\"\nprices = \"mock\"",
            "mock",
            Some("1"),
        ),
    ] {
        assert_eq!(input(provider, model).as_deref(), expected, "{provider} {model}");
    }
}
