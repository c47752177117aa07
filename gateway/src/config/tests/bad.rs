//! Every case of `bad.txt`: a file, and exactly what is said about it.

use super::*;

/// Put behind a case that configures no provider itself, so that this is not what it is told.
const PROVIDER: &str = "\n[providers.lab]\nplugin = \"openai\"\nurl = \"http://10.0.3.7:8000/v1\"\n";

#[test]
fn a_bad_file_is_told_everything_at_once_with_its_places() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/config/tests/bad.txt");
    let cases = std::fs::read_to_string(&path).expect("the cases");
    let mut written = String::new();
    for case in cases.split_inclusive("\n---\n") {
        let case = case.strip_suffix("\n---\n").unwrap_or(case).trim_end();
        let input = case.split("\n! ").next().unwrap_or_default();
        written.push_str(input);
        written.push_str(&told(input));
        written.push_str("\n---\n");
    }
    is_current(&path, &written);
}

/// `! line:column «place» message (help)`, one line per problem.
fn told(input: &str) -> String {
    let mut text = input.to_owned();
    if !input.contains("[providers") && !input.contains("# no provider") {
        text.push_str(PROVIDER);
    }
    let overrides: Vec<String> =
        input.lines().filter_map(|line| line.strip_prefix("#--set ")).map(str::to_owned).collect();
    let Err(error) = parse(&text, "a.toml", &overrides, &environment) else {
        return "\n! nothing".to_owned();
    };
    let lines = error.problems.iter().map(|problem| {
        let place = problem.span.as_ref().map_or("nowhere".to_owned(), |span| {
            let (line, column) = error.place(span.start);
            let marked = error.source.get(span.clone()).unwrap_or("NOT A SPAN").escape_debug();
            format!("{line}:{column} «{marked}» [{}]", problem.label)
        });
        let help = problem.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
        format!("\n! {place} {}{help}", problem.message)
    });
    lines.collect()
}

#[test]
fn every_case_is_refused_and_every_problem_of_a_file_points_into_it() {
    let cases = include_str!("bad.txt");
    assert!(cases.split("\n---\n").count() > 60);
    assert!(!cases.contains("\n! nothing"));
    assert!(!cases.contains("NOT A SPAN"));
    assert!(!cases.contains("cannot be read\n"), "the schema must refuse before serde does");
}

#[test]
fn a_literal_secret_is_not_in_what_is_shown() {
    for text in [
        "[keys.a]\nsecret = \"hunter2hunter2hunter2\"\nteam = \"nobody\"\n",
        "[keys.a]\nsecert = \"hunter2\"\n",
        "[keys.a]\nsecret = \"hunter2\" \"\n",
        "[keys.a]\nsecret = hunter2\n",
        "[keys.a]\nsecret = \"hunter2\nteam = 1\n",
        "[keys.a]\nsecret = \"${EMPTY:-hunter2}\"\n",
        "[keys.a]\nsecret = [\"hunter2\"]\n",
        "[keys.a]\nsecret = { value = \"hunter2\" }\n",
        "[providers.a]\nplugin = \"opena\"\nkeys = [\"hunter2\"]\n",
        "[providers.a]\nplugin = \"opena\"\nkeys = [\n\"hunter2\",\n\"hunter2\"]\n",
        "[providers.a]\nkeys = \"hunter2\"\n",
        "[providers.a]\noptions = { secret = \"hunter2\" }\nplugin = 1\n",
        "[providers.a]\nurl = \"https://me:hunter2@example.com\"\n",
        "[admin]\npassword = \"hunter2\"\n",
        "[admin]\npassword = '''hunter2'''\n",
        "[store]\nbackend = \"redis\"\nurl = \"reds://:hunter2@10.0.0.1\"\n",
        "# keys = [\"hunter2hunter2hunter2hunter2\"]\nversion = 2\n",
    ] {
        let error = refuse(text);
        let shown = format!("{error}\n{}\n{error:?}", error.source);
        assert!(!shown.contains("hunter2"), "{shown}");
        assert_eq!(error.source.len(), text.len());
    }
}
