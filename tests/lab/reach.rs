//! Networks that lead nowhere, or not to Docker: what is wrong is told in plain words, in time,
//! and the host is as before.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;

use crate::host::{LabHost, PROGRAM};
use crate::outcome::Outcome;
use crate::signing::read;

const PROXY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab/support/proxy.py");
const PASSWORD: &str = "s3cret-Word";

/// A server that takes connections and never answers.
const SILENT: &str = "import socket, sys
server = socket.create_server(('127.0.0.13', 443))
print('listening', flush=True)
sys.stdin.read()";

/// A server on this machine in the network of a host. It ends with the test, of which it knows
/// by its input.
struct Neighbour(Child);

impl Neighbour {
    /// Starts a server that prints a line once it listens.
    fn start<const N: usize>(host: &LabHost, command: [&str; N]) -> Neighbour {
        let mut entered = Command::new("nsenter");
        entered.arg(format!("--net={}", host.lab_path("netns").display()));
        entered.args(command).stdin(Stdio::piped());
        let mut child = entered
            .stdout(Stdio::piped())
            .spawn()
            .expect("running nsenter");
        let output = child.stdout.take().expect("a pipe");
        let neighbour = Neighbour(child);
        let line = BufReader::new(output).lines().next();
        line.expect("it did not begin to listen")
            .expect("reading from it");
        neighbour
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Does `what`, which must fail for the network and leave the host as it is.
#[track_caller]
fn fails<const N: usize>(host: &LabHost, arguments: [&str; N]) -> Outcome {
    host.refuses(1, arguments).says("nothing was changed")
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_07_a_server_that_cannot_be_found_or_refuses_is_named() {
    let host = LabHost::up("noble");
    fails(
        &host,
        ["install", "--yes", "--mirror", "https://mirror.example"],
    )
    .says("https://mirror.example/linux/ubuntu/gpg")
    .says("name");
    fails(&host, ["install", "--yes", "--mirror", "https://127.0.0.9"])
        .says("https://127.0.0.9/linux/ubuntu/gpg")
        .says("refuse");
    // Neither servers nor anyone who knows names.
    host.servers("stop");
    fails(&host, ["install", "--yes"])
        .says("https://download.docker.com/linux/ubuntu/gpg")
        .says("refuse");
    fails(
        &host,
        ["install", "--yes", "--mirror", "https://mirror.example"],
    )
    .says("https://mirror.example/linux/ubuntu/gpg")
    .says("name");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_08_a_certificate_of_an_unknown_authority_is_refused_unless_it_is_given() {
    let host = LabHost::up("noble");
    host.sh("mv /usr/local/share/ca-certificates/*.crt /root/lab.pem; update-ca-certificates");
    fails(&host, ["install", "--yes"])
        .says("the certificate of download.docker.com is not trusted")
        .says("--ca-cert FILE");
    let before = host.tree();
    host.dockstrap(["plan", "--ca-cert", "/root/lab.pem"])
        .exits(0)
        .says("install 7 packages");
    before.is_untouched_in(&host.tree());

    // And without any authority at all.
    host.sh("rm -r /etc/ssl/certs");
    fails(&host, ["install", "--yes"]).says("apt-get install ca-certificates");
    host.dockstrap(["plan", "--ca-cert", "/root/lab.pem"])
        .exits(0);
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_13_a_proxy_is_given_its_password_and_nobody_else_is() {
    let host = LabHost::up("noble");
    let (_proxy, log) = leave_only_the_proxy(&host);
    for wrong in ["", "alice:wrong-Word@"] {
        let proxy = format!("http://{wrong}127.0.0.1:3128");
        fails(&host, ["install", "--yes", "--proxy", &proxy])
            .says("127.0.0.1:3128")
            .says("password")
            .never_says("wrong-Word");
    }
    let settings = "/etc/dockstrap/config.toml";
    host.write(settings, &format!("proxy = '{}'\n", proxy_url()));
    host.sh(&format!("chmod 0600 {settings}"));
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
    let holders = format!(
        "grep --recursive --files-with-matches {PASSWORD} /etc /root /run /tmp /var || true"
    );
    assert_eq!(host.sh(&holders).stdout, format!("{settings}\n"));
    host.sh("journalctl --no-pager").never_says(PASSWORD);
    host.uninstall().never_says(PASSWORD);
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_13_a_proxy_in_capitals_holds_for_apt_as_well_but_not_for_whom_no_proxy_names() {
    let host = LabHost::up("noble");
    let (_proxy, log) = leave_only_the_proxy(&host);
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

/// A proxy that alone knows the names of the servers, with its log; apt must ask it for its
/// indexes as well, since there are none.
fn leave_only_the_proxy(host: &LabHost) -> (Neighbour, NamedTempFile) {
    host.sh(
        "echo '127.0.0.1 localhost' >/etc/hosts; echo 'nameserver 127.0.0.9' >/etc/resolv.conf",
    );
    host.sh("rm -rf /var/lib/apt/lists/*");
    let log = NamedTempFile::new().expect("making a file");
    let path = log.path().to_str().expect("a plain path");
    let credentials = format!("alice:{PASSWORD}");
    let proxy = Neighbour::start(host, ["python3", PROXY, &credentials, path]);
    (proxy, log)
}

fn proxy_url() -> String {
    format!("http://alice:{PASSWORD}@127.0.0.1:3128")
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_14_a_server_that_never_answers_is_given_up() {
    let host = LabHost::up("noble");
    let _silent = Neighbour::start(&host, ["python3", "-c", SILENT]);
    let begun = Instant::now();
    fails(
        &host,
        ["install", "--yes", "--mirror", "https://127.0.0.13"],
    )
    .says("https://127.0.0.13/linux/ubuntu/gpg")
    .says("10 s");
    let taken = begun.elapsed();
    assert!(taken < Duration::from_secs(45), "it took {taken:?}");
}
