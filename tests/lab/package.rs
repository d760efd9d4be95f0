//! The package for Debian and Ubuntu: what it brings, and that it comes and goes without a trace.

use crate::host::LabHost;
use crate::packed::{package, repacked};

const CONFIG: &str = "/etc/dockstrap/config.toml";
const UNIT: &str = "dockstrap-firstboot.service";

on_each_release! {
    fn the_package_comes_is_upgraded_and_goes_without_a_trace(host) {
        let before = host.tree();
        let folder = tempfile::tempdir().unwrap();
        host.put(&package(), "/tmp/dockstrap.deb");
        host.sh("dpkg --install /tmp/dockstrap.deb; rm /tmp/dockstrap.deb");
        host.run(["/usr/bin/dockstrap", "--version"])
            .exits(0)
            .says(concat!("dockstrap ", env!("CARGO_PKG_VERSION")));
        for path in [
            "/usr/share/man/man1/dockstrap.1.gz",
            "/usr/share/man/man1/dockstrap-install.1.gz",
            "/usr/share/man/man5/dockstrap-config.5.gz",
            "/usr/share/man/man5/dockstrap-daemon.json.5.gz",
            "/usr/share/man/man7/dockstrap-checks.7.gz",
            "/usr/share/bash-completion/completions/dockstrap",
            "/usr/share/zsh/vendor-completions/_dockstrap",
            "/usr/share/fish/vendor_completions.d/dockstrap.fish",
            "/usr/share/doc/dockstrap/copyright",
            "/usr/share/doc/dockstrap/changelog.gz",
        ] {
            assert!(host.has(path), "{path}");
        }
        host.run(["systemctl", "is-enabled", UNIT]).says("disabled");
        host.run(["systemctl", "is-active", UNIT]).says("inactive");
        assert!(!host.has("/usr/bin/docker"), "it brings itself only");
        host.run(["/usr/bin/dockstrap", "settings", "check", CONFIG]).exits(0);

        host.sh(&format!("echo '# mine' >>{CONFIG}"));
        host.put(&repacked(&package(), "99-1", folder.path()), "/tmp/dockstrap.deb");
        host.sh("dpkg --install /tmp/dockstrap.deb; rm /tmp/dockstrap.deb");
        let version = ["dpkg-query", "--show", "--showformat=${Version}", "dockstrap"];
        assert_eq!(host.run(version).stdout, "99-1");
        assert!(host.read(CONFIG).ends_with("# mine\n"), "an upgrade keeps the settings");

        host.sh("dpkg --remove dockstrap");
        assert!(host.has(CONFIG), "settings stay until they are purged");
        host.sh("dpkg --purge dockstrap");
        before.is_restored_in(&host.tree());
    }
}

/// The engine is not the package's: it stays, and so does what takes it back.
#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_purge_of_the_package_leaves_the_engine_and_its_way_back() {
    let host = LabHost::up("noble");
    let before = host.tree();
    host.put(&package(), "/tmp/dockstrap.deb");
    host.sh("dpkg --install /tmp/dockstrap.deb; rm /tmp/dockstrap.deb");
    host.install();
    host.sh("dpkg --purge dockstrap");
    host.run(["docker", "info"]).exits(0);
    host.uninstall().says("Undone");
    before.is_restored_in(&host.tree());
}
