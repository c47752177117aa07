//! The store: what starts, what does not, and what survives.

mod crash;
mod full;
mod rescue;
mod start;

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
    assert_eq!(output.status.code(), Some(78), "{said}");
    assert_eq!(said.lines().filter(|line| line.starts_with("causeway: ")).count(), 1, "{said}");
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
    assert!(said.contains(&format!("process {} (`", first.process())) && said.contains(" serve "), "{said}");
    assert!(first.lines().iter().any(|line| line.contains("sled")), "{:?}", first.lines());
}
