//! Whatever an adapter does before the first byte, it is cut within its limit and the next target answers.

use std::time::{Duration, Instant};

use super::{PLUGINS, plugins};
use crate::support::client::{Client, Reply};
use crate::support::gateway::good;
use crate::support::{Gateway, KEY, Shape, provider, upstream};

/// How a request ends that meets an adapter like this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    /// The next target answered.
    Next,
    /// The adapter answered after all; what it did besides is nobody's harm.
    First,
    /// The answer is in the contract's form and wrong; somebody gets it, and that is all.
    Somehow,
}
use Ends::{First, Next, Somehow};

/// What ends a call, wherever it happens.
const HARMS: [&str; 7] = ["loop", "memory", "trap", "panic", "recursion", "realloc", "handles"];

/// What keeps to the contract's types and to nothing else: place, mode, and how it ends.
const LIES: &[(&str, &str, Ends)] = &[
    ("request", "header-name", Next),
    ("request", "header-empty", Next),
    ("request", "header-crlf", Next),
    ("request", "header-nul", Next),
    ("request", "authorization", Next),
    ("request", "host", Next),
    ("request", "length", Next),
    ("request", "framing", Next),
    ("request", "path-host", Next),
    ("request", "path-url", Next),
    ("request", "path-blank", Next),
    ("request", "path-crlf", Next),
    ("request", "path-up", Next),
    ("request", "path-empty", Next),
    ("request", "method", Next),
    ("request", "method-connect", Next),
    ("request", "credential-name", Next),
    ("request", "credential-host", Next),
    ("request", "credential-framing", Next),
    ("request", "credential-query", Next),
    ("request", "losses", Next),
    ("request", "huge", Next),
    ("request", "flood", First),
    ("request", "leak", First),
    ("response", "nonsense", Next),
    ("response", "bytes", Next),
    ("response", "empty", Next),
    ("response", "number", Next),
    ("response", "list", Next),
    ("response", "shapeless", Next),
    ("response", "deep", Next),
    ("response", "losses", Next),
    ("response", "huge", Next),
    ("response", "usage", First),
    ("response", "tokens", First),
    ("response", "flood", First),
    ("error", "huge", Next),
    ("error", "forged", Next),
    ("error", "flood", Next),
    ("push", "nonsense", Next),
    ("push", "bytes", Next),
    ("push", "unclosed", Next),
    ("push", "number", Next),
    ("push", "list", Next),
    ("push", "shapeless", Next),
    ("push", "braces", Next),
    ("push", "done", Next),
    ("push", "error", Next),
    ("push", "index", Somehow),
    ("push", "deep", Next),
    ("push", "losses", Next),
    ("push", "huge", Next),
    ("push", "usage", First),
    ("push", "twice", Somehow),
    ("push", "flood", First),
];

/// A looping call costs its budget of 50 ms; the rest is patience with a busy machine.
const LIMIT: Duration = Duration::from_secs(3);

struct Case {
    place: &'static str,
    mode: &'static str,
    ends: Ends,
}

fn cases() -> Vec<Case> {
    let harms = ["request", "response", "error", "open", "push"]
        .into_iter()
        .flat_map(|place| HARMS.map(|mode| Case { place, mode, ends: Next }));
    harms.chain(LIES.iter().map(|(place, mode, ends)| Case { place, mode, ends: *ends })).collect()
}

/// A model for each plugin and case, with an honest target behind the hostile one.
fn configuration(cases: &[Case], upstream: &str) -> String {
    let mut text = format!(
        "[keys.tests]\nsecret = \"{KEY}\"\n[defaults.model]\nbreaker = false\n{}{}",
        plugins(),
        provider("openai", Shape::OpenAi, upstream)
    );
    for plugin in PLUGINS {
        for Case { place, mode, .. } in cases {
            // An error is only mapped when there is one.
            let fault = if *place == "error" { "@fault=status:500" } else { "" };
            text.push_str(&format!(
                "[providers.{plugin}-{place}-{mode}]\nplugin = \"{plugin}\"\nurl = \"{upstream}\"\nkeys = [\"k\"]\n\
                 options = {{ mode = \"{mode}\", in = \"{place}\" }}\n\
                 [models.{plugin}-{place}-{mode}]\ntargets = [\"{plugin}-{place}-{mode}/mock{fault}\"]\n\
                 fallback = [\"openai/mock\"]\nretry.attempts = 1\n"
            ));
        }
    }
    text
}

#[tokio::test]
async fn the_next_target_answers() {
    let mock = upstream::mock();
    let cases = cases();
    let gateway = Gateway::start(&configuration(&cases, &upstream::url(&mock))).await;
    let client = gateway.client();
    let mut wrong = Vec::new();
    let began = Instant::now();
    for plugin in PLUGINS {
        for case in &cases {
            for dialect in Shape::ALL {
                for streamed in [false, true] {
                    let reached = match case.place {
                        "response" => !streamed,
                        "open" | "push" => streamed,
                        _ => true,
                    };
                    if reached && let Err(problem) = check(&client, plugin, case, dialect, streamed).await {
                        let Case { place, mode, .. } = case;
                        wrong.push(format!(
                            "{plugin} {place} {mode} {dialect:?} streamed={streamed}: {problem}"
                        ));
                    }
                }
            }
        }
    }
    eprintln!("took {:?}", began.elapsed());
    assert!(wrong.is_empty(), "{} cases\n{}", wrong.len(), wrong.join("\n"));
    quiet(&gateway);
}

async fn check(
    client: &Client,
    plugin: &str,
    case: &Case,
    dialect: Shape,
    streamed: bool,
) -> Result<(), String> {
    let model = format!("{plugin}-{}-{}", case.place, case.mode);
    let began = Instant::now();
    let question = dialect.says("hello");
    let reply = if streamed {
        client.stream(dialect, &model, &question).await.rest().await
    } else {
        client.ask(dialect, &model, &question).await
    };
    let took = began.elapsed();
    if took > LIMIT {
        return Err(format!("took {took:?}"));
    }
    if case.ends == Ends::Somehow {
        return Ok(());
    }
    if reply.status != 200 || !reply.complete {
        return Err(format!("{} complete={} {:.300}", reply.status, reply.complete, reply.text()));
    }
    // Reading an answer checks its form, and panics over a wrong one; the other cases are still of interest.
    let answered = std::panic::catch_unwind(|| match (case.mode, streamed) {
        // No sum of such numbers is right.
        ("usage" | "tokens", _) => reply.text().contains("hello"),
        (_, true) => dialect.streamed(&reply.events()).text.starts_with("You said: \"hello\"."),
        (_, false) => dialect.whole(&good(&reply)).text.starts_with("You said: \"hello\"."),
    });
    let attempts = reply.header("x-causeway-attempts");
    let wanted = if case.ends == Ends::Next { "2" } else { "1" };
    if !answered.unwrap_or(false) || attempts != wanted {
        return Err(format!("{attempts} attempts, {:.300}", reply.text()));
    }
    forged(&reply)
}

/// Nothing an adapter says becomes a header of ours.
fn forged(reply: &Reply) -> Result<(), String> {
    let stolen = reply.headers.iter().find(|(name, value)| name == "set-cookie" || value.contains("stolen"));
    stolen.map_or(Ok(()), |header| Err(format!("a forged header: {header:?}")))
}

/// A flooding adapter gets its twenty lines a call, and none of them breaks the log.
fn quiet(gateway: &Gateway) {
    let log = gateway.log();
    let said: Vec<&str> = log.iter().filter_map(|line| line["said"].as_str()).collect();
    assert!(!said.is_empty(), "nothing the adapter said is in the log");
    // Per plugin: request (6 asked), response (3), error (6), push (3, of several slices each).
    assert!(said.len() <= 2 * 20 * (6 + 3 + 6 + 3 * 8), "{} lines of flood", said.len());
    assert!(said.iter().all(|line| line.len() <= 8 * 1024 && !line.contains(['\r', '\n', '\u{1b}'])));
    let longest = gateway.lines().iter().map(String::len).max().unwrap_or(0);
    assert!(longest < 32 << 10, "a line of {longest} bytes in the log");
}
