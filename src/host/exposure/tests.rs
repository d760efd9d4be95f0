use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;
use crate::error::exit_code;
use crate::host::stub::StubHost;

const FILE: &str = "/etc/dockstrap/config.toml";

fn exposure(stub: &StubHost, path: &str) -> Option<Exposure> {
    stub.host().exposure(Path::new(path)).unwrap()
}

fn said(stub: &StubHost, path: &str) -> String {
    exposure(stub, path).map_or_else(String::new, |exposure| exposure.to_string())
}

#[test]
fn a_file_is_as_safe_as_each_folder_above_it() {
    let stub = StubHost::new().file(FILE, "");
    assert_eq!(exposure(&stub, FILE), None);
    for (place, mode, fault) in [
        (FILE, 0o664, "other users can write to it"),
        (FILE, 0o646, "other users can write to it"),
        (
            "/etc/dockstrap",
            0o775,
            "other users can write to /etc/dockstrap",
        ),
        ("/etc", 0o757, "other users can write to /etc"),
    ] {
        let before = stub.mode(place);
        stub.set_mode(place, mode);
        assert_eq!(said(&stub, FILE), fault);
        let cure = exposure(&stub, FILE).unwrap().cure();
        assert_eq!(cure, format!("sudo chmod go-w {place}"));
        stub.set_mode(place, before);
    }
    // What is in a folder with the sticky bit is its owner's.
    stub.set_mode("/etc/dockstrap", 0o1777);
    assert_eq!(exposure(&stub, FILE), None);
    assert_eq!(exposure(&stub, "/etc/none/config.toml"), None);
}

#[test]
fn each_link_and_each_folder_behind_one_counts() {
    let stub = StubHost::new()
        .file("/srv/deep/config.toml", "")
        .folder("/etc/dockstrap")
        .folder("/opt");
    let host = stub.host();
    symlink("../../opt/link", host.path(FILE)).unwrap();
    symlink("/srv/deep/../deep/config.toml", host.path("/opt/link")).unwrap();
    assert_eq!(exposure(&stub, FILE), None);
    for place in ["/srv", "/srv/deep", "/opt"] {
        stub.set_mode(place, 0o777);
        assert_eq!(
            said(&stub, FILE),
            format!("other users can write to {place}")
        );
        stub.set_mode(place, 0o755);
    }
    std::fs::remove_file(host.path("/opt/link")).unwrap();
    symlink("link", host.path("/opt/link")).unwrap();
    assert!(host.exposure(Path::new(FILE)).is_err(), "a circle of links");
}

#[test]
fn what_belongs_to_another_user_is_named_with_a_cure_that_fits() {
    if !nix::unistd::geteuid().is_root() {
        return; // only root can give a file away
    }
    let stub = StubHost::new().file(FILE, "");
    let give = |path: &str, user| {
        std::os::unix::fs::lchown(stub.host().path(path), Some(user), None).unwrap();
    };
    give(FILE, 65534);
    assert_eq!(said(&stub, FILE), "belongs to user 65534");
    let cure = exposure(&stub, FILE).unwrap().cure();
    assert_eq!(
        cure,
        format!("sudo chown root:root {FILE} && sudo chmod go-w {FILE}")
    );
    give(FILE, 0);
    give("/etc/dockstrap", 65534);
    stub.set_mode("/etc/dockstrap", 0o1755);
    let exposure = exposure(&stub, FILE).unwrap();
    assert_eq!(exposure.to_string(), "/etc/dockstrap belongs to user 65534");
    let copy = "sudo install --mode=0600 /etc/dockstrap/config.toml /root/config.toml";
    assert_eq!(exposure.copy(), copy);
    give("/etc/dockstrap", 0);
    symlink(FILE, stub.host().path("/run/link")).unwrap();
    give("/run/link", 65534);
    assert_eq!(
        said(&stub, "/run/link"),
        "the link /run/link belongs to user 65534"
    );
}

#[test]
fn what_this_process_was_given_open_is_not_judged_by_a_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    let file = std::fs::File::create(&path).unwrap();
    std::fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
    let number = std::os::fd::AsRawFd::as_raw_fd(&file);
    for open in [
        format!("/dev/fd/{number}"),
        format!("/proc/self/fd/{number}"),
    ] {
        refuse_exposed("file", Path::new(&open)).unwrap();
    }
    refuse_exposed("file", Path::new("/dev/null")).unwrap();
    if nix::unistd::geteuid().is_root() {
        let error = refuse_exposed("file", &path).unwrap_err();
        assert_eq!(exit_code(&error.into()), 2);
    }
}
