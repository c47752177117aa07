//! The default URL, with options filled in.

use std::collections::BTreeMap;

use serde_json::json;

use super::url;

fn made(default_url: &str, options: serde_json::Value) -> Result<String, String> {
    let schema = json!({"properties": {
        "location": {"default": "global", "x-in-url": {"global": "all", "*": "*-one"}},
        "zone": {"type": "string"}
    }});
    let options: BTreeMap<_, _> = serde_json::from_value(options).expect("an object");
    url(default_url, &schema.to_string(), &options)
}

#[test]
fn options_stand_in_the_url_as_the_schema_says() {
    for (default_url, options, expected) in [
        ("https://a.com/v1", json!({}), Ok("https://a.com/v1")),
        ("https://{location}.a.com", json!({}), Ok("https://all.a.com")),
        ("https://{location}.a.com", json!({"location": "global"}), Ok("https://all.a.com")),
        ("https://{location}.a.com", json!({"location": "us-east1"}), Ok("https://us-east1-one.a.com")),
        ("https://{location}.{zone}.com", json!({"zone": "z"}), Ok("https://all.z.com")),
        ("https://{zone}.com", json!({}), Err("needs a `url`, or `options.zone`")),
        ("https://{zone}.com", json!({"zone": "evil.com/"}), Err("cannot make a url of `options.zone`")),
        ("https://{zone}.com", json!({"zone": ""}), Err("cannot make a url of `options.zone`")),
        ("https://{zone", json!({"zone": "z"}), Err("has a default url with an open brace")),
        ("", json!({}), Err("has no default url; give one")),
    ] {
        let made = made(default_url, options);
        assert_eq!(made.as_deref().map_err(String::as_str), expected, "{default_url}");
    }
}
