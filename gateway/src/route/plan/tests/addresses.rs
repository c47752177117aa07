//! `provider/model` without an entry, names for the default provider, names between brackets.

use super::{Asked, key, model, targets};
use crate::error::Kind;
use crate::route::{Model, Table, Turns};

fn passing(provider: &str) -> (std::sync::Arc<str>, Model) {
    let all = format!("{provider}/*");
    (provider.into(), model(&all, "weighted", targets(&[&all]), vec![]))
}

fn models() -> [Model; 3] {
    [
        model("gpt-5", "weighted", targets(&["openai/gpt-5-2026"]), vec![]),
        model("openai/special", "weighted", targets(&["azure/special"]), vec![]),
        model("lab-*", "weighted", targets(&["azure/*"]), vec![]),
    ]
}

#[test]
fn names_are_read_in_this_order() {
    let table =
        Table::new(models()).addressing(["openai", "azure"].map(passing)).or_else(Some(passing("azure")));
    let asked = Asked::of(&table);
    for (name, expected) in [
        ("gpt-5", "openai/gpt-5-2026"),
        ("openai/special", "azure/special"),
        ("<openai/special>", "azure/special"),
        ("lab-1", "azure/lab-1"),
        ("openai/gpt-5", "openai/gpt-5"),
        ("openai/org/model", "openai/org/model"),
        ("openai/gpt-5<high>", "openai/gpt-5"),
        ("o3", "azure/o3"),
        ("nobody/model", "azure/nobody/model"),
        ("<openai/gpt-5>", "azure/openai/gpt-5"),
        ("<azure/x>", "azure/azure/x"),
        ("<gpt-5>", "openai/gpt-5-2026"),
    ] {
        assert_eq!(asked.steps(name), [expected], "{name}");
    }
}

#[test]
fn nothing_is_addressed_unless_it_is_allowed() {
    let table = Table::new(models());
    let asked = Asked::of(&table);
    for name in ["openai/gpt-5", "<openai/gpt-5>", "o3", "azure/x"] {
        let error = asked.plan(name, Turns::Taken).expect_err(name);
        assert_eq!(error.kind, Kind::ModelNotFound, "{name}");
    }
    let table = Table::new(models()).addressing([passing("openai")]);
    let error = Asked::of(&table).plan("o3", Turns::Taken).expect_err("no default");
    assert_eq!(error.kind, Kind::ModelNotFound);
}

#[test]
fn a_keys_list_rules_over_addresses() {
    let table =
        Table::new(models()).addressing(["openai", "azure"].map(passing)).or_else(Some(passing("azure")));
    let mut asked = Asked::of(&table);
    asked.key = key(Some(&["gpt-5", "openai/*", "o*"]));
    for (name, allowed) in [
        ("gpt-5", true),
        ("openai/o3", true),
        ("azure/o3", false),
        ("o3", true),
        ("x", false),
        // Another provider is asked for this one: what may be addressed is not what is meant.
        ("<openai/o3>", false),
        ("openai/special", true),
    ] {
        let plan = asked.plan(name, Turns::Taken);
        assert_eq!(
            plan.as_ref().map_err(|error| error.kind).err(),
            (!allowed).then_some(Kind::Permission),
            "{name}"
        );
    }
}

#[test]
fn the_pattern_for_everything_comes_after_addresses() {
    let all = model("*", "weighted", targets(&["azure/*"]), vec![]);
    let table = Table::new([all]).addressing([passing("openai")]);
    let asked = Asked::of(&table);
    assert_eq!(asked.steps("openai/o3"), ["openai/o3"]);
    assert_eq!(asked.steps("<openai/o3>"), ["azure/openai/o3"]);
    assert_eq!(asked.steps("o3"), ["azure/o3"]);
}
