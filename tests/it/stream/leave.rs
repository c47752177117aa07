//! A client that leaves: the provider is told within a second, whatever was going on.

use std::time::{Duration, Instant};

use crate::support::{Gateway, Shape, configuration, until, upstream};

#[tokio::test]
async fn a_client_that_leaves_frees_the_provider_within_a_second() {
    let mock = upstream::mock();
    let gateway = Gateway::start(&configuration(&upstream::url(&mock))).await;
    for (dialect, provider) in Shape::pairs() {
        // Streamed or not, and what the provider is doing when the client leaves.
        for (stream, fault) in
            [(true, "fault=hang:5"), (true, "rate=20@chunks=1000"), (true, "fault=hang"), (false, "fault=hang")]
        {
            let model = format!("{}/mock@{fault}", provider.word());
            let case = format!("{}→{model}, streamed: {stream}", dialect.word());
            mock.clear();
            let mut open = gateway.client().with_key().connect().await;
            let body = dialect.named(&dialect.says("hello"), &model, stream).to_string();
            let client = gateway.client().with_key();
            open.write(&client.request("POST", &dialect.path(&model, stream), body.as_bytes())).await;
            until("the mock has the request", || mock.requests().len() == 1).await;
            if stream && fault != "fault=hang" {
                assert!(open.head().await && open.event().await.is_some(), "{case}");
            }
            assert!(!mock.requests()[0].aborted(), "{case}");
            let left = Instant::now();
            drop(open);
            until("the provider is left", || mock.requests()[0].aborted()).await;
            let after = mock.requests()[0].aborted_at.unwrap().saturating_duration_since(left);
            assert!(after < Duration::from_secs(1), "{case}: {after:?}");
        }
    }
    gateway.until_metric("causeway_inflight", &[], 0.0).await;
    let gone: Vec<_> = gateway.log().into_iter().filter(|line| line["error_kind"] == "client_gone").collect();
    assert_eq!(gone.len(), 36);
}
