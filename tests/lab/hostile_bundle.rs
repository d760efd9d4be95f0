//! Bundles that somebody hostile has made. To plan with one or to look into one changes nothing.

use std::fs;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use tar::EntryType;

use crate::bundle_contents::Contents;
use crate::host::LabHost;
use crate::outcome::Outcome;
use crate::signing::{ARCHIVE, Repository, dated, in_days};

const BUNDLE: &str = "/root/bundle.tar";
const INRELEASE: &str = "archive/0/dists/noble/InRelease";

/// What all of them are after.
const ESCAPED: &str = "/etc/cron.d/escaped";
const CRON: &[u8] = b"* * * * * root touch /escaped\n";

/// A host without a network, and a good bundle for it.
fn host_with_bundle() -> (LabHost, Contents) {
    let host = LabHost::up("noble");
    host.dockstrap(["bundle", "create", "--file", BUNDLE])
        .exits(0);
    host.servers("stop");
    let file = host.lab_path("root").join(&BUNDLE[1..]);
    let contents = Contents::of(&fs::read(file).expect("reading the bundle"));
    (host, contents)
}

fn put(host: &LabHost, bytes: &[u8]) {
    let file = host.lab_path("root").join(&BUNDLE[1..]);
    fs::write(file, bytes).expect("writing the bundle");
}

/// What is in the folders for temporary files, which are not among the host's files.
fn temporary(host: &LabHost) -> String {
    host.sh("find /tmp /var/tmp -mindepth 1 -printf '%p %m %s %y\\n' | sort")
        .stdout
}

fn plan(host: &LabHost) -> Outcome {
    host.dockstrap(["plan", "--bundle", BUNDLE])
}

fn inspect(host: &LabHost) -> Outcome {
    host.dockstrap(["bundle", "inspect", BUNDLE])
}

/// Both refuse the bundle for this reason, and nothing has escaped.
#[track_caller]
fn refused(host: &LabHost, bytes: &[u8], code: i32, reason: &str) {
    put(host, bytes);
    plan(host).exits(code).says(reason);
    inspect(host).exits(code).says(reason);
    assert!(!host.has(ESCAPED), "{reason}");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(bytes).expect("packing");
    packed.finish().expect("packing")
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn no_bundle_writes_a_file_outside_of_our_own_folder() {
    let (host, good) = host_with_bundle();
    put(&host, &good.packed());
    plan(&host).exits(0);
    let before = host.tree();
    let temporary_before = temporary(&host);
    let good = || good.clone();
    let hostile = [
        (
            good().with(&format!("archive/0/{ESCAPED}"), CRON),
            "archive/0//etc",
        ),
        (
            good().with(&format!("archive/0/../..{ESCAPED}"), CRON),
            "..",
        ),
        (good().with(ESCAPED, CRON), "it is absolute"),
        (good().with("etc/cron.d/escaped", CRON), "no place"),
        (
            good().with("archive/0/etc/cron.d/escaped", CRON),
            "no place",
        ),
        (
            good().with("archive/0/etc/escaped.deb", CRON),
            "not in the signed index",
        ),
        (good().with("archive/0\\..\\etc", CRON), "no file name"),
        (
            good().with_unnamed("archive/0/x.deb", EntryType::Regular, CRON),
            "does not name it",
        ),
        (
            good().with_unnamed("archive/0/etc", EntryType::Symlink, b""),
            "not a regular file",
        ),
        (
            good().with_unnamed("archive/0/etc", EntryType::Link, b""),
            "not a regular file",
        ),
        (
            good().with_unnamed("archive/0/etc", EntryType::Char, b""),
            "not a regular file",
        ),
        (
            good().with_unnamed("docker/gpg", EntryType::Regular, b"x"),
            "twice",
        ),
        (
            good().saying("/archives/0/folder", json!("/etc")),
            "it is absolute",
        ),
        (
            good().saying("/archives/0/folder", json!("archive")),
            "no folder of a bundle",
        ),
        (
            good().saying("/archives/0/suite", json!("../../../../etc")),
            "`..`",
        ),
        (
            good().saying("/archives/0/components/0", json!("main\nTrusted: yes")),
            "no file name",
        ),
    ];
    for (contents, reason) in hostile {
        refused(&host, &contents.packed(), 5, reason);
    }
    put(&host, b"");
    host.run(["truncate", "--size=0", BUNDLE]).exits(0);
    assert_eq!(temporary(&host), temporary_before);
    fs::write(host.lab_path("root").join(&BUNDLE[1..]), good().packed()).expect("writing");
    before.is_restored_in(&host.tree());
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn no_bundle_is_unpacked_to_more_than_is_signed() {
    let (host, good) = host_with_bundle();
    // A file on a full disk would be another failure than these.
    host.sh("mount -t tmpfs -o size=24m tmpfs /tmp");
    put(&host, &good.packed());
    plan(&host).exits(0);
    let before = host.tree();
    let temporary_before = temporary(&host);
    let bomb = gzip(&vec![b'\n'; 200 << 20]);
    assert!(bomb.len() < 1 << 20);
    let good = || good.clone();
    let name = "a".repeat(64 << 20);
    let mut many = good();
    let files = many.manifest["files"].as_array_mut().expect("a list");
    let one = files[0].clone();
    files.resize(10_000, one);
    let record = |kind| good().with_unnamed("././@LongLink", kind, name.as_bytes());
    for (contents, reason) in [
        (
            good().replacing("/Packages.gz", &bomb),
            "does not match the signed InRelease",
        ),
        (
            good().with("archive/0/pool/a.deb", &bomb),
            "not in the signed index",
        ),
        (record(EntryType::GNULongName), "too long"),
        (record(EntryType::XHeader), "not a regular file"),
        (
            good().with_unnamed("a", EntryType::GNUSparse, b""),
            "not a regular file",
        ),
        (good().saying("/files/0/size", json!(u64::MAX)), "more than"),
        (many, "too large"),
    ] {
        refused(&host, &contents.packed(), 5, reason);
    }
    assert_eq!(temporary(&host), temporary_before);
    put(&host, &good().packed());
    before.is_restored_in(&host.tree());
    host.sh("umount /tmp");

    what_is_no_bundle_is_refused(&host);
}

fn what_is_no_bundle_is_refused(host: &LabHost) {
    host.sh("mkfifo /root/pipe");
    for (file, said) in [
        (
            "/root/pipe",
            "cannot read the bundle /root/pipe: it is a pipe",
        ),
        (
            "/dev/zero",
            "cannot read the bundle /dev/zero: it is a device",
        ),
        ("/etc", "cannot read the bundle /etc: it is a folder"),
        ("/etc/passwd", "/etc/passwd is not a dockstrap bundle"),
        ("/etc/shadow", "/etc/shadow is not a dockstrap bundle"),
    ] {
        host.unchanged_by(2, ["bundle", "inspect", file])
            .says(said)
            .never_says("root:");
        host.dockstrap(["plan", "--bundle", file])
            .exits(2)
            .says(said);
    }
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn the_dates_of_ubuntus_part_of_a_bundle_are_shown_and_judged() {
    let (host, good) = host_with_bundle();
    let repository = Repository::of(&host);
    let signed = good.text(INRELEASE);
    let release = unsigned(&signed);
    let of = |text: &str| {
        let signed = repository.clearsign(text, ARCHIVE);
        good.clone().replacing(INRELEASE, &signed).packed()
    };
    let date = |days: i64| in_days(days);

    put(&host, &of(&dated(&release, &date(-100))));
    inspect(&host)
        .exits(0)
        .says("verified by Ubuntu's keyring")
        .says("index of noble is 100 days old")
        .says("bundle create");
    plan(&host)
        .exits(0)
        .says("Ubuntu's indexes in the bundle: noble of ")
        .says("index of noble is 100 days old");
    host.dockstrap(["plan", "--bundle", BUNDLE, "--max-index-age", "101"])
        .exits(0)
        .never_says("days old");
    let json = host
        .dockstrap(["bundle", "inspect", "--json", BUNDLE])
        .exits(0)
        .json();
    assert_eq!(json["ubuntu_indexes"][0]["suite"], "noble");
    assert_eq!(json["ubuntu_indexes"][0]["verified"], true);

    let ended = release.replacen(
        "\nDate: ",
        &format!("\nValid-Until: {}\nDate: ", date(-1)),
        1,
    );
    refused(&host, &of(&ended), 5, "expired on");
    refused(&host, &of(&dated(&release, &date(2))), 5, "clock");

    // Where the keys are not, nothing is claimed to be verified, and nothing is unpacked.
    put(&host, &of(&release));
    host.sh("mv /usr/share/keyrings/ubuntu-archive-keyring.gpg /root/");
    inspect(&host)
        .exits(0)
        .says("signature is not checked")
        .says("index of noble, ");
    plan(&host).exits(4).says("ubuntu-keyring");
}

/// The text under a clear signature.
fn unsigned(inrelease: &str) -> String {
    let (_, text) = inrelease.split_once("\n\n").expect("a header");
    let (text, _) = text
        .split_once("-----BEGIN PGP SIGNATURE")
        .expect("a signature");
    text.to_owned()
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn hostile_settings_and_indexes_change_nothing_either() {
    let host = LabHost::up("jammy");
    let ca = "/etc/ssl/certs/ca-certificates.crt";
    for settings in [
        format!("[registries.\"../../cron.d/x\"]\nca = '{ca}'\n"),
        format!("[registries.'/etc/cron.d']\nca = '{ca}'\n"),
        format!("[registries.'..']\nca = '{ca}'\n"),
        format!("[registries.'{}']\nca = '{ca}'\n", "a".repeat(300)),
        "suite = '../../etc'\n".to_owned(),
        "mirror = 'https://download.docker.com/../..\\nTrusted: yes'\n".to_owned(),
        "users = ['../../etc/shadow']\n".to_owned(),
        "[daemon]\ndata-root = '../../etc'\n".to_owned(),
    ] {
        host.write("/root/hostile.toml", &settings);
        let check = ["settings", "check", "/root/hostile.toml"];
        host.unchanged_by(2, check);
        host.dockstrap(["plan", "--config", "/root/hostile.toml"])
            .exits(2);
    }
    let repository = Repository::of(&host);
    let index = crate::signing::read(&repository.index());
    for filename in [
        "../../../../etc/cron.d/x",
        "/etc/cron.d/x",
        "pool//etc/x.deb",
    ] {
        let lines = index.lines().map(|line| {
            if line.starts_with("Filename: ") {
                format!("Filename: {filename}\n")
            } else {
                format!("{line}\n")
            }
        });
        repository.publish(&lines.collect::<String>(), &in_days(0));
        host.unchanged_by(5, ["plan"])
            .says("is not a path inside its folder");
    }
}
