//! `single_flight`: requests that are the same share one call while it lasts.

use super::*;

const MODELS: &str = "[models.m]\ntargets = [\"openai/m\"]\nretry = { attempts = 1 }\nsingle_flight = true\n";

async fn gateway(scripted: &Scripted) -> Gateway {
    Gateway::start(&configured(&scripted.url(), MODELS)).await
}

#[tokio::test]
async fn twenty_that_ask_the_same_make_one_call() {
    for api in APIS {
        let permits = Arc::new(Semaphore::new(0));
        let scripted = Scripted::start(held(&permits, good_end())).await;
        let gateway = gateway(&scripted).await;
        let mut crowd = Vec::new();
        for number in 0..20 {
            // Each of them has its head, so it takes part.
            let open = api.open(&client(&gateway), "m", "hello").await;
            assert_eq!(open.status, 200, "{api:?}");
            assert_eq!(open.header("x-causeway-cache"), if number == 0 { "" } else { "join" }, "{api:?}");
            crowd.push(open);
        }
        permits.add_permits(1);
        let mut bodies = Vec::new();
        let mut ids = std::collections::HashSet::new();
        for open in crowd {
            assert!(ids.insert(open.header("x-request-id").to_owned()));
            bodies.push(complete(&open.rest().await).body.clone());
        }
        assert!(bodies.iter().all(|body| *body == bodies[0]), "{api:?}");
        assert!(bodies[0].len() > 50, "{api:?}");
        assert_eq!(scripted.requests().len(), 1, "{api:?}");
        // One of them pays.
        gateway.until_metric("causeway_inflight", &[], 0.0).await;
        assert_eq!(gateway.metric("causeway_tokens_total", &["type=\"input\""]).await, 11.0);
        assert_eq!(gateway.metric("causeway_attempts_total", &[]).await, 1.0);
        assert_eq!(gateway.metric("causeway_replays_total", &["flight", "join"]).await, 19.0);
        // After its end nothing of it is left.
        permits.add_permits(1);
        let later = api.ask(&client(&gateway), "m", true, "hello").await;
        assert_eq!(complete(&later).header("x-causeway-cache"), "", "{api:?}");
        assert_eq!(scripted.requests().len(), 2, "{api:?}");
    }
}

#[tokio::test]
async fn parallel_whole_answers_are_one_call_too() {
    let permits = Arc::new(Semaphore::new(0));
    let slow = [vec![Step::Until(Arc::clone(&permits))], whole("200 OK", FINE)].concat();
    let scripted = Arc::new(Scripted::start(slow).await);
    // Who comes a moment too late finds the kept answer.
    let gateway =
        Arc::new(Gateway::start(&configured(&scripted.url(), &format!("{MODELS}reuse = {{}}\n"))).await);
    let asking: Vec<_> = (0..20)
        .map(|_| {
            let gateway = Arc::clone(&gateway);
            tokio::spawn(
                async move { Api::Of(Shape::OpenAi).ask(&client(&gateway), "m", false, "hello").await },
            )
        })
        .collect();
    gateway.until_metric("causeway_inflight", &[], 20.0).await;
    permits.add_permits(1);
    for asked in asking {
        let reply = asked.await.unwrap();
        assert_eq!(complete(&reply).json()["choices"][0]["message"]["content"], "fine");
    }
    assert_eq!(scripted.requests().len(), 1);
}

#[tokio::test]
async fn when_the_first_one_leaves_the_others_hear_the_rest() {
    let permits = Arc::new(Semaphore::new(0));
    let scripted = Scripted::start(held(&permits, good_end())).await;
    let gateway = gateway(&scripted).await;
    for api in APIS {
        let before = scripted.requests().len();
        let first = api.open(&client(&gateway), "m", "hello").await;
        let second = api.open(&client(&gateway), "m", "hello").await;
        let third = api.open(&client(&gateway), "m", "hello").await;
        let left = first.header("x-request-id").to_owned();
        drop(first);
        let line = gateway.request_line(&left).await;
        assert_eq!((&line["error_kind"], &line["in"]), (&json!("client_gone"), &Value::Null), "{line}");
        permits.add_permits(1);
        let (second, third) = (second.rest().await, third.rest().await);
        assert_eq!(complete(&second).body, complete(&third).body, "{api:?}");
        assert!(second.text().contains("ne"), "{}", second.text());
        assert_eq!(scripted.requests().len(), before + 1, "{api:?}");
        // One of those who stayed pays.
        let mut paid = Vec::new();
        for reply in [&second, &third] {
            let line = gateway.request_line(reply.header("x-request-id")).await;
            assert_eq!((&line["in"], &line["out"]), (&json!(11), &json!(5)), "{line}");
            paid.push(line["reused_from"].is_null() && line["attempts"] == 1);
        }
        paid.sort_unstable();
        assert_eq!(paid, [false, true], "{api:?}");
    }
}

#[tokio::test]
async fn when_all_have_left_the_call_is_ended() {
    let mock = upstream::mock();
    let gateway = Gateway::start(&configured(&upstream::url(&mock), &models("single_flight = true"))).await;
    let api = Api::Of(Shape::Anthropic);
    let model = "openai/mock@fault=hang:5";
    let (one, two) = (
        api.open(&client(&gateway), model, "hello").await,
        api.open(&client(&gateway), model, "hello").await,
    );
    let first = one.header("x-request-id").to_owned();
    drop(one);
    gateway.request_line(&first).await;
    assert!(!mock.requests()[0].aborted());
    drop(two);
    crate::support::until("the provider is left", || mock.requests()[0].aborted()).await;
    assert_eq!(mock.requests().len(), 1);
}

#[tokio::test]
async fn when_the_call_fails_it_fails_for_all() {
    let permits = Arc::new(Semaphore::new(0));
    let scripted = Scripted::start(held(&permits, vec![Step::Reset])).await;
    let gateway = gateway(&scripted).await;
    for shape in Shape::ALL {
        let api = Api::Of(shape);
        let before = scripted.requests().len();
        let mut crowd = Vec::new();
        for _ in 0..3 {
            crowd.push(api.open(&client(&gateway), "m", "hello").await);
        }
        permits.add_permits(1);
        let mut bodies = Vec::new();
        for open in crowd {
            let reply = open.rest().await;
            crate::stream::cut::failed(shape, &reply, "a shared stream");
            bodies.push(reply.body);
        }
        assert!(bodies.iter().all(|body| *body == bodies[0]));
        assert_eq!(scripted.requests().len(), before + 1);
    }
    // Before the first byte it is an error of its own for each, and nobody tries again.
    scripted.play(
        [
            vec![Step::Until(Arc::clone(&permits))],
            whole("400 Bad Request", "{\"error\":{\"message\":\"not that\"}}"),
        ]
        .concat(),
    );
    let gateway = Arc::new(gateway);
    let asking: Vec<_> = (0..4)
        .map(|_| {
            let gateway = Arc::clone(&gateway);
            tokio::spawn(
                async move { Api::Of(Shape::Anthropic).ask(&client(&gateway), "m", true, "again").await },
            )
        })
        .collect();
    gateway.until_metric("causeway_inflight", &[], 4.0).await;
    permits.add_permits(4);
    for asked in asking {
        let reply = asked.await.unwrap();
        assert_eq!(reply.status, 400, "{}", reply.text());
        let (kind, message) = Shape::Anthropic.error(&reply.json());
        assert!(kind == "invalid_request_error" && message.contains("not that"), "{}", reply.text());
        assert_eq!(Shape::Anthropic.request_id(&reply.json()), reply.header("x-request-id"));
    }
}

#[tokio::test]
async fn who_reads_slowly_holds_up_nobody() {
    const LARGE: usize = 24 << 20;
    let permits = Arc::new(Semaphore::new(0));
    let piece = format!(
        "data: {{\"id\":\"1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{}\"}},\"finish_reason\":null}}]}}\n\n",
        "x".repeat(1 << 20)
    );
    let large: Vec<_> = (0..LARGE >> 20).map(|_| Step::Send(chunk(piece.as_bytes()))).collect();
    let scripted = Scripted::start(held(&permits, [large, good_end()].concat())).await;
    let settings = format!("{MODELS}reuse = {{ max_answer = \"64MiB\" }}\n");
    let gateway = Gateway::start(&configured(&scripted.url(), &settings)).await;
    let api = Api::Of(Shape::OpenAi);
    let slow = api.open(&client(&gateway), "m", "hello").await;
    let fast = api.open(&client(&gateway), "m", "hello").await;
    permits.add_permits(1);
    // More than any socket holds: the slow one cannot have it all yet.
    let fast = fast.rest().await;
    assert!(complete(&fast).body.len() > LARGE);
    assert_eq!(complete(&slow.rest().await).body, fast.body);
    assert_eq!(scripted.requests().len(), 1);
}
