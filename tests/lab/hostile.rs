//! What a hostile environment or neighbour can do: nothing.

use crate::host::{LabHost, PROGRAM};
use crate::outcome::Outcome;
use crate::proxy::{PASSWORD, leave_only_the_proxy, proxy_url};

/// Programs, and what else a caller could bring along; each that is used leaves a trace.
const EVIL: &str = r#"
mkdir -p /tmp/evil/.docker/cli-plugins /tmp/evil/root /srv/tmp && chmod 700 /srv/tmp && cd /tmp/evil
for name in apt-get apt-mark docker dpkg dpkg-query getent groupadd ip iptables runuser sh systemctl; do
    printf '#!/bin/sh\n/usr/bin/touch "/tmp/evil/ran-$(/usr/bin/basename "$0")"\nexit 1\n' >$name
done
cp docker .docker/cli-plugins/docker-buildx
cp docker docker-credential-evil
chmod 755 * .docker/cli-plugins/*
echo '{"credsStore": "evil", "currentContext": "evil"}' >.docker/config.json
cat >apt.conf <<'.'
DPkg::Pre-Invoke { "touch /tmp/evil/ran-apt-config"; };
APT::Get::AllowUnauthenticated "true";
Dir::Etc::SourceList "/dev/null";
.
echo 'pre-invoke=touch /tmp/evil/ran-dpkg-config' >.dpkg.cfg
echo 'touch /tmp/evil/ran-bash-env' >env.sh
"#;

const VARIABLES: &[&str] = &[
    "APT_CONFIG=/tmp/evil/apt.conf",
    "BASH_ENV=/tmp/evil/env.sh",
    "BUILDX_BUILDER=evil",
    "COMPOSE_FILE=/tmp/evil/compose.yaml",
    "COMPOSE_PROJECT_NAME=evil",
    "DOCKER_CONFIG=/tmp/evil/.docker",
    "DOCKER_CONTEXT=evil",
    "DOCKER_HOST=tcp://127.0.0.9:1",
    "DPKG_ADMINDIR=/tmp/evil/root",
    "DPKG_FORCE=all",
    "DPKG_ROOT=/tmp/evil/root",
    "ENV=/tmp/evil/env.sh",
    "HOME=/tmp/evil",
    "LD_PRELOAD=/tmp/evil/none.so",
    "PATH=/tmp/evil:/usr/sbin:/usr/bin:/sbin:/bin",
    "SYSTEMD_LOG_LEVEL=debug",
    "TMPDIR=/srv/tmp",
    "XDG_CONFIG_HOME=/tmp/evil",
];

/// Has the programs that root runs, the hooks of apt and those of dpkg write down what they see.
/// `/usr/local` is the host's own.
const WITNESSES: &str = r#"
cat >/root/witness <<'.'
#!/bin/sh
{ echo "== ${1:-hook}"; env; echo "PWD=$(/bin/pwd)"; echo "UMASK=$(umask)"; test -t 0 || timeout 1 cat; } >>/root/seen
.
chmod 755 /root/witness
cat >/etc/apt/apt.conf.d/99witness <<'.'
DPkg::Pre-Invoke { "/root/witness"; };
DPkg::Pre-Install-Pkgs { "/root/witness"; };
DPkg::Tools::Options::/root/witness::Version "3";
.
echo 'post-invoke=/root/witness </dev/null' >/etc/dpkg/dpkg.cfg.d/witness
for program in /usr/bin/docker /usr/bin/getent /usr/sbin/groupadd /usr/sbin/runuser /usr/bin/systemctl; do
    name=/usr/local/sbin/$(basename $program)
    printf '#!/bin/sh\n/root/witness "$0" </dev/null\nexec %s "$@"\n' $program >$name
    chmod 755 $name
done
"#;

/// Runs dockstrap so, in a folder that is gone by then.
fn beset(host: &LabHost, umask: &str, more: &[&str], arguments: &str) -> Outcome {
    let script = format!(
        "umask {umask}; mkdir /root/gone; cd /root/gone; rmdir /root/gone; exec env \"$@\" {PROGRAM} \
         {arguments}"
    );
    let key = format!("DOCKSTRAP_KEY_FINGERPRINT={}", host.fingerprint());
    let words = [&["/bin/sh", "-euc", &script, "sh", &key], VARIABLES, more].concat();
    host.run_all(&words)
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_13_nothing_of_the_callers_decides_what_root_runs_or_reaches_it() {
    let host = LabHost::up("noble");
    let (_proxy, log) = leave_only_the_proxy(&host);
    host.sh(EVIL);
    host.sh(WITNESSES);
    let before = host.tree();
    host.sh("rm -f /root/seen");
    let proxy = format!("DOCKSTRAP_PROXY={}", proxy_url());
    let password = format!("DOCKSTRAP_REGISTRY_PASSWORD={PASSWORD}");
    let secrets = [proxy.as_str(), &password];
    beset(&host, "0000", &secrets, "install --yes --user alice")
        .exits(0)
        .says("works on this host")
        .never_says("preload")
        .never_says(PASSWORD);
    only_a_clean_environment_was_seen(&host.read("/root/seen"));
    let requests = std::fs::read_to_string(log.path()).unwrap();
    assert!(
        requests.contains("GET http://archive.ubuntu.com/ubuntu/pool/"),
        "{requests}"
    );
    let modes = host.sh(
        "stat --format='%a %U:%G %n' /etc/apt/keyrings/docker.asc /etc/apt/sources.list.d/docker.sources \
         /etc/docker /etc/docker/daemon.json /var/lib/dockstrap /var/lib/dockstrap/journal
         find / -xdev -newer /root/witness -perm -o+w ! -type l ! -perm -1000 ! -path '/proc/*' \
         ! -path '/tmp/*' ! -type s ! -type c",
    );
    assert_eq!(
        modes.stdout,
        "644 root:root /etc/apt/keyrings/docker.asc\n\
         644 root:root /etc/apt/sources.list.d/docker.sources\n\
         755 root:root /etc/docker\n\
         644 root:root /etc/docker/daemon.json\n\
         700 root:root /var/lib/dockstrap\n\
         600 root:root /var/lib/dockstrap/journal\n"
    );
    beset(&host, "0022", &[], "verify")
        .exits(0)
        .says("compose")
        .never_says("preload");
    host.sh("ls /tmp/evil").never_says("ran-");

    // A plain user's proof is of this host's engine as well.
    let variables = ["DOCKER_HOST=tcp://127.0.0.9:1", "DOCKER_CONTEXT=evil"];
    let [engine, context] = variables;
    let home = "HOME=/tmp/evil";
    host.run_as(
        "alice",
        [
            "env", engine, context, home, PROGRAM, "verify", "engine", "run",
        ],
    )
    .exits(0);

    beset(&host, "0077", &secrets, "uninstall --yes").exits(0);
    host.sh("ls /tmp/evil").never_says("ran-");
    host.sh("! grep -F s3cret /root/seen; rm /root/seen");
    before.is_restored_in(&host.tree());
}

/// What the witnesses wrote down of the environment that root's programs were given.
#[track_caller]
fn only_a_clean_environment_was_seen(seen: &str) {
    for witness in [
        "hook",
        "docker",
        "getent",
        "groupadd",
        "runuser",
        "systemctl",
    ] {
        let is_of = |line: &str| line.starts_with("== ") && line.ends_with(witness);
        assert!(seen.lines().any(is_of), "{witness}: {seen}");
    }
    // What apt tells its hooks of its configuration is among it.
    assert!(seen.contains("APT::Architecture"), "{seen}");
    for forbidden in [
        PASSWORD,
        "/tmp/evil",
        "DOCKSTRAP_",
        "TMPDIR=",
        "=evil",
        "LD_PRELOAD",
    ] {
        let lines: Vec<&str> = seen.lines().filter(|it| it.contains(forbidden)).collect();
        assert!(lines.is_empty(), "{forbidden}: {lines:?}");
    }
    let of = |name: &str| {
        let mut values: Vec<&str> = seen
            .lines()
            .filter_map(|line| line.strip_prefix(name))
            .collect();
        values.sort_unstable();
        values.dedup();
        values.join(" ")
    };
    assert_eq!(
        (of("HOME=").as_str(), of("UMASK=").as_str()),
        ("/root", "0022")
    );
    assert_eq!(of("PWD="), "/ /tmp", "apt takes its hooks to /tmp");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn what_others_could_have_written_is_refused_with_the_command_that_helps() {
    let host = LabHost::up("jammy");
    let key = format!("key-fingerprint = \"{}\"\n", host.fingerprint());
    let config = "/etc/dockstrap/config.toml";
    host.write(config, &key);
    host.sh("runuser -u alice -- sh -c 'cp /etc/ssl/certs/ca-certificates.crt ~/ca.pem; echo word >~/word'");
    host.write("/home/alice/own.toml", &key);
    host.sh("mkdir -m 1777 /srv/shared; runuser -u alice -- ln -s /etc/dockstrap/config.toml /srv/shared/link");
    host.sh("mkdir -m 777 /srv/open; mkdir -m 700 /srv/open/mine; runuser -u alice -- mkdir -m 700 /srv/shared/hers");
    let refused = |words: &[&str], texts: &[&str]| refused(&host, words, texts);
    settings_that_others_can_change_are_refused(&host, config);
    for file in ["/home/alice/own.toml", "/srv/shared/link"] {
        refused(
            &[PROGRAM, "plan", "--config", file],
            &[file, "sudo install --mode=0600"],
        );
    }
    let ca = "/home/alice/ca.pem";
    refused(
        &[PROGRAM, "plan", "--ca-cert", ca],
        &["ca-cert", "/home/alice", "sudo install"],
    );
    let variable = format!("SSL_CERT_FILE={ca}");
    refused(
        &[&variable, PROGRAM, "plan"],
        &["SSL_CERT_FILE", "/home/alice"],
    );
    let login = [
        "verify",
        "--registry=r:1",
        "--registry-user=a",
        "--registry-password-file=/home/alice/word",
    ];
    refused(
        &[&[PROGRAM][..], &login].concat(),
        &["registry-password-file", "sudo install"],
    );
    for folder in ["/srv/open", "/srv/open/mine", "/srv/shared/hers", "/none"] {
        let variable = format!("TMPDIR={folder}");
        refused(&[&variable, PROGRAM, "plan"], &[&variable, "unset TMPDIR"]);
        refused(
            &[&variable, PROGRAM, "install", "--yes"],
            &[&variable, "unset TMPDIR"],
        );
    }
    what_the_caller_can_answer_for_is_taken(&host);
}

fn what_the_caller_can_answer_for_is_taken(host: &LabHost) {
    // What the shell has opened is the shell's to answer for, and relative paths are the caller's.
    host.sh("cd /home/alice; dockstrap plan --config /dev/stdin <own.toml");
    host.sh("mkdir /root/here; cd /root/here; cp /etc/dockstrap/config.toml own.toml; cp /home/alice/ca.pem .
             umask 0077; dockstrap install --yes --config own.toml --ca-cert ./ca.pem
             dockstrap verify run --junit out.xml; test -s out.xml; stat --format=%a out.xml")
        .says("600");
    // A link that leads elsewhere is not followed, nor one that is put there meanwhile.
    host.sh("runuser -u alice -- ln -s /etc/shadow /srv/shared/out.xml");
    refused(
        host,
        &[PROGRAM, "verify", "run", "--junit", "/srv/shared/out.xml"],
        &["/srv/shared/out.xml"],
    );
    host.sh(
        "stat --format='%a %n' /etc/apt/keyrings/docker.asc /etc/apt/sources.list.d/docker.sources \
             /etc/docker/daemon.json /etc/apt/keyrings /var/lib/apt/extended_states /etc/group",
    )
    .says_all(&[
        "644 /etc/apt/keyrings/docker.asc",
        "644 /etc/apt/sources.list.d/docker.sources",
        "644 /etc/docker/daemon.json",
        "755 /etc/apt/keyrings\n",
        "644 /var/lib/apt/extended_states",
        "644 /etc/group",
    ]);
    // A key that others could exchange by its folder is not believed.
    host.sh("chmod 0777 /etc/apt/keyrings");
    host.run([PROGRAM, "install", "--yes"])
        .exits(4)
        .says("sudo chmod go-w /etc/apt/keyrings");
    host.sh("chmod 0755 /etc/apt/keyrings; dockstrap uninstall --yes");
}

/// Runs a command that must be refused with these texts and change nothing.
#[track_caller]
fn refused(host: &LabHost, words: &[&str], texts: &[&str]) -> Outcome {
    let before = host.tree();
    let outcome = host.run_all(&[&["env"], words].concat()).exits(2);
    before.is_untouched_in(&host.tree());
    outcome.says_all(texts)
}

fn settings_that_others_can_change_are_refused(host: &LabHost, config: &str) {
    // What the message says last is what helps.
    for (spoil, place) in [
        (format!("chmod 0666 {config}"), config),
        (format!("chown bob {config}"), config),
        ("chmod 0777 /etc/dockstrap".to_owned(), "/etc/dockstrap"),
    ] {
        host.sh(&spoil);
        for command in ["plan", "install", "first-boot"] {
            let said = refused(host, &[PROGRAM, command], &[config, place]);
            let all = said.all();
            let cure = all
                .lines()
                .rev()
                .find_map(|it| Some(it.split_once("Run: ")?.1));
            if command == "first-boot" {
                host.sh(&cure.expect("a command").replace("sudo ", ""));
            }
        }
        host.run([PROGRAM, "plan"]).exits(0);
        // Nothing of it is for a user who can only look.
        host.sh(&spoil);
        host.run_as("bob", [PROGRAM, "plan"]).exits(0);
        host.sh(&format!(
            "chown root {config}; chmod go-w {config} /etc/dockstrap"
        ));
    }
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_first_boot_runs_no_program_that_others_could_exchange() {
    let host = LabHost::up_without_systemd("resolute");
    let settings = format!(
        "key-fingerprint = \"{}\"\nfirst-boot = true\n",
        host.fingerprint()
    );
    host.write("/etc/dockstrap/config.toml", &settings);
    host.sh("mkdir -p /opt/tools/bin; cp /usr/local/bin/dockstrap /opt/tools/bin; chown alice /opt/tools");
    let before = host.tree();
    let program = "/opt/tools/bin/dockstrap";
    host.run([program, "install", "--no-start", "--yes"])
        .exits(2)
        .says_all(&[
            "first-boot",
            "/opt/tools belongs to user 1000",
            "sudo chown root:root /opt/tools",
        ]);
    before.is_untouched_in(&host.tree());
}
