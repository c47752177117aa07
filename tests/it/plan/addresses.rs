//! `provider/model` without an entry, and who may ask for it.

use super::{Shape, ask, begin, good, upstream};
use crate::support::Gateway;

const STRICT: &str = "[models.gpt]\ntargets = [\"a/real\"]\n";

#[tokio::test]
async fn clients_address_providers_where_that_is_allowed() {
    let mock = upstream::mock();
    let text = [
        &begin(&mock),
        STRICT,
        "[routing]\naddressing = true\ndefault_provider = \"c\"\n\
         [keys.narrow]\nsecret = \"a-narrow-key-of-tests\"\nmodels = [\"gpt\", \"b/*\"]\n",
    ]
    .concat();
    let gateway = Gateway::start(&text).await;
    for (asked, provider, sent) in [
        ("gpt", "a", "real"),
        ("b/mock", "b", "mock"),
        ("b/org/mock", "b", "org/mock"),
        ("mock-7", "c", "mock-7"),
        ("<b/mock>", "c", "b/mock"),
    ] {
        let reply = ask(&gateway, asked).await;
        good(&reply);
        assert_eq!(mock.requests().pop().unwrap().json()["model"], sent, "{asked}");
        assert_eq!(reply.header("x-causeway-model"), format!("{provider}/{sent}"), "{asked}");
    }
    let narrow = gateway.client().with("authorization", "Bearer a-narrow-key-of-tests");
    for (asked, status) in [("b/mock", 200), ("a/real", 403), ("<b/mock>", 403), ("mock-7", 403)] {
        let body = Shape::OpenAi.named(&Shape::OpenAi.says("hello"), asked, false);
        let reply = narrow.post("/v1/chat/completions", &body).await;
        assert_eq!(reply.status, status, "{asked}: {}", reply.text());
    }
}

#[tokio::test]
async fn without_leave_only_models_are_asked() {
    let mock = upstream::mock();
    let gateway = Gateway::start(&[&begin(&mock), STRICT].concat()).await;
    for asked in ["a/real", "b/mock", "<a/real>", "mock"] {
        let reply = ask(&gateway, asked).await;
        assert_eq!(reply.status, 404, "{asked}: {}", reply.text());
    }
    assert!(mock.requests().is_empty());
}
