//! Cases 1 to 11: who speaks when, and what must not get lost between turns.

use serde_json::{Value, json};

use crate::support::translation::*;

fn roles(asked: &Asked, turns: &str) -> Vec<String> {
    let role = |turn: &Value| turn["role"].as_str().unwrap_or_default().to_owned();
    asked.body[turns].as_array().unwrap().iter().map(role).collect()
}

#[test]
fn case_01_parallel_results_are_one_user_turn() {
    for vendor in [ANTHROPIC, BEDROCK] {
        let asked = vendor.gets(CHAT, &two_calls(["call_a", "call_b"]));
        assert_eq!(roles(&asked, "messages"), ["user", "assistant", "user"], "{asked:?}");
        assert_eq!(asked.body["messages"][2]["content"].as_array().unwrap().len(), 2, "{asked:?}");
    }
    let asked = GOOGLE.gets(CHAT, &two_calls(["call_a", "call_b"]));
    assert_eq!(roles(&asked, "contents"), ["user", "model", "user"], "{asked:?}");
    assert_eq!(asked.body["contents"][2]["parts"].as_array().unwrap().len(), 2, "{asked:?}");
}

#[test]
fn case_02_results_in_another_order_find_their_call() {
    let reversed = two_calls(["call_b", "call_a"]);
    let asked = ANTHROPIC.gets(CHAT, &reversed);
    for block in asked.body["messages"][2]["content"].as_array().unwrap() {
        let id = block["tool_use_id"].as_str().unwrap();
        assert_eq!(block["content"], format!("result of {id}"), "{asked:?}");
    }
    // Gemini's older models give calls no ids: there the order must be that of the calls.
    let asked = GOOGLE.gets(CHAT, &reversed);
    let parts = &asked.body["contents"][2]["parts"];
    assert_eq!(parts[0]["functionResponse"]["name"], "weather", "{asked:?}");
    assert!(parts[0].to_string().contains("result of call_a"), "{asked:?}");
    assert_eq!(parts[1]["functionResponse"]["name"], "clock", "{asked:?}");
    assert!(parts[1].to_string().contains("result of call_b"), "{asked:?}");
}

#[test]
fn case_03_a_result_stands_before_the_text_of_its_turn() {
    let calls = json!([call("call_a", "weather", "{}")]);
    let turns = json!([user("go"), calling(calls), result("call_a", "rain"), user("and now?")]);
    let asked = ANTHROPIC.gets(CHAT, &chat(turns, json!({ "tools": [function("weather")] })));
    let last = asked.body["messages"].as_array().unwrap().last().unwrap();
    assert_eq!(last["content"][0]["type"], "tool_result", "{asked:?}");
    assert_eq!(last["content"][1]["text"], "and now?", "{asked:?}");
}

#[test]
fn case_04_a_picture_as_result_follows_in_a_user_message_where_results_are_text() {
    let picture = json!({ "type": "image", "source": { "type": "base64", "media_type": "image/png", "data": "iVBORw0K" } });
    let turns = json!([
        user("go"),
        { "role": "assistant", "content": [{ "type": "tool_use", "id": "t1", "name": "camera", "input": {} }] },
        { "role": "user", "content": [{ "type": "tool_result", "tool_use_id": "t1", "content": [
            { "type": "text", "text": "seen" }, picture ] }] },
    ]);
    let tools = json!({ "tools": [{ "name": "camera", "input_schema": { "type": "object" } }] });
    for vendor in [OPENAI, AZURE] {
        let asked = vendor.gets(MESSAGES, &messages(turns.clone(), tools.clone()));
        assert_eq!(roles(&asked, "messages"), ["user", "assistant", "tool", "user"], "{asked:?}");
        assert!(!asked.body["messages"][2].to_string().contains("iVBORw0K"), "{asked:?}");
        assert!(
            asked.body["messages"][3].to_string().contains("data:image/png;base64,iVBORw0K"),
            "{asked:?}"
        );
    }
}

#[test]
fn case_05_instructions_in_the_middle_are_not_lost() {
    let system = json!({ "role": "system", "content": "be brief" });
    let turns = json!([user("one"), { "role": "assistant", "content": "two" }, system, user("three")]);
    for vendor in ALL {
        let asked = vendor.gets(CHAT, &chat(turns.clone(), json!({})));
        assert_eq!(texts(&asked.body).into_iter().filter(|text| *text == "be brief").count(), 1, "{asked:?}");
    }
    // Where instructions stand apart, they stand there.
    assert_eq!(ANTHROPIC.gets(CHAT, &chat(turns.clone(), json!({}))).body["system"], "be brief");
    assert_eq!(BEDROCK.gets(CHAT, &chat(turns, json!({}))).body["system"][0]["text"], "be brief");
}

#[test]
fn case_06_a_developer_is_a_system() {
    let turns = json!([{ "role": "developer", "content": "be brief" }, user("one")]);
    for vendor in ALL {
        let asked = vendor.gets(CHAT, &chat(turns.clone(), json!({})));
        assert!(texts(&asked.body).contains(&"be brief"), "{asked:?}");
        let kept = [AZURE.adapter, OPENAI.adapter].contains(&vendor.adapter);
        assert!(kept || !texts(&asked.body).contains(&"developer"), "{asked:?}");
    }
}

#[test]
fn case_07_several_instructions_are_all_kept() {
    let system = |text: &str| json!({ "role": "system", "content": text });
    let turns = json!([system("be brief"), system("be kind"), user("one")]);
    for vendor in ALL {
        let asked = vendor.gets(CHAT, &chat(turns.clone(), json!({})));
        let all = texts(&asked.body).join(" ");
        assert!(all.contains("be brief") && all.contains("be kind"), "{asked:?}");
    }
}

#[test]
fn case_08_content_that_says_nothing_makes_no_empty_block() {
    for empty in [json!(""), json!(null), json!([])] {
        let turns = json!([user("one"), { "role": "assistant", "content": empty }, user("two")]);
        for vendor in [ANTHROPIC, BEDROCK, GOOGLE] {
            let asked = vendor.gets(CHAT, &chat(turns.clone(), json!({})));
            assert!(!texts(&asked.body).contains(&""), "{asked:?}");
            let all = texts(&asked.body).join(" ");
            assert!(all.contains("one") && all.contains("two"), "{asked:?}");
        }
    }
}

#[test]
fn case_09_white_space_alone_is_dropped_and_nothing_invented() {
    let parts = json!([{ "type": "text", "text": " \n " }, { "type": "text", "text": "one" }]);
    for vendor in [ANTHROPIC, BEDROCK] {
        let asked = vendor.gets(CHAT, &chat(json!([user(parts.clone())]), json!({})));
        let said: Vec<_> =
            texts(&asked.body["messages"]).into_iter().filter(|text| *text != "text").collect();
        assert_eq!(said, ["one", "user"], "{asked:?}");
    }
}

#[test]
fn case_10_questions_in_a_row_are_merged_where_roles_must_alternate() {
    let turns = json!([user("one"), user("two")]);
    let asked = BEDROCK.gets(CHAT, &chat(turns.clone(), json!({})));
    assert_eq!(roles(&asked, "messages"), ["user"], "{asked:?}");
    for vendor in ALL {
        let asked = vendor.gets(CHAT, &chat(turns.clone(), json!({})));
        let all = texts(&asked.body).join(" ");
        assert!(all.find("one").unwrap() < all.find("two").unwrap(), "{asked:?}");
    }
}

#[test]
fn case_11_an_assistant_may_speak_first() {
    let turns = json!([{ "role": "assistant", "content": "hello" }, user("one")]);
    for vendor in ALL {
        let asked = vendor.gets(CHAT, &chat(turns.clone(), json!({})));
        let all = texts(&asked.body).join(" ");
        assert!(all.find("hello").unwrap() < all.find("one").unwrap(), "{asked:?}");
    }
}
