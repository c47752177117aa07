//! Answers that keep to the contract's types and to nothing else.

use plugin_sdk::{
    Answer, Credential, Ending, Failure, FailureKind, Header, Loss, Step, UpstreamRequest, Usage,
};

pub(crate) fn request(mode: &str, mut honest: UpstreamRequest) -> UpstreamRequest {
    let header = |name: &str, value: &str| Header { name: name.to_owned(), value: value.to_owned() };
    match mode {
        "header-name" => honest.headers.push(header("an illegal name", "1")),
        "header-empty" => honest.headers.push(header("", "1")),
        "header-crlf" => honest.headers.push(header("x-note", "1\r\nauthorization: Bearer stolen")),
        "header-nul" => honest.headers.push(header("x-note", "1\0")),
        "authorization" => honest.headers.push(header("Authorization", "Bearer stolen")),
        "host" => honest.headers.push(header("host", "evil.example")),
        "length" => honest.headers.push(header("content-length", "3")),
        "framing" => honest.headers.push(header("Transfer-Encoding", "chunked")),
        "path-host" => "//evil.example/v1/chat/completions".clone_into(&mut honest.path),
        "path-url" => "http://evil.example/v1".clone_into(&mut honest.path),
        "path-blank" => "/v1/chat completions".clone_into(&mut honest.path),
        "path-crlf" => "/v1 HTTP/1.1\r\nhost: evil.example\r\n\r\n".clone_into(&mut honest.path),
        "path-up" => "/v1/../../admin".clone_into(&mut honest.path),
        "path-empty" => honest.path.clear(),
        "method" => "POST /evil HTTP/1.1\r\n\r\nPOST".clone_into(&mut honest.method),
        "method-connect" => "CONNECT".clone_into(&mut honest.method),
        "credential-name" => honest.credential = Credential::Header("an illegal name".to_owned()),
        "credential-host" => honest.credential = Credential::Header("host".to_owned()),
        "credential-framing" => honest.credential = Credential::Header("transfer-encoding".to_owned()),
        "credential-query" => honest.credential = Credential::Query("key HTTP/1.1\r\nx".to_owned()),
        "losses" => honest.losses = echoes(),
        "huge" => honest.body = vec![b' '; 100 << 20],
        _ => {}
    }
    honest
}

pub(crate) fn answer(mode: &str, mut honest: Answer) -> Answer {
    match mode {
        "nonsense" => honest.body = b"<html>no answer</html>".to_vec(),
        "bytes" => honest.body = vec![0xff, 0xfe, 0x00],
        "empty" => honest.body.clear(),
        "number" => honest.body = b"42".to_vec(),
        "list" => honest.body = b"[]".to_vec(),
        "shapeless" => honest.body = SHAPELESS.as_bytes().to_vec(),
        "deep" => honest.body = deep(),
        "usage" => honest.usage = Some(endless()),
        "tokens" => honest.body = with_endless_tokens(&honest.body),
        "losses" => honest.losses = echoes(),
        "huge" => honest.body = huge(),
        _ => {}
    }
    honest
}

pub(crate) fn step(mode: &str, mut honest: Step) -> Step {
    match mode {
        "nonsense" => honest.chunks = b"<html>no chunk</html>\n".to_vec(),
        "braces" => honest.chunks = b"{ \"choices\": nonsense }\n".to_vec(),
        "done" => honest.chunks = b"[DONE]\n".to_vec(),
        "error" => honest.chunks = b"{\"error\":{\"message\":\"forged\"}}\n".to_vec(),
        "bytes" => honest.chunks = vec![0xff, 0xfe, b'\n'],
        "unclosed" => drop(honest.chunks.pop()),
        "number" => honest.chunks = b"42\n".to_vec(),
        "list" => honest.chunks = b"[]\n".to_vec(),
        "shapeless" => honest.chunks = format!("{SHAPELESS}\n").into_bytes(),
        "index" => honest.chunks = format!("{INDEX}\n").into_bytes(),
        "deep" => honest.chunks = [deep().as_slice(), b"\n"].concat(),
        "usage" => honest.usage = Some(endless()),
        "losses" => honest.losses = echoes(),
        "huge" => honest.chunks = [huge().as_slice(), b"\n"].concat(),
        "open" => honest.ending = None,
        "twice" => honest.ending = Some(Ending::Complete),
        "failed" => honest.ending = Some(Ending::Failed(failure("huge", plugin_sdk::failure::malformed("")))),
        _ => {}
    }
    honest
}

pub(crate) fn failure(mode: &str, mut honest: Failure) -> Failure {
    match mode {
        "huge" => honest.message = "x".repeat(20 << 20),
        "forged" => {
            honest.kind = FailureKind::RateLimited;
            honest.message = "a\r\nset-cookie: stolen=1\0\u{1b}[2J".to_owned();
            honest.code = Some("\"},\"forged\":{\"".to_owned());
            honest.retry_after_ms = Some(u64::MAX);
        }
        _ => {}
    }
    honest
}

const SHAPELESS: &str = r#"{"id":1,"object":[],"created":"never","model":null,"choices":"none","usage":[]}"#;

const INDEX: &str = r#"{"id":"x","object":"chat.completion.chunk","created":0,"model":"m","choices":[{"index":4294967295,"delta":{"role":"assistant","tool_calls":[{"index":18446744073709551615,"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}],"reasoning_details":[{"index":18446744073709551615,"type":"reasoning.text","text":"t"}]}}]}"#;

fn deep() -> Vec<u8> {
    [vec![b'['; 200_000], vec![b']'; 200_000]].concat()
}

/// JSON that is right, and a hundred mebibytes long.
fn huge() -> Vec<u8> {
    let mut body = vec![b'x'; 100 << 20];
    let end = body.len() - 1;
    body[0] = b'"';
    body[end] = b'"';
    body
}

fn endless() -> Usage {
    let most = Some(u64::MAX);
    Usage {
        input: most,
        output: most,
        cache_read: most,
        cache_write: most,
        cache_write_long: most,
        reasoning: most,
        audio_input: most,
        audio_output: most,
        image_input: most,
        image_output: most,
    }
}

fn with_endless_tokens(body: &[u8]) -> Vec<u8> {
    let Ok(mut answer) = serde_json::from_slice::<serde_json::Value>(body) else { return Vec::new() };
    let most = u64::MAX;
    answer["usage"] = serde_json::json!({
        "prompt_tokens": most, "completion_tokens": most, "total_tokens": most,
        "prompt_tokens_details": { "cached_tokens": most, "cache_write_tokens": most, "cache_write_long_tokens": most },
        "completion_tokens_details": { "reasoning_tokens": most },
    });
    answer.to_string().into_bytes()
}

/// A hundred thousand losses, each of them the same mebibyte: 100 GB for a host that copies without counting.
fn echoes() -> Vec<Loss> {
    let mut text = vec![b'e'; 1 << 20];
    let (place, length) = (text.as_mut_ptr(), text.len());
    std::mem::forget(text);
    // SAFETY: none. The pieces overlap, which is the point; the memory is the guest's own, and it is thrown away.
    let piece = || unsafe { String::from_raw_parts(place, length, length) };
    (0..100_000).map(|_| Loss { field: piece(), reason: String::new() }).collect()
}
