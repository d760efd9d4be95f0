//! Cures, taken: each is read out of the refusal that names it, run as its reader would paste it, and
//! the install then passes.

use serde_json::Value;

use crate::certificates::{ISSUER, MIRROR, serve_in_a_manner};
use crate::host::LabHost;
use crate::outcome::Outcome;

pub(crate) const INSTALL: [&str; 5] = ["install", "--yes", "--no-verify", "--output", "json"];
pub(crate) const LIST: &str = "/etc/apt/sources.list.d/docker.list";
pub(crate) const URI: &str = "https://download.docker.com/linux/ubuntu";

/// The command that a failed run with `--output json` names as the next one.
#[track_caller]
pub(crate) fn next_command(outcome: &Outcome) -> String {
    let report = outcome.stdout.lines().last().unwrap_or_default();
    let report: Value = serde_json::from_str(report).expect("a report in JSON");
    let error = &report["error"];
    let next = error["next"].as_str().expect("a command").to_owned();
    let chain = error["chain"].to_string();
    let said: Value = serde_json::from_str(&chain).expect("the same");
    let mut texts = said.as_array().expect("texts").iter();
    let is_said = texts.any(|text| text.as_str().is_some_and(|text| text.contains(&next)));
    assert!(is_said, "`{next}` is not what the message says: {chain}");
    next
}

/// Runs a command that a message names, as somebody pastes it who says yes to what it asks.
#[track_caller]
pub(crate) fn paste(host: &LabHost, command: &str) {
    let key = format!("DOCKSTRAP_KEY_FINGERPRINT={}", host.fingerprint());
    let script = format!("yes | {{ {command}; }}");
    host.run(["env", &key, "sh", "-euc", &script]).exits(0);
}

/// Runs the command that a failed run with `--output json` names.
#[track_caller]
pub(crate) fn take_cure(host: &LabHost, outcome: &Outcome) {
    paste(host, &next_command(outcome));
}

/// On a host that is set up like this, an install is refused with these words and changes nothing; and
/// once its cure is taken, nothing is in its way.
#[track_caller]
pub(crate) fn is_cured(host: &LabHost, set_up: &str, words: &[&str]) {
    host.sh(set_up);
    let refused = host
        .unchanged_by(4, INSTALL)
        .says("nothing was changed")
        .says_all(words);
    take_cure(host, &refused);
    // The install that the cures of a test lead to comes at its end.
    host.dockstrap(["plan"]).exits(0);
}

/// A package with this field, put in by dpkg alone.
fn put_in(options: &str, field: &str) -> String {
    format!(
        "mkdir -p /root/made/DEBIAN
         printf '%s\\n' 'Package: thing' 'Version: 1' 'Architecture: all' 'Description: a thing' \
             'Maintainer: Nobody <nobody@example.org>' '{field}' >/root/made/DEBIAN/control
         dpkg-deb --build -Znone /root/made /root/thing.deb
         dpkg {options} --install /root/thing.deb || true
         rm -r /root/made /root/thing.deb"
    )
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn what_dpkg_stumbles_over_is_named_and_cured() {
    let host = LabHost::up("noble");
    // What lists lack that are not there is no reason to remove a package.
    is_cured(
        &host,
        &format!(
            "rm /var/lib/apt/lists/*_Packages; {}",
            put_in("", "Depends: pigz")
        ),
        &["thing needs pigz", "apt's lists are old or not there"],
    );
    host.sh("dpkg --list thing pigz | grep --count '^ii' | grep 2; dpkg --purge thing; apt-get purge --yes pigz");

    let nowhere = "Depends: libnothere-1";
    let lacks = "thing needs libnothere-1";
    for options in ["", "--force-depends"] {
        is_cured(&host, &put_in(options, nowhere), &[lacks, "remove thing"]);
    }
    // Nor is a cure promised that would not work.
    host.sh(&put_in("", nowhere));
    let repair = ["install", "--yes", "--repair", "--output", "json"];
    let refused = host.unchanged_by(4, repair).says(lacks);
    take_cure(&host, &refused);
    is_cured(
        &host,
        &put_in("", "Depends: pigz"),
        &["thing needs pigz", "Let apt install pigz"],
    );
    host.sh("dpkg --purge thing; apt-get purge --yes pigz");

    is_cured(
        &host,
        "dpkg-divert --local --no-rename --divert /usr/bin/docker.real --add /usr/bin/docker",
        &["to put /usr/bin/docker at /usr/bin/docker.real"],
    );
    // A wrapper that can be run is as good, and one that cannot is moved out of the way.
    let divert = "dpkg-divert --local --rename --divert /usr/bin/docker.real --add /usr/bin/docker
        printf '#!/bin/sh\\nexec docker.real \"$@\"\\n' >/usr/bin/docker; chmod";
    is_cured(
        &host,
        &format!("{divert} 0644 /usr/bin/docker; touch /usr/bin/docker.real"),
        &["to put /usr/bin/docker at /usr/bin/docker.real"],
    );
    host.sh(&format!(
        "rm /usr/bin/docker*; {divert} 0755 /usr/bin/docker"
    ));
    host.dockstrap(["plan"])
        .exits(0)
        .says("what is at /usr/bin/docker now is used in its place");
    host.install();
    host.sh("docker.real info; docker info");
    host.uninstall();
    host.sh("rm /usr/bin/docker; dpkg-divert --rename --remove /usr/bin/docker");
    let rules = "/etc/dpkg/dpkg.cfg.d/small";
    is_cured(
        &host,
        &format!(
            "printf '%s\\n' 'path-exclude=/usr/share/doc/*' 'path-exclude=/usr/bin/docker*' >{rules}"
        ),
        &[&format!("{rules}, line 2"), "/usr/bin/docker"],
    );
    is_cured(
        &host,
        "printf 'no-debsig\\nno-such-option\\n' >/etc/dpkg/dpkg.cfg.d/odd",
        &["/etc/dpkg/dpkg.cfg.d/odd, line 2: dpkg cannot read its configuration"],
    );
    is_cured(
        &host,
        "echo 'root gone 2755 /usr/bin/thing' >>/var/lib/dpkg/statoverride",
        &["/usr/bin/thing to the group gone"],
    );
    is_cured(
        &host,
        "mount -t tmpfs -o size=200m none /var/cache/apt/archives
         fallocate -l 150m /var/cache/apt/archives/junk_1_all.deb",
        &["the disk with /var/cache/apt/archives"],
    );
    host.sh("umount /var/cache/apt/archives");
    is_cured(
        &host,
        "apt-get install --yes docker.io",
        &["these packages conflict with Docker's"],
    );
    // Nothing that compares the host with before works without it.
    host.sh("cp /var/lib/dpkg/status /var/lib/dpkg/status-old; rm /var/lib/dpkg/status");
    let refused = host.dockstrap(INSTALL).exits(4);
    take_cure(
        &host,
        &refused.says_all(&["/var/lib/dpkg/status: ", "nothing was changed"]),
    );
    host.install();
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn what_a_host_has_apt_do_otherwise_is_in_nobodys_way() {
    let host = LabHost::up("noble");
    let conf = "/etc/apt/apt.conf.d/98mine";
    host.write(
        conf,
        "APT::Get {\n  Assume-No \"true\"; Simulate \"true\"; Download-Only \"true\";\n  \
         Only-Upgrade \"true\"; Trivial-Only \"true\";\n};\nquiet \"2\";\n\
         APT::Update::Pre-Invoke { \"false\"; };\nDebug::pkgDPkgPM \"true\";\n",
    );
    host.sh("dpkg --add-architecture i386; ln -s /etc/alternatives/docker /usr/bin/docker");
    host.install();
    host.sh("docker info");
    host.uninstall();
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_server_that_a_mirror_redirects_to_and_the_page_of_one_that_refuses_are_told() {
    let host = LabHost::up("noble");
    let serve = |manner: &str| serve_in_a_manner(&host, "server.pem", manner);
    let install = [
        "install",
        "--yes",
        "--mirror",
        MIRROR,
        "--ca-cert",
        ISSUER,
        "--output",
        "json",
    ];
    let elsewhere = serve("to=https://127.0.0.9:8444");
    host.unchanged_by(1, install).says_all(&[
        "127.0.0.1 redirects to 127.0.0.9, and 127.0.0.9 refuses connections",
        "https://127.0.0.1:8443/linux/ubuntu/gpg",
    ]);
    drop(elsewhere);
    let downgraded = serve("to=http://127.0.0.1");
    host.unchanged_by(1, install)
        .says("127.0.0.1 redirects to http://127.0.0.1, which is not HTTPS");
    drop(downgraded);

    let page = "its page says: 403 ERROR The request could not be satisfied. The distribution is \
                configured to block access from your country.";
    let blocked = serve("blocked");
    let refused = host
        .unchanged_by(1, install)
        .says_all(&[page, "--mirror URL"]);
    let report = refused.stdout.lines().last().unwrap_or_default();
    let report: Value = serde_json::from_str(report).expect("a report in JSON");
    assert_eq!(report["error"]["next"], "sudo dockstrap doctor");
    drop(blocked);
    let before = host.tree();
    let blocked = serve("blocked.deb");
    host.dockstrap(install).exits(1).says_all(&[
        page,
        "downloading https://127.0.0.1:8443/linux/ubuntu/dists/",
        ".deb",
    ]);
    before.is_restored_in(&host.tree());
    drop(blocked);
    // And the cure.
    host.dockstrap([
        "install",
        "--yes",
        "--no-verify",
        "--mirror",
        "https://download.docker.com",
    ])
    .exits(0);
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_plugin_that_hides_the_packages_own_is_named_by_all_who_meet_it_and_cured() {
    let host = LabHost::up("noble");
    let folders = [
        "/usr/local/lib/docker/cli-plugins",
        "/root/.docker/cli-plugins",
    ];
    for folder in folders {
        let plugin = format!("{folder}/docker-compose");
        host.write(&plugin, "Not Found\n");
        host.sh(&format!("chmod 0755 {plugin}"));
        let named = format!("{plugin} is no package's and does not work");
        host.install().says(&named);
        host.run(["dockstrap", "doctor"]).exits(3).says(&named);
        let failed = host
            .dockstrap(["verify", "compose"])
            .exits(7)
            .says(&named)
            .all();
        let (_, cure) = failed.split_once("Move it away: ").expect("a cure");
        paste(&host, cure.lines().next().unwrap_or_default());
        host.dockstrap(["verify", "compose"]).exits(0);
        host.sh("docker compose version");
    }
    // The package's own, broken.
    host.sh("echo 'Not Found' >/usr/libexec/docker/cli-plugins/docker-buildx");
    let failed = host.dockstrap(["verify", "build"]).exits(7).all();
    let (_, cure) = failed.split_once("Install it again: ").expect("a cure");
    paste(&host, cure.lines().next().unwrap_or_default());
    host.dockstrap(["verify", "build"]).exits(0);
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn the_command_behind_a_plan_sets_up_what_was_planned() {
    let host = LabHost::up("noble");
    let plan = host.unchanged_by(0, ["plan", "--preset", "hardened", "--user", "alice"]);
    let (_, command) = plan
        .stdout
        .split_once("Set this up with: ")
        .expect("a command");
    let command = command.trim();
    let key = host.fingerprint();
    assert_eq!(
        command,
        format!("sudo dockstrap install --key-fingerprint {key} --user alice --preset hardened")
    );
    paste(&host, &format!("{command} --yes"));
    host.dockstrap(["plan", "--preset", "hardened", "--user", "alice", "--check"])
        .exits(0);
    host.sh("getent group docker | grep alice; grep no-new-privileges /etc/docker/daemon.json");
}
