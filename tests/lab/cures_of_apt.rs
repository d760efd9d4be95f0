//! Cures of what keeps apt from working: its configuration, hooks, proxy and sources.

use std::fs;

use crate::cures::{INSTALL, LIST, URI, is_cured, paste, take_cure};
use crate::host::LabHost;
use crate::kept_sources::{OURS, is_named_only_in};

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn what_apt_cannot_read_is_named_and_cured() {
    let host = LabHost::up("noble");
    let pin = "/etc/apt/preferences.d/no-containerd";
    is_cured(
        &host,
        &format!(
            "printf '%s\\n' '# mine' 'Package: containerd.io' 'Pin: version *' 'Pin-Priority: -1' >{pin}"
        ),
        &[&format!(
            "{pin}, line 2: apt is configured not to take containerd.io"
        )],
    );
    // Of several packages.
    is_cured(
        &host,
        &format!(
            "printf '%s\\n' 'Package: docker-ce-c*' 'Pin: version *' 'Pin-Priority: -1' >{pin}"
        ),
        &[&format!(
            "{pin}, line 1: apt is configured not to take docker-ce-cli"
        )],
    );
    let odd = "/etc/apt/preferences.d/odd";
    for stanza in [
        "Package docker-ce\\nPin: version *\\nPin-Priority: 1\\n",
        "Package: *\\nPin: release a=noble\\n",
        "Package: *\\nPin: release a=noble\\nPin-Priority: many\\n",
    ] {
        is_cured(
            &host,
            &format!("printf '{stanza}' >{odd}"),
            &[&format!("{odd}: apt cannot read its preferences")],
        );
    }
    let conf = "/etc/apt/apt.conf.d/98mine";
    is_cured(
        &host,
        &format!("printf 'APT {{\\n  Default-Release \"nobel\";\\n}};\\n' >{conf}"),
        &[&format!(
            "{conf}, line 2: APT::Default-Release is \"nobel\""
        )],
    );
    is_cured(
        &host,
        &format!("echo 'APT::Foo {{ bar' >{conf}"),
        &[conf, "apt cannot read its configuration"],
    );
    is_cured(
        &host,
        &format!("echo 'Dir::Etc \"srv/apt\";' >{conf}"),
        &[&format!(
            "{conf}, line 1: apt is configured to look for its sources in /srv/apt"
        )],
    );
    let list = "/etc/apt/sources.list.d/broken.list";
    is_cured(
        &host,
        &format!("printf '# one\\n# two\\ndeb http://x\\n' >{list}"),
        &[&format!("entry 3 in list file {list}")],
    );
    let stanzas = "/etc/apt/sources.list.d/broken.sources";
    is_cured(
        &host,
        &format!("printf 'Types: dep\\nURIs: http://x\\nSuites: ./\\n' >{stanzas}"),
        &[stanzas],
    );
    is_cured(
        &host,
        "for list in /var/lib/apt/lists/*_Packages; do echo 'Packag: x' >>$list; done",
        &["/var/lib/apt/lists/", "apt cannot read this index"],
    );
    host.install();
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_hook_of_apts_that_fails_is_named_and_the_host_as_before() {
    let host = LabHost::up("resolute");
    let hook = "/etc/apt/apt.conf.d/05hook";
    for (option, command) in [
        ("DPkg::Pre-Invoke", "test -e /no/such || exit 1"),
        ("DPkg::Pre-Install-Pkgs", "/bin/false"),
    ] {
        host.write(hook, &format!("// mine\n{option} {{ \"{command}\"; }};\n"));
        let before = host.tree();
        let refused = host.dockstrap(INSTALL).exits(4).says_all(&[
            &format!("{hook}, line 2"),
            command,
            "the host was put back as it was",
        ]);
        before.is_restored_in(&host.tree());
        take_cure(&host, &refused);
        host.install();
        host.uninstall();
        host.sh(&format!("rm {hook}.disabled"));
    }
    // One that fails when all is done is told of, and changes nothing.
    host.write(hook, "DPkg::Post-Invoke { \"echo sorry >&2; exit 1\"; };\n");
    let before = host.tree();
    for outcome in [host.install(), host.uninstall()] {
        outcome.says_all(&[&format!("{hook}, line 1"), "after apt had done its work"]);
    }
    before.is_restored_in(&host.tree());
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_proxy_of_the_hosts_own_apt_that_does_not_answer_is_named_and_cured() {
    let host = LabHost::up("noble");
    let conf = "/etc/apt/apt.conf.d/95proxy";
    host.sh(&format!(
        "echo 'Acquire::http::Proxy \"http://me:s3cret@127.0.0.9:3128\";' >{conf}
         rm /var/lib/apt/lists/*_Packages"
    ));
    // Nothing that the engine needs comes from there.
    let cure = format!("sudo mv {conf} {conf}.disabled");
    host.install()
        .says_all(&[
            "@127.0.0.9:3128 does not answer",
            &format!("({conf}, line 1); the engine can be installed without"),
            &cure,
        ])
        .never_says("s3cret");
    paste(&host, &cure);
    host.sh("apt-get update -o APT::Update::Error-Mode=any");
    host.uninstall();

    // A source of others whose index has ended, or is nowhere, is told with its place.
    let third = host.lab_path("www").join("third.example");
    fs::create_dir_all(&third).expect("making a repository");
    fs::write(third.join("Packages"), "").expect("writing an index");
    let ended = "Origin: third\nDate: Mon, 06 Jan 2025 10:00:00 UTC\n\
                 Valid-Until: Mon, 13 Jan 2025 10:00:00 UTC\n";
    fs::write(third.join("Release"), ended).expect("writing an index");
    host.sh("echo '127.0.0.1 third.example' >>/etc/hosts; rm -f /var/lib/apt/lists/*_Packages");
    let list = "/etc/apt/sources.list.d/third.list";
    host.write(
        list,
        "# others\ndeb [trusted=yes] http://third.example ./\n",
    );
    let told = host.install().says_all(&[
        &format!("http://third.example ({list}, line 2)"),
        "can be installed without",
    ]);
    let cure = format!("sudo sed -i '2s/^/# /' {list}");
    let told = told.says(&cure);
    assert!(told.stderr.contains("warning:"), "{}", told.stderr);
    paste(&host, &cure);
    host.sh("apt-get update -o APT::Update::Error-Mode=any")
        .never_says("third");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn sources_that_other_tools_wrote_for_another_system_are_told_with_their_line_and_moved() {
    let host = LabHost::up("noble");
    for (line, reason) in [
        (
            format!("deb [arch=amd64] {URI} UNKNOWN stable"),
            "it names another suite, UNKNOWN",
        ),
        (
            format!("deb [arch=amd64] {URI} bionic stable"),
            "it names another suite, bionic",
        ),
        (
            format!("deb [arch=amd64] {URI}  stable"),
            "it names another suite, stable",
        ),
        (
            format!("deb {URI} $(lsb_release -cs) stable"),
            "it names another suite",
        ),
        (
            "deb https://download.docker.com/linux/debian bookworm stable".to_owned(),
            "linux/debian",
        ),
        (
            "deb https://download.docker.com/linux/kali kali-rolling stable".to_owned(),
            "linux/kali",
        ),
        (
            "deb https://apt.dockerproject.org/repo ubuntu-xenial main".to_owned(),
            "apt.dockerproject.org/repo",
        ),
    ] {
        host.write(LIST, &format!("# by a tool\n{line}\n"));
        host.unchanged_by(0, ["plan"]).says_all(&[
            &format!("move {LIST} aside: it names"),
            reason,
            "(line 2)",
        ]);
        host.run(["dockstrap", "doctor"])
            .exits(3)
            .says(&format!("{LIST}, line 2: "));
    }
    host.install();
    is_named_only_in(&host, OURS);
}
