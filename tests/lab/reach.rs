//! Networks that lead nowhere, or not to Docker: what is wrong is told in plain words, in time,
//! and the host is as before.

use std::time::{Duration, Instant};

use crate::host::LabHost;
use crate::neighbour::Neighbour;
use crate::outcome::Outcome;

/// A server that takes connections and never answers.
const SILENT: &str = "import socket, sys
server = socket.create_server(('127.0.0.13', 443))
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
