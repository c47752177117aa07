//! `causeway check --explain`, and what `check` says about targets.

use super::{begin, targets, upstream};
use crate::support::gateway::run;

const MODELS: &str = "[models.either]\ntargets = [{ to = \"a/one\", weight = 3 }, \"b/two\"]\n\
    [models.m]\nbalance = \"priority\"\n\
    targets = [\"either\", { to = \"c/three\", tier = 1, tags = [\"eu\"] }, { to = \"c/four\", weight = 0 }]\n\
    fallback = [\"b/five\"]\n";

fn checked(text: &str, words: &[&str]) -> (Option<i32>, String, String) {
    let arguments = [&["check", "-c", "causeway.toml"][..], words].concat();
    let output = run(&arguments, &[("causeway.toml", text.as_bytes())], &[]);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[tokio::test]
async fn a_plan_is_explained_from_the_file_alone() {
    let text = [&begin(&upstream::mock()), MODELS].concat();
    let (status, told, complaint) = checked(&text, &["--explain", "model=m", "key=tests", "seed=1"]);
    assert_eq!(status, Some(0), "{complaint}");
    for part in [
        "model `m`, balance `priority`",
        "a/one",
        "in `either`",
        "75.0 %",
        "c/three",
        "[eu]",
        "when all of them have failed:\n   4. b/five",
        "not asked:\n   -  c/four   its weight is 0",
    ] {
        assert!(told.contains(part), "{part} is not in:\n{told}");
    }
    let json = [
        "--json",
        "--explain",
        "model=m",
        "key=tests",
        "header.x-tier=gold",
        "tokens=5000",
        "tools=true",
        "only=eu",
    ];
    let (status, told, complaint) = checked(&text, &json);
    assert_eq!(status, Some(0), "{complaint}");
    let told = serde_json::from_str(&told).unwrap();
    assert_eq!(targets(&told), ["c/three"], "{told}");
    let (status, _, complaint) = checked(&text, &["--explain", "model=unknown"]);
    assert_eq!(status, Some(2));
    assert!(complaint.contains("`unknown` does not exist"), "{complaint}");
}

#[tokio::test]
async fn check_names_the_line_of_what_cannot_serve() {
    let begin = begin(&upstream::mock());
    for (models, parts) in [
        ("[models.x]\ntargets = [{ to = \"a/m\", weight = 0 }]\n", &["weight above zero"][..]),
        ("[models.x]\ntargets = [\"y\"]\n[models.y]\ntargets = [\"x\"]\n", &["`x` → `y` → `x`", "a circle"]),
        ("[models.x]\ntargets = [\"q/m\"]\n", &["provider `q`", "not configured"]),
        ("[models.x]\ntargets = [{ to = \"a/m\", pause_until = 9999-01-01T00:00:00Z }]\n", &["paused"]),
        ("[models.x]\ntargets = [\"nothing\"]\n", &["model `nothing`", "not configured"]),
    ] {
        let text = [&begin, models].concat();
        let line = text.lines().position(|line| line.starts_with("targets")).unwrap() + 1;
        let (status, _, complaint) = checked(&text, &[]);
        assert_eq!(status, Some(2), "{models}");
        assert!(complaint.contains(&format!(":{line}:")), "{line}: {complaint}");
        for part in parts {
            assert!(complaint.contains(part), "{part} is not in:\n{complaint}");
        }
    }
}
