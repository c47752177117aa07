//! The admin side is never open: without a password one is made, told once, and kept for its owner only.

use std::os::unix::fs::PermissionsExt;

use crate::support::client::Client;
use crate::support::gateway::{Folder, run};
use crate::support::{ADMIN_PASSWORD, Gateway, configuration, upstream};

/// The password that was told, if one was.
fn told(gateway: &Gateway) -> Option<String> {
    let lines = gateway.lines();
    let line = lines.iter().rev().find(|line| line.trim_start().starts_with("password "))?;
    line.split_whitespace().nth(1).map(str::to_owned)
}

fn with(gateway: &Gateway, password: &str) -> Client {
    gateway.stranger().with("authorization", &format!("Bearer {password}"))
}

const UNSET: [(&str, &str); 1] = [("CAUSEWAY_ADMIN_PASSWORD", "")];

#[tokio::test]
async fn a_password_is_made_at_the_first_start_and_stays() {
    let (mock, folder) = (upstream::mock(), Folder::new());
    let store = format!("[store]\npath = \"{}\"\n", folder.path().display());
    let text = [store, configuration(&upstream::url(&mock))].concat();
    let first = Gateway::start_with(&text, &UNSET).await;
    let password = told(&first).expect("it is told");
    assert!(password.len() >= 32, "{password}");
    assert_eq!(first.stranger().get("/admin/api/targets").await.status, 401);
    assert_eq!(first.admin().get("/admin/api/targets").await.status, 401);
    assert_eq!(with(&first, &password).get("/admin/api/targets").await.status, 200);
    let file = folder.path().join("admin-password");
    assert_eq!(std::fs::read_to_string(&file).unwrap().trim(), password);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    drop(first);
    let second = Gateway::start_with(&text, &UNSET).await;
    assert_eq!(told(&second), None, "it is told once");
    assert_eq!(with(&second, &password).get("/admin/api/targets").await.status, 200);
    // The command line finds it by itself.
    let admin = second.stranger().address().to_owned();
    let listening = format!("[admin]\nlisten = \"{admin}\"\n{text}");
    let run = move || run(&["targets"], &[("causeway.toml", listening.as_bytes())], &UNSET);
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn without_a_folder_it_is_another_one_each_time() {
    let mock = upstream::mock();
    let text = configuration(&upstream::url(&mock));
    let mut passwords = Vec::new();
    for _ in 0..2 {
        let gateway = Gateway::start_with(&text, &UNSET).await;
        let password = told(&gateway).expect("it is told");
        assert_eq!(with(&gateway, &password).get("/admin/api/targets").await.status, 200);
        passwords.push(password);
    }
    assert_ne!(passwords[0], passwords[1]);
}

#[tokio::test]
async fn the_configuration_goes_before_the_environment_and_a_short_one_is_refused() {
    let mock = upstream::mock();
    let text = configuration(&upstream::url(&mock));
    let own = format!("[admin]\nlisten = \"{{admin}}\"\npassword = \"the-configurations-own\"\n{text}");
    let gateway = Gateway::start(&own).await;
    assert_eq!(with(&gateway, "the-configurations-own").get("/admin/api/targets").await.status, 200);
    assert_eq!(with(&gateway, ADMIN_PASSWORD).get("/admin/api/targets").await.status, 401);
    let short = move || {
        run(
            &["serve", "-c", "causeway.toml"],
            &[("causeway.toml", text.as_bytes())],
            &[("CAUSEWAY_ADMIN_PASSWORD", "short")],
        )
    };
    let output = tokio::task::spawn_blocking(short).await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("CAUSEWAY_ADMIN_PASSWORD"), "{said}");
    assert!(said.contains("fewer than 12"), "{said}");
}
