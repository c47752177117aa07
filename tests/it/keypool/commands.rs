//! `causeway providers keys …` on files, on a running gateway and on the provider itself.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;

use super::*;

/// The command line in a folder of its own that stays.
struct Shell(Folder);

impl Shell {
    fn new(configuration: &str) -> Self {
        let folder = Folder::new();
        std::fs::write(folder.path().join("causeway.toml"), configuration).unwrap();
        Self(folder)
    }

    fn file(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).unwrap()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let config = self.file("causeway.toml");
        let config = config.to_str().unwrap();
        run(&[&["providers", "keys"], arguments, &["-c", config]].concat(), &[], &[])
    }

    #[track_caller]
    fn good(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    #[track_caller]
    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.good(&[arguments, &["--json"]].concat())).unwrap()
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn keys_are_imported_noted_listed_exported_and_removed() {
    let own = format!("keys = [\"{GOOD}\"]\nkeys_file = \"openai.keys\"");
    let shell = Shell::new(&configuration("http://127.0.0.1:9", &own));
    let lines: String = (0..500).map(|key| format!("sk-key-{key:04}-0123456789\n")).collect();
    std::fs::write(
        shell.file("new.txt"),
        format!("# mine\n{lines}\nsk-key-0000-0123456789\n{GOOD} # known\n{OTHER} # of the shop\n"),
    )
    .unwrap();
    let new = shell.file("new.txt");
    let new = new.to_str().unwrap();
    let told = shell.json(&["import", "openai", new]);
    assert_eq!(
        (&told["added"], &told["duplicate"], &told["refused"]),
        (&501.into(), &2.into(), &0.into()),
        "{told}"
    );
    assert_eq!(mode(&shell.file("openai.keys")), 0o600);
    assert!(!shell.file("openai.keys.new").exists());

    // Again: nothing is new, and nothing is written.
    let told = shell.good(&["import", "openai", new]);
    assert!(told.contains("0 added, 503 already there, 0 refused") && !told.contains("undo"), "{told}");
    std::fs::write(shell.file("more.txt"), "sk-fresh-0123456789\nno key\n").unwrap();
    let output = shell.run(&["import", "openai", shell.file("more.txt").to_str().unwrap()]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(
        told.contains("1 added, 0 already there, 1 refused") && told.contains("line 2 holds white space"),
        "{told}"
    );
    assert!(told.contains("undo: mv ") && shell.file("openai.keys.before").exists(), "{told}");
    assert!(!told.contains("sk-"), "{told}");

    let listed = shell.json(&["list", "openai"]);
    let keys = listed["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 503);
    let of_the_shop = keys.iter().find(|key| key["note"] == "of the shop").unwrap();
    let id = of_the_shop["id"].as_str().unwrap();
    assert!(!listed.to_string().contains("sk-"));
    shell.good(&["note", "openai", id, "of the bakery"]);
    assert!(shell.read("openai.keys").contains(&format!("{OTHER}  # of the bakery\n")));
    assert!(shell.read("openai.keys").starts_with("sk-key-0000"), "the order stays");
    let told = shell.good(&["remove", "openai", id]);
    assert!(told.contains("undo: mv "), "{told}");
    assert!(!shell.read("openai.keys").contains(OTHER));
    let output = shell.run(&["remove", "openai", id]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("there is no key"));
    let own = keys[0]["id"].as_str().unwrap();
    let output = shell.run(&["remove", "openai", own]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("in the configuration itself"));

    let output = shell.run(&["export", "openai"]);
    assert!(!output.status.success() && output.stdout.is_empty());
    let copy = shell.good(&["export", "openai", "--reveal"]);
    assert_eq!(copy.lines().count(), 502);
    assert!(copy.contains("sk-fresh-0123456789") && copy.contains(GOOD));
}

#[test]
fn every_command_has_an_example_and_says_what_is_missing() {
    for command in ["import", "list", "test", "restore", "note", "remove", "export"] {
        let output = run(&["providers", "keys", command, "--help"], &[], &[]);
        let help = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(help.contains("Example:") && help.contains("--json"), "{help}");
    }
    let shell = Shell::new(&configuration("http://127.0.0.1:9", &two_keys()));
    let output = shell.run(&["import", "openai", "-"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("add `keys_file ="));
    let output = shell.run(&["list", "opnai"]);
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("there is no provider `opnai`; there are openai")
    );
}

#[tokio::test]
async fn the_provider_is_asked_about_every_key_and_bad_ones_are_taken_out() {
    let mock = upstream::mock_with(Settings { key: Some(Secret::new(GOOD)), ..Settings::default() });
    let text = configuration(&upstream::url(&mock), "keys_file = \"openai.keys\"");
    let (outcome, file, again) = tokio::task::spawn_blocking(move || {
        let shell = Shell::new(&text);
        std::fs::write(shell.file("openai.keys"), format!("{BAD}\n{GOOD} # fine\n{OTHER}\n")).unwrap();
        let output = shell.run(&["test", "openai", "--parallel", "2", "--remove"]);
        let again = shell.json(&["test", "openai"]);
        (output, shell.read("openai.keys"), again)
    })
    .await
    .unwrap();
    let told = String::from_utf8(outcome.stdout).unwrap();
    assert_eq!(outcome.status.code(), Some(1), "{told}");
    assert!(told.contains("1 ok, 2 failed, 0 unclear") && !told.contains("sk-"), "{told}");
    assert_eq!(file, format!("{GOOD} # fine\n"));
    assert_eq!(again["keys"][0]["verdict"], "ok", "{again}");
}

#[tokio::test]
async fn a_running_gateway_tells_states_and_lifts_rests() {
    let mock = upstream::mock_with(Settings { key: Some(Secret::new(GOOD)), ..Settings::default() });
    let admin = super::super::support::gateway::free_address();
    let text = configuration(&upstream::url(&mock), &two_keys());
    let gateway = Gateway::start_at(&text, &admin).await;
    good(&ask(&gateway, "gpt-mock").await);
    let (listed, restored, after) = tokio::task::spawn_blocking(move || {
        let shell = Shell::new(&format!("[admin]\nlisten = \"{admin}\"\n{text}"));
        let listed = shell.good(&["list", "openai"]);
        let id = listed.split_whitespace().next().unwrap().to_owned();
        (listed, shell.good(&["restore", "openai", &id]), shell.json(&["list", "openai"]))
    })
    .await
    .unwrap();
    assert!(listed.contains("resting until ") && listed.contains("2 keys, 1 rest"), "{listed}");
    assert_eq!(restored, "1 key may be asked again\n");
    assert!(after["keys"].as_array().unwrap().iter().all(|key| key["state"] == "usable"), "{after}");
}
