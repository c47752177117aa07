//! Paths against data.

use serde_json::{Value, json};

use super::{Place, resolve};

fn sample() -> Value {
    json!({
        "messages": [
            { "role": "user", "content": "first" },
            { "role": "assistant", "content": [{ "type": "text", "text": "second" }] },
            { "role": "user", "content": [{ "type": "text", "text": "third" }, { "type": "image" }] },
        ],
        "settings": { "temperature": 0, "arguments": "{\"city\":\"Oslo\",\"days\":2}" },
    })
}

#[test]
fn paths_lead_where_they_say() {
    for (path, found) in [
        ("settings.temperature", json!([0])),
        ("messages[0].content", json!(["first"])),
        ("messages[-1].content[0].text", json!(["third"])),
        ("messages[role=user].role", json!(["user", "user"])),
        ("messages[*].content[*].text", json!(["second", "third"])),
        ("messages[role=user].content[type=text].text", json!(["third"])),
        ("messages[role=user&content=first].content", json!(["first"])),
        ("messages[7].content", json!([])),
        ("nowhere.at.all", json!([])),
    ] {
        let sample = sample();
        assert_eq!(json!(resolve(&sample, path)), found, "{path}");
    }
}

#[test]
fn a_value_stands_in_its_place_or_not() {
    for (place, value, holds) in [
        (json!("messages[role=user]"), json!("thi"), true),
        (json!("messages[role=assistant]"), json!("third"), false),
        (json!("messages"), json!(["first", "second", "third"]), true),
        (json!("messages"), json!(["second", "first"]), false),
        (json!("settings.temperature"), json!(0.0), true),
        (json!("settings.temperature"), json!(1), false),
        (json!("settings.arguments"), json!({ "city": "Oslo" }), true),
        (json!("settings.arguments"), json!({ "city": "Rome" }), false),
        (json!({ "at": "messages[0].role", "is": "user" }), json!("anything"), true),
        (json!({ "at": "messages[*].role", "join": true }), json!("userassistantuser"), true),
        (json!(["messages[1]", "messages[2]"]), json!("third"), true),
        (json!({ "none": "no such thing" }), json!("third"), false),
        (json!({ "absent": "settings.top_p" }), json!("third"), true),
        (json!({ "absent": "settings.temperature" }), json!("third"), false),
    ] {
        let read: Place = serde_json::from_value(place.clone()).expect("a place");
        assert_eq!(read.holds(&sample(), &value), holds, "{place} {value}");
    }
}
