//! Paths that can be read in two ways lead nowhere, whoever asks.

use super::{code, start};

#[tokio::test]
async fn no_spelling_of_a_path_goes_around_the_password() {
    let (_mock, gateway) = start("").await;
    for path in [
        "//admin/api/targets",
        "/admin//api/targets",
        "/./admin/api/targets",
        "/admin/./api/targets",
        "/healthz/../admin/api/targets",
        "/%61dmin/api/targets",
        "/admin/api/%74argets",
        "/%2e/admin/api/targets",
        "/healthz%2f..%2fadmin/api/targets",
        "/admin%2fapi/targets",
        "/admin/api/targets;x=1",
        "/admin;/api/targets",
        "/admin/api/targets%00",
        "/admin%5capi/targets",
        "/admin/api/targets/",
        "/ADMIN/api/targets",
        "/admin/api/keys/..%2ftargets",
        "/admin/api/keys/%2e%2e",
    ] {
        for client in [gateway.stranger(), gateway.admin()] {
            assert_eq!(code(&client.get(path).await, 404), "not_found", "{path}");
        }
    }
}

#[tokio::test]
async fn a_request_line_with_a_whole_url_and_a_doubled_host_are_refused() {
    let (_mock, gateway) = start("").await;
    let address = gateway.stranger().address().to_owned();
    for (line, host) in [
        (format!("GET http://{address}/healthz HTTP/1.1"), format!("host: {address}\r\n")),
        ("GET http://elsewhere/admin/api/targets HTTP/1.1".to_owned(), format!("host: {address}\r\n")),
        ("GET /healthz HTTP/1.1".to_owned(), format!("host: {address}\r\nhost: other\r\n")),
        ("GET /healthz HTTP/1.1".to_owned(), String::new()),
    ] {
        let mut open = gateway.stranger().connect().await;
        open.write(format!("{line}\r\n{host}connection: close\r\n\r\n").as_bytes()).await;
        assert!(open.head().await, "{line}");
        assert_eq!(open.status, 400, "{line} {host}");
    }
}

#[tokio::test]
async fn every_answer_forbids_to_keep_and_to_frame_it() {
    let (_mock, gateway) = start("").await;
    for path in ["/healthz", "/nothing", "/admin/api/targets"] {
        let reply = gateway.stranger().with("x-request-id", "my-own-id").get(path).await;
        assert_eq!(reply.header("cache-control"), "no-store", "{path}");
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{path}");
        assert!(reply.header("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
        assert_eq!(reply.header("x-request-id"), "my-own-id", "{path}");
    }
}

#[tokio::test]
async fn a_name_that_others_made_point_here_reads_no_metrics() {
    let (_mock, gateway) = start("").await;
    let address = gateway.stranger().address().to_owned();
    let port = address.rsplit_once(':').unwrap().1;
    for (host, status) in
        [(address.clone(), 200), (format!("localhost:{port}"), 200), (format!("evil.example:{port}"), 401)]
    {
        let mut open = gateway.stranger().connect().await;
        let head = format!("GET /metrics HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        open.write(head.as_bytes()).await;
        assert!(open.head().await);
        assert_eq!(open.status, status, "{host}");
    }
}
