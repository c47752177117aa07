//! What each kind of end leaves on the ledger.

use causeway::domain::{Cost, LedgerRow};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::books::{Books, STORE};
use crate::support::gateway::good;
use crate::support::{Gateway, Shape, configuration, unbroken, upstream};

const MODELS: &str = r#"
[prices]
"openai/*" = { input = 2, output = 8 }
"anthropic/priced" = { input = 1, output = 1 }
[models.retried]
targets = ["openai/mock@fault=status:500"]
fallback = ["anthropic/mock"]
retry = { attempts = 2, backoff = "1ms..2ms" }
[models.second]
targets = [{ to = "openai/mock@first-token=5s", tier = 0 }, { to = "gemini/mock", tier = 1 }]
hedge = { after = "20ms", share = 1 }
[models.shared]
targets = ["openai/mock@first-token=200ms"]
single_flight = true
"#;

/// The rows of some requests, which are made while the gateway runs.
async fn rows_of(more: &str, ask: impl AsyncFnOnce(&mut Gateway)) -> Vec<LedgerRow> {
    let mock = upstream::mock();
    let text = unbroken(&configuration(&upstream::url(&mock)))
        .replace("[keys.tests]", "[keys.tests]\nteam = \"ours\"");
    let text = format!("{STORE}{text}[teams.ours]\n{MODELS}{more}");
    let mut gateway = Gateway::start_with(&text, &[]).await;
    ask(&mut gateway).await;
    gateway.stop().await;
    Books::open(gateway.folder()).await.rows().await
}

fn tokens(row: &LedgerRow) -> (u64, u64, bool) {
    let usage = row.usage.unwrap();
    (usage.input.unwrap(), usage.output.unwrap(), usage.estimated)
}

#[tokio::test]
async fn an_answer_whole_or_streamed_leaves_one_row_with_its_price() {
    let rows = rows_of("", async |gateway| {
        let question = Shape::OpenAi.says("What is a causeway, in twenty words?");
        let client = gateway.client().with("x-request-id", "mine");
        good(&client.ask(Shape::OpenAi, "openai/mock", &question).await);
        assert!(client.stream(Shape::OpenAi, "openai/mock", &question).await.rest().await.complete);
        good(&client.ask(Shape::OpenAi, "anthropic/mock", &question).await);
    })
    .await;
    assert_eq!(rows.len(), 3, "{rows:#?}");
    for row in &rows {
        let LedgerRow { request, key, team, outcome, status, dialect, operation, .. } = row;
        let found = (request.as_str(), key.as_str(), team.as_deref(), outcome.as_str(), *status);
        assert_eq!(found, ("mine", "tests", Some("ours"), "ok", Some(200)));
        assert_eq!((dialect.as_str(), operation.as_str(), row.possible), ("openai-chat", "chat", false));
        let (input, output, estimated) = tokens(row);
        assert!(input == 9 && output > 0 && !estimated, "{row:?}");
        let priced = row.provider == "openai";
        assert_eq!(row.cost, priced.then_some(Cost(input * 2_000_000 + output * 8_000_000)), "{row:?}");
        assert_eq!(row.price.is_some(), priced);
    }
    let ids: std::collections::HashSet<_> = rows.iter().map(|row| &row.id).collect();
    assert_eq!(ids.len(), 3);
}

#[tokio::test]
async fn a_refusal_costs_nothing_and_each_attempt_has_its_row() {
    let rows = rows_of("", async |gateway| {
        let question = Shape::OpenAi.says("hi");
        good(&gateway.client().ask(Shape::OpenAi, "retried", &question).await);
        let question = Shape::Gemini.says("hi");
        let refused = gateway.client().ask(Shape::Gemini, "openai/mock@fault=status:429", &question).await;
        assert_eq!(refused.status, 429);
    })
    .await;
    let told: Vec<_> =
        rows.iter().map(|row| (row.provider.as_str(), row.outcome.as_str(), row.status)).collect();
    let provider = ("openai", "provider_error", Some(500));
    assert_eq!(told.len(), 4, "{told:?}");
    assert_eq!((told[0].0, told[0].2), (provider.0, provider.2));
    assert_eq!((told[1].0, told[1].2), (provider.0, provider.2));
    assert_eq!(told[2], ("anthropic", "ok", Some(200)));
    assert_eq!(told[3].2, Some(429));
    for row in rows.iter().filter(|row| row.status != Some(200)) {
        assert_eq!((row.usage, row.cost, row.possible), (None, Some(Cost(0)), false), "{row:?}");
    }
}

#[tokio::test]
async fn what_was_sent_and_never_answered_is_possible_and_what_was_not_sent_leaves_nothing() {
    let gone = crate::support::gateway::free_address();
    let more = format!(
        "[providers.nobody]\nplugin = \"openai\"\nurl = \"http://{gone}\"\n[models.nobody]\ntargets = [\"nobody/m\"]\n\
         [models.silent]\ntargets = [\"openai/mock@fault=hang\"]\nretry = {{ attempts = 1 }}\ntimeouts = {{ first_token = \"100ms\" }}\n"
    );
    let rows = rows_of(&more, async |gateway| {
        let question = Shape::OpenAi.says("What is a causeway, in twenty words?");
        let refused = gateway.client().ask(Shape::OpenAi, "nobody", &question).await;
        assert!(refused.status >= 500);
        let open = gateway.client().stream(Shape::OpenAi, "silent", &question).await;
        open.rest().await;
    })
    .await;
    assert_eq!(rows.len(), 1, "{rows:#?}");
    let row = &rows[0];
    assert_eq!((row.outcome.as_str(), row.status, row.possible), ("timeout", None, true));
    assert_eq!(tokens(row), (9, 0, true));
    assert_eq!(row.cost, Some(Cost(18_000_000)));
}

/// Reads a whole request, whose body is one JSON object.
async fn request_on(connection: &mut TcpStream) {
    let mut read = Vec::new();
    while !read.windows(4).any(|end| end == b"\r\n\r\n") || !read.ends_with(b"}") {
        assert!(connection.read_buf(&mut read).await.unwrap() > 0, "the gateway closed");
    }
}

#[tokio::test]
async fn a_request_that_is_sent_again_because_its_connection_broke_has_a_row_for_each_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let body = r#"{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"yes"}}],"usage":{"prompt_tokens":9,"completion_tokens":1,"total_tokens":10}}"#;
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let server = tokio::spawn(async move {
        let (mut first, _) = listener.accept().await.unwrap();
        request_on(&mut first).await;
        first.write_all(answer.as_bytes()).await.unwrap();
        request_on(&mut first).await;
        drop(first);
        let (mut second, _) = listener.accept().await.unwrap();
        request_on(&mut second).await;
        second.write_all(answer.as_bytes()).await.unwrap();
    });
    let more = format!(
        "[providers.raw]\nplugin = \"openai\"\nurl = \"{url}\"\n[models.raw]\ntargets = [\"raw/m\"]\n"
    );
    let rows = rows_of(&more, async |gateway| {
        let question = Shape::OpenAi.says("What is a causeway, in twenty words?");
        for _ in 0..2 {
            assert_eq!(gateway.client().ask(Shape::OpenAi, "raw", &question).await.status, 200);
        }
    })
    .await;
    server.await.unwrap();
    let mut told: Vec<_> = rows.iter().map(|row| (row.outcome.as_str(), row.status, row.possible)).collect();
    told.sort_unstable();
    assert_eq!(
        told,
        [("ok", Some(200), false), ("ok", Some(200), false), ("upstream_error", None, true)],
        "{rows:#?}"
    );
}

#[tokio::test]
async fn a_stream_that_is_left_or_cut_counts_what_was_said() {
    let rows = rows_of("", async |gateway| {
        let question = Shape::OpenAi.says("What is a causeway, in twenty words?");
        let slow = "openai/mock@rate=50@chunks=50@usage=off";
        let mut open = gateway.client().stream(Shape::OpenAi, slow, &question).await;
        open.some(400).await;
        drop(open);
        gateway.until_metric("causeway_ledger_rows_total", &["client_gone"], 1.0).await;
        let cut = "openai/mock@fault=cut:9@chunks=30";
        assert!(!gateway.client().stream(Shape::OpenAi, cut, &question).await.rest().await.complete);
    })
    .await;
    assert_eq!(rows.len(), 2, "{rows:#?}");
    assert_eq!((rows[0].outcome.as_str(), rows[0].status), ("client_gone", Some(200)));
    assert_eq!((rows[1].status, rows[1].possible), (Some(200), false));
    for row in &rows {
        let (input, output, estimated) = tokens(row);
        assert!(input == 9 && output > 0 && estimated, "{row:?}");
    }
}

#[tokio::test]
async fn an_attempt_that_was_hedged_away_has_a_row_of_its_own() {
    let rows = rows_of("", async |gateway| {
        let question = Shape::OpenAi.says("What is a causeway, in twenty words?");
        good(&gateway.client().ask(Shape::OpenAi, "second", &question).await);
        assert!(gateway.client().stream(Shape::OpenAi, "second", &question).await.rest().await.complete);
    })
    .await;
    let mut told: Vec<_> =
        rows.iter().map(|row| (row.provider.as_str(), row.outcome.as_str(), row.possible)).collect();
    told.sort_unstable();
    // The head of the slow answer had come: it was worked on for sure.
    let (answered, away) = (("gemini", "ok", false), ("openai", "hedged_away", false));
    assert_eq!(told, [answered, answered, away, away]);
}

#[tokio::test]
async fn an_answer_that_serves_several_has_one_row_also_when_its_client_left() {
    let rows = rows_of("", async |gateway| {
        let question = Shape::OpenAi.says("What is a causeway, in twenty words?");
        let body = Shape::OpenAi.named(&question, "shared", false).to_string();
        let mut first = gateway.client().with_key().connect().await;
        first
            .write(&gateway.client().with_key().request("POST", "/v1/chat/completions", body.as_bytes()))
            .await;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        let asking: Vec<_> = (0..5)
            .map(|_| {
                let (client, question) = (gateway.client(), question.clone());
                tokio::spawn(async move { client.ask(Shape::OpenAi, "shared", &question).await })
            })
            .collect();
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        drop(first);
        for asked in asking {
            good(&asked.await.unwrap());
        }
    })
    .await;
    assert_eq!(rows.len(), 1, "{rows:#?}");
    assert_eq!((rows[0].outcome.as_str(), rows[0].status), ("ok", Some(200)));
    assert!(!tokens(&rows[0]).2);
}
