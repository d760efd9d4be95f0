//! What keeps an engine from starting is found before anything is changed, and the command that is
//! named removes it. What cannot be found before is blamed on the unit that failed.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::host::LabHost;

const DROP_IN: &str = "/etc/systemd/system/docker.service.d/own.conf";

/// An install is refused with these words, and the host is untouched; returns the command to run next.
#[track_caller]
pub(crate) fn cure_of(host: &LabHost, words: &[&str]) -> String {
    let install = ["install", "--yes", "--output", "json"];
    let outcome = host.unchanged_by(4, install).says_all(words);
    let last = outcome.stdout.lines().last().expect("a line of JSON");
    let last: Value = serde_json::from_str(last).expect("a line of JSON");
    let next = last["error"]["next"].as_str().expect("a command");
    next.to_owned()
}

/// The same, and that command lets the host through.
#[track_caller]
fn is_cured(host: &LabHost, words: &[&str]) {
    let cure = cure_of(host, words);
    host.sh(&cure);
    host.dockstrap(["plan"]).exits(0);
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn units_files_and_programs_in_the_way_are_named_before_anything_is_done() {
    let host = LabHost::up("noble");
    host.sh("mkdir /run/docker.sock");
    is_cured(&host, &["/run/docker.sock is a folder"]);
    host.sh("systemctl mask docker.socket");
    is_cured(&host, &["docker.socket is masked"]);
    host.sh("systemctl mask containerd.service docker.service");
    is_cured(&host, &["containerd.service and docker.service are masked"]);
    host.sh("touch /run/containerd");
    is_cured(&host, &["/run/containerd is not a folder"]);
    host.sh("sleep 600 >/dev/null 2>&1 & echo $! >/run/docker.pid");
    is_cured(&host, &["/run/docker.pid names pid", "which is sleep"]);
    host.sh("ln -sfn /usr/sbin/iptables-gone /etc/alternatives/iptables");
    host.dockstrap(["doctor"]).exits(3).says("✗ DS103");
    is_cured(
        &host,
        &["/usr/sbin/iptables leads to /usr/sbin/iptables-gone"],
    );
    let config = "/etc/containerd/config.toml";
    host.write(config, "version = 3\n");
    is_cured(
        &host,
        &["version = 3, but containerd 1.7", "takes at most 2"],
    );
    host.write(config, "version = 2\n[plugins\n");
    is_cured(&host, &["/etc/containerd/config.toml, line 2, column"]);
    host.sh("mkdir -p /var/lib/docker/network/files
             head -c 8192 /dev/urandom >/var/lib/docker/network/files/local-kv.db");
    is_cured(
        &host,
        &["local-kv.db is damaged", "networks that users created"],
    );
    host.dockstrap(["install", "--yes"]).exits(0);
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn drop_ins_with_which_no_engine_starts_are_named_with_their_line() {
    let host = LabHost::up("noble");
    for (text, words) in [
        (
            "ExecStart=\nExecStart=/usr/bin/dockerd -H tcp://0.0.0.0:2375",
            &["line 3", "-H fd:// is missing", "is root on this host"][..],
        ),
        (
            "ExecStart=/usr/bin/dockerd -H fd:// --debug",
            &["line 2", "a second ExecStart="],
        ),
        ("User=bob", &["line 2: User=bob"]),
        (
            "ProtectHome=yes\nNoNewPrivileges=yes\nProtectSystem=strict",
            &[
                "line 2: ProtectHome=yes, line 4: ProtectSystem=strict",
                "no container starts",
            ],
        ),
        (
            "EnvironmentFile=/etc/docker.env",
            &["line 2: EnvironmentFile=/etc/docker.env"],
        ),
        (
            "ExecStart=\nExecStart=/usr/local/bin/dockerd -H fd://",
            &["line 3: ExecStart= names /usr/local/bin/dockerd"],
        ),
        (
            "ExecStart=\nExecStart=/usr/bin/docker daemon -H fd://",
            &["line 3: `/usr/bin/docker daemon` is gone"],
        ),
        (
            "[Unit]\nRequires=flannel.service",
            &["line 3: Requires= names flannel.service"],
        ),
    ] {
        host.write(DROP_IN, &format!("[Service]\n{text}\n"));
        is_cured(&host, words);
    }
    // What is left of the last cure, and what does no harm.
    host.write(
        DROP_IN,
        "[Service]\nEnvironment=DOCKER_OPTS=\nEnvironmentFile=-/etc/none\nAmbientCapabilities=CAP_SYS_ADMIN\n\
         ExecStart=\nExecStart=/usr/bin/dockerd -H fd:// -H tcp://127.0.0.1:2375 $DOCKER_OPTS\n",
    );
    host.sh(
        "systemd-run --quiet --unit=taken.service systemd-socket-activate \
             --listen=127.0.0.1:2375 /bin/cat",
    );
    is_cured(&host, &["port 2375 is in use by systemd-socket"]);
    host.dockstrap(["install", "--yes"])
        .exits(0)
        .says("line 4: AmbientCapabilities=CAP_SYS_ADMIN may keep the service from working");
    host.uninstall();

    a_unit_of_the_users_own_is_named_with_its_line(&host);
}

fn a_unit_of_the_users_own_is_named_with_its_line(host: &LabHost) {
    // A whole unit of the user's own, with a program that is not there.
    host.sh("rm -r /etc/systemd/system/docker.service.d");
    host.write(
        "/etc/systemd/system/docker.service",
        "[Unit]\nRequires=docker.socket\n[Service]\nType=notify\n\
         ExecStart=/usr/local/bin/dockerd -H fd://\n",
    );
    host.sh("systemctl daemon-reload");
    is_cured(
        host,
        &["docker.service, line 5: ExecStart= names /usr/local/bin/dockerd"],
    );
    host.sh(
        "sed -i 's/Type=notify/Type=unheard-of/; /Requires/a nonsense' \
             /etc/systemd/system/docker.service; echo 'ExecStart=also' \
             >>/etc/systemd/system/docker.service; systemctl daemon-reload",
    );
    cure_of(host, &["docker.service"]);
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn drop_ins_are_read_as_systemd_reads_them() {
    let host = LabHost::up("noble");
    // What only root may read is named; what is no file is in the way.
    let folder = "/etc/systemd/system/docker.service.d";
    host.sh(&format!("mkdir -p --mode=0700 {folder}"));
    host.dockstrap_by(["runuser", "--user", "alice", "--"], ["plan"])
        .exits(0)
        .says(&format!("{folder} was not checked"));
    host.sh(&format!("chmod 0755 {folder}; mkfifo {folder}/pipe.conf"));
    is_cured(&host, &["pipe.conf is a pipe"]);
    host.sh(&format!("mkdir {folder}/folder.conf"));
    is_cured(
        &host,
        &["folder.conf is a folder", "cannot enable docker.service"],
    );
    host.sh(&format!("ln -s /nonexistent {folder}/link.conf"));
    is_cured(&host, &["link.conf is a link that leads nowhere"]);

    // Quotes, specifiers and variables.
    host.write(
        DROP_IN,
        "[Service]\nEnvironment=LISTEN=unix://%t/docker.sock\nExecStart=\n\
         ExecStart=/usr/bin/dockerd --host=\"${LISTEN}\" '--label' \"a=b c\" \
         --containerd=%t/containerd/containerd.sock\n",
    );
    let socket = "/etc/systemd/system/docker.socket.d/own.conf";
    host.write(
        socket,
        "[Socket]\nListenStream=\nListenStream=%t/docker.sock\n",
    );
    host.dockstrap(["install", "--yes"]).exits(0);
    let labels = host.sh("docker info --format '{{.Labels}}'");
    assert!(labels.stdout.contains("a=b c"), "{}", labels.stdout);

    // This engine needs no socket of systemd's: a failure of its own is its own.
    host.sh(
        "sed -i 's/--label/--no-such-flag/' /etc/systemd/system/docker.service.d/own.conf
             systemctl stop docker.socket docker.service; systemctl daemon-reload",
    );
    host.dockstrap(["install", "--yes"])
        .exits(1)
        .says("no-such-flag")
        .never_says("Condition")
        .never_says("since ");
    host.sh(
        "sed -i 's/--no-such-flag/--label/' /etc/systemd/system/docker.service.d/own.conf
             systemctl daemon-reload",
    );

    // An engine beside it keeps its file.
    host.sh("cp /bin/sleep /tmp/dockerd
             /tmp/dockerd 600 >/dev/null 2>&1 & echo $! >/run/docker.pid");
    let cure = cure_of(&host, &["an engine runs already, outside of its unit"]);
    assert!(cure.starts_with("sudo kill "), "{cure}");
    host.sh(&cure);
    host.dockstrap(["install", "--yes"]).exits(0);
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_rootless_engine_is_not_the_systems_and_a_flag_for_tls_needs_its_certificate() {
    let host = LabHost::up("noble");
    host.sh("systemctl start user@1000.service
             systemd-run --quiet --user --machine=alice@ --unit=docker.service \
             systemd-socket-activate --listen=127.0.0.1:2376 /bin/cat");
    host.write(
        DROP_IN,
        "[Service]\nEnvironment=DOCKER_CERT_PATH=/etc/docker/tls\nExecStart=\n\
         ExecStart=/usr/bin/dockerd -H fd:// -H tcp://127.0.0.1:2376 --tlsverify\n",
    );
    host.unchanged_by(4, ["install", "--yes"])
        .says("does not start without /etc/docker/tls/ca.pem and /etc/docker/tls/cert.pem");
    host.sh("mkdir -p /etc/docker/tls; cd /etc/docker/tls
             openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=lab \
             -keyout key.pem -out cert.pem 2>/dev/null
             cp cert.pem ca.pem");
    let words = ["port 2376 is in use by systemd-socket", "of user alice"];
    let cure = cure_of(&host, &words);
    assert_eq!(
        cure,
        "sudo systemctl --user --machine=alice@ stop docker.service"
    );
    host.sh(&cure);
    host.dockstrap(["install", "--yes"]).exits(0);
    host.sh("ss --listening --tcp --numeric | grep -q 127.0.0.1:2376");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn the_command_for_a_user_without_a_range_works_as_pasted() {
    let host = LabHost::up("noble");
    host.sh("useradd --system mapped; touch /etc/subuid /etc/subgid
             sed -i /mapped/d /etc/subuid /etc/subgid
             echo other:231072:65536 >>/etc/subuid; echo mapped:100000:65536 >>/etc/subgid");
    host.sh("mkdir -p /etc/docker; echo '{\"userns-remap\": \"mapped\"}' >/etc/docker/daemon.json");
    let refused = host.unchanged_by(4, ["install", "--yes"]);
    let said = refused.all();
    let (_, cure) = said.split_once("add one: ").expect("a command");
    let cure = cure.lines().next().expect("a line").trim();
    assert!(cure.starts_with("sudo usermod --add-subuids "), "{cure}");
    host.sh(cure);
    let ranges = host.read("/etc/subuid");
    assert!(ranges.contains("\nmapped:296608:65536\n"), "{ranges}");
    host.dockstrap(["plan"]).exits(0);
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn the_unit_that_failed_is_named_with_its_words_of_this_start() {
    let host = LabHost::up("noble");
    host.install();
    let stop = "systemctl stop docker.socket docker.service containerd.service";
    for (unit, section, words) in [
        (
            "containerd.service",
            "Service",
            "since containerd.service failed (exit-code)",
        ),
        (
            "docker.socket",
            "Socket",
            "since docker.socket failed (exit-code)",
        ),
    ] {
        host.sh(stop);
        let drop_in = format!("/etc/systemd/system/{unit}.d/broken.conf");
        let fail = "ExecStartPre=/bin/sh -c 'echo own words of $$PPID >&2; exit 3'";
        host.write(&drop_in, &format!("[{section}]\n{fail}\n"));
        host.sh("systemctl daemon-reload");
        let begun = Instant::now();
        host.dockstrap(["install", "--yes"])
            .exits(1)
            .says(words)
            .says("own words of 1")
            .never_says("API listen on"); // of an earlier start of the engine
        let taken = begun.elapsed();
        assert!(taken < Duration::from_secs(45), "it took {taken:?}");
        host.sh(&format!("rm {drop_in}; systemctl daemon-reload"));
    }
    host.dockstrap(["install", "--yes"]).exits(0);
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn files_of_an_engine_that_are_damaged_are_named_with_what_goes_with_them() {
    let host = LabHost::up("noble");
    host.install();
    let random = "head -c 32768 /dev/urandom";
    for (file, damage, lost) in [
        (
            "/var/lib/docker/network/files/local-kv.db",
            random,
            "networks that users created",
        ),
        (
            "/var/lib/docker/volumes/metadata.db",
            random,
            "labels and options of volumes",
        ),
        (
            "/var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db",
            random,
            "images that containerd",
        ),
        (
            "/var/lib/docker/image/overlay2/repositories.json",
            ":",
            "names of images",
        ),
    ] {
        host.sh("systemctl stop docker.socket docker.service containerd.service");
        host.sh(&format!("{damage} >{file}"));
        host.dockstrap(["doctor"]).exits(3).says("✗ DS405");
        // The engine's own verdict is the same.
        host.sh("systemctl reset-failed 'docker.s*' 'containerd.s*'");
        let start = "timeout 20 systemctl start docker.service && docker run --rm hello-world";
        let started = host.run(["sh", "-c", start]);
        assert!(!started.has_succeeded(), "an engine starts with {file}");
        host.sh("systemctl stop docker.socket docker.service containerd.service");
        is_cured(&host, &[file, "is damaged", lost]);
        host.dockstrap(["install", "--yes"]).exits(0);
    }
}
