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
