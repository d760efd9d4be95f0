//! A private registry with an authority of its own.

use std::path::Path;
use std::process::Command;

use crate::host::LabHost;
use crate::neighbour::Neighbour;

const DOOR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab/support/tls.py");
const SETTINGS: &str = "/etc/dockstrap/config.toml";
const AUTHORITY: &str = "/etc/docker/certs.d/registry.lab:5000/ca.crt";
const IMAGE: &str = "registry.lab:5000/library/hello-world";

/// Runs openssl in a folder.
#[track_caller]
fn openssl(folder: &Path, arguments: &str) {
    let mut command = Command::new("openssl");
    command.current_dir(folder).args(arguments.split(' '));
    let output = command.output().expect("running openssl");
    assert!(output.status.success(), "{output:?}");
}

/// Makes an authority and a certificate of it for `registry.lab`.
fn make_certificates(folder: &Path) {
    let key = "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 7";
    openssl(
        folder,
        &format!(
            "{key} -x509 -subj /CN=lab -keyout ca.key -out ca.pem -addext keyUsage=keyCertSign"
        ),
    );
    openssl(
        folder,
        &format!(
            "{key} -x509 -CA ca.pem -CAkey ca.key -subj /CN=registry -keyout key.pem \
             -out certificate.pem -addext subjectAltName=DNS:registry.lab \
             -addext basicConstraints=critical,CA:FALSE"
        ),
    );
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_registry_of_ones_own_is_trusted_by_its_own_authority_and_is_asked_whether_it_answers() {
    let host = LabHost::up("noble");
    let folder = tempfile::tempdir().expect("a folder");
    make_certificates(folder.path());
    let file = |name: &str| folder.path().join(name).display().to_string();
    // The engine trusts anybody on the loopback, so it stands elsewhere.
    host.sh(
        "ip link add lan0 type bridge; ip link set lan0 up; ip address add 10.99.0.1/24 dev lan0
         echo 10.99.0.1 registry.lab mirror.lab >>/etc/hosts",
    );
    let authority = std::fs::read_to_string(file("ca.pem")).expect("reading the authority");
    host.write("/srv/ca.pem", &authority);
    host.write(
        SETTINGS,
        "[registries.\"registry.lab:5000\"]\nca = '/srv/ca.pem'\n\
         [daemon]\nregistry-mirrors = ['https://mirror.lab', 'https://registry.lab:5000']\n",
    );
    let before = host.tree();
    host.dockstrap(["plan"])
        .exits(0)
        .says("the registry registry.lab:5000 does not answer")
        .says("the registry https://mirror.lab does not answer");
    before.is_untouched_in(&host.tree());

    let (certificate, key) = (file("certificate.pem"), file("key.pem"));
    let door = [
        "python3",
        DOOR,
        "10.99.0.1:5000",
        &certificate,
        &key,
        "127.0.0.3:5000",
    ];
    let _door = Neighbour::start(&host, door);
    host.dockstrap(["install", "--yes", "--no-verify"])
        .exits(0)
        .says("trust the authority of registry.lab:5000")
        .never_says("registry.lab:5000 does not answer")
        .says("https://mirror.lab does not answer");
    host.sh(&format!("stat --format '%a %U' {AUTHORITY}"))
        .says("444 root");
    host.sh(&format!("docker pull {IMAGE}"));
    let requests = host.requests();
    host.install().says("Nothing to do");
    assert_eq!(host.requests(), requests);
    host.dockstrap(["status"]).exits(0);

    host.sh(&format!(
        "docker image rm {IMAGE}; mv {AUTHORITY} /srv/aside"
    ));
    host.run(["docker", "pull", IMAGE])
        .exits(1)
        .says("certificate");
    host.dockstrap(["status"]).exits(3).says("ca.crt is gone");
    host.dockstrap(["install", "--yes", "--no-verify"]).exits(0);
    host.sh(&format!("docker pull {IMAGE}; rm /srv/aside"));
    host.dockstrap(["uninstall", "--yes", "--purge-data"])
        .exits(0);
    before.is_restored_in(&host.tree());
}
