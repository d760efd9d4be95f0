//! Networks that lead nowhere, or not to Docker: what is wrong is told in plain words, in time,
//! and the host is as before.

use std::time::{Duration, Instant};

use crate::certificates::{ISSUER, MIRROR, serve_in_a_manner};
use crate::host::LabHost;
use crate::neighbour::Neighbour;
use crate::outcome::Outcome;

/// A server at this address that takes connections and never answers.
const SILENT: &str = "import socket, sys
family = socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET
server = socket.create_server((sys.argv[1], 443), family=family)
print('listening', flush=True)
sys.stdin.read()";

/// Does `what`, which must fail for the network and leave the host as it is.
#[track_caller]
fn fails<const N: usize>(host: &LabHost, arguments: [&str; N]) -> Outcome {
    host.unchanged_by(1, arguments).says("nothing was changed")
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
fn fault_14_a_server_that_never_answers_is_given_up() {
    let host = LabHost::up("noble");
    let _silent = Neighbour::start(&host, ["python3", "-c", SILENT, "127.0.0.13"]);
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

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_14_a_server_that_is_busy_is_asked_again_and_one_that_falls_silent_is_given_up() {
    let host = LabHost::up("noble");
    let server = |manner| serve_in_a_manner(&host, "server.pem", manner);
    let arguments = ["--mirror", MIRROR, "--ca-cert", ISSUER];
    let [mirror, url, ca_cert, issuer] = arguments;
    let busy = server("busy");
    host.dockstrap(["plan", mirror, url, ca_cert, issuer])
        .exits(0)
        .says("install 7 packages");
    drop(busy);

    let _silent = server("silent");
    let begun = Instant::now();
    fails(&host, ["install", "--yes", mirror, url, ca_cert, issuer])
        .says("https://127.0.0.1:8443/linux/ubuntu/gpg")
        .says("went silent");
    let taken = begun.elapsed();
    assert!(taken < Duration::from_secs(100), "it took {taken:?}");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_14_where_ipv6_leads_nowhere_ipv4_is_used() {
    let host = LabHost::up("noble");
    // apt takes a family only when the host has an address of it besides the loopback's own.
    host.sh("ip address add fd00::1/128 dev lo; ip address add 10.99.0.1/32 dev lo");
    host.sh("echo 'fd00::1 download.docker.com archive.ubuntu.com' >>/etc/hosts");
    let plan = |seconds| {
        let begun = Instant::now();
        host.dockstrap(["plan"]).exits(0).says("install 7 packages");
        let taken = begun.elapsed();
        assert!(taken < Duration::from_secs(seconds), "it took {taken:?}");
    };
    // No connection comes about, as on a network with addresses and no way out.
    host.sh("ip6tables --append INPUT --destination fd00::1 --jump DROP");
    plan(8);
    host.install();
    host.uninstall();

    // A connection comes about and nothing on it, as where large packets are lost on the way.
    host.sh("ip6tables --flush");
    let _silent = Neighbour::start(&host, ["python3", "-c", SILENT, "fd00::1"]);
    plan(20);
}
