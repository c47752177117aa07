//! The list of models in each vendor's shape, and only what the key may use.

use serde_json::{Value, json};

use super::support::gateway::good;
use super::support::{Gateway, KEY, Shape, provider};

const NARROW: &str = "cw-key-with-few-models-0123456789";

async fn gateway() -> Gateway {
    let text = [
        format!(
            "[keys.all]\nsecret = \"{KEY}\"\n[keys.few]\nsecret = \"{NARROW}\"\nmodels = [\"b*\", \"open-*\"]\n"
        ),
        provider("one", Shape::OpenAi, "http://127.0.0.1:9"),
        ["a", "b", "b-2", "c"].map(|name| format!("[models.{name}]\ntargets = [\"one/m\"]\n")).concat(),
        "[models.\"open-*\"]\ntargets = [\"one/*\"]\n".to_owned(),
    ];
    Gateway::start(&text.concat()).await
}

/// A dialect, where it asks for models, and the header that tells the gateway whose dialect it is.
type List = (Shape, &'static str, Option<(&'static str, &'static str)>);

/// Every place that lists models.
const LISTS: [List; 4] = [
    (Shape::OpenAi, "/v1/models", None),
    (Shape::OpenAi, "/models", None),
    (Shape::Anthropic, "/v1/models", Some(("anthropic-version", "2023-06-01"))),
    (Shape::Gemini, "/v1beta/models", None),
];

fn names(dialect: Shape, list: &Value) -> Vec<String> {
    let (field, name) = if dialect == Shape::Gemini { ("models", "name") } else { ("data", "id") };
    list[field].as_array().unwrap().iter().map(|model| model[name].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn each_dialect_lists_what_the_key_may_use() {
    let gateway = gateway().await;
    for (dialect, path, header) in LISTS {
        for (key, expected) in [(KEY, vec!["a", "b", "b-2", "c"]), (NARROW, vec!["b", "b-2"])] {
            let mut client = gateway.client().with("x-api-key", key);
            if let Some((name, value)) = header {
                client = client.with(name, value);
            }
            let list = good(&client.get(path).await);
            let front = if dialect == Shape::Gemini { "models/" } else { "" };
            let expected: Vec<_> = expected.into_iter().map(|name| format!("{front}{name}")).collect();
            assert_eq!(names(dialect, &list), expected, "{dialect:?} {path}");
            match dialect {
                Shape::OpenAi => {
                    assert_eq!(
                        (&list["object"], &list["data"][0]["object"]),
                        (&json!("list"), &json!("model"))
                    );
                }
                Shape::Anthropic => {
                    assert_eq!((&list["has_more"], &list["first_id"]), (&json!(false), &json!(expected[0])));
                    assert_eq!(list["data"][0]["type"], "model");
                }
                Shape::Gemini => {
                    assert!(list["models"][0]["supportedGenerationMethods"].as_array().unwrap().len() >= 2);
                }
            }
        }
    }
}

#[tokio::test]
async fn one_model_is_shown_if_the_key_may_use_it() {
    let gateway = gateway().await;
    for (dialect, path, header) in LISTS {
        let ask = async |key: &str, model: &str| {
            let mut client = gateway.client().with("x-api-key", key);
            if let Some((name, value)) = header {
                client = client.with(name, value);
            }
            client.get(&format!("{path}/{model}")).await
        };
        let model = good(&ask(NARROW, "b").await);
        let name = if dialect == Shape::Gemini { &model["name"] } else { &model["id"] };
        assert!(name.as_str().unwrap().ends_with('b'), "{model}");
        // A name that only a pattern covers.
        assert_eq!(ask(NARROW, "open-x").await.status, 200);
        for (key, model, status) in
            [(NARROW, "a", 403), (KEY, "nothing", 404), ("wrong-key-wrong-key", "b", 401)]
        {
            let reply = ask(key, model).await;
            assert_eq!(reply.status, status, "{dialect:?} {model}: {}", reply.text());
            dialect.error(&reply.json());
        }
    }
}

#[tokio::test]
async fn a_client_that_knocks_is_answered() {
    let gateway = gateway().await;
    for method in ["GET", "HEAD"] {
        let open = gateway.client().open(method, "/", b"").await;
        assert_eq!(open.status, 200, "{method}");
    }
}

#[tokio::test]
async fn what_is_known_of_a_model_is_told() {
    let text = [
        format!("[keys.all]\nsecret = \"{KEY}\"\n"),
        provider("one", Shape::OpenAi, "http://127.0.0.1:9"),
        provider("two", Shape::Anthropic, "http://127.0.0.1:9"),
        "[models.both]\ntargets = [\"one/a\", \"two/b\"]\ncontext = 200000\nmax_output = 64000\n\
         [models.half]\ntargets = [\"one/a\", \"two/unpriced\"]\n\
         [prices]\n\"one/a\" = { input = 1.25, output = 10 }\n\"two/b\" = { input = 3, output = 5, cache_read = 0.3 }\n"
            .to_owned(),
    ];
    let gateway = Gateway::start(&text.concat()).await;
    let ask = async |name: &str| good(&gateway.client().with_key().get(&format!("/v1/models/{name}")).await);
    let both = ask("both").await;
    assert_eq!((&both["context_length"], &both["max_output_tokens"]), (&json!(200_000), &json!(64_000)));
    // The dearer of the two, part by part; where `one` says nothing of caches, they cost what a prompt costs.
    assert_eq!(
        both["pricing"],
        json!({ "prompt": "0.000003", "completion": "0.00001", "input_cache_read": "0.00000125" })
    );
    // Anthropic takes no sound, so the model does not either.
    assert_eq!(both["architecture"]["input_modalities"], json!(["text", "image", "file"]));
    let half = ask("half").await;
    assert!(half.get("pricing").is_none() && half.get("context_length").is_none(), "{half}");
}
