//! A hostile repository: no key, index or package is believed that is not Docker's; and a host
//! that was refused is as before.

use std::fs;
use std::fs::File;

use crate::host::LabHost;
use crate::signing::{DOCKER, Repository, SOMEBODY, in_days, read, stanzas, with_field, write};

const KEY_LIMIT: usize = 64 * 1024;
const KEYRING: &str = "/etc/apt/keyrings/docker.asc";

/// An install that must be refused as not to be trusted, by all of these words.
#[track_caller]
fn is_refused(host: &LabHost, words: &[&str]) {
    let outcome = host.unchanged_by(5, ["install", "--yes"]);
    outcome.says("nothing was changed").says_all(words);
}

on_each_release! {
    fn fault_01_a_key_with_another_fingerprint_is_refused(host) {
        let repository = Repository::of(host);
        write(&repository.key(), repository.export(true, &[SOMEBODY]));
        let url = "https://download.docker.com/linux/ubuntu/gpg";
        is_refused(host, &[url, host.fingerprint(), "do not use it"]);
    }

    fn fault_05_a_key_that_is_too_large_or_never_ends_is_refused(host) {
        let repository = Repository::of(host);
        let mut key = repository.export(true, &[DOCKER]);
        key.resize(KEY_LIMIT + 1, b'\n');
        write(&repository.key(), key);
        is_refused(host, &["/linux/ubuntu/gpg", "65536 bytes"]);
        // Larger than the memory of this machine: as good as endless.
        let endless = File::create(repository.key()).expect("serving a key");
        endless.set_len(1 << 40).expect("making a large file");
        is_refused(host, &["/linux/ubuntu/gpg", "65536 bytes"]);
    }

    fn fault_09_a_suite_that_is_missing_or_empty_is_refused(host) {
        let repository = Repository::of(host);
        let index = read(&repository.index());
        let refused = || host.unchanged_by(4, ["install", "--yes"]).says("nothing was changed");
        let suite = format!("`{}`", host.release());
        let url = "https://download.docker.com/linux/ubuntu";
        repository.publish("", &in_days(0));
        refused().says_all(&[url, &suite, "docker-ce", "amd64"]);
        let others = stanzas(&index, |stanza| !stanza.starts_with("Package: containerd.io\n"));
        repository.publish(&others, &in_days(0));
        refused().says("does not offer containerd.io for amd64");
        fs::remove_dir_all(&repository.suite).expect("removing the suite");
        refused().says_all(&[
            url,
            &format!("has no suite {suite}"),
            "no suite of another supported release",
        ]);
    }

    /// A mirror that is being brought up to date may have the right one a moment later.
    fn fault_10_an_index_that_is_not_the_signed_one_is_asked_for_again(host) {
        let repository = Repository::of(host);
        let index = read(&repository.index());
        write(
            &repository.index(),
            index.replacen("SHA256: ", "SHA256 :", 1),
        );
        is_refused(host, &["/stable/binary-amd64/Packages"]);
        let requests = host.requests();
        let asked = requests
            .iter()
            .filter(|request| request.path.ends_with("/Packages"));
        assert!(asked.count() > 1, "{requests:#?}");
    }
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_02_a_second_certificate_in_the_key_file_is_refused() {
    let host = LabHost::up("noble");
    let repository = Repository::of(&host);
    let docker = repository.export(true, &[DOCKER]);
    let other = repository.export(true, &[SOMEBODY]);
    // apt trusts both of them, whichever comes first.
    write(&repository.key(), [docker.clone(), other.clone()].concat());
    is_refused(&host, &["key file", "somebody added to it"]);
    write(&repository.key(), [other, docker].concat());
    is_refused(&host, &["key file", "somebody added to it"]);
    for armored in [true, false] {
        let both = repository.export(armored, &[DOCKER, SOMEBODY]);
        write(&repository.key(), both);
        is_refused(&host, &["more than one of its kind"]);
    }
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_03_a_truncated_key_is_refused() {
    let host = LabHost::up("noble");
    let repository = Repository::of(&host);
    for armored in [true, false] {
        let key = repository.export(armored, &[DOCKER]);
        write(&repository.key(), &key[..key.len() / 2]);
        is_refused(&host, &["the key file is cut off"]);
    }
    write(&repository.key(), "");
    is_refused(&host, &["the key file is empty"]);
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_04_the_page_of_a_portal_is_refused() {
    let host = LabHost::up("noble");
    let repository = Repository::of(&host);
    let page = "<!DOCTYPE html>\n<html><body>Log in to use this network</body></html>\n";
    let key = fs::read(repository.key()).expect("reading the key");
    write(&repository.key(), page);
    is_refused(&host, &["web page (HTML)", "instead of the key file"]);
    write(&repository.key(), key);
    write(&repository.inrelease(), page);
    is_refused(&host, &["web page (HTML)", "instead of the InRelease file"]);
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_10_an_index_that_is_not_the_signed_one_is_refused() {
    let host = LabHost::up("noble");
    let repository = Repository::of(&host);
    let index = read(&repository.index());
    let one_letter = index.replacen("SHA256: ", "SHA256 :", 1);
    let longer = format!("{index}\n");
    let shorter = &index[..index.len() / 2];
    for other in [&one_letter, shorter, &longer] {
        write(&repository.index(), other);
        is_refused(
            &host,
            &[
                "/stable/binary-amd64/Packages",
                "mirror",
                "try again in a few minutes",
            ],
        );
    }
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn an_index_that_the_key_did_not_sign_as_it_is_served_is_refused() {
    let host = LabHost::up("noble");
    let repository = Repository::of(&host);
    let release = repository.release();
    let good = read(&repository.inrelease());
    write(&repository.inrelease(), &release);
    is_refused(&host, &["/dists/noble/InRelease", "InRelease file"]);
    write(
        &repository.inrelease(),
        good.replace("Suite: noble", "Suite: Noble"),
    );
    is_refused(&host, &["does not match its signature"]);
    repository.sign(&release, SOMEBODY);
    is_refused(&host, &["is signed by", "no usable signing key"]);
    for surrounded in [
        format!("Origin: Evil\n\n{good}"),
        format!("{good}\nOrigin: Evil\n"),
    ] {
        write(&repository.inrelease(), surrounded);
        is_refused(&host, &["before or after its one signed part"]);
    }
    write(&repository.inrelease(), good.repeat(2));
    is_refused(&host, &["InRelease file", "somebody added to it"]);
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_key_with_the_right_fingerprint_that_ended_or_was_revoked_is_refused() {
    let host = LabHost::up("noble");
    let url = "https://download.docker.com/linux/ubuntu/gpg";
    let repository = Repository::of(&host);
    repository.expire();
    write(&repository.key(), repository.export(true, &[DOCKER]));
    is_refused(&host, &[url, host.fingerprint(), "expired on"]);
    repository.revoke();
    write(&repository.key(), repository.export(true, &[DOCKER]));
    is_refused(
        &host,
        &[url, host.fingerprint(), "was revoked by its owner"],
    );
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn an_index_that_is_outdated_or_never_ends_is_refused() {
    let host = LabHost::up("noble");
    let repository = Repository::of(&host);
    let until = format!("Valid-Until: {}\nDate:", in_days(-1));
    let release = repository.release().replacen("Date:", &until, 1);
    repository.sign(&release, DOCKER);
    is_refused(&host, &["/dists/noble/InRelease", "expired on"]);
    let endless = File::create(repository.inrelease()).expect("serving an index");
    endless.set_len(1 << 40).expect("making a large file");
    is_refused(&host, &["/dists/noble/InRelease", "1048576 bytes"]);
}

/// Docker's own key signs by another key of its certificate from some day on.
#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_new_signing_key_of_dockers_certificate_is_taken_from_the_server() {
    let host = LabHost::up("noble");
    let repository = Repository::of(&host);
    host.install();
    host.sh("apt-get remove --yes docker-compose-plugin");
    let signer = repository.add_signing_key();
    repository.sign(&repository.release(), &signer);
    is_refused(&host, &["is signed by", "no usable signing key"]);

    write(&repository.key(), repository.export(true, &[DOCKER]));
    host.install().says(&format!("replace {KEYRING}"));
    host.sh("docker compose version; apt-get update -o APT::Update::Error-Mode=any");

    // And one that somebody else may change is written anew.
    let before = host.read(KEYRING);
    for spoil in ["chown alice:", "chmod 664"] {
        host.sh(&format!("{spoil} {KEYRING}"));
        host.install().says(&format!("replace {KEYRING}"));
        let owner = host.sh(&format!("stat --format '%U %a' {KEYRING}")).stdout;
        assert_eq!(owner.trim(), "root 644", "{spoil}");
        assert_eq!(host.read(KEYRING), before, "{spoil}");
    }
    host.uninstall();
    assert!(!host.has(KEYRING));
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_signed_index_of_something_else_is_refused() {
    let host = LabHost::up("noble");
    let repository = Repository::of(&host);
    let release = repository.release();
    for (field, other) in [
        ("Origin", "Dicker"),
        ("Suite", "jammy"),
        ("Architectures", "s390x"),
    ] {
        repository.sign(&with_field(&release, field, other), DOCKER);
        is_refused(&host, &["/dists/noble/InRelease", field, other]);
    }
}
