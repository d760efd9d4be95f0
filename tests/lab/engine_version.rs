//! A version of the engine that is asked for. The lab's repository has two.

use crate::host::LabHost;

/// The version of docker-ce that dpkg names.
fn installed(host: &LabHost) -> String {
    let version = "dpkg-query --show --showformat='${Version}' docker-ce docker-ce-cli";
    let both = host.sh(version).stdout;
    let one = &both[..both.len() / 2];
    assert_eq!(both, [one, one].concat(), "engine and command must agree");
    one.to_owned()
}

/// The engine's own versions in the repository, the newer one first.
fn versions(host: &LabHost) -> (String, String) {
    let refusal = host.unchanged_by(4, ["install", "--yes", "--engine-version", "1"]);
    let (_, list) = refusal.stderr.split_once("It has:\n").expect("a list");
    let version = |line: &str| {
        Some(
            line.trim()
                .strip_prefix("5:")?
                .split_once('-')?
                .0
                .to_owned(),
        )
    };
    let versions: Vec<String> = list.lines().map_while(version).collect();
    let [newer, older] = versions.try_into().expect("two versions");
    (newer, older)
}

on_each_release! {
    fn a_version_that_is_asked_for_is_installed_and_is_enough(host) {
        let before = host.tree();
        let (newer, older) = versions(host);
        host.dockstrap(["install", "--yes", "--engine-version", &older])
            .exits(0)
            .says("works on this host");
        assert!(installed(host).contains(&older));
        host.dockstrap(["status"]).exits(0).says(&format!(", newest 5:{newer}"));
        // What is there stays, unless another is asked for.
        host.install().says("Nothing to do");
        let same = older.split_once('.').expect("dots").0;
        host.dockstrap(["plan", "--check", "--engine-version", same]).exits(0);

        // Without live-restore an upgrade stops containers, and they are started again.
        host.sh("sed -i 's/\"live-restore\": true/\"live-restore\": false/' /etc/docker/daemon.json
                 systemctl restart docker
                 docker run --detach --interactive --tty --name keeper hello-world /cat");
        host.dockstrap(["plan", "--check", "--preset", "none", "--engine-version", &newer])
            .exits(3)
            .says(&format!("docker-ce 5:{older}"))
            .says("1 running containers are restarted with it");
        let newer_one = ["install", "--yes", "--no-verify", "--preset", "none", "--engine-version", &newer];
        host.dockstrap(newer_one).exits(0);
        assert!(installed(host).contains(&newer));
        host.sh("docker ps").says("keeper");
        host.sh("docker rm --force keeper
                 sed -i 's/\"live-restore\": false/\"live-restore\": true/' /etc/docker/daemon.json
                 systemctl reset-failed docker.service; systemctl restart docker.service");
        host.uninstall();
        before.is_restored_in(&host.tree());
    }
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_26_a_version_that_is_missing_is_answered_with_those_there_are() {
    let host = LabHost::up("noble");
    let (newer, older) = versions(&host);
    host.unchanged_by(4, ["install", "--yes", "--engine-version", "27.5"])
        .says("no docker-ce 27.5")
        .says("nothing was changed")
        .says(&format!("It has:\n  5:{newer}"))
        .says(&older)
        .says("--engine-version");
    host.unchanged_by(2, ["install", "--yes", "--engine-version", "latest"])
        .says("`latest` is no version");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_27_an_engine_newer_than_the_one_that_is_asked_for_stays_unless_that_is_meant() {
    let host = LabHost::up("noble");
    let (newer, older) = versions(&host);
    host.install();
    host.unchanged_by(4, ["install", "--yes", "--engine-version", &older])
        .says(&newer)
        .says("which is older; nothing was changed")
        .says("--allow-downgrade");
    let down = [
        "install",
        "--yes",
        "--engine-version",
        &older,
        "--allow-downgrade",
    ];
    host.dockstrap(down).exits(0).says("works on this host");
    assert!(installed(&host).contains(&older));
    host.dockstrap(down).exits(0).says("Nothing to do");
    // The repository has not gone back in time by that.
    host.sh("apt-get purge --yes docker-compose-plugin");
    host.install();
    assert!(installed(&host).contains(&older));
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_bundle_of_a_version_installs_that_one() {
    let host = LabHost::up("noble");
    let (newer, older) = versions(&host);
    let bundle = "/root/bundle.tar";
    host.dockstrap([
        "bundle",
        "create",
        "--file",
        bundle,
        "--engine-version",
        &older,
    ])
    .exits(0)
    .says(&format!("holds docker-ce 5:{older}"));
    host.dockstrap(["install", "--yes", "--bundle", bundle])
        .exits(0);
    assert!(installed(&host).contains(&older));
    host.unchanged_by(
        4,
        [
            "install",
            "--yes",
            "--bundle",
            bundle,
            "--engine-version",
            &newer,
        ],
    )
    .says("lacks docker-ce");
}
