//! Every key that the table calls reloadable, shown by a real engine on SIGHUP.

use dockstrap::reference::daemon_config::{EngineRelease, Key, Reload, Support, key, keys};
use serde_json::{Value, json};

use crate::host::LabHost;
use crate::interruption::wait_until;
use crate::neighbour::Neighbour;

const FILE: &str = "/etc/docker/daemon.json";
const PLUGIN: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/lab/support/authorization.py"
);

/// A value for each reloadable key that is not the engine's own, and what the engine's account of
/// its configuration shows of it.
fn value(key: &str) -> (Value, Value) {
    let same = |value: Value| (value.clone(), value);
    match key {
        "debug" | "live-restore" => same(json!(true)),
        "labels" => same(json!(["site=lab"])),
        "insecure-registries" => same(json!(["registry.lab:5000"])),
        "registry-mirrors" => same(json!(["https://mirror.lab"])),
        "max-concurrent-downloads" => same(json!(7)),
        "max-concurrent-uploads" => same(json!(8)),
        "max-download-attempts" => same(json!(9)),
        "shutdown-timeout" => same(json!(21)),
        "default-stop-timeout" => same(json!(22)),
        "default-shm-size" => (json!("32m"), json!(32 << 20)),
        "default-ipc-mode" => same(json!("shareable")),
        "default-cgroupns-mode" => same(json!("host")),
        "default-runtime" => same(json!("other")),
        "features" => same(json!({"buildkit": true})),
        "nri-opts" => same(json!({"enable": true})),
        other => panic!("no value to try {other} with"),
    }
}

/// What the engine wrote of its configuration when it was last reloaded.
fn reloaded(host: &LabHost, text: &str) -> Value {
    host.write(FILE, text);
    let count =
        "journalctl --unit=docker --output=cat | grep --count 'Reloaded configuration' || true";
    let before = host.sh(count).stdout;
    host.sh("systemctl reload docker.service");
    host.sh(&format!(
        "for _ in $(seq 100); do [ \"$({count})\" = \"{}\" ] || exit 0; sleep 0.1; done; exit 1",
        before.trim()
    ));
    let lines = host.sh("journalctl --unit=docker --output=cat").stdout;
    let line = lines
        .lines()
        .rfind(|line| line.contains("Reloaded configuration"));
    // Quoted, in the message or behind it.
    let line = line.expect("a line");
    let quoted = &line[line.find('{').expect("{")..=line.rfind('}').expect("}")];
    let json: String = serde_json::from_str(&format!("\"{quoted}\"")).expect("a quoted text");
    serde_json::from_str(&json).expect("JSON")
}

fn version(host: &LabHost) -> EngineRelease {
    let version = host
        .sh("docker version --format '{{.Server.Version}}'")
        .stdout;
    EngineRelease::of(version.trim()).expect("a version")
}

/// The reloadable keys of the table, by whether this engine knows them. Those that it does not know
/// are not shown here, and so they must be the ones of which that is known.
#[track_caller]
fn reloadable(engine: EngineRelease) -> Vec<&'static Key> {
    let rows = keys().filter(|key| key.is_reloadable() && key.support == Support::Known);
    let (shown, skipped): (Vec<&Key>, Vec<&Key>) = rows.partition(|key| key.since <= engine);
    let skipped: Vec<&str> = skipped.iter().map(|key| key.name).collect();
    let expected = match engine {
        EngineRelease(26, 1) | EngineRelease(28, 5) => ["default-stop-timeout", "nri-opts"],
        other => panic!("say which reloadable keys engine {other} does not know"),
    };
    assert_eq!(skipped, expected, "keys that engine {engine} cannot show");
    eprintln!("NOT SHOWN with engine {engine}, which does not know them: {skipped:?}");
    shown
}

on_each_release! {
    /// One file with all of them; and without, those that go back to their defaults do.
    fn a_reload_applies_every_key_that_the_table_says_it_does(host) {
        host.dockstrap(["install", "--yes", "--no-verify", "--preset", "none"]).exits(0);
        let keys = reloadable(version(host));
        // These two are asked elsewhere, the runtimes with the default one among them.
        let asked = |key: &&&Key| {
            !["authorization-plugins", "network-diagnostic-port", "runtimes"].contains(&key.name)
        };
        let mut all = json!({"runtimes": {"other": {"path": "/usr/bin/runc"}}});
        for key in keys.iter().filter(asked) {
            all[key.name] = value(key.name).0;
        }
        let before = reloaded(host, "{}\n");
        let after = reloaded(host, &all.to_string());
        for key in keys.iter().filter(asked) {
            let expected = value(key.name).1;
            assert_ne!(before[key.name], expected, "{} is no other before", key.name);
            assert_eq!(after[key.name], expected, "{} is not applied", key.name);
        }
        let info = host.account();
        assert!(info["Runtimes"]["other"].is_object(), "runtimes are not applied");
        assert_eq!(info["DefaultRuntime"], "other");
        let registry = &info["RegistryConfig"]["IndexConfigs"]["registry.lab:5000"];
        assert_eq!(registry["Secure"], false);

        let gone = reloaded(host, r#"{"runtimes": {"other": {"path": "/usr/bin/runc"}}}"#);
        for key in keys.iter().filter(asked) {
            let expected = match key.reload {
                Reload::Resets => &before[key.name],
                _ if key.name == "features" => &before[key.name], // replaced as a whole
                _ => &after[key.name],
            };
            assert_eq!(&gone[key.name], expected, "{} when it is taken out", key.name);
        }
    }
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_reload_opens_the_port_for_diagnosis_and_looks_for_plugins() {
    let host = LabHost::up("noble");
    host.dockstrap(["install", "--yes", "--no-verify", "--preset", "none"])
        .exits(0);
    let open = "exec 3<>/dev/tcp/127.0.0.1/2077";
    host.run(["bash", "-c", open]).exits(1);
    reloaded(&host, r#"{"network-diagnostic-port": 2077}"#);
    host.run(["bash", "-c", open]).exits(0);

    // A plug-in is asked from then on, though the engine's account does not tell of it.
    host.write("/etc/docker/plugins/lab.spec", "tcp://127.0.0.1:9299\n");
    let plugin = ["python3", PLUGIN, "127.0.0.1:9299"];
    let _plugin = Neighbour::start(&host, plugin);
    host.sh("docker ps");
    reloaded(&host, r#"{"authorization-plugins": ["lab"]}"#);
    host.run(["docker", "ps"]).exits(1).says("not in this lab");

    // Of another it finds none, and takes up nothing of the file.
    host.write(
        FILE,
        r#"{"authorization-plugins": ["nobody"], "debug": true}"#,
    );
    host.sh("systemctl reload docker.service");
    wait_until("what it says of the plug-in", || {
        let log = host.run(["journalctl", "--unit=docker", "--output=cat", "--lines=5"]);
        log.stdout.contains("nobody")
    });
    let info = host.run(["docker", "info", "--format", "{{.Debug}}"]);
    assert_eq!(info.stdout.trim(), "false");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_key_that_the_table_does_not_call_reloadable_waits_for_a_restart() {
    let host = LabHost::up("noble");
    host.dockstrap(["install", "--yes", "--no-verify", "--preset", "none"])
        .exits(0);
    let values = json!({
        "log-driver": "local", "mtu": 1400, "icc": false, "userland-proxy": false,
        "no-new-privileges": true, "log-level": "debug", "init": true, "ipv6": false,
        "default-ulimits": {"core": {"Name": "core", "Hard": 0, "Soft": 0}},
    });
    let values = values.as_object().expect("an object");
    let before = reloaded(&host, "{}\n");
    let after = reloaded(&host, &json!(values).to_string());
    for name in values.keys() {
        assert!(!key(name).expect("a key").is_reloadable());
        assert_eq!(after[name], before[name], "{name} is applied by a reload");
    }
    host.sh("systemctl restart docker.service");
    let restarted = reloaded(&host, &json!(values).to_string());
    for (name, value) in values {
        if value != &json!(false) {
            assert_eq!(
                &restarted[name], value,
                "{name} is not applied by a restart"
            );
        }
    }
}
