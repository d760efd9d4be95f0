//! Packages on their way: what is here of them is used when it is right, and only then.

use std::fs;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::host::LabHost;
use crate::running::Running;

/// The packages that Docker's repository has.
const ALL: [&str; 6] = [
    "containerd.io",
    "docker-buildx-plugin",
    "docker-ce",
    "docker-ce-cli",
    "docker-ce-rootless-extras",
    "docker-compose-plugin",
];

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

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_transfer_that_breaks_goes_on_where_it_broke() {
    let host = LabHost::up("noble");
    let install = install_amid_download(&host);
    // As a kernel with INET_DIAG_DESTROY can, which Ubuntu's and Debian's are.
    host.sh("ss --kill --tcp state established '( sport = :443 )'");
    be_fast(&host);
    install.end().exits(0);
    let broken = ALL
        .iter()
        .filter(|package| statuses(&host, package) == [200, 206]);
    assert_eq!(broken.count(), 4, "{:#?}", host.requests());
    let whole = ALL
        .iter()
        .filter(|package| statuses(&host, package) == [200]);
    assert_eq!(whole.count(), 2, "{:#?}", host.requests());
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn what_came_before_the_server_went_away_is_not_fetched_again() {
    let host = LabHost::up("noble");
    let before = host.tree();
    let install = install_amid_download(&host);
    host.servers("stop");
    install.end().exits(1).says_all(&[
        "download.docker.com refuses connections",
        "the host was put back as it was",
    ]);
    before.is_restored_in(&host.tree());
    be_fast(&host);
    host.servers("start");

    let begun = partial_files(&host);
    let before = host.requests().len();
    host.install();
    for package in ALL {
        let asked = statuses_since(&host, before, package);
        if begun
            .iter()
            .any(|file| file.starts_with(&format!("{package}_")))
        {
            assert_eq!(asked, [206], "{package} begins anew")
        } else {
            assert_eq!(asked, [200], "{package} was not asked for before")
        }
    }
    assert!(begun.len() >= 4, "too few were begun: {begun:?}");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn an_interrupt_amid_the_download_leaves_the_host_as_it_was() {
    let host = LabHost::up("noble");
    let before = host.tree();
    let install = install_amid_download(&host);
    // A line that hangs is what makes people interrupt, and it is not waited for: that is given up
    // after 20 seconds.
    host.sh("iptables --append OUTPUT --protocol tcp --source-port 443 --jump DROP");
    let begun = Instant::now();
    host.sh("pkill -INT --exact dockstrap");
    install
        .end()
        .exits(130)
        .says("the host was put back as it was");
    let taken = begun.elapsed();
    assert!(taken < Duration::from_secs(8), "it took {taken:?}");
    host.sh("iptables --delete OUTPUT --protocol tcp --source-port 443 --jump DROP");
    before.is_restored_in(&host.tree());
}

/// Does something with a package that is served, and the place where apt keeps it.
fn cache(
    host: &LabHost,
    package: &str,
    write: impl FnOnce(PathBuf, Vec<u8>) -> std::io::Result<()>,
) {
    let served = host.served_package(package);
    let content = fs::read(&served).expect("reading a package");
    let path = archives(host).join(served.file_name().expect("a name"));
    write(path, content).expect("caching a package");
}

/// An install that fetches packages, slowly.
fn install_amid_download(host: &LabHost) -> Running {
    host.sh("tc qdisc add dev lo root tbf rate 80mbit burst 256kb limit 4mb");
    let mut running = host.start_dockstrap(["install", "--yes", "--no-verify"]);
    let deadline = Instant::now() + Duration::from_secs(60);
    while partial_files(host).len() < 4 {
        assert!(!running.has_ended(), "it ended: {:?}", running.end());
        assert!(Instant::now() < deadline, "nothing is fetched");
        sleep(Duration::from_millis(50));
    }
    running
}

/// The line is slow no more.
fn be_fast(host: &LabHost) {
    host.sh("tc qdisc delete dev lo root");
}

/// The packages of which something is here.
fn partial_files(host: &LabHost) -> Vec<String> {
    let files = fs::read_dir(archives(host)).expect("listing").flatten();
    let begun = files.filter(|file| file.metadata().is_ok_and(|file| file.len() > 0));
    let names = begun.filter_map(|file| {
        let name = file.file_name().into_string().ok()?;
        Some(name.strip_prefix(".dockstrap-")?.to_owned())
    });
    names.collect()
}

fn archives(host: &LabHost) -> PathBuf {
    host.lab_path("root").join("var/cache/apt/archives")
}

/// How the servers answered when they were asked for a package.
fn statuses(host: &LabHost, package: &str) -> Vec<u16> {
    statuses_since(host, 0, package)
}

/// The same without so many first requests.
fn statuses_since(host: &LabHost, first: usize, package: &str) -> Vec<u16> {
    let name = format!("/{package}_");
    let requests = host.requests().into_iter().skip(first);
    let asked = requests.filter(|request| request.path.contains(&name));
    asked.map(|request| request.status).collect()
}
