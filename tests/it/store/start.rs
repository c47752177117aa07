//! What is wrong with the folder is told in one line, and the exit status says that trying again does not help.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use super::super::support::gateway::{Folder, free_address};

const NOBODY: u32 = 65534;

/// Runs a gateway that does not start, as somebody without rights; gives its one line.
#[track_caller]
fn refused(folder: &Path, store: &str) -> String {
    let text = format!(
        "[server]\nlisten = [\"{}\"]\n[admin]\nlisten = \"{}\"\n[store]\npath = \"{store}\"\n\
         [providers.openai]\nkeys = [\"sk-of-nobody\"]\n",
        free_address(),
        free_address()
    );
    fs::write(folder.join("causeway.toml"), text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_causeway-under-test"));
    command.current_dir(folder).env_clear().args(["serve", "-c", "causeway.toml"]);
    command.env("XDG_CACHE_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"));
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        command.uid(NOBODY).gid(NOBODY);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(78), "{store}: {said}");
    let lines: Vec<&str> = said.lines().filter(|line| line.starts_with("causeway: ")).collect();
    let [line] = lines.as_slice() else { panic!("{store}: {said}") };
    assert!(!said.contains("panicked"), "{said}");
    (*line).to_owned()
}

#[test]
fn a_folder_that_cannot_be_used_is_told_in_one_line() {
    let folder = Folder::new();
    let at = |name: &str| folder.path().join(name);
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    fs::write(at("file"), "x").unwrap();
    for name in ["with-file", "with-link", "elsewhere", "closed"] {
        fs::create_dir(at(name)).unwrap();
        fs::set_permissions(at(name), fs::Permissions::from_mode(0o777)).unwrap();
    }
    fs::write(at("with-file").join("sled"), "x").unwrap();
    symlink(at("elsewhere"), at("with-link").join("sled")).unwrap();
    fs::set_permissions(at("closed"), fs::Permissions::from_mode(0o555)).unwrap();
    let cases = [
        ("file", "Not a directory"),
        ("with-file", "this is a file, and the store needs a folder"),
        ("with-link", "this is a symbolic link"),
        ("closed", "cannot make the folder: Permission denied"),
    ];
    for (store, expected) in cases {
        let line = refused(folder.path(), store);
        assert!(line.contains("store.path: ") && line.contains(expected), "{store}: {line}");
        assert!(line.contains(&format!("{store}/sled")), "{store}: {line}");
    }
    assert!(fs::read_dir(at("elsewhere")).unwrap().next().is_none(), "nothing is written behind a link");
}

#[test]
fn a_folder_of_somebody_else_or_without_rights_is_told() {
    let folder = Folder::new();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let sled = folder.path().join("state/sled");
    fs::create_dir_all(&sled).unwrap();
    fs::set_permissions(sled.parent().unwrap(), fs::Permissions::from_mode(0o777)).unwrap();
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    fs::set_permissions(&sled, fs::Permissions::from_mode(if is_root { 0o777 } else { 0o555 })).unwrap();
    let line = refused(folder.path(), "state");
    let expected =
        if is_root { "belongs to user 0, and this process is user 65534" } else { "cannot be written" };
    assert!(line.contains(expected), "{line}");
}
