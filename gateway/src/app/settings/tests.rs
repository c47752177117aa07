//! Settings of the admin API over a real file, with a real snapshot behind them.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use serde_json::{Value, json};

use super::{keys, open};
use crate::account::Ledger;
use crate::adapter::{Registry, Runtime};
use crate::app::{Base, Origin, Reload, compiled_at_home};
use crate::cache::Cache;
use crate::config::Section;
use crate::conversation::Conversations;
use crate::domain::Secret;
use crate::limit::Limits;
use crate::observe::Observer;
use crate::proxy::Ground;
use crate::seal::Keys;
use crate::state::Settings;
use crate::state::settings::{Changed, Edit, GivenKey, KeySource, Renewal as _, SettingError};
use crate::store::{self, Journal, Key, Memory, Scan, Space, Store, Swap, holds};
use crate::vault::Vault;

const FILE: &str = "\
[providers.lab]\nplugin = \"openai\"\nurl = \"http://127.0.0.1:9/v1\"\nkeys = [\"sk-of-the-file-1234567890\"]\n\
[models.small]\ntargets = [\"lab/small\"]\n";

/// A public address that is never asked.
const PUBLIC: &str = "https://93.184.215.14/v1";
const CANARY: &str = "sk-typed-in-canary-0123456789abcdef";

fn registry() -> Arc<Registry> {
    static REGISTRY: OnceLock<Arc<Registry>> = OnceLock::new();
    let made = || Arc::new(Registry::new(Runtime::start(compiled_at_home().as_deref()).unwrap()));
    Arc::clone(REGISTRY.get_or_init(made))
}

struct Node {
    settings: Arc<Settings>,
    reload: Arc<Reload>,
    ground: Ground,
}

struct House {
    store: Arc<dyn Store>,
    folder: PathBuf,
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl House {
    fn new(name: &str, file: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("causeway-settings-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("causeway.toml"), file).unwrap();
        Self { store: Arc::new(Memory::new(store::clock())), folder }
    }

    async fn start(&self) -> Node {
        self.start_with(keys(&crate::config::Config::default(), Some(&self.folder)).unwrap()).await.unwrap()
    }

    async fn start_with(&self, keys: (Keys, KeySource)) -> Result<Node, String> {
        let settings = open(&self.store, keys).await?;
        let origin = Origin { path: Some(self.folder.join("causeway.toml")), overrides: Vec::new() };
        let alone = origin.load().map_err(|error| error.to_string())?.config;
        let base = Base { origin, registry: registry(), extra: Vec::new(), additions: None };
        let first = base.first(alone, settings.stored()).map_err(|problems| problems.join("; "))?;
        let (config, shadowed, snapshot) = first;
        let observer = Arc::new(Observer::new().unwrap());
        let ledger = Ledger::new(Journal::in_memory(), Arc::clone(&self.store), Arc::clone(&observer));
        let ground = Ground {
            snapshot: Arc::new(ArcSwap::from_pointee(snapshot)),
            people: Arc::new(crate::people::People::new(Arc::clone(&self.store), [7; 32], store::clock())),
            client: crate::upstream::Client::default(),
            observer: Arc::clone(&observer),
            fleet: Arc::default(),
            decisions: Arc::default(),
            gates: crate::upstream::Gates::default(),
            vault: Vault::new(Arc::clone(&self.store)),
            conversations: Conversations::new(Arc::clone(&self.store)),
            cache: Cache::new(Arc::clone(&self.store), store::clock()),
            ledger: Arc::new(ledger),
            limits: Limits::new(Arc::new(holds::Local::new(store::clock())), observer),
        };
        let reload =
            Reload::new(base, (config, shadowed), ground.clone()).with_settings(Arc::clone(&settings));
        let reload = Arc::new(reload);
        settings.renewed_by(Arc::<Reload>::clone(&reload));
        Ok(Node { settings, reload, ground })
    }

    /// Every byte of the spaces that hold settings and secrets.
    async fn written(&self) -> String {
        let mut text = String::new();
        for space in Space::ALL {
            let scan = Scan { prefix: space.key(&[]), after: None, limit: 1000 };
            for (key, value) in self.store.scan(scan).await.unwrap().entries {
                text.push_str(&format!("{key} {}\n", String::from_utf8_lossy(&value)));
            }
        }
        text
    }
}

impl Node {
    async fn put(&self, section: Section, name: &str, value: Value) -> Result<Changed, SettingError> {
        self.put_with(section, name, value, &[], None).await
    }

    async fn put_with(
        &self,
        section: Section,
        name: &str,
        value: Value,
        keys: &[&str],
        expected: Option<u64>,
    ) -> Result<Changed, SettingError> {
        let keys = keys.iter().map(|key| GivenKey { secret: Secret::new(*key), note: None }).collect();
        let edit = Edit::Put { section, name: name.to_owned(), value, keys, expected };
        self.settings.change(edit, "tester").await
    }

    fn key_count(&self, provider: &str) -> usize {
        self.ground.snapshot.load().providers.get(provider).unwrap().upstream.keys.len()
    }

    fn has(&self, provider: &str) -> bool {
        self.ground.snapshot.load().providers.contains_key(provider)
    }
}

fn acme() -> Value {
    json!({ "plugin": "openai", "url": PUBLIC })
}

fn faults(result: Result<Changed, SettingError>) -> String {
    match result {
        Err(error @ SettingError::Invalid(_)) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_provider_and_a_model_are_made_and_are_there_after_a_restart() {
    let house = House::new("made", FILE);
    let node = house.start().await;
    let changed = node.put_with(Section::Providers, "acme", acme(), &[CANARY], Some(0)).await.unwrap();
    assert_eq!((changed.version, changed.added.len()), (1, 1));
    let model = json!({ "targets": ["acme/large", { "to": "lab/small", "weight": 2 }] });
    node.put(Section::Models, "fast", model).await.unwrap();
    assert_eq!(node.key_count("acme"), 1);
    let again = house.start().await;
    assert_eq!(again.key_count("acme"), 1);
    assert!(again.reload.in_force().config.models.contains_key("fast"));
    assert!(!house.written().await.contains("typed-in-canary"), "a key is in the store in plain text");
    // A reload of the file keeps them.
    std::fs::write(
        house.folder.join("causeway.toml"),
        format!("{FILE}[models.other]\ntargets = [\"lab/x\"]\n"),
    )
    .unwrap();
    again.reload.run();
    let config = again.reload.in_force().config;
    assert!(config.models.contains_key("other") && config.models.contains_key("fast"));
}

#[tokio::test]
async fn what_does_not_build_is_not_stored() {
    let house = House::new("broken", FILE);
    let node = house.start().await;
    let before = house.written().await;
    let generation = node.ground.snapshot.load().generation;
    for (section, value, said) in [
        (Section::Providers, json!({ "plugin": "openay", "url": PUBLIC }), "did you mean `openai`?"),
        (Section::Providers, json!({ "plugin": "openai", "ulr": PUBLIC }), "unknown key `ulr`"),
        (Section::Providers, json!({ "plugin": "openai", "url": "ftp://x" }), "must start with `https://`"),
        (Section::Providers, json!({ "plugin": "openai", "url": "https://u:p@x/" }), "user name or password"),
        (
            Section::Providers,
            json!({ "plugin": "openai", "url": PUBLIC, "keys_file": "/etc/passwd" }),
            "in the file only",
        ),
        (
            Section::Providers,
            json!({ "plugin": "openai", "url": PUBLIC, "tls": { "verify": false } }),
            "in the file only",
        ),
        (
            Section::Providers,
            json!({ "plugin": "openai", "url": PUBLIC, "proxy": "http://10.0.0.1:1" }),
            "in the file only",
        ),
        (
            Section::Providers,
            json!({ "plugin": "openai", "url": PUBLIC, "keys": ["sk"] }),
            "in the file only",
        ),
        (
            Section::Providers,
            json!({ "plugin": "openai", "url": "http://127.0.0.1:9" }),
            "must be at a public address",
        ),
        (
            Section::Providers,
            json!({ "plugin": "openai", "url": PUBLIC, "headers": { "x-a": "***" } }),
            "nothing is kept there",
        ),
        (Section::Providers, json!("text"), "must be an object"),
        (Section::Models, json!({ "targets": ["nobody/x"] }), "nobody"),
        (Section::Models, json!({ "targets": [] }), "is empty"),
        (Section::Prices, json!({ "input": -1, "output": 1 }), "out of range"),
    ] {
        let name = if section == Section::Prices { "lab/small" } else { "acme" };
        let told = faults(node.put(section, name, value.clone()).await);
        assert!(told.contains(said), "{value}: {told}");
    }
    assert_eq!(house.written().await, before);
    assert_eq!(node.ground.snapshot.load().generation, generation);
}

#[tokio::test]
async fn nothing_in_a_setting_is_interpolated() {
    let house = House::new("interpolated", FILE);
    let node = house.start().await;
    let value = json!({ "plugin": "openai", "url": PUBLIC, "headers": { "x-path": "${PATH}" } });
    node.put(Section::Providers, "acme", value).await.unwrap();
    let config = node.reload.in_force().config;
    assert_eq!(config.providers["acme"].headers["x-path"].expose(), "${PATH}");
}

#[tokio::test]
async fn the_file_goes_first() {
    let house = House::new("first", FILE);
    let node = house.start().await;
    let refused = node.put(Section::Providers, "lab", acme()).await;
    let Err(SettingError::InFile { path, file }) = refused else { panic!("{refused:?}") };
    assert_eq!(path, "providers.lab");
    assert!(file.ends_with("causeway.toml"), "{file}");
    assert!(matches!(node.put(Section::Models, "small", json!({})).await, Err(SettingError::InFile { .. })));
    // The file takes a name that was made here.
    node.put(Section::Providers, "acme", acme()).await.unwrap();
    let text = format!("{FILE}[providers.acme]\nplugin = \"anthropic\"\nurl = \"http://127.0.0.1:7\"\n");
    std::fs::write(house.folder.join("causeway.toml"), text).unwrap();
    node.reload.run();
    let in_force = node.reload.in_force();
    assert_eq!(in_force.config.providers["acme"].plugin.as_deref(), Some("anthropic"));
    assert_eq!(in_force.shadowed, ["providers.acme"]);
    assert!(matches!(node.put(Section::Providers, "acme", acme()).await, Err(SettingError::InFile { .. })));
}

#[tokio::test]
async fn a_changed_address_drops_the_keys() {
    let house = House::new("moved", FILE);
    let node = house.start().await;
    let made = node.put_with(Section::Providers, "acme", acme(), &[CANARY], None).await.unwrap();
    // The path and the name of the version are the same machine; the rest is not.
    let same = json!({ "plugin": "openai", "url": format!("{PUBLIC}/"), "can": ["tools"] });
    let changed = node.put(Section::Providers, "acme", same).await.unwrap();
    assert_eq!((changed.version, changed.dropped.len(), node.key_count("acme")), (2, 0, 1));
    let moved = json!({ "plugin": "openai", "url": "https://93.184.215.15/v1" });
    let changed = node.put(Section::Providers, "acme", moved.clone()).await.unwrap();
    assert_eq!(changed.dropped, made.added);
    assert_eq!(node.key_count("acme"), 0);
    assert_eq!(house.start().await.key_count("acme"), 0);
    // Typed in with the change, it stays.
    let back = node.put_with(Section::Providers, "acme", acme(), &[CANARY], None).await.unwrap();
    assert_eq!((back.dropped.len(), node.key_count("acme")), (0, 1));
    for url in ["http://93.184.215.14/v1", "https://93.184.215.14:8443/v1"] {
        let moved = json!({ "plugin": "openai", "url": url });
        let changed = node.put(Section::Providers, "acme", moved).await.unwrap();
        assert_eq!(changed.dropped.len(), 1, "{url}");
        node.put_with(Section::Providers, "acme", acme(), &[CANARY], None).await.unwrap();
    }
}

#[tokio::test]
async fn secrets_in_settings_are_sealed_masked_and_bound() {
    let house = House::new("headers", FILE);
    let node = house.start().await;
    let with =
        |url: &str, value: &str| json!({ "plugin": "openai", "url": url, "headers": { "x-secret": value } });
    node.put(Section::Providers, "acme", with(PUBLIC, CANARY)).await.unwrap();
    let shelf = node.settings.shelf();
    let record = &shelf.settings[&(Section::Providers, "acme".to_owned())];
    assert_eq!(record.value["headers"]["x-secret"], "***");
    assert!(!house.written().await.contains("typed-in-canary"));
    // The mask sent back means what is kept …
    node.put(Section::Providers, "acme", with(PUBLIC, "***")).await.unwrap();
    let header =
        |node: &Node| node.reload.in_force().config.providers["acme"].headers["x-secret"].expose().to_owned();
    assert_eq!(header(&node), CANARY);
    assert_eq!(header(&house.start().await), CANARY);
    // … but not elsewhere.
    let told = faults(node.put(Section::Providers, "acme", with("https://93.184.215.15/v1", "***")).await);
    assert!(told.contains("must be sent again"), "{told}");
    assert_eq!(header(&node), CANARY);
}

#[tokio::test]
async fn keys_are_typed_in_for_a_provider_of_the_file_and_bound_to_its_address() {
    let house = House::new("of-file", FILE);
    let node = house.start().await;
    let given = |text: &str| vec![GivenKey { secret: Secret::new(text), note: Some("mine".to_owned()) }];
    let add = |text: &str| Edit::AddKeys { provider: "lab".to_owned(), keys: given(text) };
    let added = node.settings.change(add(CANARY), "tester").await.unwrap().added;
    assert_eq!(node.key_count("lab"), 2);
    for wrong in ["", "two words", "line\nbreak", "schlüssel"] {
        let told = faults(node.settings.change(add(wrong), "tester").await);
        assert!(told.contains("a key"), "{told}");
    }
    // The file moves the provider: the key stays behind, and comes back with the address.
    let path = house.folder.join("causeway.toml");
    std::fs::write(&path, FILE.replace("127.0.0.1:9", "127.0.0.1:10")).unwrap();
    node.reload.run();
    assert_eq!(node.key_count("lab"), 1);
    std::fs::write(&path, FILE).unwrap();
    node.reload.run();
    assert_eq!(node.key_count("lab"), 2);
    let delete = || Edit::DeleteKey { provider: "lab".to_owned(), id: added[0].clone() };
    node.settings.change(delete(), "tester").await.unwrap();
    assert_eq!(node.key_count("lab"), 1);
    assert!(matches!(node.settings.change(delete(), "tester").await, Err(SettingError::NotFound(_))));
    let nobody = Edit::AddKeys { provider: "nobody".to_owned(), keys: given(CANARY) };
    assert!(matches!(node.settings.change(nobody, "tester").await, Err(SettingError::NotFound(_))));
}

#[tokio::test]
async fn a_version_that_was_not_seen_is_not_overwritten() {
    let house = House::new("version", FILE);
    let node = house.start().await;
    assert!(matches!(
        node.put_with(Section::Providers, "acme", acme(), &[], Some(1)).await,
        Err(SettingError::Changed { version: 0 })
    ));
    node.put_with(Section::Providers, "acme", acme(), &[], Some(0)).await.unwrap();
    for expected in [0, 2] {
        let refused = node.put_with(Section::Providers, "acme", acme(), &[], Some(expected)).await;
        assert!(matches!(refused, Err(SettingError::Changed { version: 1 })), "{refused:?}");
    }
    let delete = |expected| Edit::Delete { section: Section::Providers, name: "acme".to_owned(), expected };
    assert!(node.settings.change(delete(Some(7)), "tester").await.is_err());
    node.settings.change(delete(Some(1)), "tester").await.unwrap();
    assert!(!node.has("acme"));
    assert!(!house.written().await.contains("acme"));
}

#[tokio::test]
async fn what_others_need_is_not_taken_away() {
    let house = House::new("needed", FILE);
    let node = house.start().await;
    node.put(Section::Providers, "acme", acme()).await.unwrap();
    node.put(Section::Models, "fast", json!({ "targets": ["acme/large"] })).await.unwrap();
    let delete = Edit::Delete { section: Section::Providers, name: "acme".to_owned(), expected: None };
    let told = faults(node.settings.change(delete, "tester").await);
    assert!(told.contains("acme"), "{told}");
    assert!(node.has("acme"));
}

#[tokio::test]
async fn a_file_that_is_readonly_stays_so() {
    let house = House::new("readonly", &format!("[admin]\nreadonly = true\n{FILE}"));
    let node = house.start().await;
    assert!(matches!(node.put(Section::Providers, "acme", acme()).await, Err(SettingError::ReadOnly)));
}

#[tokio::test]
async fn another_node_sees_it() {
    let house = House::new("nodes", FILE);
    let (one, other) = (house.start().await, house.start().await);
    assert!(!other.settings.catch_up().await.unwrap());
    one.put_with(Section::Providers, "acme", acme(), &[CANARY], None).await.unwrap();
    assert!(other.settings.catch_up().await.unwrap());
    assert_eq!(other.key_count("acme"), 1);
    assert!(!one.settings.catch_up().await.unwrap(), "one's own change is no news");
    // Both change something at the same time: neither is lost.
    let (first, second) =
        tokio::join!(one.put(Section::Providers, "b", acme()), other.put(Section::Providers, "c", acme()));
    first.unwrap();
    second.unwrap();
    one.settings.catch_up().await.unwrap();
    other.settings.catch_up().await.unwrap();
    for node in [&one, &other] {
        assert!(node.has("b") && node.has("c"));
    }
}

#[tokio::test]
async fn a_stored_setting_that_does_not_fit_any_more_keeps_nothing_else_from_starting() {
    let house = House::new(
        "misfit",
        &format!("{FILE}[providers.more]\nplugin = \"openai\"\nurl = \"http://127.0.0.1:8\"\n"),
    );
    let node = house.start().await;
    node.put(Section::Providers, "acme", acme()).await.unwrap();
    node.put(Section::Models, "fast", json!({ "targets": ["more/large"] })).await.unwrap();
    std::fs::write(house.folder.join("causeway.toml"), FILE).unwrap();
    let again = house.start().await;
    assert!(again.has("acme") && !again.reload.in_force().config.models.contains_key("fast"));
}

#[tokio::test]
async fn boxes_that_changed_places_do_not_open() {
    let house = House::new("swapped", FILE);
    let node = house.start().await;
    node.put_with(Section::Providers, "acme", acme(), &["sk-one-0123456789", "sk-two-0123456789"], None)
        .await
        .unwrap();
    node.put_with(Section::Providers, "evil", acme(), &["sk-three-0123456789"], None).await.unwrap();
    let place = |provider: &str, id: &str| Space::Secret.key(&["provider-key", provider, id]);
    let ids = node.settings.shelf().key_ids("acme");
    let one = house.store.get(place("acme", &ids[0])).await.unwrap().unwrap();
    let evil = node.settings.shelf().key_ids("evil");
    let places: [Key; 2] = [place("acme", &ids[1]), place("evil", &evil[0])];
    for place in places {
        let expected = house.store.get(place.clone()).await.unwrap();
        let swap = Swap { key: place, expected, value: one.clone(), life: None };
        assert!(house.store.swap(swap, store::Class::Durable).await.unwrap());
    }
    let again = house.start().await;
    assert_eq!((again.key_count("acme"), again.key_count("evil")), (1, 0));
}

#[tokio::test]
async fn a_changed_origin_in_the_record_does_not_open_it() {
    let house = House::new("origin", FILE);
    let node = house.start().await;
    node.put_with(Section::Providers, "acme", acme(), &[CANARY], None).await.unwrap();
    let id = node.settings.shelf().key_ids("acme").remove(0);
    let place = Space::Secret.key(&["provider-key", "acme", &id]);
    let bytes = house.store.get(place.clone()).await.unwrap().unwrap();
    let text = String::from_utf8(bytes.to_vec()).unwrap().replace("93.184.215.14", "93.184.215.99");
    let setting = Space::Setting.key(&["providers", "acme"]);
    let settings = house.store.get(setting.clone()).await.unwrap().unwrap();
    let moved = String::from_utf8(settings.to_vec()).unwrap().replace("93.184.215.14", "93.184.215.99");
    let batch = store::Batch::default().put(place, text, None).put(setting, moved, None);
    house.store.write(batch, store::Class::Durable).await.unwrap();
    let again = house.start().await;
    assert_eq!((again.has("acme"), again.key_count("acme")), (true, 0));
}

#[tokio::test]
async fn settings_are_exported_as_a_file() {
    let house = House::new("export", FILE);
    let node = house.start().await;
    let value =
        json!({ "plugin": "openai", "url": PUBLIC, "headers": { "x-secret": CANARY, "x-b": "a${b}" } });
    node.put_with(Section::Providers, "acme", value, &["sk-one-0123456789"], None).await.unwrap();
    node.put(Section::Models, "fast", json!({ "targets": ["acme/large"], "timeouts": { "idle": "9s" } }))
        .await
        .unwrap();
    let text = node.settings.export().unwrap();
    assert!(text.contains("${CAUSEWAY_PROVIDERS_ACME_KEYS_1}"), "{text}");
    let all = node.settings.export_all().unwrap();
    for text in [&text, &all] {
        assert!(
            !text.contains("typed-in-canary") && !text.contains("sk-o") && !text.contains("***"),
            "{text}"
        );
        // It is a file that can be read, when its variables are there.
        let environment = |name: &str| Some(format!("value-of-{}", name.to_lowercase()));
        let loaded = crate::config::parse(text, "exported.toml", &[], &environment).unwrap();
        assert_eq!(loaded.config.providers["acme"].keys.len(), 1);
        assert_eq!(loaded.config.providers["acme"].url.as_deref(), Some(PUBLIC));
        assert!(loaded.config.models.contains_key("fast"));
    }
    assert!(all.contains("small") && !text.contains("small"));
}

mod master_keys;
