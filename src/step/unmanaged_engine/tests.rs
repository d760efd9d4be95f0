use super::*;
use crate::change::trial;
use crate::error::exit_code;
use crate::host::stub::StubHost;

const DPKG: &str = "case $* in *--search*/usr/bin/runc) ;; *) exit 1 ;; esac";

/// What systemctl says of a unit of which there is a file, until it is stopped.
const SYSTEMCTL: &str = r#"
    case $1 in
        is-active|is-enabled) [ -e $ROOT/runs ] || exit 3 ;;
        disable) rm $ROOT/runs ;;
        start) touch $ROOT/runs ;;
        show) if [ -e $ROOT/runs ]; then echo LoadState=loaded; echo ActiveState=active; fi ;;
    esac"#;

fn by_hand() -> StubHost {
    StubHost::noble()
        .program("dpkg-query", DPKG)
        .program("systemctl", SYSTEMCTL)
        .file("/runs", "")
        .file("/usr/local/bin/dockerd", "engine")
        .file("/usr/local/bin/docker", "client")
        .file("/usr/bin/runc", "of a package")
        .file("/etc/systemd/system/docker.service", "unit")
        .file(
            "/etc/systemd/system/docker.service.d/start.conf",
            "[Service]\nExecStart=\nExecStart=/usr/local/bin/dockerd --debug\n",
        )
        .file(
            "/etc/systemd/system/docker.service.d/limits.conf",
            "[Service]\n",
        )
}

fn found(stub: &StubHost) -> UnmanagedEngine {
    UnmanagedEngine::find(stub.host())
        .unwrap()
        .expect("an engine")
}

fn refused(stub: &StubHost, replace: bool) -> String {
    let error = found(stub).check(stub.host(), replace).unwrap_err();
    assert_eq!(exit_code(&error), 4);
    error.to_string()
}

#[test]
fn a_docker_command_or_a_runc_alone_is_no_engine() {
    let stub = StubHost::noble()
        .program("dpkg-query", DPKG)
        .file("/usr/local/bin/docker", "")
        .file("/usr/local/bin/runc", "");
    assert!(UnmanagedEngine::find(stub.host()).unwrap().is_none());
    let packaged = stub
        .file("/usr/bin/dockerd", "")
        .program("dpkg-query", "true");
    assert!(UnmanagedEngine::find(packaged.host()).unwrap().is_none());
}

#[test]
fn files_of_a_package_that_dpkg_was_cut_short_at_are_no_engine() {
    let stub = StubHost::noble()
        .program(
            "dpkg-query",
            "case $* in *--search*) ;; *) echo dpkg 1.22.6 amd64 installed ok ;; esac; exit 1",
        )
        .file("/usr/bin/containerd", "");
    let mut facts = crate::facts::gather(stub.host()).unwrap();
    assert!(UnmanagedEngine::of(stub.host(), &facts).unwrap().is_some());
    for package in ["containerd.io", "containerd"] {
        facts.unfinished = Default::default();
        facts.unfinished.half_installed.insert(package.to_owned());
        assert!(UnmanagedEngine::of(stub.host(), &facts).unwrap().is_none());
    }
}

#[test]
fn it_is_refused_with_every_file_and_the_commands_that_move_it_aside() {
    let text = refused(&by_hand(), false);
    let files = "/etc/systemd/system/docker.service \
                 /etc/systemd/system/docker.service.d/start.conf /usr/local/bin/docker \
                 /usr/local/bin/dockerd";
    assert!(text.contains("dockstrap install --replace"), "{text}");
    assert!(
        text.contains("systemctl disable --now docker.service; "),
        "{text}"
    );
    assert!(
        text.contains(&format!("mv {files} /root/docker-by-hand/")),
        "{text}"
    );
    found(&by_hand()).check(by_hand().host(), true).unwrap();
}

#[test]
fn one_that_cannot_be_put_back_as_it_was_is_refused_even_so() {
    let stub = by_hand().file("/run/docker.pid", "77");
    std::fs::remove_file(stub.host().path("/runs")).unwrap();
    let stub = stub.file("/proc/77/comm", "dockerd\n");
    assert!(refused(&stub, true).contains("runs without a unit"));
    let stub = stub.file("/proc/77/comm", "postgres\n");
    assert!(found(&stub).check(stub.host(), true).is_ok());
    let stub = by_hand();
    let link = stub.host().path("/usr/local/bin/ctr");
    std::os::unix::fs::symlink("/opt/ctr", link).unwrap();
    assert!(refused(&stub, true).ends_with("rm /usr/local/bin/ctr"));
}

#[test]
fn fault_23_a_containerd_by_hand_under_a_kubelet_is_left_alone() {
    let stub = StubHost::noble()
        .program("dpkg-query", DPKG)
        .file("/usr/local/bin/containerd", "")
        .file("/var/lib/kubelet/config.yaml", "");
    let text = refused(&stub, true);
    assert!(
        text.contains("kubelet") && text.contains("/usr/local/bin/containerd"),
        "{text}"
    );
}

#[test]
fn it_is_moved_aside_and_comes_back_running() {
    let stub = by_hand();
    let before = stub.snapshot();
    let step = found(&stub);
    assert_eq!(step.inspect(stub.host()).unwrap().details.len(), 5);
    assert_eq!(step.writes(stub.host()).unwrap().len(), 4);
    trial::run(stub.host(), |tx| step.apply(tx)).unwrap();
    assert!(step.inspect(stub.host()).unwrap().satisfied);
    assert!(!stub.has("/usr/local/bin/docker") && !stub.has("/runs"));
    assert!(stub.has("/usr/bin/runc"));
    assert!(stub.has("/etc/systemd/system/docker.service.d/limits.conf"));
    stub.calls();
    assert_eq!(trial::revert(stub.host()).unwrap(), [""; 0]);
    let calls = stub.calls();
    assert!(
        calls.contains(&"systemctl enable docker.service".to_owned()),
        "{calls:?}"
    );
    assert_eq!(stub.snapshot(), before);
}
