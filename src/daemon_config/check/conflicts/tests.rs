use crate::daemon_config::check::host_facts::HostFacts;
use crate::daemon_config::check::tests::{findings, findings_in, findings_of};
use crate::daemon_config::{Context, Document, EngineRelease, check};

fn in_a_swarm(text: &str) -> String {
    let around = HostFacts {
        is_swarm_member: true,
        ..HostFacts::default()
    };
    findings_in(text, &around)
}

#[test]
fn a_member_of_a_swarm_starts_neither_with_live_restore_nor_with_nftables() {
    assert!(in_a_swarm(r#"{"live-restore": true}"#).contains("error: line 1, column 2"));
    assert_eq!(in_a_swarm(r#"{"live-restore": false}"#), "");
    assert_eq!(findings(r#"{"live-restore": true}"#), "");
    let nftables = r#"{"firewall-backend": "nftables"}"#;
    assert!(in_a_swarm(nftables).contains("works with iptables, or"));
    assert_eq!(
        in_a_swarm(r#"{"firewall-backend": "nftables", "iptables": false}"#),
        ""
    );
    assert_eq!(findings(nftables), "");
    let feature = r#"{"firewall-backend": "nftables", "features": {"swarm-nftables": true}}"#;
    assert_eq!(in_a_swarm(feature), "");
}

#[test]
fn a_conflict_matters_from_its_engine_on() {
    let under = |text: &str, engine| {
        let context = Context {
            engine: Some(engine),
            ..Context::default()
        };
        findings_of(text, &context)
    };
    let embedded = r#"{"cri-containerd": true, "features": {"embedded-containerd": true}}"#;
    assert_eq!(under(embedded, EngineRelease(29, 6)), "");
    let found = under(embedded, EngineRelease(29, 7));
    assert!(
        found.contains("error: line 1, column 39: features.embedded"),
        "{found}"
    );
    let remapped = r#"{"userns-remap": "default", "features": {"containerd-snapshotter": true}}"#;
    assert_eq!(under(remapped, EngineRelease(28, 5)), "");
    assert!(under(remapped, EngineRelease(29, 0)).starts_with("error"));
}

#[test]
fn a_resource_is_one_number_or_a_set_of_names() {
    let found = |list: &str| findings(&format!(r#"{{"node-generic-resources": [{list}]}}"#));
    assert_eq!(found(r#""gpu=2", "fpga=a", "fpga=b""#), "");
    for (list, fault) in [
        (r#""gpu=1", "gpu=GPU-2""#, "1: mixes a number"),
        (r#""gpu=1", "gpu=2""#, "1: mixes a number"),
        (r#""gpu=-1""#, "0: is less than nothing"),
        (r#""gpu=a=b""#, "0: has more than one value"),
    ] {
        assert!(found(list).contains(fault), "{list}: {}", found(list));
    }
}

#[test]
fn pairs_that_dockerd_does_not_start_with_are_errors() {
    for wrong in [
        r#"{"icc": false, "iptables": false}"#,
        r#"{"icc": false, "ipv6": true, "ip6tables": false}"#,
    ] {
        assert!(
            findings(wrong).contains("icc: dockerd does not start"),
            "{wrong}"
        );
    }
    assert!(findings(r#"{"bridge": "br0", "bip": "10.1.0.1/24"}"#).contains("bip: is"));
    for sound in [
        r#"{"icc": true, "iptables": false}"#,
        r#"{"icc": false, "ip6tables": false}"#,
        r#"{"bridge": "br0", "bip": ""}"#,
    ] {
        assert_eq!(findings(sound), "", "{sound}");
    }
}

#[test]
fn user_namespaces_and_the_containerd_store_are_an_odd_pair() {
    let both = r#"{"userns-remap": "default", "features": {"containerd-snapshotter": true}}"#;
    assert!(findings(both).contains("features.containerd-snapshotter: engine 29 does not start"));
    assert_eq!(findings(r#"{"userns-remap": "default"}"#), "");
}

#[test]
fn a_data_root_says_that_images_of_containerd_are_not_in_it() {
    let text = r#"{"data-root": "/srv"}"#;
    assert!(findings(text).contains("they fill /var/lib/containerd"));
    for covered in [
        r#"{"data-root": "/var/lib/docker"}"#,
        r#"{"data-root": "/srv", "features": {"containerd-snapshotter": false}}"#,
        r#"{"data-root": "/srv", "userns-remap": "default"}"#,
        r#"{"data-root": "/srv", "storage-driver": "overlay2"}"#,
    ] {
        assert_eq!(findings(covered), "", "{covered}");
    }
    let document = Document::parse(text.as_bytes()).unwrap();
    let context = Context {
        engine: Some(EngineRelease(28, 5)),
        ..Context::default()
    };
    assert_eq!(check(&document, &context), []);
}

#[test]
fn labels_have_one_value_each() {
    assert_eq!(findings(r#"{"labels": ["a=1", "b=1", "a=1"]}"#), "");
    assert!(findings(r#"{"labels": ["a"]}"#).contains("has no value; write \"name=value\""));
    let twice = findings(r#"{"labels": ["a=1", "a=2"]}"#);
    assert!(
        twice.contains("labels.1: a has another value before"),
        "{twice}"
    );
    let reserved = findings(r#"{"labels": ["IO.docker.x=1"]}"#);
    assert!(
        reserved.contains("labels.0: io.docker.* is reserved"),
        "{reserved}"
    );
}

#[test]
fn a_default_runtime_is_among_the_runtimes() {
    assert!(findings(r#"{"default-runtime": "crun"}"#).contains("one that is not among runtimes"));
    for sound in [
        r#"{"default-runtime": "runc"}"#,
        r#"{"default-runtime": "io.containerd.runsc.v1"}"#,
        r#"{"default-runtime": "crun", "runtimes": {"crun": {"path": "crun"}}}"#,
    ] {
        assert_eq!(findings(sound), "", "{sound}");
    }
}

#[test]
fn a_storage_driver_that_is_gone_is_an_error() {
    let found = findings(r#"{"storage-driver": "devicemapper"}"#);
    assert!(
        found.contains("has it no more; write \"overlay2\""),
        "{found}"
    );
}
