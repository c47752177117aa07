//! What a proxy's answer says. The ways through proxies are tried in the integration tests.

use super::*;

#[test]
fn a_status_line_is_read_whatever_its_reason() {
    for (head, expected) in [
        ("HTTP/1.1 200 Connection established\r\n\r\n", Some((200, "Connection established"))),
        ("HTTP/1.0 200\r\n\r\n", Some((200, ""))),
        ("HTTP/1.1 407 Who\u{7} are you?\r\nproxy-authenticate: Basic\r\n\r\n", Some((407, "Who are you?"))),
        ("HTTP/2 200 OK\r\n\r\n", None),
        ("SSH-2.0-OpenSSH\r\n\r\n", None),
        ("HTTP/1.1 abc\r\n\r\n", None),
    ] {
        let expected = expected.map(|(status, reason)| (status, reason.to_owned()));
        assert_eq!(status(head.as_bytes()), expected, "{head}");
    }
}

#[tokio::test]
async fn a_head_is_read_to_its_end_and_no_further() {
    let mut bytes = &b"HTTP/1.1 200 OK\r\nvia: x\r\n\r\nrest"[..];
    let head = read_head(&mut bytes).await.expect("a head");
    assert!(head.ends_with(b"via: x\r\n\r\n"));
    assert_eq!(bytes, b"rest");
    let cut = read_head(&mut &b"HTTP/1.1 200 OK\r\n"[..]).await.expect_err("cut");
    assert!(cut.contains("without an answer"), "{cut}");
    let endless = vec![b'x'; MAX_HEAD + 1];
    assert!(read_head(&mut endless.as_slice()).await.is_err());
}
