//! Money: reserved before, spent after, refused when there is too little.

use super::*;
use crate::support::until;

#[tokio::test]
async fn a_budget_is_spent_and_then_refused_with_402() {
    // 1,000 in and 100 out: 2,000 µ$ each.
    let upstream = Scripted::start(answer(1_000, 100)).await;
    let key = "budget = { usd = 0.005, per = \"total\" }";
    let gateway = Gateway::start(&configuration(&upstream.url(), key, "")).await;
    let small = || json!({ "max_tokens": 100 });
    good(&ask(&gateway, small()).await);
    good(&ask(&gateway, small()).await);
    // 1,000 µ$ are left, and a request needs more than that for its prompt and 100 tokens.
    let refused = ask(&gateway, small()).await;
    assert_eq!(refused.status, 402, "{}", refused.text());
    let message = refused.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("budget of key `tests` in total") && message.contains("$0.004"), "{message}");
    assert_eq!(upstream.requests().len(), 2);
}

#[tokio::test]
async fn an_answer_may_be_as_long_as_the_budget_pays_for() {
    let upstream = Scripted::start(answer(10, 10)).await;
    // Pays for about 1,000 tokens of an answer beside the prompt.
    let key = "budget = { usd = 0.0125, per = \"total\" }";
    let gateway = Gateway::start(&configuration(&upstream.url(), key, "")).await;
    good(&ask(&gateway, json!({})).await);
    let asked = last_asked(&upstream);
    let most = asked["max_completion_tokens"].as_u64().expect("a cap");
    assert!((1_000..1_200).contains(&most), "{asked}");
    good(&ask(&gateway, json!({ "max_tokens": 50_000 })).await);
    assert!(last_asked(&upstream)["max_tokens"].as_u64().is_some_and(|most| most < 1_200));
    good(&ask(&gateway, json!({ "max_tokens": 7 })).await);
    assert_eq!(last_asked(&upstream)["max_tokens"], 7, "what is small enough stays");
}

#[tokio::test]
async fn many_at_once_never_spend_more_than_the_budget() {
    // 10 tokens of an answer cost 100 µ$, and so much is what each request costs; there are 10,000 µ$.
    let upstream = Scripted::start(answer(0, 10)).await;
    let prices = "[models.dear]\ntargets = [{ to = \"openai/gpt\", price = { input = 0, output = 10 } }]\nretry = { attempts = 1 }\n";
    let key = "budget = { usd = 0.01, per = \"total\" }";
    let gateway = Gateway::start(&configuration(&upstream.url(), key, prices)).await;
    let body = json!({ "max_tokens": 10, "messages": [{ "role": "user", "content": "hello" }] });
    let one = || {
        let (client, body) = (gateway.client(), body.clone());
        async move { client.ask(Shape::OpenAi, "dear", &body).await.status }
    };
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..300 {
        let one = one();
        asking.spawn(one);
    }
    let statuses = asking.join_all().await;
    let admitted = statuses.iter().filter(|status| **status == 200).count();
    assert!(statuses.iter().all(|status| [200, 402, 429].contains(status)), "{statuses:?}");
    assert_eq!(upstream.requests().len(), admitted);
    assert!(admitted <= 100, "{admitted}");
    // Whoever was only kept waiting by reservations gets what is left.
    let mut all = admitted;
    while one().await == 200 {
        all += 1;
    }
    assert_eq!((all, one().await), (100, 402));
}

#[tokio::test]
async fn without_a_price_there_is_no_spending_under_a_budget() {
    let upstream = Scripted::start(answer(3, 2)).await;
    let key = "budget = { usd = 1, per = \"day\" }";
    let more = "[models.new]\ntargets = [\"openai/nobody-knows-it\"]\n";
    let gateway = Gateway::start(&configuration(&upstream.url(), key, more)).await;
    let body = json!({ "messages": [{ "role": "user", "content": "hello" }] });
    let refused = gateway.client().ask(Shape::OpenAi, "new", &body).await;
    assert_eq!(refused.status, 402, "{}", refused.text());
    let message = refused.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("`openai/nobody-knows-it`") && message.contains("[prices]"), "{message}");
    assert!(upstream.requests().is_empty());
}

#[tokio::test]
async fn a_used_up_budget_goes_down_to_a_cheaper_model() {
    let upstream = Scripted::start(answer(1_000, 100)).await;
    let key = "budget = { usd = 0.0035, per = \"month\", zone = \"Europe/Berlin\", downgrade = \"cheap\", warn_at = [0.5] }";
    let more = "[models.cheap]\ntargets = [{ to = \"openai/small\", price = { input = 0.1, output = 1 } }]\n";
    let gateway = Gateway::start(&configuration(&upstream.url(), key, more)).await;
    let first = ask(&gateway, json!({ "max_tokens": 100 })).await;
    good(&first);
    assert_eq!(first.header("x-causeway-downgraded"), "");
    let second = ask(&gateway, json!({ "max_tokens": 100 })).await;
    good(&second);
    assert_eq!(second.header("x-causeway-downgraded"), "cheap");
    assert_eq!(last_asked(&upstream)["model"], "small");
    let warned =
        gateway.log().iter().filter(|line| line["message"] == "so much of a budget is spent").count();
    assert_eq!(warned, 1, "{:?}", gateway.lines());
}

#[tokio::test]
async fn a_budget_outlives_a_reload_and_is_shared_by_a_team() {
    let upstream = Scripted::start(answer(1_000, 100)).await;
    let team = "[teams.shop]\nbudget = { usd = 0.005, per = \"30d\" }\n";
    let text = configuration(&upstream.url(), "team = \"shop\"", team);
    let gateway = Gateway::start(&text).await;
    good(&ask(&gateway, json!({ "max_tokens": 100 })).await);
    good(&ask(&gateway, json!({ "max_tokens": 100 })).await);
    gateway.rewrite(&text.replace("0.005", "0.0055"));
    gateway.hangup();
    let in_force = |line: &String| line.contains("is in force");
    until("it is read again", || gateway.lines().iter().any(in_force)).await;
    let refused = ask(&gateway, json!({ "max_tokens": 100 })).await;
    assert_eq!(refused.status, 402, "{}", refused.text());
    let message = refused.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("team `shop`") && message.contains("$0.004 of $0.0055"), "{message}");
}
