//! Twenty secrets go through everything, and none of them comes out: not in the log, an error, an answer, a metric, a
//! file of the store, a copy of it, or an export.

use std::path::Path;

use serde_json::{Value, json};

use super::support::client::{Client, Reply};
use super::support::gateway::{Folder, run};
use super::support::{Gateway, Shape, upstream};

/// The secret of this number; no two share a part.
fn canary(number: usize) -> String {
    let digest = blake3(number);
    format!("sk-{digest}")
}

fn blake3(number: usize) -> String {
    // A fixed walk is enough: the parts only have to be unlike anything else.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(number as u64 + 1);
    let mut text = String::new();
    for _ in 0..4 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        text.push_str(&format!("{state:016x}"));
    }
    text
}

const MANY: usize = 20;
/// Numbers of those with a place of their own; the master key is the digits alone.
const MASTER: usize = 0;
const VIRTUAL: usize = 1;

struct Heard(String);

impl Heard {
    fn hear(&mut self, from: &str, text: &str) {
        self.0.push_str(&format!("\n== {from}\n{text}"));
    }

    fn reply(&mut self, from: &str, reply: &Reply) {
        self.hear(from, &format!("{:?}\n{}", reply.headers, reply.text()));
    }

    fn folder(&mut self, folder: &Path) {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                self.folder(&path);
            } else if let Ok(bytes) = std::fs::read(&path) {
                self.hear(&path.display().to_string(), &String::from_utf8_lossy(&bytes));
            }
        }
    }

    fn silent(&self) {
        for number in 0..MANY {
            let secret = canary(number);
            let secret = secret.trim_start_matches("sk-");
            if let Some(at) = self.0.find(secret) {
                let from = self.0[..at].rfind("\n== ").map_or("", |start| &self.0[start..]);
                panic!("secret {number} is in{}", from.lines().take(2).collect::<Vec<_>>().join(" "));
            }
        }
    }
}

fn file(upstream: &str, folder: &Path, keys_file: &Path) -> String {
    let c = canary;
    format!(
        "[server]\nlisten = [\"{{listen}}\"]\n\
         [admin]\nlisten = \"{{admin}}\"\npassword = \"{admin}\"\nallow_private = [\"127.0.0.0/8\"]\n\
         [store]\npath = \"{folder}\"\nmaster_key = \"{master}\"\n\
         [log]\nlevel = \"trace\"\n\
         [keys.web]\nsecret = \"{web}\"\n\
         [providers.openai]\nurl = \"{upstream}\"\nkeys = [\"{k1}\", \"{k2}\"]\nheaders = {{ x-own = \"{header}\" }}\n\
         [providers.anthropic]\nurl = \"{upstream}\"\nkeys_file = \"{keys_file}\"\n\
         [providers.away]\nplugin = \"openai\"\nurl = \"http://127.0.0.1:9\"\nkeys = [\"{k3}\"]\n\
         proxy = \"http://user:{proxy}@127.0.0.1:9\"\n\
         [providers.directory]\nplugin = \"openai\"\nurl = \"{upstream}\"\n\
         credential = {{ kind = \"azure-ad\", tenant = \"t\", client_id = \"c\", client_secret = \"{client}\", authority = \"http://127.0.0.1:9\" }}\n\
         [models.\"openai/*\"]\ntargets = [\"openai/*\"]\n\
         [models.\"anthropic/*\"]\ntargets = [\"anthropic/*\"]\n\
         [models.away]\ntargets = [\"away/m\"]\n\
         [models.directory]\ntargets = [\"directory/m\"]\n",
        admin = super::support::ADMIN_PASSWORD,
        folder = folder.display(),
        master = c(MASTER).trim_start_matches("sk-"),
        web = c(VIRTUAL),
        k1 = c(2),
        k2 = c(3),
        header = c(4),
        keys_file = keys_file.display(),
        k3 = c(5),
        proxy = c(6),
        client = c(7),
    )
}

/// Every dialect, good and bad.
async fn asked(client: &Client, heard: &mut Heard) {
    for dialect in Shape::ALL {
        for model in [
            "openai/mock",
            "anthropic/mock",
            "openai/mock@fault=status:401",
            "anthropic/mock@fault=status:500",
            "away",
            "directory",
            "nobody",
        ] {
            let reply = client.ask(dialect, model, &dialect.says("hello")).await;
            heard.reply(&format!("{dialect:?} {model}"), &reply);
        }
    }
}

/// What the admin API is told and says, errors too.
async fn administered(admin: &Client, upstream: &str, heard: &mut Heard) {
    let good = json!({ "name": "acme", "settings": { "plugin": "openai", "url": upstream, "headers": { "x-a": canary(10) } },
        "keys": [{ "key": canary(11) }, { "key": canary(12), "note": "two" }] });
    let bodies: [(&str, Value); 7] = [
        ("/admin/api/providers", good.clone()),
        ("/admin/api/providers", good),
        (
            "/admin/api/providers",
            json!({ "name": "bad", "settings": { "plugin": "openai", "url": format!("https://u:{}@x/", canary(13)) } }),
        ),
        (
            "/admin/api/providers",
            json!({ "name": "bad", "settings": { "plugin": "nobody", "url": upstream, "headers": { "x": canary(14) } }, "keys": [{ "key": canary(15) }] }),
        ),
        (
            "/admin/api/providers",
            json!({ "name": "bad", "settings": { "plugin": "openai", "url": upstream, "secret": canary(16) } }),
        ),
        ("/admin/api/providers/openai/keys", json!({ "keys": [{ "key": canary(17) }] })),
        (
            "/admin/api/providers/openai/keys",
            json!({ "keys": [{ "key": format!("{} {}", canary(18), canary(19)) }] }),
        ),
    ];
    for (path, body) in bodies {
        heard.reply(path, &admin.post(path, &body).await);
    }
    for path in [
        "/admin/api/providers",
        "/admin/api/providers/acme",
        "/admin/api/config",
        "/admin/api/config?format=toml",
        "/admin/api/config/export",
        "/admin/api/config/export?all=true",
        "/admin/api/audit",
        "/admin/api/provider-keys?provider=acme",
        "/metrics",
    ] {
        let reply = admin.get(path).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        heard.reply(path, &reply);
    }
    for path in
        ["/admin/api/providers/acme/test", "/admin/api/providers/away/test", "/admin/api/secrets/rotate"]
    {
        heard.reply(path, &admin.post(path, &json!({})).await);
    }
}

#[tokio::test]
async fn twenty_secrets_go_in_and_none_comes_out() {
    let mock = upstream::mock();
    let (folder, aside) = (Folder::new(), Folder::new());
    let keys_file = aside.path().join("keys.txt");
    std::fs::write(&keys_file, format!("{}\n{}  # note\n", canary(8), canary(9))).unwrap();
    let url = upstream::url(&mock);
    let text = file(&url, folder.path(), &keys_file);
    let mut heard = Heard(String::new());
    let mut gateway = Gateway::start(&text).await;
    let client = gateway.client().with("authorization", &format!("Bearer {}", canary(VIRTUAL)));
    asked(&client, &mut heard).await;
    administered(&gateway.admin(), &url, &mut heard).await;
    let made = client.ask(Shape::OpenAi, "openai/mock", &Shape::OpenAi.says("again")).await;
    assert_eq!(made.status, 200, "{}", made.text());
    // A broken file, and a good one again.
    gateway.rewrite(&text.replace("[models.away]", &format!("[models.away]\nkeyz = \"{}\"", canary(2))));
    gateway.hangup();
    super::support::until("the broken file is told", || {
        gateway.lines().iter().any(|line| line.contains("cannot be used"))
    })
    .await;
    gateway.rewrite(&text);
    gateway.restart().await;
    gateway.terminate();
    super::support::until("the process ends", || gateway.ended().is_some()).await;
    heard.hear("the log", &gateway.lines().join("\n"));
    heard.folder(folder.path());
    let commands = text.replace("{listen}", "127.0.0.1:9").replace("{admin}", "127.0.0.1:10");
    for arguments in [
        &["check", "-c", "a.toml"][..],
        &["config", "show", "-c", "a.toml"],
        &["config", "show", "--origin", "-c", "a.toml"],
        &["config", "export", "-c", "a.toml"],
        &["store", "check", "-c", "a.toml"],
        &["store", "export", "-c", "a.toml"],
    ] {
        let output = run(arguments, &[("a.toml", commands.as_bytes())], &[]);
        heard.hear(&arguments.join(" "), &String::from_utf8_lossy(&output.stdout));
        heard.hear(&arguments.join(" "), &String::from_utf8_lossy(&output.stderr));
    }
    assert!(heard.0.len() > 50_000, "only {} bytes were heard", heard.0.len());
    heard.silent();
}
