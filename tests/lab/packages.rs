//! Packages on their way: what is here of them is used when it is right, and only then.

use std::fs;
use std::path::PathBuf;

use crate::host::LabHost;

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn what_is_here_of_the_packages_is_used_when_it_is_right() {
    let host = LabHost::up("noble");
    let [good, bad, broken] = [
        "containerd.io",
        "docker-compose-plugin",
        "docker-buildx-plugin",
    ];
    cache(&host, good, fs::write);
    // Of the same size and name, and apt would not look into it.
    cache(&host, bad, |path, mut content| {
        let middle = content.len() / 2;
        content[middle] ^= 1;
        fs::write(path, content)
    });
    cache(&host, broken, |path, content| {
        let name = path.file_name().expect("a name").to_string_lossy();
        let partial = path.with_file_name(format!(".dockstrap-{name}"));
        fs::write(partial, &content[..content.len() / 2])
    });

    host.install();
    assert_eq!(statuses(&host, good), [0; 0], "fetched though it was here");
    assert_eq!(statuses(&host, bad), [200], "not replaced");
    assert_eq!(statuses(&host, broken), [206], "not gone on with");
    host.sh("docker compose version; docker buildx version; containerd --version");
    let left = host.sh("ls -A /var/cache/apt/archives").stdout;
    assert!(!left.contains(".dockstrap-"), "{left}");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_disk_without_room_for_the_packages_is_refused_before_anything_is_changed() {
    let host = LabHost::up("noble");
    host.sh("mount -t tmpfs -o size=60m none /var/cache/apt/archives");
    host.unchanged_by(4, ["install", "--yes"]).says_all(&[
        "the disk with /var/cache/apt/archives has 6",
        " MB too few for the packages",
        "apt-get clean",
        "nothing was changed",
    ]);
    assert_eq!(host.sh("ls -A /var/cache/apt/archives").stdout, "");
    host.sh("mount -o remount,size=200m /var/cache/apt/archives");
    host.dockstrap(["plan"]).exits(0);
}

/// Does something with a package that is served, and the place where apt keeps it.
fn cache(
    host: &LabHost,
    package: &str,
    write: impl FnOnce(PathBuf, Vec<u8>) -> std::io::Result<()>,
) {
    let served = host.served_package(package);
    let archives = host.lab_path("root").join("var/cache/apt/archives");
    let content = fs::read(&served).expect("reading a package");
    let path = archives.join(served.file_name().expect("a name"));
    write(path, content).expect("caching a package");
}

/// How the servers answered when they were asked for a package.
fn statuses(host: &LabHost, package: &str) -> Vec<u16> {
    let name = format!("/{package}_");
    let requests = host.requests().into_iter();
    let asked = requests.filter(|request| request.path.contains(&name));
    asked.map(|request| request.status).collect()
}
