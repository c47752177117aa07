//! The built-in list is whole, and what a provider takes from it.

use super::*;
use crate::config::text::refusal;
use crate::config::{CredentialWay, load, parse};
use crate::domain::http::is_framing;

fn environment(name: &str) -> Option<String> {
    ["GROQ_API_KEY", "MOONSHOT_API_KEY", "GITHUB_TOKEN"].contains(&name).then(|| format!("key-of-{name}"))
}

fn read(text: &str) -> Config {
    parse(text, "a.toml", &[], &environment).unwrap_or_else(|error| panic!("{error}")).config
}

#[test]
fn the_list_can_be_read_and_every_entry_is_whole() {
    let list: BTreeMap<String, Preset> = toml::from_str(TEXT).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(&list, super::list());
    assert!(list.len() > 60);
    for (name, preset) in &list {
        let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
        assert!(!name.is_empty() && name.chars().all(plain), "{name}");
        assert!(!BUNDLED.contains(&name.as_str()), "{name} is an adapter");
        assert!(BUNDLED.contains(&preset.plugin.as_str()), "{name}");
        assert!(!preset.name.is_empty() && !preset.note.is_empty(), "{name}");
        assert!(preset.source.starts_with("https://"), "{name}");
        let url = preset.url.replace(['{', '}'], "");
        assert_eq!(refusal("url", &url), None, "{name}");
        assert!(url.starts_with("https://") || preset.env.is_empty(), "{name}: its key goes in the open");
        for variable in &preset.env {
            let plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
            assert!(variable.bytes().all(plain), "{name}: {variable}");
        }
        for header in preset.headers.keys().chain(preset.credential.iter().flat_map(|way| &way.header)) {
            let header = http::HeaderName::try_from(header.as_str()).expect(name);
            assert!(!is_framing(&header), "{name}: {header}");
        }
    }
}

#[test]
fn one_variable_opens_one_vendor() {
    let mut seen = BTreeMap::new();
    for (name, preset) in list().iter().filter(|(_, preset)| !preset.asked) {
        for variable in &preset.env {
            assert_eq!(seen.insert(variable, name), None, "{variable}");
        }
    }
}

#[test]
fn a_provider_is_built_on_the_preset_of_its_name_or_on_a_named_one() {
    let config = read(
        "[providers.groq]\nkeys = [\"k\"]\n[providers.fast]\npreset = \"groq\"\nkeys = [\"k\"]\n\
         [providers.reka]\nkeys = [\"k\"]\n[providers.vllm]\n",
    );
    for name in ["groq", "fast"] {
        let provider = &config.providers[name];
        assert_eq!(provider.plugin_name(name), "openai");
        assert_eq!(provider.preset.as_deref(), Some("groq"));
        assert_eq!(provider.url.as_deref(), Some("https://api.groq.com/openai/v1"));
        assert_eq!(provider.options["reasoning_field"], "reasoning");
    }
    let credential = config.providers["reka"].credential.as_ref().expect("a credential");
    assert_eq!(credential.way(), Some(CredentialWay::Header));
    assert_eq!(config.providers["vllm"].url.as_deref(), Some("http://127.0.0.1:8000/v1"));
}

#[test]
fn what_a_provider_says_itself_goes_before() {
    let config = read(
        "[providers.reka]\nurl = \"http://127.0.0.1:1/v1\"\ncredential = { kind = \"bearer\" }\n\
         options = { developer_role = \"developer\" }\n[providers.groq]\nplugin = \"anthropic\"\n\
         [providers.vllm]\n[plugins.vllm]\nsource = \"file:x.wasm\"\n",
    );
    let reka = &config.providers["reka"];
    assert_eq!(reka.url.as_deref(), Some("http://127.0.0.1:1/v1"));
    assert_eq!(reka.credential.as_ref().and_then(Credential::way), Some(CredentialWay::Bearer));
    assert_eq!(reka.options["developer_role"], "developer");
    assert_eq!(reka.options["max_tokens_field"], "max_tokens");
    // A plugin that is named or configured is not a preset.
    assert_eq!(config.providers["groq"].url, None);
    assert_eq!(config.providers["vllm"].plugin_name("vllm"), "vllm");
    assert_eq!(config.providers["vllm"].url, None);
}

#[test]
fn what_a_preset_filled_in_is_shown_as_its_own_and_reads_again() {
    let loaded = parse("[providers.groq]\nkeys = [\"k\"]\n", "a.toml", &[], &environment);
    let loaded = loaded.unwrap_or_else(|error| panic!("{error}"));
    let shown = crate::config::effective(&loaded, true).expect("TOML");
    assert!(
        shown.contains("providers.groq.url = \"https://api.groq.com/openai/v1\"  # preset groq"),
        "{shown}"
    );
    let text = crate::config::effective(&loaded, false).expect("TOML");
    let again: Config = toml::from_str(&text).expect("the same");
    assert_eq!(again.providers["groq"].options, loaded.config.providers["groq"].options);
}

#[test]
fn without_a_file_the_keys_of_the_environment_open_their_vendors() {
    for overrides in [vec![], vec!["log.level=debug".to_owned()]] {
        let config = load(None, &overrides, &environment).unwrap_or_else(|error| panic!("{error}")).config;
        let names: Vec<&str> = config.providers.keys().map(String::as_str).collect();
        // Not the token of GitHub, and Moonshot once.
        assert_eq!(names, ["groq", "moonshot"], "{overrides:?}");
        assert_eq!(config.providers["groq"].keys, [Secret::new("key-of-GROQ_API_KEY")]);
        assert_eq!(config.models["groq/*"].targets[0].destination().to_string(), "groq/*");
        assert!(config.providers["groq"].url.is_some());
    }
}
