//! The road is open: one question, one answer, whole and streamed.

use super::support::gateway::good;
use super::support::{Gateway, Shape, configuration, upstream};

#[tokio::test]
async fn every_pair_of_dialect_and_provider_answers_whole_and_streamed() {
    let mock = upstream::mock();
    let gateway = Gateway::start(&configuration(&upstream::url(&mock))).await;
    let client = gateway.client();
    for (dialect, provider) in Shape::pairs() {
        let model = format!("{}/mock", provider.word());
        let whole = client.ask(dialect, &model, &dialect.says("hello")).await;
        let whole = dialect.whole(&good(&whole));
        assert!(whole.text.starts_with("You said: \"hello\"."), "{dialect:?} {provider:?}: {whole:?}");
        let stream = client.stream(dialect, &model, &dialect.says("hello")).await.rest().await;
        assert!(stream.status == 200 && stream.complete, "{dialect:?} {provider:?}: {}", stream.text());
        let streamed = dialect.streamed(&stream.events());
        assert_eq!((streamed.text, streamed.tokens), (whole.text, whole.tokens), "{dialect:?} {provider:?}");
    }
}
