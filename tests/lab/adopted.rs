//! Engines that came before dockstrap and not by it: by Docker's own script, or by hand.

use std::fs;

use crate::host::LabHost;

const LIST: &str = "/etc/apt/sources.list.d/docker.list";
const URI: &str = "https://download.docker.com/linux/ubuntu";

/// What Docker's convenience script runs, with this keyring and this option of the source's.
fn run_convenience_script(host: &LabHost, keyring: &str, option: &str) {
    let key = host.lab_path("keys").join("docker.asc");
    let key = fs::read_to_string(key).expect("reading the key");
    host.write(keyring, &key);
    host.write(
        LIST,
        &format!("deb [arch=amd64{option}] {URI} noble stable\n"),
    );
    host.sh(&format!(
        "chmod a+r {keyring}; apt-get -qq update >/dev/null
         DEBIAN_FRONTEND=noninteractive apt-get -y -qq install docker-ce docker-ce-cli \
             containerd.io docker-compose-plugin docker-ce-rootless-extras docker-buildx-plugin
         systemctl is-active docker.service"
    ));
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_16_an_engine_of_dockers_script_is_adopted_and_stays_with_its_source() {
    let host = LabHost::up("noble");
    // As the script does it by now: the source is the very one that dockstrap would write.
    let keyring = "/etc/apt/keyrings/docker.asc";
    run_convenience_script(&host, keyring, &format!(" signed-by={keyring}"));
    let before = host.tree();
    host.sh(
        "docker run --detach --interactive --tty --network none --name keeper hello-world /cat",
    );
    host.dockstrap(["plan"])
        .exits(0)
        .says(&format!("{LIST} names {URI}"))
        .says("docker-ce 5:26.1.5");
    host.dockstrap(["install", "--yes"])
        .exits(0)
        .says("works on this host");
    host.sh("docker ps").says("keeper");
    host.dockstrap(["status"]).exits(0);
    host.sh("docker rm --force keeper");
    host.uninstall();
    host.sh("docker info");
    before.is_restored_in(&host.tree());
    host.sh("apt-get update; apt-get check");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_16_the_source_of_an_older_script_of_dockers_is_migrated_and_comes_back() {
    let host = LabHost::up("noble");
    // As it was when keys were trusted for every source.
    run_convenience_script(&host, "/etc/apt/trusted.gpg.d/docker.asc", "");
    let before = host.tree();
    host.dockstrap(["plan"])
        .exits(0)
        .says(&format!("move {LIST} aside: it names no keyring"));
    host.install();
    assert!(!host.has(LIST));
    host.sh("apt-get update; apt-get check; apt-cache policy docker-ce")
        .says(URI);
    host.dockstrap(["uninstall", "--yes", "--purge-data"])
        .exits(0)
        .says("No data is removed, for the engine was there before");
    host.sh("docker info; apt-get update");
    before.is_restored_in(&host.tree());
}

/// Lays out what an archive of Docker's binaries holds, with units as people write them.
fn install_by_hand(host: &LabHost) {
    for package in ["containerd.io", "docker-ce-cli", "docker-ce"] {
        let target = host.lab_path("root").join(format!("root/{package}.deb"));
        fs::copy(host.served_package(package), target).expect("copying a package");
    }
    host.sh(
        "cd /root
         for package in containerd.io docker-ce-cli docker-ce; do dpkg-deb --extract $package.deb made; done
         mv made/usr/bin/* /usr/local/bin
         for unit in docker.service docker.socket containerd.service; do
             sed 's,/usr/bin/,/usr/local/bin/,' made/usr/lib/systemd/system/$unit \
                 >/etc/systemd/system/$unit
         done
         rm -r made ./*.deb
         groupadd --system docker
         systemctl daemon-reload
         systemctl enable --now containerd.service docker.socket docker.service",
    );
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_24_an_engine_by_hand_is_refused_and_with_consent_moved_aside_and_put_back() {
    let host = LabHost::up("noble");
    install_by_hand(&host);
    host.sh(
        "docker run --detach --interactive --tty --network none --name keeper hello-world /cat",
    );
    let before = host.tree();
    host.unchanged_by(4, ["install", "--yes"]).says_all(&[
        "/usr/local/bin/dockerd",
        "/etc/systemd/system/docker.service",
        "containers run under it (keeper)",
        "dockstrap install --replace",
        "systemctl disable --now docker.socket docker.service containerd.service; mkdir",
    ]);
    host.dockstrap(["plan", "--replace"])
        .exits(0)
        .says("move /usr/local/bin/dockerd")
        .says("containers that stop: keeper");
    host.dockstrap(["install", "--yes", "--replace"])
        .exits(0)
        .says("works on this host");
    assert!(!host.has("/usr/local/bin/dockerd") && host.has("/usr/bin/dockerd"));
    host.sh("docker image inspect hello-world; docker start keeper");
    host.dockstrap(["status"]).exits(0);
    host.uninstall();
    host.sh("systemctl is-active docker.service; docker ps")
        .says("keeper");
    before.is_restored_in(&host.tree());
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn data_in_a_data_root_of_the_users_own_goes_when_that_is_asked_for() {
    let host = LabHost::up("noble");
    let root = "/srv/data/docker";
    // On a disk of its own, for Docker's storage cannot lie on an overlay.
    host.mount_disk(2048, "/srv/data");
    host.write(
        "/etc/docker/daemon.json",
        &format!("{{\"data-root\": \"{root}\"}}\n"),
    );
    let (before, listed) = (host.tree(), host.sh("find /srv/data").stdout);
    host.install();
    host.sh("docker volume create kept; docker pull hello-world");
    host.dockstrap(["uninstall", "--purge-data"])
        .exits(2)
        .says_all(&["are removed as well", &format!("{root}/volumes")]);
    host.dockstrap(["uninstall", "--yes", "--purge-data"])
        .exits(0)
        .says("the host is as it was");
    assert_eq!(host.sh("find /srv/data").stdout, listed);
    before.is_restored_in(&host.tree());

    // Another's files in it keep all of it.
    host.write(&format!("{root}/volumes/theirs"), "data");
    host.install();
    host.sh("docker volume create more");
    host.dockstrap(["uninstall", "--yes", "--purge-data"])
        .exits(0)
        .says(&format!("something was in {root} before the engine came"));
    assert!(host.has(&format!("{root}/volumes/theirs")));
    assert!(host.has(&format!("{root}/volumes/more")));

    // So does what is mounted there, and a disk that it was moved to since.
    host.sh(&format!("rm -r {root}"));
    host.install();
    host.write("/srv/theirs/file", "data");
    host.sh(&format!(
        "systemctl stop docker.socket docker.service
         mount -t tmpfs none {root}
         systemctl start docker.service
         docker volume create shown
         mount --bind /srv/theirs {root}/volumes/shown/_data"
    ));
    host.dockstrap(["uninstall", "--purge-data"])
        .exits(2)
        .says(&format!(
            "All of {root}/volumes stays if this still is mounted in it then: \
             {root}/volumes/shown/_data"
        ));
    host.dockstrap(["uninstall", "--yes", "--purge-data"])
        .exits(0)
        .says(&format!("umount {root}/volumes/shown/_data; rm -r"))
        .says("something is mounted on it");
    assert!(host.has("/srv/theirs/file") && !host.has(&format!("{root}/image")));
    assert!(!host.has("/etc/apt/keyrings/docker.asc"));
}
