//! Money: reserved before, spent after, refused when there is too little.

use super::*;

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
