//! A folder for the store that cannot be used is told in one line, and nothing starts.

use super::support::gateway::{Folder, free_address, run};
use super::support::{Gateway, configuration, upstream};

/// Starts a gateway that cannot start, and gives what it said.
#[track_caller]
fn refused(configuration: &str) -> String {
    let (listen, admin) = (free_address(), free_address());
    let text = format!("[server]\nlisten = [\"{listen}\"]\n[admin]\nlisten = \"{admin}\"\n{configuration}");
    let output =
        run(&["serve", "-c", "causeway.toml"], &[("causeway.toml", text.as_bytes()), ("file", b"x")], &[]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "it ran:\n{said}");
    said
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_told() {
    let mock = upstream::mock();
    let configuration = configuration(&upstream::url(&mock));
    let said = tokio::task::spawn_blocking({
        let configuration = configuration.clone();
        move || refused(&format!("{configuration}[store]\npath = \"file\"\n"))
    });
    let said = said.await.unwrap();
    assert!(said.contains("store.path: ") && said.contains("file/sled"), "{said}");

    let folder = Folder::new();
    let configuration = format!("{configuration}[store]\npath = \"{}\"\n", folder.path().display());
    let first = Gateway::start(&configuration).await;
    let said = tokio::task::spawn_blocking(move || refused(&configuration)).await.unwrap();
    assert!(said.contains("another process uses this store"), "{said}");
    assert!(first.lines().iter().any(|line| line.contains("sled")), "{:?}", first.lines());
}
