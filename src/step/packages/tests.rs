mod refusals;

use super::*;
use crate::apt::{AgeLimit, Index, Source};
use crate::change::trial;
use crate::error::exit_code;
use crate::facts::ENGINE_PACKAGES;
use crate::host::stub::StubHost;
use crate::trust::{ExpectedFile, Sha256, fixture, verify_file};

/// An apt that would do what `/simulated` says; once it has, dpkg knows what `/installed` says.
const APT: &str = r#"
for word; do
    case $word in *apt.conf) lists=${word%/*}/lists;; -oAPT::Status-Fd=*) pipe=${word#*=};; esac
done
case "$*" in
    *update*--print-uris*) echo "'https://docker.example/linux/ubuntu/dists/noble/InRelease' docker_dists_noble_InRelease 0" ;;
    *--print-uris*) cat $ROOT/printed; echo "'https://example.com/a.deb' a.deb 2500000 SHA256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" ;;
    *purge*--simulate*) sed 's/^/Purg /' $ROOT/dpkg ;;
    *--simulate*) cat $ROOT/simulated ;;
    *--no-remove*)
        if [ -e $ROOT/moved ]; then
            mv $ROOT/moved $ROOT/simulated
            echo 'E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 1' >&2
            exit 100
        fi
        echo 'pmstatus:docker-ce:50:Unpacking docker-ce' >/proc/self/fd/$pipe
        cp $ROOT/installed $ROOT/dpkg
        mkdir -p $ROOT/var/lib/docker/volumes ;;
    *purge*) rm $ROOT/dpkg ;;
esac"#;

const URI: &str = "https://docker.example/linux/ubuntu";

const LISTS: [&str; 2] = [
    "/var/lib/apt/lists/docker_dists_noble_InRelease",
    "/var/lib/apt/lists/docker_dists_noble_stable_binary-amd64_Packages",
];

fn simulated(version: &str) -> String {
    let inst = |package: &&str| format!("Inst {package} ({version} Docker CE:noble [amd64])\n");
    ENGINE_PACKAGES.iter().map(inst).collect()
}

/// Where Docker's repository has a package.
fn file_of(package: &str) -> String {
    format!("dists/noble/pool/{package}.deb")
}

/// An index that has these packages, whose files are the three bytes `abc`.
fn index_of(packages: &[&str], version: &str) -> crate::trust::PackageIndex {
    let sha256 = Sha256::of(b"abc");
    let stanza = |package: &&str| {
        let filename = file_of(package);
        format!(
            "Package: {package}\nVersion: {version}\nArchitecture: amd64\n\
             Filename: {filename}\nSize: 3\nSHA256: {sha256}\n\n"
        )
    };
    let text: String = packages.iter().map(stanza).collect();
    let entry = ExpectedFile {
        path: "Packages".parse().unwrap(),
        size: text.len() as u64,
        sha256: Sha256::of(text.as_bytes()),
    };
    crate::trust::PackageIndex::parse(verify_file(text.as_bytes(), &entry).unwrap()).unwrap()
}

fn host() -> StubHost {
    let sha256 = Sha256::of(b"abc");
    let print = |package: &&str| {
        let uri = format!("{URI}/{}", file_of(package));
        format!("'{uri}' {package}_1_amd64.deb 3 SHA256:{sha256}\n")
    };
    let printed: String = ENGINE_PACKAGES.iter().map(print).collect();
    let stub = ENGINE_PACKAGES
        .iter()
        .fold(StubHost::new(), |stub, package| {
            stub.file(
                &format!("/var/cache/apt/archives/{package}_1_amd64.deb"),
                "abc",
            )
        });
    let known = |package: &&str| format!("{package} 5:29.5.3 amd64 installed ok\n");
    let installed: String = ENGINE_PACKAGES.iter().map(known).collect();
    stub.file("/printed", printed)
        .file("/var/lib/apt/lists/archive_Packages", "")
        .file("/var/cache/apt/archives/lock", "")
        .file("/simulated", simulated("5:29.5.3"))
        .file("/installed", installed)
        .program("apt-get", APT)
        .program("dpkg", "exec /usr/bin/dpkg \"$@\"")
        .program("systemctl", "case $1 in is-failed) exit 1 ;; esac")
        .program("dpkg-query", "cat $ROOT/dpkg 2>/dev/null")
}

fn offered(stub: &StubHost) -> Result<Packages> {
    let repository = Repository {
        source: Source {
            uri: URI.to_owned(),
            suite: "noble".to_owned(),
            architecture: "amd64".to_owned(),
        },
        keyring: Source::KEYRING.to_owned(),
        pin: fixture::fingerprints("docker")[0],
        certificate: fixture::certificate("docker").unwrap(),
        is_local: false,
        age_limit: AgeLimit::new(fixture::days(90)),
    };
    let index = Index {
        inrelease: b"signed".to_vec(),
        packages: b"index".to_vec(),
        date: fixture::today(),
        offered: index_of(ENGINE_PACKAGES, "5:29.5.3"),
    };
    let wanted = PackageRequest {
        version: None,
        reinstalls: false,
        again: Vec::new(),
        repaired: Vec::new(),
        restored: Vec::new(),
        missing: ENGINE_PACKAGES.to_vec(),
        replaced: Vec::new(),
        allow_downgrade: false,
        new_roots: Vec::new(),
    };
    let http = Http::default();
    let offer = Offer::of(stub.host(), &http, &repository, &index, wanted, &|_| {})?;
    Ok(Packages {
        version: None,
        restored: Vec::new(),
        offer: Some(offer),
    })
}

fn apply(stub: &StubHost, packages: &Packages) -> Result<()> {
    trial::run(stub.host(), |tx| packages.apply(tx))
}

#[test]
fn absent_they_are_installed_in_just_the_versions_of_the_plan() {
    let stub = host();
    let packages = offered(&stub).unwrap();
    let finding = packages.inspect(stub.host()).unwrap();
    assert_eq!(finding.summary, "install 6 packages, download 2.5 MB");
    assert_eq!(finding.details[0], "docker-ce 5:29.5.3");
    stub.calls();
    apply(&stub, &packages).unwrap();
    let after = packages.inspect(stub.host()).unwrap();
    assert_eq!(after, Inspection::satisfied("docker-ce 5:29.5.3"));
    let calls = stub.calls();
    let install = calls
        .iter()
        .find(|call| call.contains("--no-remove"))
        .unwrap();
    for package in ENGINE_PACKAGES {
        assert!(
            install.contains(&format!(" {package}=5:29.5.3 ")),
            "{install}"
        );
    }
}

#[test]
fn planning_leaves_the_host_as_it_is() {
    let stub = host();
    let before = stub.snapshot();
    let packages = offered(&stub).unwrap();
    packages.inspect(stub.host()).unwrap();
    assert_eq!(stub.snapshot(), before);
}

#[test]
fn there_before_us_they_satisfy_and_nothing_is_asked_of_apt() {
    let stub = host();
    stub.write("/dpkg", stub.read("/installed"));
    let packages = Packages {
        version: None,
        restored: Vec::new(),
        offer: None,
    };
    assert!(packages.inspect(stub.host()).unwrap().satisfied);
    apply(&stub, &packages).unwrap();
    assert_eq!(trial::acts(stub.host()), [""; 0]);
    assert_eq!(stub.calls().len(), 1);
}

#[test]
fn packages_that_went_missing_since_are_no_plan() {
    let error = Packages {
        version: None,
        restored: Vec::new(),
        offer: None,
    }
    .inspect(host().host())
    .unwrap_err();
    assert!(error.to_string().contains("run this again"), "{error}");
}

#[test]
fn an_upgrade_shows_both_versions_and_is_not_purged() {
    let stub = host();
    let upgrade = "Inst docker-ce [5:28.0.0] (5:29.5.3 Docker CE:noble [amd64])\n";
    stub.write(
        "/simulated",
        upgrade.to_owned() + &simulated("5:29.5.3").replace("docker-ce ", "x "),
    );
    let packages = offered(&stub).unwrap();
    let details = packages.inspect(stub.host()).unwrap().details;
    assert_eq!(
        details[0],
        "docker-ce 5:28.0.0 → 5:29.5.3, the engine restarts"
    );
    apply(&stub, &packages).unwrap();
    let acts = trial::acts(stub.host());
    let install = acts.iter().find(|act| act.starts_with("install")).unwrap();
    assert!(
        !install.split(' ').any(|word| word == "docker-ce"),
        "{install}"
    );
}

#[test]
fn dockers_index_is_published_as_it_was_verified() {
    let stub = host();
    let packages = offered(&stub).unwrap();
    apply(&stub, &packages).unwrap();
    assert_eq!(LISTS.map(|list| stub.read(list)), ["signed", "index"]);
    trial::revert(stub.host()).unwrap();
    assert!(!LISTS.iter().any(|list| stub.has(list)));
}

#[test]
fn applied_twice_what_is_new_is_noted_once() {
    let stub = host();
    apply(&stub, &offered(&stub).unwrap()).unwrap();
    stub.write("/simulated", "");
    let acts = trial::acts(stub.host());
    apply(
        &stub,
        &Packages {
            version: None,
            restored: Vec::new(),
            offer: None,
        },
    )
    .unwrap();
    assert_eq!(trial::acts(stub.host()), acts);
}

#[test]
fn reverted_packages_and_data_go() {
    let stub = host();
    let before = stub.snapshot();
    apply(&stub, &offered(&stub).unwrap()).unwrap();
    assert!(stub.has("/var/lib/docker/volumes"));
    assert_eq!(trial::revert(stub.host()).unwrap(), [""; 0]);
    let mut after = stub.snapshot();
    // apt keeps it between runs; it is empty and stays for the next one.
    after.remove("/var/lib/apt/lists/lock");
    // That the repository must not go back in time is not forgotten.
    assert!(after.remove(crate::apt::FRESHNESS).is_some());
    after.remove(crate::undo::FOLDER);
    assert_eq!(after, before);
}

#[test]
fn data_that_was_there_before_us_stays() {
    let stub = host().file("/var/lib/docker/volumes/theirs", "data");
    apply(&stub, &offered(&stub).unwrap()).unwrap();
    trial::revert(stub.host()).unwrap();
    assert_eq!(stub.read("/var/lib/docker/volumes/theirs"), "data");
}

#[test]
fn what_a_hook_of_apts_remounts_need_not_be_writable_before() {
    let written = |hook: &str| {
        let stub = StubHost::new()
            .folder("/usr/bin")
            .file(
                "/proc/self/mountinfo",
                "22 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n\
                 23 22 8:2 / /usr ro shared:2 - ext4 /dev/sda2 ro\n",
            )
            .program("apt-config", &format!("echo 'DPkg::{hook}';"));
        let refused = stub.host().refuse_immutable(DOCKER);
        assert!(refused.is_err(), "it is mounted read-only");
        written(stub.host()).unwrap()
    };
    let archives = "/var/cache/apt/archives/lock";
    let remounts = "Pre-Invoke:: \"mount -o remount,rw /usr\";";
    assert_eq!(written(remounts), [STATUS, archives]);
    let elsewhere = "Pre-Invoke:: \"mount -o remount,rw /boot\";";
    assert_eq!(written(elsewhere), [DOCKER, STATUS, archives]);
}
