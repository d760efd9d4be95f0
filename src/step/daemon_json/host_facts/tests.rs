use super::*;
use crate::host::stub::StubHost;

fn facts_of(stub: &StubHost, text: &str) -> HostFacts {
    read(stub.host(), &Document::parse(text.as_bytes()).unwrap()).unwrap()
}

#[test]
fn a_program_is_looked_for_where_containerd_looks() {
    let text = r#"{"runtimes": {"a": {"path": "crun"}}}"#;
    let stub = StubHost::new()
        .program("systemctl", "")
        .file("/usr/local/bin/crun", "");
    assert_eq!(
        facts_of(&stub, text).paths["crun"],
        PathKind::Nothing,
        "no program"
    );
    stub.set_mode("/usr/local/bin/crun", 0o755);
    assert_eq!(facts_of(&stub, text).paths["crun"], PathKind::Program);
    let stub = stub.program("systemctl", "echo Environment=PATH=/opt/bin");
    assert_eq!(facts_of(&stub, text).paths["crun"], PathKind::Nothing);
}

#[test]
fn a_bridge_is_looked_for_among_the_devices() {
    let stub = StubHost::new()
        .program("systemctl", "")
        .folder("/sys/class/net/lan0/bridge");
    let absent = |name: &str| facts_of(&stub, &format!(r#"{{"bridge": "{name}"}}"#)).absent_bridge;
    for there in ["lan0", "none", "docker0", ""] {
        assert_eq!(absent(there), None, "{there}");
    }
    assert_eq!(absent("lan1").as_deref(), Some("lan1"));
}

#[test]
fn routes_of_every_table_count() {
    let stub = StubHost::new().program(
        "ip",
        "case $1 in -4) echo '10.8.0.0/16 dev wg0 table 51820' ;; esac",
    );
    assert_eq!(facts_of(&stub, "{}").routes.len(), 1);
}

#[test]
fn a_foreign_host_is_an_address_of_others_or_an_unknown_name() {
    let stub = StubHost::new().program("getent", "test $2 = known || exit 2");
    let names = [
        "127.0.0.1",
        "::1",
        "0.0.0.0",
        "192.0.2.1",
        "known",
        "unknown",
    ];
    let foreign = foreign_hosts(stub.host(), names.map(str::to_owned).into()).unwrap();
    assert!(foreign.contains("192.0.2.1") && foreign.contains("unknown"));
    assert!(!foreign.contains("127.0.0.1") && !foreign.contains("known"));
}
