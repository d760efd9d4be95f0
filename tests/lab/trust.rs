//! A hostile repository: no key, index or package is believed that is not Docker's, or not the
//! one of today; and a host that was refused is as before.

use std::fs;
use std::fs::File;

use crate::host::LabHost;
use crate::outcome::Outcome;
use crate::signing::{DOCKER, Repository, SOMEBODY, dated, in_days, read, with_field, write};

const RELEASE: &str = "noble";
const KEY_LIMIT: usize = 64 * 1024;
const BACK: &str = "goes back in time";

/// An install that must be refused as not to be trusted, by all of these words.
#[track_caller]
fn is_refused(host: &LabHost, words: &[&str]) {
    refuses(host, 5, words);
}

#[track_caller]
fn refuses(host: &LabHost, code: i32, words: &[&str]) {
    let before = host.tree();
    let outcome = host.dockstrap(["install", "--yes"]).exits(code);
    before.is_untouched_in(&host.tree());
    let said = |outcome: Outcome, words: &&str| outcome.says(words);
    words.iter().fold(outcome.says("nothing was changed"), said);
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_01_a_key_with_another_fingerprint_is_refused() {
    let host = LabHost::up(RELEASE);
    let repository = Repository::of(&host, RELEASE);
    write(&repository.key(), repository.export(true, &[SOMEBODY]));
    let url = "https://download.docker.com/linux/ubuntu/gpg";
    is_refused(&host, &[url, host.fingerprint(), "do not use it"]);
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_02_a_second_certificate_in_the_key_file_is_refused() {
    let host = LabHost::up(RELEASE);
    let repository = Repository::of(&host, RELEASE);
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
    let host = LabHost::up(RELEASE);
    let repository = Repository::of(&host, RELEASE);
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
    let host = LabHost::up(RELEASE);
    let repository = Repository::of(&host, RELEASE);
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
fn fault_05_a_key_that_is_too_large_or_never_ends_is_refused() {
    let host = LabHost::up(RELEASE);
    let repository = Repository::of(&host, RELEASE);
    let mut key = repository.export(true, &[DOCKER]);
    key.resize(KEY_LIMIT + 1, b'\n');
    write(&repository.key(), key);
    is_refused(&host, &["/linux/ubuntu/gpg", "65536 bytes"]);
    // Larger than the memory of this machine: as good as endless.
    let endless = File::create(repository.key()).expect("serving a key");
    endless.set_len(1 << 40).expect("making a large file");
    is_refused(&host, &["/linux/ubuntu/gpg", "65536 bytes"]);
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_09_a_suite_that_is_missing_or_empty_is_refused() {
    let host = LabHost::up(RELEASE);
    let repository = Repository::of(&host, RELEASE);
    let index = read(&repository.index());
    repository.publish("", &in_days(0));
    let url = "https://download.docker.com/linux/ubuntu";
    refuses(&host, 4, &[url, "`noble`", "docker-ce", "amd64"]);
    let others: String = stanzas(&index, |stanza| {
        !stanza.starts_with("Package: containerd.io\n")
    });
    repository.publish(&others, &in_days(0));
    refuses(&host, 4, &["does not offer containerd.io for amd64"]);
    fs::remove_dir_all(&repository.suite).expect("removing the suite");
    refuses(
        &host,
        4,
        &[
            url,
            "has no suite `noble`",
            "no suite of another supported release",
        ],
    );
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_10_an_index_that_is_not_the_signed_one_is_refused() {
    let host = LabHost::up(RELEASE);
    let repository = Repository::of(&host, RELEASE);
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

/// A mirror that is being brought up to date may have the right one a moment later.
#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_10_an_index_that_is_not_the_signed_one_is_asked_for_again() {
    let host = LabHost::up(RELEASE);
    let repository = Repository::of(&host, RELEASE);
    let index = read(&repository.index());
    write(
        &repository.index(),
        index.replacen("SHA256: ", "SHA256 :", 1),
    );
    is_refused(&host, &["/stable/binary-amd64/Packages"]);
    let requests = host.requests();
    let asked = requests
        .iter()
        .filter(|request| request.path.ends_with("/Packages"));
    assert!(asked.count() > 1, "{requests:#?}");
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_11_an_index_from_the_future_names_the_clock() {
    let host = LabHost::up(RELEASE);
    let repository = Repository::of(&host, RELEASE);
    repository.sign(&dated(&repository.release(), &in_days(2)), DOCKER);
    is_refused(
        &host,
        &[
            "InRelease",
            "this host's clock says",
            "timedatectl set-ntp true",
        ],
    );
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_12_an_old_index_is_warned_of_and_taken() {
    let host = LabHost::up(RELEASE);
    let repository = Repository::of(&host, RELEASE);
    repository.sign(&dated(&repository.release(), &in_days(-100)), DOCKER);
    let before = host.tree();
    host.dockstrap(["plan"])
        .exits(0)
        .says("100 days old")
        .says("install 7 packages");
    before.is_untouched_in(&host.tree());
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn an_index_that_the_key_did_not_sign_as_it_is_served_is_refused() {
    let host = LabHost::up(RELEASE);
    let repository = Repository::of(&host, RELEASE);
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
fn a_signed_index_of_something_else_is_refused() {
    let host = LabHost::up(RELEASE);
    let repository = Repository::of(&host, RELEASE);
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

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_repository_that_goes_back_in_time_is_refused_unless_that_is_meant() {
    let host = LabHost::up(RELEASE);
    let repository = Repository::of(&host, RELEASE);
    let index = read(&repository.index());
    host.install();
    let newest = engine(&host);
    host.sh("apt-get remove --yes docker-ce");

    repository.publish(&index, &in_days(-30));
    is_refused(&host, &[BACK, "its index is of", "--allow-downgrade"]);
    repository.publish(&without_engine(&index, &newest), &in_days(0));
    is_refused(&host, &[BACK, "it offers engine", "--allow-downgrade"]);

    host.dockstrap(["install", "--yes", "--no-verify", "--allow-downgrade"])
        .exits(0);
    let older = engine(&host);
    assert_ne!(older, newest);
    host.dockstrap(["install", "--yes"])
        .exits(0)
        .says("Nothing to do");
}

/// The engine is not what is missing, and yet the repository is not one to take anything from.
#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn a_repository_with_an_older_engine_is_refused_whatever_is_missing() {
    let host = LabHost::up(RELEASE);
    let repository = Repository::of(&host, RELEASE);
    let index = read(&repository.index());
    host.install();
    let newest = engine(&host);
    host.sh("apt-get remove --yes docker-compose-plugin");
    repository.publish(&without_engine(&index, &newest), &in_days(0));
    is_refused(&host, &[BACK, "it offers engine", "--allow-downgrade"]);
    host.dockstrap(["install", "--yes", "--no-verify", "--allow-downgrade"])
        .exits(0);
    host.sh("docker compose version");
    assert_eq!(engine(&host), newest, "what is installed stays");
}

/// The version of the engine on the host.
fn engine(host: &LabHost) -> String {
    let query = "dpkg-query --show --showformat='${Version}' docker-ce";
    host.sh(query).stdout
}

/// An index that has only older engines than this one.
fn without_engine(index: &str, version: &str) -> String {
    let line = format!("\nVersion: {version}\n");
    stanzas(index, |stanza| !stanza.contains(&line))
}

/// Those stanzas of an index that are wanted.
fn stanzas(index: &str, is_wanted: impl Fn(&str) -> bool) -> String {
    let wanted = index
        .split_inclusive("\n\n")
        .filter(|stanza| is_wanted(stanza));
    wanted.collect()
}
