//! Downloads from servers that live for one test, on this machine.

mod servers;

use std::io::Write;
use std::net::TcpListener;

use servers::{fixture, listen, proxy, server};

use super::*;
use crate::error::exit_code;
use crate::host::network::{CaCert, Proxy};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

fn network(proxy: Option<&str>) -> Network {
    let proxy = proxy.map(|text| Proxy::parse(text).unwrap());
    let ca_cert = CaCert::read(&fixture("ca.pem")).unwrap();
    Network::new(proxy, Some(ca_cert), |_| None).unwrap()
}

fn get(url: &str, network: &Network) -> Result<Vec<u8>> {
    match Http::new(network).get(url, 100, Caches::Used)? {
        Fetched::Found(bytes) => Ok(bytes),
        Fetched::Absent => anyhow::bail!("absent"),
    }
}

fn fetch_error(url: &str, network: &Network) -> FetchError {
    let error = get(url, network).unwrap_err();
    error.downcast().unwrap()
}

#[test]
fn an_added_authority_is_trusted() {
    let url = server("server.pem", &[OK]);
    assert_eq!(get(&url, &network(None)).unwrap(), b"hello");
}

#[test]
fn fault_08_a_certificate_of_an_unknown_authority_names_the_cure() {
    let url = server("server.pem", &[OK]);
    let Ok(client) = set_up(&Network::default(), &Arc::default(), true) else {
        return; // this machine trusts nobody
    };
    let http = Http {
        client: OnceLock::from(client),
        ..Http::default()
    };
    let error = http.get(&url, 100, Caches::Used).unwrap_err();
    assert_eq!(exit_code(&error), 5);
    assert!(error.to_string().contains("--ca-cert FILE"), "{error}");
}

#[test]
fn fault_08_a_certificate_for_another_name_is_refused() {
    let error = get(&server("another-name.pem", &[OK]), &network(None)).unwrap_err();
    assert_eq!(exit_code(&error), 5);
    assert!(error.to_string().contains("another name"), "{error}");
}

#[test]
fn fault_11_a_certificate_out_of_its_time_names_the_clock() {
    for (certificate, fault) in [
        ("expired.pem", "expired on 2026-02-01 00:00 UTC"),
        ("future.pem", "is valid only from 2125-01-01 00:00 UTC"),
    ] {
        let error = get(&server(certificate, &[OK]), &network(None)).unwrap_err();
        assert_eq!(exit_code(&error), 5);
        let text = error.to_string();
        assert!(text.contains(fault), "{text}");
        let today = jiff::Timestamp::now()
            .strftime("clock, which says %Y-")
            .to_string();
        assert!(text.contains(&today), "{text}");
    }
}

#[test]
fn a_download_that_has_no_time_left_is_too_slow() {
    let url = Url::parse(&server("server.pem", &[OK])).unwrap();
    let http = Http::new(&network(None));
    http.client().unwrap();
    let range = RangeRequest {
        from: 0,
        limit: 100,
        caches: Caches::Used,
    };
    let begun = Instant::now();
    let deadline = begun.checked_sub(Duration::from_secs(1)).unwrap();
    let Fetched::Found(mut body) = http.ask(&url, range, Span { begun, deadline }).unwrap() else {
        panic!("it is there");
    };
    let error = body.read_all(100).unwrap_err();
    assert!(matches!(error, FetchError::TooSlow { .. }), "{error:?}");
    assert!(!error.is_passing());
}

#[test]
fn a_file_that_the_server_does_not_give_is_not_one_that_is_missing() {
    let answer = |status| format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n");
    let error = fetch_error(&server("server.pem", &[&answer(403)]), &network(None));
    assert!(
        matches!(error, FetchError::Status { status: 403, .. }),
        "{error:?}"
    );
    assert!(
        error.to_string().contains("does not give that file"),
        "{error}"
    );
    for status in [404, 410] {
        let error = get(&server("server.pem", &[&answer(status)]), &network(None)).unwrap_err();
        assert_eq!(error.to_string(), "absent", "{status}");
    }
}

/// A server that sends all who ask it to this address.
fn redirecting(to: &str) -> String {
    let answer = format!(
        "HTTP/1.1 302 Elsewhere\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    server("server.pem", &[&answer])
}

#[test]
fn a_redirect_is_followed_and_whoever_fails_behind_it_is_told_with_whoever_sent_us_there() {
    let there = server("server.pem", &[OK]);
    assert_eq!(get(&redirecting(&there), &network(None)).unwrap(), b"hello");
    let closed = TcpListener::bind("127.0.0.2:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let error_of = |to: &str| fetch_error(&redirecting(to), &network(None));
    let refused = error_of(&format!("https://{closed}/key"));
    assert!(
        matches!(refused.innermost(), FetchError::Refused(_)),
        "{refused:?}"
    );
    assert!(refused.is_passing());
    let text = refused.to_string();
    assert!(
        text.starts_with("127.0.0.1 redirects to 127.0.0.2, and 127.0.0.2 refuses connections"),
        "{text}"
    );
    let unsafe_way = error_of("http://mirror.example/key").to_string();
    assert!(
        unsafe_way.contains("redirects to http://mirror.example, which is not HTTPS"),
        "{unsafe_way}"
    );
    let circles = error_of("/key");
    assert!(matches!(circles, FetchError::Circles { .. }), "{circles:?}");
}

#[test]
fn the_page_of_a_server_that_gives_no_file_is_shown_as_text_on_a_line_of_its_own() {
    let page = "<html><head><title>403</title></head><body><h2>Blocked in your\x1b[2J country: \
                docker run evil</h2></body></html>";
    let answer = format!(
        "HTTP/1.1 403 No\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n{page}",
        page.len()
    );
    let error = fetch_error(&server("server.pem", &[&answer]), &network(None));
    let text = error.to_string();
    let (ours, theirs) = text.split_once('\n').unwrap();
    assert!(ours.ends_with("--mirror URL"), "{ours}");
    assert_eq!(
        theirs,
        "its page says: Blocked in your [2J country: docker run evil"
    );
    let next = crate::error::next_command(&error.into(), Some("install"));
    assert_eq!(next, "sudo dockstrap doctor");
}

#[test]
fn a_server_in_trouble_is_asked_again() {
    let busy = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let cut_off = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nhel";
    let url = server("server.pem", &[busy, cut_off, OK]);
    assert_eq!(get(&url, &network(None)).unwrap(), b"hello");
    let error_of = |answer| fetch_error(&server("server.pem", &[answer]), &network(None));
    assert!(matches!(
        error_of(busy),
        FetchError::Status { status: 503, .. }
    ));
    let error = error_of(cut_off);
    assert!(
        matches!(error, FetchError::CutOff { received: 3, .. }),
        "{error:?}"
    );
}

#[test]
fn an_endless_answer_is_too_large() {
    let endless = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(101));
    let error = fetch_error(&server("server.pem", &[&endless]), &network(None));
    assert!(
        matches!(error, FetchError::TooLarge { limit: 100, .. }),
        "{error:?}"
    );
}

#[test]
fn fault_07_a_refused_connection_is_named() {
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let url = format!("https://{closed}/");
    let error = fetch_error(&url, &network(None));
    assert!(matches!(error, FetchError::Refused(_)), "{error:?}");
    let error = self::fetch_error(&url, &network(Some(&format!("me:word@{closed}")))).to_string();
    assert!(
        error.starts_with("the proxy http://***@127.0.0.1"),
        "{error}"
    );
}

#[test]
fn fault_07_a_name_that_no_server_knows_is_named() {
    struct Nobody;
    impl reqwest::dns::Resolve for Nobody {
        fn resolve(&self, _: reqwest::dns::Name) -> reqwest::dns::Resolving {
            Box::pin(std::future::ready(Err("no record found".into())))
        }
    }
    let client = builder().tls_certs_only([]).dns_resolver(Arc::new(Nobody));
    let http = Http {
        client: OnceLock::from(client.build().unwrap()),
        ..Http::default()
    };
    let error = http
        .get("https://download.docker.com/", 100, Caches::Used)
        .unwrap_err();
    let error: FetchError = error.downcast().unwrap();
    assert!(matches!(error, FetchError::NoName(_)), "{error:?}");
    assert!(
        error
            .to_string()
            .contains("resolvectl query download.docker.com")
    );
}

#[test]
fn fault_14_a_connection_that_stalls_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/", silent.local_addr().unwrap());
    let client = builder()
        .tls_certs_only([])
        .timeout(Duration::from_millis(100));
    let http = Http {
        client: OnceLock::from(client.build().unwrap()),
        ..Http::default()
    };
    let error = http.get(&url, 100, Caches::Used).unwrap_err();
    let error: FetchError = error.downcast().unwrap();
    assert!(matches!(error, FetchError::Stalled { .. }), "{error:?}");
}

#[test]
fn fault_13_a_proxy_gets_its_password_and_nobody_sees_it() {
    let url = server("server.pem", &[OK]);
    let address = proxy("200");
    let with = |user: &str| network(Some(&format!("http://{user}{address}")));
    assert_eq!(get(&url, &with("me:word@")).unwrap(), b"hello");
    let without = fetch_error(&url, &with("")).to_string();
    assert!(
        without.contains("wants a user name and a password"),
        "{without}"
    );
    let wrong = fetch_error(&url, &with("me:other@")).to_string();
    assert!(
        wrong.contains(&format!("http://***@{address} does not take")),
        "{wrong}"
    );
    assert!(!wrong.contains("other"), "{wrong}");
}

#[test]
fn a_proxy_that_lets_nobody_through_is_named() {
    let address = proxy("403");
    let network = network(Some(&format!("me:word@{address}")));
    let error = fetch_error("https://download.docker.com/", &network);
    assert!(
        matches!(error, FetchError::ProxyRefused { .. }),
        "{error:?}"
    );
}

#[test]
fn what_does_not_speak_tls_is_named() {
    let address = listen(|mut stream, _| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
    });
    let error = fetch_error(&format!("https://{address}/"), &network(None));
    assert!(matches!(error, FetchError::NoTls { .. }), "{error:?}");
}

#[test]
fn an_answer_to_a_range_says_where_it_begins() {
    let partial = |range| first_byte(StatusCode::PARTIAL_CONTENT, range);
    assert_eq!(partial(Some("bytes 700-1023/1024")), Some(700));
    assert_eq!(partial(Some("bytes 700-1023/*")), Some(700));
    assert_eq!(partial(Some("bytes */1024")), None);
    assert_eq!(partial(Some("lines 1-2/3")), None);
    assert_eq!(partial(None), None);
}

#[test]
fn a_server_that_ignores_a_range_begins_with_the_first_byte() {
    assert_eq!(first_byte(StatusCode::OK, None), Some(0));
    let past_the_end = Some("bytes */9");
    assert_eq!(
        first_byte(StatusCode::RANGE_NOT_SATISFIABLE, past_the_end),
        None
    );
}
