//! Each rule is shown what it must see and what it must not.

use super::*;

/// The lines that `rule` blames in a file of this content.
#[track_caller]
fn check(rule: Rule, path: &str, text: &str, lines: &[usize]) {
    let kind = if path.starts_with("gateway/src/") { Kind::Gateway } else { Kind::Adapter };
    let found = rule(&File::new(path, kind, text));
    let blamed: Vec<usize> = found
        .iter()
        .filter_map(|line| line.strip_prefix(path)?.strip_prefix(':')?.split(':').next()?.parse().ok())
        .collect();
    assert_eq!(blamed, lines, "{found:?}");
}

#[test]
fn a_higher_rank_is_seen() {
    check(ranks, "gateway/src/auth.rs", "use crate::state::Snapshot;", &[1]);
    check(ranks, "gateway/src/auth/issue.rs", "\nfn f() { crate::proxy::run() }", &[2]);
    check(ranks, "gateway/src/route.rs", "use crate::{config, error::{self, Kind}, adapter};", &[1]);
    check(ranks, "gateway/src/route.rs", "use crate::{\n    domain::Usage,\n    cli::{run},\n};", &[3]);
}

#[test]
fn strangers_of_one_rank_are_seen() {
    check(ranks, "gateway/src/route.rs", "use crate::adapter::Pool;", &[1]);
    check(ranks, "gateway/src/proxy/deliver.rs", "use crate::admin::Admin;", &[1]);
    check(ranks, "gateway/src/server.rs", "use crate::app::background::Background;", &[1]);
    check(ranks, "gateway/src/app.rs", "use crate::server;", &[]);
}

#[test]
fn a_way_up_and_down_again_is_seen() {
    check(ranks, "gateway/src/route.rs", "use super::adapter::Pool;", &[1]);
    check(ranks, "gateway/src/route/table.rs", "use super::super::adapter::Pool;", &[1]);
    check(ranks, "gateway/src/route/table.rs", "use super::adapter::Pool;", &[]);
}

#[test]
fn a_module_without_a_rank_is_seen() {
    check(ranks, "gateway/src/newcomer/part.rs", "", &[1]);
}

#[test]
fn lower_ranks_comments_strings_and_tests_are_fine() {
    check(ranks, "gateway/src/state/build.rs", "use crate::adapter::Pool;\nuse crate::state::Snapshot;", &[]);
    check(
        ranks,
        "gateway/src/auth.rs",
        "//! See crate::proxy.\n/* crate::cli */ const A: &str = \"crate::cli\";",
        &[],
    );
    check(
        ranks,
        "gateway/src/auth.rs",
        "const A: &str = r#\"crate::cli \" crate::app\"#; const B: char = '\"';",
        &[],
    );
    check(
        ranks,
        "gateway/src/auth.rs",
        "#[cfg(test)]\nmod tests { use crate::cli; }\n#[cfg(test)]\nuse crate::{app};",
        &[],
    );
    check(ranks, "gateway/src/auth/tests.rs", "use crate::cli;", &[]);
    check(ranks, "gateway/src/auth.rs", "#[cfg(test)]\nmod tests;\nuse crate::cli;", &[3]);
    check(ranks, "gateway/src/auth.rs", "fn f<'a>(b: &'a u8) { let c = '\\''; crate::cli::run() }", &[1]);
    check(ranks, "gateway/src/auth.rs", "use foreign_crate::cli; use other::crate_::cli;", &[]);
}

#[test]
fn a_foreign_crate_outside_its_fence_is_seen() {
    check(fences, "gateway/src/proxy/stream.rs", "\nuse wasmtime::Store;", &[2]);
    check(fences, "gateway/src/state/build.rs", "use pingora;", &[1]);
    check(fences, "gateway/src/cli/check.rs", "fn f() { toml::from_str() }", &[1]);
    check(fences, "gateway/src/proxy.rs", "use pingora::proxy::Session;", &[1]);
    check(fences, "gateway/src/adapter/pool.rs", "use wasmtime::Store;", &[]);
    check(fences, "gateway/src/upstream/body.rs", "use pingora::http;", &[]);
    check(
        fences,
        "gateway/src/route.rs",
        "// toml::Value\nlet toml = own::toml::x(toml); let notify = 1;",
        &[],
    );
}

#[test]
fn a_long_file_is_seen() {
    check(length, "gateway/src/auth.rs", &"\n".repeat(501), &[501]);
    check(length, "gateway/src/auth.rs", &"\n".repeat(500), &[]);
    check(length, "gateway/src/auth/tests.rs", &"\n".repeat(501), &[501]);
}

#[test]
fn a_file_without_its_sentence_is_seen() {
    check(first_line, "plugins/acme/src/lib.rs", "use a::b;\n//! late", &[1]);
    check(first_line, "plugins/acme/src/lib.rs", "//!\n", &[1]);
    check(first_line, "plugins/acme/src/lib.rs", "", &[1]);
    check(first_line, "plugins/acme/src/lib.rs", "//! The adapter.", &[]);
}

#[test]
fn words_that_stop_a_request_are_seen() {
    check(stops, "plugins/acme/src/lib.rs", "fn f() {\n    g().unwrap();\n}", &[2]);
    check(
        stops,
        "gateway/src/auth.rs",
        "fn f() { g().expect(\"x\"); todo!() }\nfn h() { unimplemented!() }",
        &[1, 2, 1],
    );
    check(stops, "gateway/src/auth.rs", "#[expect(unused)] // .unwrap()\nfn f() { g().unwrap_or(1) }", &[]);
    check(stops, "gateway/src/auth.rs", "#[cfg(test)]\nmod tests {\n    fn f() { g().unwrap() }\n}", &[]);
    check(stops, "gateway/src/auth/tests.rs", "fn f() { g().unwrap() }", &[]);
}

#[test]
fn a_shelf_is_seen() {
    check(names, "gateway/src/auth/mod.rs", "", &[1]);
    check(names, "gateway/src/auth/key_util.rs", "", &[1]);
    check(names, "gateway/src/auth/common.rs", "", &[1]);
    check(names, "gateway/src/auth.rs", "pub(crate) struct KeyManager;\nmod helpers {}", &[1, 2]);
    check(names, "gateway/src/auth.rs", "struct Commonwealth; // struct Helper\nenum Utility { A }", &[]);
}

#[test]
fn a_changed_contract_is_seen() {
    let folder = std::env::temp_dir().join(format!("causeway-tidy-{}", std::process::id()));
    let contract = folder.join("since-v9.9.9");
    fs::create_dir_all(&contract).unwrap();
    fs::write(contract.join("world.wit"), "package a:b@9.9.9;\n").unwrap();
    let released = [("since-v9.9.9", digest(&contract))];
    assert_eq!(changed(&folder, &released), [""; 0]);
    fs::write(contract.join("world.wit"), "package a:b@9.9.9; \n").unwrap();
    assert_eq!(changed(&folder, &released).len(), 1);
    fs::write(contract.join("world.wit"), "package a:b@9.9.9;\n").unwrap();
    fs::write(contract.join("more.wit"), "").unwrap();
    assert_eq!(changed(&folder, &released).len(), 1);
    fs::remove_dir_all(&folder).unwrap();
    assert_eq!(changed(&folder, &released).len(), 1);
}
