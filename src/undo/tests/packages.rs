use super::super::{Reverted, Undo};
use super::{kept, packages, undo};
use crate::change::trial;
use crate::host::firewall::NetworkBaseline;
use crate::host::stub::StubHost;

/// dpkg knows both packages; apt would take `taken` along with containerd.io.
fn host_with_packages(taken: &str) -> StubHost {
    let simulate = "case \"$*\" in
        *containerd.io*--simulate*) for name in containerd.io docker-ce TAKEN; do
            echo \"Purg $name [1]\"; done;;
        *--simulate*) echo 'Purg docker-ce [1]';;
    esac";
    StubHost::new()
        .program(
            "dpkg-query",
            "printf 'containerd.io installed\\ndocker-ce config-files\\n'",
        )
        .program("apt-get", &simulate.replace("TAKEN", taken))
}

fn purged(stub: &StubHost) -> Vec<String> {
    let purges = |call: &String| call.contains(" purge ") && !call.contains("--simulate");
    let calls = stub.calls().into_iter().filter(purges);
    let names = calls.map(|call| call.split_once(" purge ").unwrap().1.to_owned());
    names
        .flat_map(|names| names.split(' ').map(str::to_owned).collect::<Vec<_>>())
        .filter(|word| !word.starts_with('-'))
        .collect()
}

#[test]
fn packages_are_purged_in_one_go() {
    let stub = host_with_packages("");
    assert_eq!(undo(&stub, &packages()).unwrap(), Reverted::Done);
    assert_eq!(purged(&stub), ["containerd.io", "docker-ce"]);
}

#[test]
fn a_package_that_others_need_is_kept_and_named() {
    let stub = host_with_packages("nerdctl");
    assert_eq!(
        kept(&stub, &packages()),
        "other packages need containerd.io"
    );
    assert_eq!(purged(&stub), ["docker-ce"]);
}

#[test]
fn packages_that_are_all_needed_by_others_are_all_named() {
    let stub = host_with_packages("nerdctl");
    let containerd = Undo::PurgePackages {
        packages: vec!["containerd.io".to_owned()],
        network: None,
    };
    let stub = stub.program("dpkg-query", "echo containerd.io installed");
    assert_eq!(
        kept(&stub, &containerd),
        "other packages need containerd.io"
    );
    assert_eq!(purged(&stub), [""; 0]);
}

#[test]
fn a_package_that_was_asked_for_since_stays() {
    let stub = host_with_packages("").program(
        "dpkg-query",
        "echo git installed; echo containerd.io installed; echo docker-ce installed",
    );
    let ours = ["containerd.io", "docker-ce", "git"].map(str::to_owned);
    let purge = Undo::PurgePackages {
        packages: ours.to_vec(),
        network: None,
    };
    assert_eq!(kept(&stub, &purge), "somebody has asked apt for git");
}

#[test]
fn fault_56_in_a_chroot_the_network_is_that_of_the_host_around_it() {
    let links = "h\nh\n lo: 0\n docker0: 0\n";
    let stub = host_with_packages("")
        .file("/proc/net/dev", links)
        .program("ip", "")
        .program("systemctl", "");
    let purge = Undo::PurgePackages {
        packages: vec!["docker-ce".to_owned()],
        network: Some(NetworkBaseline::default()),
    };
    let removes_link = |stub: &StubHost| {
        undo(stub, &purge).unwrap();
        let calls = stub.calls().join("\n");
        assert!(calls.contains(" purge containerd.io docker-ce"), "{calls}");
        calls.contains("ip link delete dev docker0")
    };
    assert!(removes_link(&stub));
    assert!(!removes_link(&stub.without_systemd()));
}

#[test]
fn an_engine_that_came_by_others_since_is_left_its_network() {
    let purge = Undo::PurgePackages {
        packages: vec!["docker-ce".to_owned()],
        network: Some(NetworkBaseline::default()),
    };
    let stops_engine = |known: &str| {
        let dpkg = "case \"$*\" in *' docker-ce') exit 1 ;; *) echo KNOWN ;; esac";
        let stub = StubHost::new()
            .program("dpkg-query", &dpkg.replace("KNOWN", known))
            .program("systemctl", "");
        assert_eq!(undo(&stub, &purge).unwrap(), Reverted::Done);
        let calls = stub.calls();
        calls.iter().any(|call| call.starts_with("systemctl stop"))
    };
    // A run that was killed after they went comes to the network now.
    assert!(stops_engine("git 1 amd64 installed ok"));
    assert!(!stops_engine("docker.io 1 amd64 installed ok"));
}

#[test]
fn configuration_that_was_there_comes_back_as_it_was_edited_last() {
    let path = "/etc/containerd/config.toml";
    let stub = StubHost::new()
        .file(path, "version = 2\n")
        .file("/dpkg", "containerd.io installed\n")
        .program(
            "dpkg-query",
            "case \"$*\" in
                *Conffiles*) echo; echo ' /etc/containerd/config.toml 0123' ;;
                *) cat $ROOT/dpkg 2>/dev/null ;;
            esac",
        )
        .program(
            "apt-get",
            "case \"$*\" in
                *--simulate*) echo 'Purg containerd.io [1]' ;;
                *) rm -r $ROOT/dpkg $ROOT/etc/containerd ;;
            esac",
        );
    let purge = Undo::PurgePackages {
        packages: vec!["containerd.io".to_owned()],
        network: None,
    };
    trial::run(stub.host(), |tx| {
        tx.keep_for_return(path)?;
        tx.note("install containerd.io", purge)
    })
    .unwrap();
    stub.write(path, "version = 3\n");
    assert_eq!(trial::revert(stub.host()).unwrap(), [""; 0]);
    assert_eq!(stub.read(path), "version = 3\n");
    assert_eq!(stub.mode("/etc/containerd"), 0o755, "whatever the umask");
}

#[test]
fn packages_that_made_room_are_named_even_if_nobody_asked_for_them() {
    let offer = |asked_for: &[&str]| Undo::OfferPackages {
        asked_for: asked_for.iter().map(ToString::to_string).collect(),
        automatic: vec!["containerd".to_owned(), "runc".to_owned()],
    };
    let told = |undo: &Undo| kept(&StubHost::new(), undo);
    assert!(told(&offer(&["docker.io"])).ends_with("apt-get install docker.io"));
    assert!(told(&offer(&[])).ends_with("apt-get install containerd runc"));
}
