//! Good files, and what they mean.

use super::*;
use crate::config::tree::key_text;
use crate::domain::{ByteSize, Rate, Timespan};

#[test]
fn the_example_means_what_it_says() {
    let loaded = parse(&with_file(&file("example.toml")), "example.toml", &[], &environment);
    let loaded = loaded.unwrap_or_else(|error| panic!("{error}"));
    let config = loaded.config;
    assert_eq!(config.server.listen, ["0.0.0.0:8080".parse().expect("an address")]);
    assert_eq!(config.server.max_body, ByteSize(32 << 20));
    assert_eq!(config.server.drain, Timespan::seconds(300));
    let azure = &config.providers["azure"];
    assert_eq!(azure.plugin_name("azure"), "azure-openai");
    assert_eq!(azure.keys, [Secret::new("azure-key-from-a-file")]);
    assert_eq!(azure.options["api_version"], "2025-04-01-preview");
    let gpt = &config.models["gpt-5"];
    assert_eq!(
        (gpt.targets[0].destination().to_string(), gpt.targets[0].weight),
        ("openai/gpt-5".to_owned(), 70)
    );
    assert_eq!(gpt.fallback[0].to_string(), "anthropic/claude-opus-4-8");
    assert_eq!(gpt.retry.attempts, 3);
    assert_eq!(config.models["fast"].targets[0].weight, 1);
    assert_eq!(config.models["fast"].balance, Balance::named("least-latency").expect("known"));
    assert_eq!(config.models["claude-*"].targets[0].destination().to_string(), "anthropic/*");
    assert_eq!(config.keys["ci"].budget.as_ref().map(|budget| budget.usd), Some(Micros(20_000_000)));
    let tokens = config.keys["web"].limits.tokens.as_ref().map(|rates| rates.0[0]);
    assert_eq!(tokens, Some(Rate { count: 4_000_000, per: std::time::Duration::from_secs(60) }));
    assert_eq!(config.plugins["acme"].budget, Timespan::millis(20));
    assert_eq!(config.otel.endpoint, "");
    assert_eq!(config.prices["lab/qwen3-32b"].input, Micros(50_000));
    let notes = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/config/tests/notes.txt");
    is_current(&notes, &format!("{}\n", loaded.notes.join("\n")));
}

#[test]
fn the_files_of_the_repository_pass() {
    for name in ["minimal.toml", "causeway.toml", "cluster.toml"] {
        parse(&file(name), name, &[], &environment).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn the_generated_files_are_current() {
    is_current(&folder().join("schema.json"), &schema_text());
    is_current(&folder().join("causeway.toml"), &annotated().expect("a sample that fits"));
}

#[test]
fn the_annotated_file_shows_every_key_and_every_value_in_it_can_be_read() {
    let text = annotated().expect("a sample that fits");
    // Behind a single `#` and a space stands either a comment or a key; the keys must be right, too.
    let awake: String = text.lines().map(|line| format!("{}\n", uncommented(line).unwrap_or(line))).collect();
    let fixture = |name: &str| format!("{}/src/config/tests/{name}", env!("CARGO_MANIFEST_DIR"));
    let awake = awake
        .replace("${CAUSEWAY_REDIS_URL}", "redis://10.0.0.5:6379")
        .replace("${CAUSEWAY_MASTER_KEY}", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")
        .replace("[\"fast\", \"vision\", \"smart\"]", "[]")
        .replace("/etc/causeway/our-authority.pem", &fixture("certificate.pem"))
        .replace("/etc/causeway/client.pem", &fixture("certificate.pem"))
        .replace("/etc/causeway/client.key", &fixture("key.pem"));
    let config = read(&awake);
    assert_eq!(config.plugins.len(), 1);
    let every = every_key(schema());
    assert!(every.len() > 60);
    // A comment may break anywhere.
    let flowing = text.replace("\n# ", " ");
    for name in every {
        let shown = format!("{} = ", key_text(&name));
        assert!(
            flowing.contains(&format!(" {shown}"))
                || text.lines().any(|line| line.trim_start_matches("# ").starts_with(&shown)
                    || line.contains(&format!("{name}]"))
                    || line.contains(&format!("[{name}"))
                    || line.contains(&format!(" {shown}"))),
            "{name}"
        );
    }
}

fn uncommented(line: &str) -> Option<&str> {
    let line = line.strip_prefix("# ")?;
    let header = line.starts_with('[') && line.ends_with(']');
    let (key, _) = line.split_once(" = ").unwrap_or_default();
    let quoted = key.starts_with('"') && key.ends_with('"');
    let bare = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    (header || quoted || bare).then_some(line)
}

/// The names of all properties in a schema.
fn every_key(schema: &serde_json::Value) -> Vec<String> {
    let mut names = Vec::new();
    match schema {
        serde_json::Value::Object(members) => {
            for (name, value) in members {
                if name == "properties" {
                    names.extend(value.as_object().into_iter().flatten().map(|(name, _)| name.clone()));
                }
                names.extend(every_key(value));
            }
        }
        serde_json::Value::Array(items) => names.extend(items.iter().flat_map(every_key)),
        _ => {}
    }
    names
}

#[test]
fn every_key_of_the_schema_is_described() {
    fn check(path: &str, schema: &serde_json::Value) {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            assert!(property["description"].is_string(), "{path}.{name} has no description");
        }
    }
    check("", schema());
    for (name, definition) in schema()["$defs"].as_object().into_iter().flatten() {
        check(name, definition);
    }
}

#[test]
fn what_is_read_can_be_written_and_read_again() {
    let config = read(&with_file(&file("example.toml")));
    let shown = toml::to_string(&config).expect("TOML");
    assert!(!shown.contains("0123456789abcdef"), "{shown}");
    let again: Config = toml::from_str(&shown).expect("the same");
    assert_eq!(again.models, config.models);
    assert_eq!(again.server, config.server);
    assert_eq!(again.teams, config.teams);
    assert_eq!(again.prices, config.prices);
}

#[test]
fn the_default_of_a_missing_section_is_the_default_of_an_empty_one() {
    let config =
        read("[providers.openai]\n[server]\n[server.timeouts]\n[admin]\n[defaults.key]\n[log]\n[otel]\n");
    let bare = Config { providers: config.providers.clone(), ..Config::default() };
    assert_eq!(config, bare);
}

#[test]
fn braces_are_filled_in_strings_after_parsing() {
    let with = |value: &str| read(&format!("[providers.openai]\noptions = {{ a = {value} }}\n"));
    for (written, meant) in [
        ("'${THREE}'", "3"),
        ("'a${THREE}b${THREE}'", "a3b3"),
        ("'${NOT_SET:-${THREE}!}'", "3!"),
        ("'${EMPTY:-default}'", "default"),
        ("'${EMPTY}'", ""),
        ("'${NOT_SET:-}'", ""),
        ("'${NOT_SET:-a:-b}'", "a:-b"),
        ("'$${THREE}'", "${THREE}"),
        ("'$.messages[*]'", "$.messages[*]"),
        ("'5$'", "5$"),
        ("'$$$$'", "$$"),
        ("'${THREE:?never}'", "3"),
    ] {
        assert_eq!(with(written).providers["openai"].options["a"], *meant, "{written}");
    }
    let twice = |name: &str| (name == "SNEAKY").then(|| "\"\n[admin]\nreadonly = true #${THREE}".to_owned());
    let loaded = parse("[providers.openai]\noptions = { a = \"${SNEAKY}\" }\n", "a.toml", &[], &twice);
    let config = loaded.expect("no harm").config;
    assert!(!config.admin.readonly);
    assert_eq!(config.providers["openai"].options["a"], "\"\n[admin]\nreadonly = true #${THREE}");
}

#[test]
fn a_filled_string_may_be_a_number_or_a_flag() {
    let config = read(
        "[server]\nthreads = \"${THREE}\"\n[admin]\nreadonly = \"${READONLY:-true}\"\n[providers.openai]\n\
         [models.a]\ntargets = [{ to = \"openai/a\", weight = \"${THREE}\" }]\n",
    );
    assert_eq!(config.server.threads, Threads::Count(3));
    assert!(config.admin.readonly);
    assert_eq!(config.models["a"].targets[0].weight, 3);
    let listed = |name: &str| (name == "KEYS").then(|| "sk-1, sk-2".to_owned());
    let text = "[providers.openai]\nkeys = \"${KEYS}\"\n";
    let config = parse(text, "a.toml", &[], &listed).unwrap_or_else(|error| panic!("{error}")).config;
    assert_eq!(config.providers["openai"].keys, [Secret::new("sk-1"), Secret::new("sk-2")]);
}

#[test]
fn overrides_go_over_the_file() {
    let text = "[server]\nlisten = [\"0.0.0.0:8080\"]\n[providers.openai]\n[models.\"gpt-5.1\"]\ntargets = [\"openai/a\"]\n";
    let lines = [
        "server.listen=127.0.0.1:1,127.0.0.1:2",
        "server.threads=4",
        "server.max_body=1MiB",
        "server.timeouts.idle=5s",
        "models.\"gpt-5.1\".balance=cheapest",
        "models.new.targets=[\"openai/b\", { to = \"openai/c\", weight = 7 }]",
        "keys.ci.secret=1234567890123456",
        "keys.cd.secret=a$${b}=c-0123456789",
        "admin.readonly=true",
        "log.level=debug",
    ]
    .map(str::to_owned);
    let config = parse(text, "a.toml", &lines, &environment).unwrap_or_else(|error| panic!("{error}")).config;
    assert_eq!(config.server.listen.len(), 2);
    assert_eq!(config.server.threads, Threads::Count(4));
    assert_eq!(config.server.max_body, ByteSize::mebibytes(1));
    assert_eq!(config.server.timeouts.idle, Timespan::seconds(5));
    assert_eq!(config.models["gpt-5.1"].balance, Balance::named("cheapest").expect("known"));
    assert_eq!(config.models["new"].targets[1].weight, 7);
    assert_eq!(config.keys["ci"].secret.expose(), "1234567890123456");
    assert_eq!(config.keys["cd"].secret.expose(), "a$${b}=c-0123456789");
    assert!(config.admin.readonly);
    assert_eq!(config.log.level, Level::Debug);
}

#[test]
fn variables_are_overrides_too() {
    let variables = [
        ("CAUSEWAY__SERVER__MAX_BODY", "1MiB"),
        ("CAUSEWAY__SERVER__LISTEN", "0.0.0.0:80"),
        ("CAUSEWAY_CONFIG", "x"),
        ("PATH", "y"),
    ];
    let found = overrides_in(variables.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(found, ["server.listen=0.0.0.0:80", "server.max_body=1MiB"]);
}

#[test]
fn without_a_file_the_environment_decides() {
    let keys = |name: &str| match name {
        "OPENAI_API_KEY" => Some("sk-0123456789abcdef\n".to_owned()),
        "GOOGLE_API_KEY" => Some("AIza0123456789abcdef".to_owned()),
        "ANTHROPIC_API_KEY" => Some(String::new()),
        _ => None,
    };
    let config = load(None, &[], &keys).expect("a configuration").config;
    assert_eq!(config.providers.keys().collect::<Vec<_>>(), ["gemini", "openai"]);
    assert_eq!(config.providers["openai"].keys, [Secret::new("sk-0123456789abcdef")]);
    assert_eq!(config.server.listen[0].to_string(), "127.0.0.1:8080");
    assert_eq!(config.models["openai/*"].targets[0].destination().to_string(), "openai/*");
    assert_eq!(config.models["gpt-*"].targets[0].destination().to_string(), "openai/*");
    let overridden = load(None, &["log.level=info".to_owned()], &keys).expect("the same").config;
    assert_eq!(overridden, config);
    let nothing = load(None, &["log.level=warn".to_owned()], &|_| None).expect("no provider").config;
    assert!(nothing.providers.is_empty() && nothing.log.level == Level::Warn);
    let error = load(None, &["log.levl=warn".to_owned()], &keys).expect_err("a refusal");
    assert_eq!(
        error.to_string(),
        "environment: unknown key `levl` in `log` (set from outside the file: `log.levl`) (did you mean `level`?)"
    );
}

#[test]
fn a_missing_file_is_a_refusal() {
    let error =
        load(Some(Path::new("/nonexistent/causeway.toml")), &[], &environment).expect_err("a refusal");
    assert!(error.to_string().starts_with("/nonexistent/causeway.toml: cannot read the file: "), "{error}");
}

#[test]
fn a_retry_covers_what_it_names() {
    use crate::error::{GatewayError, Kind};
    let retry = read(
        "[providers.openai]\n[models.a]\ntargets = [\"openai/a\"]\nretry = { on = [\"429\", \"500-502\", \"connect\"] }\n",
    );
    let retry = &retry.models["a"].retry;
    let status = |status| GatewayError {
        upstream_status: Some(status),
        ..GatewayError::upstream(Kind::Provider, "x")
    };
    assert!(retry.covers(&status(429)) && retry.covers(&status(502)));
    assert!(!retry.covers(&status(503)) && !retry.covers(&status(400)));
    assert!(retry.covers(&GatewayError::upstream(Kind::Unreachable, "x")));
    assert!(!retry.covers(&GatewayError::upstream(Kind::Timeout, "x")));
    assert!(retry.covers(&GatewayError::upstream(Kind::RateLimited, "an error inside a 200")));
    assert!(!retry.covers(&GatewayError::client(Kind::RateLimited, "our own limit")));
}

#[test]
fn a_pattern_fits_both_its_ends() {
    let fits = |pattern: &str, name: &str| pattern.parse::<ModelPattern>().expect(pattern).matches(name);
    assert!(fits("claude-*", "claude-opus") && fits("claude-*", "claude-") && fits("*", "anything"));
    assert!(fits("a*b", "ab") && fits("a*b", "axxb") && fits("*-mini", "gpt-5-mini"));
    assert!(!fits("aa*aa", "aaa") && !fits("claude-*", "claude") && !fits("gpt-5", "gpt-5-mini"));
}

#[test]
fn what_is_in_force_is_shown_with_its_origin() {
    let text = "[server]\nthreads = 2\n[providers.openai]\nkeys = [\"${OPENAI_API_KEY}\"]\noptions = { b = 1, a = { c = 2 } }\n";
    let overrides = ["log.level=warn".to_owned()];
    let loaded = parse(text, "a.toml", &overrides, &environment).unwrap_or_else(|error| panic!("{error}"));
    let shown = effective(&loaded, true).expect("TOML");
    for line in [
        "server.threads = 2  # line 2",
        "server.max_body = \"32MiB\"  # default",
        "providers.openai.keys = [\"***\"]  # line 4",
        "providers.openai.options.a.c = 2  # line 5",
        "log.level = \"warn\"  # override",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line}\n{shown}");
    }
    assert!(toml::from_str::<toml::Table>(&shown).is_ok());
    assert!(effective(&loaded, false).is_ok_and(|text| text.contains("[providers.openai]\n")));
}

#[test]
fn relative_paths_start_at_the_folder_of_the_file() {
    let folder = std::env::temp_dir();
    let path = folder.join(format!("causeway-config-test-{}.toml", std::process::id()));
    let text = "[server]\nplugins_dir = \"plugins\"\n[store]\npath = \"state\"\n\
                [providers.acme]\n[plugins.acme]\nsource = \"file:./acme.wasm\"\n";
    std::fs::write(&path, text).expect("a writable temporary folder");
    let loaded = load(Some(&path), &[], &environment).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(loaded.config.plugins["acme"].source, Source::File(folder.join("./acme.wasm")));
    assert_eq!(loaded.config.server.plugins_dir, Some(folder.join("plugins")));
    assert_eq!(loaded.config.store.path, Some(folder.join("state")));
    assert_eq!(loaded.path, Some(path));
}
