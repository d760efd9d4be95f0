//! A network that is left through a proxy only, which wants a password.

use tempfile::NamedTempFile;

use crate::host::{LabHost, PROGRAM};
use crate::neighbour::Neighbour;
use crate::signing::read;

const PROXY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab/support/proxy.py");
/// What the proxy wants.
const CREDENTIALS: &str = "alice:s3cret@W'rd/%";
/// The same as they stand in an address.
const ESCAPED: &str = "alice:s3cret%40W'rd%2F%25";
/// What both have of the password.
pub(crate) const PASSWORD: &str = "s3cret";
const SETTINGS: &str = "/etc/dockstrap/config.toml";
const APT: &str = "/etc/apt/apt.conf.d/90dockstrap-proxy";
const ENGINE: &str = "/etc/docker/daemon.json";

on_each_release! {
    fn fault_13_a_proxy_for_good_is_given_to_apt_and_the_engine_and_taken_back(host) {
        let (_proxy, log) = leave_only_the_proxy(host);
        set_up(host, "proxy-for = ['apt', 'engine']\n");
        // A password of somebody else's that is there would be lost.
        host.write(ENGINE, "{\"proxies\": {\"http-proxy\": \"http://bob:s3cret@127.0.0.9\"}}");
        host.unchanged_by(4, ["install", "--yes"])
            .says_all(&[ENGINE, "another value of `proxies`, with a password", "nothing was changed"])
            .never_says(PASSWORD);
        let theirs = "{\n  \"debug\": false\n}\n";
        host.write(ENGINE, theirs);
        let before = host.tree();
        for outcome in [host.dockstrap(["plan"]), host.dockstrap(["plan", "--json"])] {
            outcome.exits(0).says_all(&[APT, ENGINE]).never_says(PASSWORD);
        }
        before.is_untouched_in(&host.tree());
        host.dockstrap(["install", "--yes"])
            .exits(0)
            .says("works on this host")
            .never_says(PASSWORD);
        host.dockstrap(["verify", "hub"]).exits(0).never_says(PASSWORD);
        host.dockstrap(["install", "--yes"]).exits(0).says("Nothing to do").never_says(PASSWORD);

        let modes = host.sh(&format!("stat --format='%a %U:%G' {APT} {ENGINE}")).stdout;
        assert_eq!(modes, "600 root:root\n600 root:root\n");
        assert_eq!(holders_of_the_password(host), [APT, ENGINE, SETTINGS]);

        // The engine has it, and shows it without the password by itself.
        host.sh("docker info --format '{{.HTTPProxy}} {{.HTTPSProxy}}'")
            .says("@127.0.0.1:3128 http://")
            .never_says(PASSWORD);
        requests_after(&log, "CONNECT registry-1.docker.io:443 200", || {
            host.sh("docker pull hello-world").never_says(PASSWORD);
        });
        // And so has apt, with no help: without its indexes, all must come anew.
        host.sh("rm -rf /var/lib/apt/lists/*");
        requests_after(&log, "GET http://archive.ubuntu.com/ubuntu/dists/", || {
            host.sh("apt-get update -o APT::Update::Error-Mode=any")
                .never_says("W:")
                .never_says(PASSWORD);
        });
        assert!(read(log.path()).contains("CONNECT download.docker.com:443 200"));

        host.uninstall().never_says(PASSWORD);
        assert_eq!(host.read(ENGINE), theirs);
        assert_eq!(holders_of_the_password(host), [SETTINGS]);
        before.is_restored_in(&host.tree());
    }
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_13_a_proxy_is_given_its_password_and_nobody_else_is() {
    let host = LabHost::up("noble");
    let (_proxy, log) = leave_only_the_proxy(&host);
    host.sh("rm -rf /var/lib/apt/lists/*"); // so that apt needs it, too
    for wrong in ["", "alice:wrong-Word@"] {
        let proxy = format!("http://{wrong}127.0.0.1:3128");
        host.unchanged_by(1, ["install", "--yes", "--proxy", &proxy])
            .says_all(&["127.0.0.1:3128", "password", "nothing was changed"])
            .never_says("wrong-Word");
    }
    set_up(&host, "");
    let before = host.tree();
    for outcome in [host.dockstrap(["plan"]), host.dockstrap(["plan", "--json"])] {
        outcome.exits(0).says("docker-ce").never_says(PASSWORD);
    }
    before.is_untouched_in(&host.tree());
    host.install().never_says(PASSWORD);

    let requests = read(log.path());
    for expected in [
        "CONNECT download.docker.com:443 200",
        "GET http://archive.ubuntu.com/",
    ] {
        assert!(requests.contains(expected), "{expected}:\n{requests}");
    }
    assert_eq!(holders_of_the_password(&host), [SETTINGS]);

    // Said later, it reaches the engine that runs already.
    host.dockstrap(["install", "--yes", "--proxy-for", "apt,engine"])
        .exits(0)
        .never_says(PASSWORD);
    host.sh("docker info --format '{{.HTTPSProxy}}'")
        .says("@127.0.0.1:3128");
    host.uninstall().never_says(PASSWORD);
    assert_eq!(holders_of_the_password(&host), [SETTINGS]);
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_13_a_proxy_in_capitals_holds_for_apt_as_well_but_not_for_whom_no_proxy_names() {
    let host = LabHost::up("noble");
    let (_proxy, log) = leave_only_the_proxy(&host);
    host.sh("rm -rf /var/lib/apt/lists/*"); // so that apt needs it, too
    let key = format!("DOCKSTRAP_KEY_FINGERPRINT={}", host.fingerprint());
    let https = format!("HTTPS_PROXY={}", proxy_url());
    let http = format!("HTTP_PROXY={}", proxy_url());
    let plan = |direct| host.run(["env", &key, &https, &http, direct, PROGRAM, "plan"]);
    let before = host.tree();
    plan("NO_PROXY=")
        .exits(0)
        .says("install 7 packages")
        .never_says(PASSWORD);
    let requests = read(log.path());
    assert!(
        requests.contains("GET http://archive.ubuntu.com/"),
        "{requests}"
    );

    plan("NO_PROXY=download.docker.com")
        .exits(1)
        .says("https://download.docker.com/linux/ubuntu/gpg")
        .never_says(PASSWORD);
    assert_eq!(read(log.path()), requests, "nothing goes through the proxy");
    before.is_untouched_in(&host.tree());
}

/// Names the proxy in the settings file, which only root can read, with these lines behind it.
fn set_up(host: &LabHost, more: &str) {
    host.write(SETTINGS, &format!("proxy = \"{}\"\n{more}", proxy_url()));
    host.sh(&format!("chmod 0600 {SETTINGS}"));
}

/// The files that hold the password; fails when systemd's journal does.
#[track_caller]
fn holders_of_the_password(host: &LabHost) -> Vec<String> {
    host.sh("journalctl --no-pager").never_says(PASSWORD);
    let grep = "grep --recursive --files-with-matches --fixed-strings --devices=skip";
    let found = host.sh(&format!(
        "{grep} {PASSWORD} /etc /root /run /tmp /var | sort || true"
    ));
    found.stdout.lines().map(str::to_owned).collect()
}

/// Fails unless what is done makes the proxy see a request that begins like this.
#[track_caller]
fn requests_after(log: &NamedTempFile, expected: &str, what: impl FnOnce()) {
    let before = read(log.path()).len();
    what();
    let requests = &read(log.path())[before..];
    assert!(requests.contains(expected), "{expected}:\n{requests}");
}

/// A proxy that alone knows the names of the servers, with its log.
pub(crate) fn leave_only_the_proxy(host: &LabHost) -> (Neighbour, NamedTempFile) {
    host.sh(
        "echo '127.0.0.1 localhost' >/etc/hosts; echo 'nameserver 127.0.0.9' >/etc/resolv.conf",
    );
    let log = NamedTempFile::new().expect("making a file");
    let path = log.path().to_str().expect("a plain path");
    let proxy = Neighbour::start(host, ["python3", PROXY, CREDENTIALS, path]);
    (proxy, log)
}

pub(crate) fn proxy_url() -> String {
    format!("http://{ESCAPED}@127.0.0.1:3128")
}
