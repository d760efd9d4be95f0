//! Servers that are not who they should be, and who is believed to vouch for them.

use std::fs;
use std::path::Path;

use crate::host::{LabHost, PROGRAM};
use crate::neighbour::Neighbour;
use crate::outcome::Outcome;

const SERVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab/support/https.py");
const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tls");
/// Where the host has the lab's authority when its store lacks it.
const AUTHORITY: &str = "/root/lab.pem";
/// The address of a test's own server, and where the host has the issuer of its certificate.
pub(crate) const MIRROR: &str = "https://127.0.0.1:8443";
pub(crate) const ISSUER: &str = "/root/issuer.pem";

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_08_a_certificate_of_an_unknown_authority_is_refused_unless_it_is_given() {
    let host = LabHost::up("noble");
    forget_the_authority(&host);
    host.unchanged_by(5, ["install", "--yes"]).says_all(&[
        "the certificate of download.docker.com is not trusted",
        "--ca-cert FILE",
        "nothing was changed",
    ]);
    let before = host.tree();
    host.dockstrap(["plan", "--ca-cert", AUTHORITY])
        .exits(0)
        .says("install 7 packages");
    before.is_untouched_in(&host.tree());

    // And without any authority at all.
    host.sh("rm -r /etc/ssl/certs");
    host.unchanged_by(4, ["install", "--yes"])
        .says("apt-get install ca-certificates");
    host.dockstrap(["plan", "--ca-cert", AUTHORITY]).exits(0);
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_08_a_certificate_for_another_name_is_refused() {
    let host = LabHost::up("noble");
    refuses_server(&host, "another-name.pem")
        .says("the certificate of 127.0.0.1 is for another name");
    // And nothing else was wrong with it.
    let _server = serve(&host, "server.pem");
    host.dockstrap(["plan", "--mirror", MIRROR, "--ca-cert", ISSUER])
        .exits(0)
        .says("install 7 packages");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_11_a_certificate_out_of_its_time_names_the_clock() {
    let host = LabHost::up("noble");
    for (certificate, fault) in [
        ("expired.pem", "expired on 2026-02-01 00:00 UTC"),
        ("future.pem", "is valid only from 2125-01-01 00:00 UTC"),
    ] {
        refuses_server(&host, certificate).says_all(&[
            fault,
            "by this host's clock, which says",
            "timedatectl set-ntp true",
        ]);
    }
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_08_a_store_that_the_environment_names_stands_for_the_hosts_own() {
    let host = LabHost::up("noble");
    forget_the_authority(&host);
    host.sh("touch /root/empty.pem");
    let key = format!("DOCKSTRAP_KEY_FINGERPRINT={}", host.fingerprint());
    let install = |variable| {
        host.run([
            "env",
            &key,
            variable,
            PROGRAM,
            "install",
            "--yes",
            "--no-verify",
        ])
    };
    let before = host.tree();
    for variable in [
        "SSL_CERT_FILE=/no/such.pem",
        "SSL_CERT_FILE=/root/empty.pem",
        "SSL_CERT_FILE=/etc/os-release",
        "SSL_CERT_FILE=/etc",
        "SSL_CERT_DIR=/no/such",
    ] {
        let (name, path) = variable.split_once('=').expect("a variable");
        install(variable).exits(2).says_all(&[
            &format!("{name} names {path}, where"),
            "nothing was changed",
        ]);
    }
    // As a user who may not read it, since it is root's.
    let file = format!("SSL_CERT_FILE={AUTHORITY}");
    host.run_as("alice", ["env", &key, &file, PROGRAM, "plan"])
        .exits(2)
        .says(&format!("SSL_CERT_FILE names {AUTHORITY}, where"));
    before.is_untouched_in(&host.tree());
    install(&file).exits(0);
    host.sh("docker info");
}

/// The lab's authority is no longer among those that the host trusts.
fn forget_the_authority(host: &LabHost) {
    host.sh(&format!(
        "mv /usr/local/share/ca-certificates/*.crt {AUTHORITY}; update-ca-certificates"
    ));
}

/// An install from a server with this certificate, which must not be believed.
#[track_caller]
fn refuses_server(host: &LabHost, certificate: &str) -> Outcome {
    let _server = serve(host, certificate);
    host.unchanged_by(
        5,
        ["install", "--yes", "--mirror", MIRROR, "--ca-cert", ISSUER],
    )
    .says_all(&[MIRROR, "nothing was changed"])
}

/// A server with this certificate, whose issuer the host has a file of.
fn serve(host: &LabHost, certificate: &str) -> Neighbour {
    serve_in_a_manner(host, certificate, "")
}

/// The same with a manner of its own, as `https.py` knows them.
pub(crate) fn serve_in_a_manner(host: &LabHost, certificate: &str, manner: &str) -> Neighbour {
    let fixtures = Path::new(FIXTURES);
    let issuer = fs::read_to_string(fixtures.join("ca.pem")).expect("reading the issuer");
    host.write(ISSUER, &issuer);
    let folder = host.lab_path("www").join("download.docker.com");
    let [certificate, key] = [certificate, "server.key"].map(|name| fixtures.join(name));
    let [certificate, key, folder] =
        [&certificate, &key, &folder].map(|path| path.to_str().expect("a plain path"));
    let command = ["python3", SERVER, certificate, key, folder, manner];
    Neighbour::start(host, command)
}
