use super::*;

#[test]
fn a_mirror_is_a_plain_http_address() {
    for right in [
        "https://mirror.example:5000/",
        "http://10.0.0.1",
        "HTTPS://mirror.example",
        "https://[fd00::1]:5000",
        "https://mirror.example:99999",
        "https://<id>.mirror.example",
        "https://*.mirror.example/a b/",
        "https://\u{955c}\u{50cf}.example",
    ] {
        assert_eq!(mirror_fault(right), None, "{right}");
    }
    for wrong in [
        "",
        "mirror.example",
        " https://mirror.example",
        "ftp://mirror.example",
        "https://user:word@mirror.example",
        "https://mirror.example/?a=b",
        "https://mirror.example#a",
        "https://mirror.exam ple",
        "https://mirror.example ",
        "https://mirror.example:abc",
        "https://[fd00::1",
        "https://[fd00::1]5000",
        "https://mirror.example\n",
    ] {
        let severity = mirror_fault(wrong).map(|(severity, _)| severity);
        assert_eq!(severity, Some(Severity::Error), "{wrong}");
    }
    for idle in ["https://", "https://:5000", "https:mirror.example"] {
        let wants_slashes = !idle.contains("://");
        let newer = mirror_fault_for(idle, EngineRelease(28, 3)).map(|(severity, _)| severity);
        assert_eq!(newer == Some(Severity::Error), wants_slashes, "{idle}");
        let older = mirror_fault_for(idle, EngineRelease(28, 2));
        assert_eq!(older, mirror_fault(idle), "{idle}");
        let severity = mirror_fault(idle).map(|(severity, _)| severity);
        assert_eq!(severity, Some(Severity::Warning), "{idle}");
    }
}

#[test]
fn an_address_has_a_scheme_a_host_and_perhaps_a_port() {
    let read = address("udp://me@[fd00::1]:514/x").unwrap();
    assert_eq!((read.scheme, read.host), ("udp", "fd00::1"));
    assert_eq!((read.port, read.rest), ("514", "/x"));
    for wrong in [
        "10.0.0.1:514",
        "udp://a b",
        "udp://a:x",
        "udp://[fd00::1",
        "://a",
    ] {
        assert_eq!(address(wrong), None, "{wrong}");
    }
}

/// Each was shown to dockerd 26.1 and 28.5, which did not start with the wrong ones.
#[test]
fn registries_hosts_and_domains_are_told_as_dockerd_tells_them() {
    for right in [
        "registry.lab:5000",
        "http://registry.lab:5000",
        "HTTPS://registry.lab",
        "10.0.0.1/8",
        "fd00::1/64",
        "fd00::1",
        "[fd00::1]",
        "[fd00::1]:5000",
        "Registry.Lab:5000",
    ] {
        assert_eq!(registry_fault(right), None, "{right}");
    }
    for wrong in [
        "",
        "ftp://registry.lab",
        "registry.lab/path",
        "http://registry.lab/",
        "10.0.0.0/33",
        "registry.lab:99999",
        "registry.lab:x",
        "registry.lab:",
        "-registry",
        "registry-",
        "under_score.lab",
        "*.lab",
        "registry lab",
    ] {
        assert!(registry_fault(wrong).is_some(), "{wrong}");
    }
    for right in [
        "unix:///run/x.sock",
        "tcp://127.0.0.1",
        "127.0.0.1:2375",
        "tcp://:2375",
        "2375",
        "localhost",
        "unix://",
        "fd://",
        "npipe:////./pipe/x",
        "tcp://[::1]:2375",
    ] {
        assert_eq!(listener_fault(right), None, "{right}");
    }
    for wrong in [
        "tcp://127.0.0.1:x",
        "tcp://127.0.0.1:2375/path",
        "http://127.0.0.1",
        "unix:///a://b",
        "tcp://127.0.0.1:99999",
    ] {
        assert!(listener_fault(wrong).is_some(), "{wrong}");
    }
    for right in ["127.0.0.1:9323", "[::1]:9323", "localhost:9323"] {
        assert!(is_host_port(right), "{right}");
    }
    for wrong in [
        "9323",
        ":9323",
        "127.0.0.1",
        "127.0.0.1:x",
        "tcp://127.0.0.1:9323",
    ] {
        assert!(!is_host_port(wrong), "{wrong}");
    }
    assert!(is_search_domain("example.com.") && is_search_domain("."));
    for wrong in ["a b", "under_score.lab", "-a.lab", "123"] {
        assert!(!is_search_domain(wrong), "{wrong}");
    }
}

#[test]
fn a_proxy_needs_a_host_that_can_be_found() {
    for right in [
        "proxy.lab:3128",
        "http://me:word@proxy.lab",
        "socks5://[::1]:1080",
        "http://:3128",
    ] {
        assert_eq!(proxy_fault(right), None, "{right}");
    }
    for wrong in [
        "http://proxy lab",
        "http://",
        "http://proxy.lab:x",
        "://x",
        "http://a:99999",
    ] {
        assert!(proxy_fault(wrong).is_some(), "{wrong}");
    }
    assert!(is_known_proxy("proxy.lab:3128") && !is_known_proxy("ftp://proxy.lab"));
}
