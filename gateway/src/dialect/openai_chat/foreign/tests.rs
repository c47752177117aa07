//! A mark goes out with a value, comes back with it, and is never seen by an adapter.

use serde_json::{Value, json};

use super::{marked, unmarked, without};

#[test]
fn what_goes_out_marked_comes_back_unmarked() {
    let extra = json!({ "google": { "thought_signature": "s" } });
    let message = json!({ "role": "assistant", "extra_content": extra, "content": [{ "type": "text", "text": "\"extra_content\":{\"", "extra_content": extra }],
        "tool_calls": [{ "id": "1", "extra_content": extra }, { "id": "2", "extra_content": {} }] });
    let sent = marked(message.to_string().as_bytes()).into_owned();
    let sent: Value = serde_json::from_slice(&sent).unwrap();
    for place in ["/extra_content", "/content/0/extra_content", "/tool_calls/0/extra_content"] {
        assert_eq!(sent.pointer(place).unwrap()["causeway"], true, "{place}");
    }
    let body = |message: &Value| format!("{{ \"messages\": [{{\"role\":\"user\"}}, {message}] , \"n\":1.0}}");
    let back = unmarked(body(&sent).as_bytes()).unwrap();
    assert_eq!(std::str::from_utf8(&back).unwrap(), body(&message));
    assert_eq!(unmarked(body(&message).as_bytes()), None);

    let bare = json!({ "role": "assistant", "content": [{ "type": "text", "text": "\"extra_content\":{\"" }],
        "tool_calls": [{ "id": "1" }, { "id": "2", "extra_content": {} }] });
    assert_eq!(without(&sent.to_string()), Some(bare.to_string()));
    assert_eq!(without(&message.to_string()), None, "another's stays");
}
