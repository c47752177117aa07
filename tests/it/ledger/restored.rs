//! A snapshot is put back: the rows that were booked after it come back from the journal, and budgets know them.

use serde_json::Value;

use super::books::{Books, STORE};
use crate::support::gateway::{Folder, free_address, good, run};
use crate::support::{Gateway, Shape, configuration, upstream};

/// 2 µ$ for a token in, 8 for one out; and more than enough to spend.
const MONEY: &str = "[prices]\n\"openai/*\" = { input = 2, output = 8 }\n\
                     [teams.shop]\nbudget = { usd = 1000, per = \"total\" }\n";

async fn ask(gateway: &Gateway, times: usize) {
    let question = Shape::OpenAi.says("What is a causeway, in twenty words?");
    for _ in 0..times {
        good(&gateway.client().ask(Shape::OpenAi, "openai/mock", &question).await);
    }
}

/// What the team has spent, in US dollars.
async fn spent(gateway: &Gateway) -> f64 {
    let reply = gateway.admin().get("/admin/api/keys/tests/limits").await;
    good(&reply);
    let limits = reply.json()["limits"].as_array().unwrap().clone();
    let budget = limits.iter().find(|limit| limit["scope"] == "team/shop" && limit["unit"] == "money");
    budget.unwrap_or_else(|| panic!("no budget of the team: {limits:?}"))["used"].as_f64().unwrap()
}

/// Runs `causeway store …` for the store of a gateway; gives what it printed.
async fn store(gateway: &Gateway, words: &[&str]) -> Value {
    let text = std::fs::read_to_string(gateway.folder().join("causeway.toml")).unwrap();
    let state = format!("path = \"{}\"", gateway.folder().join("state").display());
    let text = text.replace("path = \"state\"", &state).replace(
        text.lines().find(|line| line.starts_with("listen")).unwrap(),
        &format!("listen = [\"{}\"]", free_address()),
    );
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let done = tokio::task::spawn_blocking(move || {
        let mut all = vec!["store"];
        all.extend(words.iter().map(String::as_str));
        all.extend(["--json", "-c", "causeway.toml"]);
        run(&all, &[("causeway.toml", text.as_bytes())], &[])
    });
    let output = done.await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stdout));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test]
async fn what_was_booked_after_a_snapshot_is_there_after_its_restore() {
    let (mock, folder) = (upstream::mock(), Folder::new());
    let saved = folder.path().join("saved.snapshot").display().to_string();
    let text = configuration(&upstream::url(&mock));
    let text = text.replace("[keys.tests]\n", "[keys.tests]\nteam = \"shop\"\n");
    let mut gateway = Gateway::start(&format!("{STORE}{text}{MONEY}")).await;
    ask(&gateway, 3).await;
    gateway.restart().await;
    store(&gateway, &["backup", &saved]).await;
    let before = spent(&gateway).await;
    ask(&gateway, 4).await;
    // Everything is imported, and nobody writes the files of this process any more.
    gateway.restart().await;
    ask(&gateway, 2).await;
    gateway.restart().await;
    let all = spent(&gateway).await;
    assert!(before > 0.0 && (all - before * 3.0).abs() < 1e-9, "{before} {all}");

    gateway.stop().await;
    let restored = store(&gateway, &["restore", "--from", &saved]).await;
    assert_eq!(restored["rows"], 6, "{restored}");
    gateway.resume().await;
    assert!((spent(&gateway).await - all).abs() < 1e-9, "{all}");
    gateway.stop().await;
    let books = Books::open(gateway.folder()).await;
    let (rows, sums) = (books.rows().await, books.sums().await);
    assert_eq!((rows.len(), sums.requests), (9, 9));
    let cost: i128 = rows.iter().map(|row| i128::from(row.cost.unwrap().0)).sum();
    assert_eq!(sums.cost, cost);
}
