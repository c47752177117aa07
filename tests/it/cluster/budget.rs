//! Money over three nodes and one server: nobody gets more than the budget, whatever dies in between.

use std::collections::BTreeMap;

use tokio::task::JoinSet;

use super::super::support::upstream::{Scripted, Step};
use super::super::support::{KEY, Shape, until};
use super::*;

/// What each request costs in micro-dollars: 10 tokens in at $1 a million, 10 out at $10.
const COST: i64 = 110;
/// The budget pays for so many.
const PAID: i64 = 100;
/// A fifth of the budget is a node's lease: it pays for twenty.
const LEASED: i64 = 20;

/// A whole answer that took ten tokens in and ten out.
fn answer() -> Vec<Step> {
    let body = json!({
        "id": "c", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{ "index": 0, "message": { "role": "assistant", "content": "hi" }, "finish_reason": "stop" }],
        "usage": { "prompt_tokens": 10, "completion_tokens": 10, "total_tokens": 20 },
    })
    .to_string();
    let head =
        format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n", body.len());
    vec![Step::send(format!("{head}connection: close\r\n\r\n{body}")), Step::Close]
}

fn budgeted(upstream: &Scripted, server: &Server, store: &str) -> String {
    format!(
        "[keys.tests]\nsecret = \"{KEY}\"\nbudget = {{ usd = 0.011, per = \"total\" }}\n\
         [providers.openai]\nplugin = \"openai\"\nurl = \"{}\"\nkeys = [\"sk-upstream-0123456789\"]\n\
         [models.\"openai/*\"]\ntargets = [{{ to = \"openai/*\", price = {{ input = 1, output = 10 }} }}]\n\
         retry = {{ attempts = 1 }}\n\
         [store]\nbackend = \"redis\"\nmaster_key = \"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\"\nurl = \"{}\"\nconnect_timeout = \"5s\"\n{store}\n\
         [store.lease]\nshare = 0.2\nusd = 1\n",
        upstream.url(),
        server.url()
    )
}

fn asking(node: &Gateway) -> impl Future<Output = Reply> + use<> {
    let client = node.client();
    let body = json!({ "messages": [{ "role": "user", "content": "hello" }], "max_tokens": 10 });
    async move { client.ask(Shape::OpenAi, "openai/gpt", &body).await }
}

/// So many requests at once over all nodes; how many there were of each status. One that lost its node has none.
fn storm(nodes: &[Gateway], count: usize) -> JoinSet<u16> {
    let mut running = JoinSet::new();
    for number in 0..count {
        let asked = asking(&nodes[number % nodes.len()]);
        running.spawn(async move { asked.await.status });
    }
    running
}

async fn ended(mut running: JoinSet<u16>) -> BTreeMap<u16, i64> {
    let mut statuses = BTreeMap::new();
    while let Some(done) = running.join_next().await {
        *statuses.entry(done.unwrap_or(0)).or_default() += 1;
    }
    statuses
}

/// What the server says was spent, and what is still held.
fn counted(server: &Server) -> (i64, i64) {
    let code = "local spent, held = 0, 0 for _, name in ipairs(redis.call('KEYS', '{causeway}:h:*budget*')) do \
         spent = spent + (redis.call('HGET', name, 'spent') or 0) held = held + (redis.call('HGET', name, 'held') or 0) \
         end return { spent, held }";
    let said = server.ask(&["EVAL", code, "0"]);
    let mut numbers = said.split_whitespace().map(|number| number.trim_start_matches(':').parse().unwrap());
    (numbers.next().unwrap(), numbers.next().unwrap())
}

#[tokio::test]
async fn a_thousand_at_once_on_three_nodes_get_what_the_budget_pays_for() {
    let Some(server) = Server::start("a_thousand_at_once_on_three_nodes") else { return };
    let upstream = Scripted::start(answer()).await;
    let nodes: [Gateway; 3] = nodes(&budgeted(&upstream, &server, "timeout = \"10s\"")).await;
    let statuses = ended(storm(&nodes, 1000)).await;
    let admitted = statuses.get(&200).copied().unwrap_or(0);
    assert!(admitted > 0 && admitted <= PAID, "{statuses:?}");
    // 402: the money is spent; 429: it is reserved by requests that run.
    let refused: i64 = [402, 429].iter().filter_map(|status| statuses.get(status)).sum();
    assert_eq!(admitted + refused, 1000, "{statuses:?}");
    // One after the other the rest of the budget is spent, and not one more.
    let mut admitted = admitted;
    while asking(&nodes[usize::try_from(admitted).unwrap() % 3]).await.status == 200 {
        admitted += 1;
    }
    assert!(admitted <= PAID, "{admitted}");
    until("everything is settled", || counted(&server).1 == 0).await;
    assert_eq!(counted(&server).0, admitted * COST);
    assert_eq!(i64::try_from(upstream.requests().len()).unwrap(), admitted);
}

#[tokio::test]
async fn a_node_that_is_killed_costs_what_it_had_reserved_and_no_more() {
    let Some(server) = Server::start("a_node_that_is_killed") else { return };
    let upstream = Scripted::start(answer()).await;
    let mut nodes: [Gateway; 3] = nodes(&budgeted(&upstream, &server, "timeout = \"10s\"")).await;
    let running = storm(&nodes, 300);
    until("some are answered", || upstream.requests().len() >= 10).await;
    nodes[0].crash().await;
    let statuses = ended(running).await;
    let more = ended(storm(&nodes, 300)).await;
    let served = i64::try_from(upstream.requests().len()).unwrap();
    assert!(served <= PAID, "{served}: {statuses:?}, then {more:?}");
    let (spent, held) = counted(&server);
    assert!(spent + held <= PAID * COST, "{spent} and {held}");
}

#[tokio::test]
async fn a_server_that_is_paused_or_killed_lets_nobody_spend_more_where_budgets_refuse() {
    let Some(mut server) = Server::start("paused_and_killed_deny") else { return };
    let upstream = Scripted::start(answer()).await;
    let nodes: [Gateway; 3] = nodes(&budgeted(&upstream, &server, "timeout = \"300ms\"")).await;
    server.pause();
    let refused = asking(&nodes[0]).await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert_eq!(refused.json()["error"]["code"], "store_unavailable", "{}", refused.text());
    assert!(!refused.header("retry-after").is_empty());
    let statuses = ended(storm(&nodes, 60)).await;
    assert_eq!(statuses.keys().copied().collect::<Vec<_>>(), [503], "{statuses:?}");
    server.resume();
    let running = storm(&nodes, 150);
    server.kill();
    ended(running).await;
    server.start_again();
    let waiting = async {
        while asking(&nodes[0]).await.status == 503 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("the store does not come back");
    ended(storm(&nodes, 400)).await;
    let served = i64::try_from(upstream.requests().len()).unwrap();
    assert!(served > 0 && served <= PAID, "{served}");
    assert!(counted(&server).0 <= PAID * COST, "{:?}", counted(&server));
}

#[tokio::test]
async fn without_the_server_nodes_spend_their_leases_and_no_more() {
    let Some(mut server) = Server::start("leases") else { return };
    let upstream = Scripted::start(answer()).await;
    let store = "timeout = \"2s\"\non_loss = \"lease\"";
    let nodes: [Gateway; 3] = nodes(&budgeted(&upstream, &server, store)).await;
    for node in &nodes {
        // Each has seen the budget once.
        assert_eq!(asking(node).await.status, 200);
    }
    until("everything is settled", || counted(&server).1 == 0).await;
    server.kill();
    let statuses = ended(storm(&nodes, 300)).await;
    let served = i64::try_from(upstream.requests().len()).unwrap();
    assert!(served > 3 && served <= 3 + 3 * LEASED, "{served}: {statuses:?}");
    server.start_again();
    // What was spent alone is booked, and then the budget is spent to its end.
    until("what was spent is booked", || counted(&server) == (served * COST, 0)).await;
    ended(storm(&nodes, 600)).await;
    let served = i64::try_from(upstream.requests().len()).unwrap();
    assert!(served <= PAID, "{served}: nothing was lost, so not even a lease is spent beyond");
    until("everything is settled", || counted(&server) == (served * COST, 0)).await;
}
