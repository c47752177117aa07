//! The built-in list is whole, and what a provider takes from it.

use super::*;

#[test]
fn the_list_can_be_read() {
    let list: BTreeMap<String, Preset> = toml::from_str(TEXT).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(&list, super::list());
}
