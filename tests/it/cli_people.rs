//! Keys, users, teams, tiers and top-ups from a shell, against a gateway that runs; what was changed is undone by the very
//! command that is printed.

use serde_json::{Value, json};

use super::support::gateway::{good, run};
use super::support::{Gateway, Shape, configuration, upstream};

/// What a command did: whether it succeeded, what it printed, and what it said beside.
pub(crate) struct Said {
    pub(crate) good: bool,
    pub(crate) out: String,
    pub(crate) beside: String,
}

impl Said {
    pub(crate) fn json(&self) -> Value {
        assert!(self.good, "{}", self.beside);
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }

    /// The command that takes it back, as words of a shell.
    fn undo(&self) -> Vec<String> {
        let line =
            self.beside.lines().find_map(|line| line.split_once("undo: causeway ")).expect("a command").1;
        words(line)
    }
}

/// Splits as a shell does, as far as single quotes and backslashes go.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut inside) = (Vec::new(), String::new(), false);
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if !inside => word.extend(letters.next()),
            '\'' => inside = !inside,
            ' ' if !inside => words.push(std::mem::take(&mut word)),
            other => word.push(other),
        }
    }
    words.push(word);
    words
}

/// Runs a command against a gateway.
pub(crate) async fn causeway(gateway: &Gateway, arguments: &[&str]) -> Said {
    let arguments: Vec<String> = arguments.iter().map(|word| (*word).to_owned()).collect();
    let address = gateway.admin().address().to_owned();
    let run = move || {
        let text = format!("[admin]\nlisten = \"{address}\"\n{}", configuration("http://127.0.0.1:9"));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        run(&arguments, &[("causeway.toml", text.as_bytes())], &[])
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Said { good: output.status.success(), out: text(output.stdout), beside: text(output.stderr) }
}

pub(crate) async fn undo(gateway: &Gateway, said: &Said) -> Said {
    let words = said.undo();
    let undone = causeway(gateway, &words.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert!(undone.good, "{words:?}: {}", undone.beside);
    undone
}

async fn gateway() -> (Gateway, impl Sized) {
    let mock = upstream::mock();
    let gateway = Gateway::start(&configuration(&upstream::url(&mock))).await;
    (gateway, mock)
}

#[tokio::test]
async fn a_key_lives_its_whole_life_in_a_shell() {
    let (gateway, _mock) = gateway().await;
    let create =
        ["keys", "create", "web", "--note", "it's mine", "--model", "openai/*", "--requests", "600/min"];
    let dry = causeway(&gateway, &[&create[..], &["--dry-run"]].concat()).await;
    assert!(
        dry.good && dry.out.starts_with("would ask: POST /admin/api/keys {"),
        "{} {}",
        dry.out,
        dry.beside
    );
    let made = causeway(&gateway, &create).await;
    assert!(made.good, "{}", made.beside);
    let secret = made.out.trim().to_owned();
    let ask = async |secret: &str| {
        let client = gateway.client().with("authorization", &format!("Bearer {secret}"));
        client.post("/v1/chat/completions", &chat()).await.status
    };
    assert_eq!(ask(&secret).await, 200);

    let listed = causeway(&gateway, &["keys", "list", "--json"]).await.json();
    let names: Vec<_> = listed["items"].as_array().unwrap().iter().map(|key| key["name"].clone()).collect();
    assert_eq!(names, [json!("tests"), json!("web")], "the dry one was not made twice");
    let table = causeway(&gateway, &["keys", "list"]).await.out;
    assert!(table.starts_with("name ") && table.contains("\nweb "), "{table}");

    // Changed and changed back.
    let before = causeway(&gateway, &["keys", "show", "web", "--json"]).await.json();
    let changed = causeway(&gateway, &["keys", "change", "web", "--budget", "20/month", "--note", "x"]).await;
    let shown = causeway(&gateway, &["keys", "show", "web", "--json"]).await.json();
    assert_eq!((&shown["note"], &shown["budgets"][0]["usd"]), (&json!("x"), &json!(20)), "{shown}");
    undo(&gateway, &changed).await;
    let after = causeway(&gateway, &["keys", "show", "web", "--json"]).await.json();
    for field in ["note", "budgets", "limits", "models"] {
        assert_eq!(after[field], before[field], "{field}");
    }

    let disabled = causeway(&gateway, &["keys", "disable", "web"]).await;
    assert_eq!(ask(&secret).await, 401);
    undo(&gateway, &disabled).await;
    assert_eq!(ask(&secret).await, 200);
    let rotated = causeway(&gateway, &["keys", "rotate", "web", "--overlap", "1h", "--json"]).await.json();
    let other = rotated["secret"].as_str().unwrap().to_owned();
    assert_eq!((ask(&secret).await, ask(&other).await), (200, 200));
    // What made it is undone: it is revoked.
    let revoked = undo(&gateway, &made).await;
    assert!(revoked.beside.contains("cannot be undone"), "{}", revoked.beside);
    assert_eq!((ask(&secret).await, ask(&other).await), (401, 401));
}

fn chat() -> Value {
    json!({ "model": "openai/mock", "messages": [{ "role": "user", "content": "hi" }] })
}

#[tokio::test]
async fn people_teams_tiers_and_payments_are_made_changed_and_taken_back() {
    let (gateway, _mock) = gateway().await;
    let tier = causeway(&gateway, &["tiers", "create", "payg", "--pay-as-you-go"]).await;
    assert!(tier.good, "{}", tier.beside);
    assert!(causeway(&gateway, &["tiers", "create", "plus", "--subscription", "50.5"]).await.good);
    let tiers = causeway(&gateway, &["tiers", "list", "--json"]).await.json();
    assert_eq!(
        tiers["items"][1]["plan"],
        json!({ "kind": "subscription", "allowance_usd": 50.5, "time_zone": null })
    );
    let team = causeway(&gateway, &["teams", "create", "shop", "--budget", "2000/month"]).await;
    assert!(team.good, "{}", team.beside);
    let create = ["users", "create", "ann@example.org", "--name", "Ann", "--tier", "payg", "--team", "shop"];
    let user = causeway(&gateway, &create).await;
    assert!(user.good, "{}", user.beside);
    let id = user.out.trim().to_owned();
    let found = causeway(&gateway, &["users", "list", "--search", "ann", "--json"]).await.json();
    assert_eq!((&found["items"][0]["id"], &found["items"][0]["teams"]), (&json!(id), &json!(["shop"])));

    let paid = causeway(&gateway, &["top-up", &id, "20", "--reason", "invoice 17", "--id", "inv-17"]).await;
    assert!(paid.good, "{}", paid.beside);
    let again = causeway(&gateway, &["top-up", &id, "20", "--reason", "invoice 17", "--id", "inv-17"]).await;
    let balance = async || {
        let user = causeway(&gateway, &["users", "show", &id, "--json"]).await.json();
        user["topped_up_usd"].as_f64().unwrap()
    };
    assert_eq!((again.good, balance().await), (true, 20.0), "{}", again.beside);
    undo(&gateway, &paid).await;
    assert_eq!(balance().await, 0.0);
    let entries = causeway(&gateway, &["top-up", &id]).await;
    assert_eq!(entries.out.lines().count(), 3, "{}", entries.out);

    let changed = causeway(&gateway, &["users", "change", &id, "--role", "viewer", "--name", "Anna"]).await;
    let shown = causeway(&gateway, &["users", "show", &id, "--json"]).await.json();
    assert_eq!((&shown["role"], &shown["name"]), (&json!("viewer"), &json!("Anna")));
    undo(&gateway, &changed).await;
    let shown = causeway(&gateway, &["users", "show", &id, "--json"]).await.json();
    assert_eq!((&shown["role"], &shown["name"]), (&json!("member"), &json!("Ann")));
    undo(&gateway, &user).await;
    assert!(causeway(&gateway, &["users", "list"]).await.out.lines().count() == 1);
    undo(&gateway, &team).await;
    undo(&gateway, &tier).await;
}

#[tokio::test]
async fn what_is_wrong_is_said_in_one_line_with_its_place() {
    let (gateway, _mock) = gateway().await;
    for (arguments, said) in [
        (&["keys", "show", "nobody"][..], "nobody"),
        (&["keys", "create", "a b"], "name: "),
        (&["keys", "create", "x", "--requests", "many"], "limits.requests"),
        (&["keys", "create", "x", "--budget", "20"], "write it like 20/month"),
        (&["keys", "create", "x", "--budget=-1/day"], "budgets"),
        (&["keys", "create", "x", "--body", "[]"], "--body is no JSON object"),
        (&["keys", "revoke", "tests"], "file"),
        (&["users", "create", "nobody"], "email"),
        (&["top-up", "u_none", "5"], "u_none"),
        (&["tiers", "create", "x"], "plan"),
    ] {
        let refused = causeway(&gateway, arguments).await;
        assert!(!refused.good && refused.out.is_empty(), "{arguments:?}: {}", refused.out);
        assert!(
            refused.beside.contains(said) && refused.beside.lines().count() == 1,
            "{arguments:?}: {}",
            refused.beside
        );
    }
    good(&gateway.client().ask(Shape::OpenAi, "openai/mock", &Shape::OpenAi.says("x")).await);
}
