//! The command line: what it says about a file, and that nothing starts on a wrong one.

use std::net::TcpListener;
use std::process::Output;

use super::support::gateway::{free_address, run};
use super::support::{Gateway, KEY, Shape, configuration, provider, upstream};

fn text(output: &Output) -> String {
    let both = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8_lossy(&both).into_owned()
}

/// A configuration that can be used, on free addresses.
fn good() -> String {
    format!(
        "[server]\nlisten = [\"{}\"]\n[admin]\nlisten = \"{}\"\n{}",
        free_address(),
        free_address(),
        configuration("http://127.0.0.1:9")
    )
}

/// What is wrong with a file, the text of it, and what must be said.
fn wrong() -> Vec<(&'static str, String, Vec<&'static str>)> {
    let good = good();
    vec![
        (
            "an unknown section",
            format!("{good}[provider.x]\nplugin = \"openai\"\n"),
            vec!["provider", "providers"],
        ),
        ("an unknown key", good.replace("url = ", "ulr = "), vec!["ulr", "url"]),
        ("a wrong type", good.replace("attempts = 1", "attempts = \"one\""), vec!["attempts"]),
        ("no TOML", format!("{good}\nthis is none\n"), vec![]),
        ("an unset variable", good.replace(KEY, "${NOT_SET_ANYWHERE}"), vec!["NOT_SET_ANYWHERE"]),
        ("a missing file of a secret", good.replace(KEY, "${file:/no/such/file}"), vec!["/no/such/file"]),
        (
            "a target without a provider",
            format!("{good}[models.x]\ntargets = [\"opnai/m\"]\n"),
            vec!["opnai", "openai"],
        ),
        ("a short secret", good.replace(KEY, "short"), vec!["16"]),
        ("a wrong duration", format!("{good}[server.timeouts]\nidle = \"90 parsecs\"\n"), vec!["90 parsecs"]),
        (
            "a short admin password",
            good.replace("[admin]\n", "[admin]\npassword = \"elevenchars\"\n"),
            vec!["password", "12"],
        ),
    ]
}

#[test]
fn check_takes_a_good_file() {
    let output = run(&["check", "-c", "causeway.toml"], &[("causeway.toml", good().as_bytes())], &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(text(&output).contains("ok (3 providers, 3 models, 1 key)"), "{}", text(&output));
    let output =
        run(&["check", "--json", "-c", "causeway.toml"], &[("causeway.toml", good().as_bytes())], &[]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["ok"], true);
}

#[test]
fn check_and_serve_refuse_a_wrong_file_and_say_what_is_wrong() {
    for (case, file, said) in wrong() {
        for command in ["check", "serve"] {
            let output = run(&[command, "-c", "causeway.toml"], &[("causeway.toml", file.as_bytes())], &[]);
            let text = text(&output);
            assert_eq!(output.status.code(), Some(2), "{command}: {case}: {text}");
            assert!(
                text.contains("causeway.toml") && said.iter().all(|part| text.contains(part)),
                "{command}: {case}: {text}"
            );
            assert!(!text.contains("panicked") && !text.contains(KEY), "{command}: {case}: {text}");
            assert!(!text.contains("listens on"), "{command}: {case} started: {text}");
        }
    }
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let file = good()
        .replace("plugin = \"openai\"", "plugin = \"openai\"\nulr = \"x\"")
        .replace("attempts = 1", "attemps = 1");
    let output = run(&["check", "--json", "-c", "causeway.toml"], &[("causeway.toml", file.as_bytes())], &[]);
    assert_eq!(output.status.code(), Some(2));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let problems = report["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 4, "{report:#}");
    assert!(
        problems.iter().all(|problem| problem["line"].is_u64() && problem["message"].is_string()),
        "{report:#}"
    );
}

#[test]
fn a_plugin_that_cannot_be_used_keeps_the_gateway_from_starting_with_one_clear_line() {
    let with_plugin = |plugin: &str| {
        format!(
            "{}[plugins.acme]\n{plugin}\n{}[models.acme]\ntargets = [\"acme/m\"]\n",
            good(),
            provider("acme", Shape::OpenAi, "http://127.0.0.1:9")
                .replace("plugin = \"openai\"", "plugin = \"acme\""),
        )
    };
    let zeros = "0".repeat(64);
    let digest = format!("source = \"file:./nonsense.wasm\"\ndigest = \"sha256:{zeros}\"");
    for (case, plugin, said) in [
        ("a missing file", "source = \"file:./missing.wasm\"", vec!["acme", "missing.wasm"]),
        ("a wrong digest", digest.as_str(), vec!["acme", "nonsense.wasm", "sha256:", zeros.as_str()]),
        ("no component", "source = \"file:./nonsense.wasm\"", vec!["acme", "not a wasm component"]),
    ] {
        let files = [("causeway.toml", with_plugin(plugin)), ("nonsense.wasm", "nonsense".to_owned())];
        let files: Vec<_> = files.iter().map(|(name, content)| (*name, content.as_bytes())).collect();
        let output = run(&["serve", "-c", "causeway.toml"], &files, &[]);
        let text = text(&output);
        assert_eq!(output.status.code(), Some(2), "{case}: {text}");
        let clear = text.lines().any(|line| said.iter().all(|part| line.contains(part)));
        assert!(clear && !text.contains("panicked"), "{case}: {text}");
        let lines = text.lines().filter(|line| line.contains("acme")).count();
        assert_eq!(lines, 1, "{case}: {text}");
    }
}

#[test]
fn an_unknown_plugin_is_refused_by_name() {
    let file = good().replace("plugin = \"gemini\"", "plugin = \"gemni\"");
    let output = run(&["serve", "-c", "causeway.toml"], &[("causeway.toml", file.as_bytes())], &[]);
    let text = text(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("gemni") && text.contains("gemini"), "{text}");
}

#[test]
fn an_address_in_use_is_one_clear_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let good = good();
    let own = good.split('"').nth(1).unwrap().to_owned();
    let admin = good.split('"').nth(3).unwrap().to_owned();
    for replaced in [own, admin] {
        let file = good.replace(&replaced, &address);
        let output = run(&["serve", "-c", "causeway.toml"], &[("causeway.toml", file.as_bytes())], &[]);
        let text = text(&output);
        assert!(matches!(output.status.code(), Some(1 | 2)), "{:?}: {text}", output.status);
        let lines: Vec<_> = text.lines().filter(|line| line.contains(&address)).collect();
        assert_eq!(lines.len(), 1, "{text}");
        assert!(lines[0].contains("cannot listen") && !text.contains("panicked"), "{text}");
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    for command in ["check", "serve"] {
        let output = run(&[command, "-c", "nowhere.toml"], &[], &[]);
        assert_eq!(output.status.code(), Some(2), "{command}");
        assert!(text(&output).contains("nowhere.toml"), "{command}: {}", text(&output));
    }
}

#[test]
fn wrong_usage_is_refused() {
    for arguments in [&["nonsense"][..], &["serve", "--nonsense"], &["check", "-c"]] {
        let output = run(arguments, &[], &[]);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
    let output = run(&["--version"], &[], &[]);
    assert!(output.status.success() && text(&output).starts_with("causeway "), "{}", text(&output));
}

#[test]
fn the_configuration_is_shown_without_its_secrets() {
    let output =
        run(&["config", "show", "-c", "causeway.toml"], &[("causeway.toml", good().as_bytes())], &[]);
    let text = text(&output);
    assert!(output.status.success() && text.contains("[providers.openai]"), "{text}");
    assert!(!text.contains(KEY) && !text.contains("sk-upstream"), "{text}");
    let output = run(&["config", "schema"], &[], &[]);
    let schema: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(schema["properties"]["providers"].is_object());
}

#[test]
fn bundled_plugins_can_be_looked_at() {
    for shape in Shape::ALL {
        let output = run(&["plugin", "inspect", shape.word()], &[], &[]);
        let text = text(&output);
        assert!(
            output.status.success() && text.contains("causeway:adapter@0.1.0") && text.contains("sha256:"),
            "{text}"
        );
    }
    let output = run(&["plugin", "inspect", "nonsense.wasm"], &[("nonsense.wasm", b"nonsense")], &[]);
    assert!(!output.status.success() && text(&output).contains("not a wasm component"), "{}", text(&output));
}

#[tokio::test]
async fn variables_of_the_environment_fill_the_file() {
    let mock = upstream::mock();
    let file = configuration(&upstream::url(&mock))
        .replace(KEY, "${CLIENT_KEY}")
        .replace("plugin = \"openai\"", "plugin = \"${PLUGIN:-openai}\"");
    let gateway = Gateway::start_with(&file, &[("CLIENT_KEY", KEY)]).await;
    assert_eq!(
        gateway.client().ask(Shape::OpenAi, "openai/mock", &Shape::OpenAi.says("hello")).await.status,
        200
    );
}
