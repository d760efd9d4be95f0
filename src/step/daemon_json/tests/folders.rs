//! Folders of the engine whose place others can change.

use super::*;

#[test]
fn a_data_root_that_others_can_exchange_is_refused_and_one_that_was_there_is_told() {
    let key = |key: &str, path: &str| json!({ key: path });
    for (name, path) in [
        ("data-root", "/srv/open/docker"),
        ("exec-root", "/srv/open/run"),
    ] {
        let stub = host().folder("/srv/open");
        let wished = DaemonJson {
            settings: key(name, path).as_object().unwrap().clone().into(),
            ..step()
        };
        assert!(!wished.inspect(stub.host()).unwrap().satisfied);
        stub.set_mode("/srv/open", 0o777);
        let before = stub.snapshot();
        let error = wished.inspect(stub.host()).unwrap_err();
        assert_eq!(exit_code(&error), 4);
        let text = error.to_string();
        assert!(text.contains(&format!("{name}: ")), "{text}");
        assert!(text.contains("sudo chmod go-w /srv/open"), "{text}");
        assert_eq!(stub.snapshot(), before);
        // The engine uses it already.
        stub.write(PATH, key(name, path).to_string());
        let finding = inspect(&stub);
        let warnings = finding.warnings.join("\n");
        assert!(warnings.contains("sudo chmod go-w /srv/open"), "{warnings}");
    }
}

#[test]
fn containerds_root_that_others_can_exchange_is_told() {
    let stub = host().folder("/srv/open").file(
        "/etc/containerd/config.toml",
        "root = '/srv/open/containerd'\n",
    );
    stub.set_mode("/srv/open", 0o777);
    let warnings = inspect(&stub).warnings.join("\n");
    assert!(warnings.contains("sudo chmod go-w /srv/open"), "{warnings}");
}
