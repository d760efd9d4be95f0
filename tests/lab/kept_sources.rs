//! Sources for Docker's repository that are as good as ours, and what stands beside them.

use std::fs;

use crate::host::LabHost;
use crate::signing::{DOCKER, Repository};
use crate::tree::Tree;

const LIST: &str = "/etc/apt/sources.list.d/docker.list";
/// Where dockstrap names it.
pub(crate) const OURS: &str = "/etc/apt/sources.list.d/docker.sources";
const MAIN: &str = "/etc/apt/sources.list";
/// They are read behind the list above.
const STANZAS: &str = "/etc/apt/sources.list.d/other.sources";
const Z_LIST: &str = "/etc/apt/sources.list.d/z.list";
const URI: &str = "https://download.docker.com/linux/ubuntu";
/// Where older instructions put the key, without its armor.
const KEYRING: &str = "/usr/share/keyrings/docker-archive-keyring.gpg";
const OTHERS: &str = "# mine\ndeb [trusted=yes lang=none] copy:/srv/empty ./\n";
const PACKAGES: &str = "docker-ce docker-ce-cli containerd.io docker-buildx-plugin \
                        docker-compose-plugin docker-ce-rootless-extras";
/// All that dockstrap would put there, so that the engine need not be restarted for it.
const DAEMON_JSON: &str = r#"{
  "log-driver": "local",
  "log-opts": {"max-size": "20m", "max-file": "5"},
  "live-restore": true
}"#;

on_each_release! {
    fn fault_16_a_source_with_dockers_key_in_a_place_of_its_own_is_kept(host) {
        put_keyring(host);
        host.write(LIST, &line(host.release()));
        let before = host.tree();
        host.unchanged_by(0, ["plan"]).says_all(&[LIST, KEYRING]);
        host.install();
        is_named_only_in(host, LIST);
        assert!(!host.has("/etc/apt/keyrings/docker.asc"), "a second keyring");
        host.uninstall();
        before.is_restored_in(&host.tree());
    }
}

/// An engine is there already, so that all that is to be done is about the sources.
#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_16_what_stands_beside_a_kept_source_is_taken_out_and_comes_back() {
    let host = LabHost::up("noble");
    put_keyring(&host);
    host.sh("mkdir /srv/empty; touch /srv/empty/Packages");
    let good = line("noble");
    let sources = good.replace("deb ", "deb-src ");
    let bare = format!("deb {URI} noble stable\n");
    let stanza = format!(
        "Types: deb\nURIs: {URI}/\nSuites: noble\nComponents: stable\nSigned-By: {KEYRING}\n"
    );
    let old_key = stanza.replace(KEYRING, "/usr/share/keyrings/old.gpg");
    let other_stanza = "# mine\nTypes: deb\nURIs: copy:/srv/empty\nSuites: ./\nTrusted: yes\n";

    host.write("/etc/docker/daemon.json", DAEMON_JSON);
    host.write(LIST, &good);
    host.sh(&format!(
        "apt-get update; apt-get install --yes {PACKAGES}; rm {LIST}"
    ));

    let with_fingerprint = stanza.replace(KEYRING, &format!("{KEYRING} {}", host.fingerprint()));
    let install = |files: &[(&str, &str)], expected| one_is_left_of(&host, files, expected);
    // In the same file.
    install(&[(LIST, &format!("{OTHERS}{good}{sources}"))], LIST);
    // In a later one: with no keyring, with another, with the same but for the fingerprint.
    install(&[(LIST, &good), (Z_LIST, &bare)], LIST);
    install(&[(LIST, &good), (STANZAS, &old_key)], LIST);
    install(&[(STANZAS, &with_fingerprint), (Z_LIST, &good)], STANZAS);
    // Among stanzas of others, good and of no use.
    let mixed = |stanza| format!("{other_stanza}\n{stanza}\n\n# the end");
    install(&[(STANZAS, &mixed(&stanza))], STANZAS);
    install(&[(STANZAS, &mixed(&old_key))], OURS);
    // In the main list, good and of no use, and as the first of two.
    install(&[(MAIN, &format!("{OTHERS}{good}# the end"))], MAIN);
    install(&[(MAIN, &format!("{OTHERS}{bare}# the end"))], OURS);
    install(&[(MAIN, &good), (LIST, &format!("{good}{OTHERS}"))], MAIN);
}

/// With these files of sources on the host, an install leaves Docker's repository in the expected
/// file only, and the way back brings all of them back.
#[track_caller]
fn one_is_left_of(host: &LabHost, files: &[(&str, &str)], expected: &str) {
    for (path, text) in files {
        host.write(path, text);
    }
    let before = tree_but_for_lists(host);
    host.install();
    is_named_only_in(host, expected);
    host.install().says("Nothing to do");
    host.uninstall();
    before.is_restored_in(&tree_but_for_lists(host));
    for (path, _) in files {
        host.sh(&format!("rm {path}"));
    }
}

/// As somebody does who follows instructions although all is done.
#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_16_a_list_that_comes_later_is_taken_out_and_comes_back() {
    let host = LabHost::up("noble");
    let before = host.tree();
    host.install();
    let lists = [Z_LIST, LIST];
    let as_documented = line("noble").replace(KEYRING, "/etc/apt/keyrings/docker.asc");
    host.write(lists[0], &as_documented);
    host.sh("apt-get update").says("configured multiple times");
    host.install().says(lists[0]);
    is_named_only_in(&host, OURS);

    let with_another_keyring = line("noble");
    host.write(lists[1], &with_another_keyring);
    host.run(["apt-get", "update"])
        .exits(100)
        .says("Conflicting values");
    host.install().says(lists[1]);
    is_named_only_in(&host, OURS);

    host.uninstall();
    assert_eq!(
        lists.map(|list| host.read(list)),
        [as_documented, with_another_keyring]
    );
    host.sh(&format!("rm {}", lists.join(" ")));
    before.is_restored_in(&host.tree());
}

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_16_what_can_be_neither_used_nor_taken_out_is_refused() {
    let host = LabHost::up("noble");
    let install = ["install", "--yes"];
    let text = format!(
        "Types: deb\nURIs: {URI} http://archive.ubuntu.com/docker\nSuites: noble\n\
         Components: stable\nSigned-By: {KEYRING}\n"
    );
    host.write(STANZAS, &text);
    host.unchanged_by(4, install).says_all(&[
        &format!("line 1 of {STANZAS} names Docker's repository together with others"),
        "nothing was changed",
    ]);
    host.sh(&format!("rm {STANZAS}"));

    // A link, to a file that somebody else looks after.
    host.write("/srv/docker.list", &line("noble"));
    host.sh(&format!("ln -s /srv/docker.list {LIST}"));
    host.unchanged_by(4, install).says_all(&[
        LIST,
        "a link to another file",
        "Nothing was changed",
    ]);
    // What it leads to can be kept all the same, when it is good.
    put_keyring(&host);
    host.unchanged_by(0, ["plan"])
        .says(&format!("{LIST} names {URI}"));
}

/// An uninstall that keeps what was edited leaves a host on which apt works.
#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn fault_16_an_edited_source_of_ours_stays_with_its_keyring_and_the_old_one_beside_it() {
    let host = LabHost::up("noble");
    let old = line("noble");
    host.write(LIST, &old);
    // Nor is a folder in the way that has the name of a file.
    host.sh("mkdir /etc/apt/sources.list.d/folder.list /etc/apt/sources.list.d/folder.sources");
    host.install();
    is_named_only_in(&host, OURS);
    host.sh(&format!("echo '# mine' >>{OURS}"));
    let keyring = "/etc/apt/keyrings/docker.asc";
    let beside = format!("{LIST}.before-dockstrap");
    host.uninstall()
        .says_all(&[OURS, &beside, keyring, "names it"]);
    assert_eq!(host.read(&beside), old);
    assert!(!host.has(LIST) && host.has(keyring));
    host.sh("apt-get update -o APT::Update::Error-Mode=any")
        .never_says("W:")
        .says(URI);
}

/// What is on the host but for the lists, which this test itself has apt fetch.
fn tree_but_for_lists(host: &LabHost) -> Tree {
    host.sh("find /var/lib/apt/lists -type f -delete");
    host.tree()
}

/// Docker's certificate, without armor, where older instructions put it.
fn put_keyring(host: &LabHost) {
    let binary = Repository::of(host).export(false, &[DOCKER]);
    let path = host.lab_path("root").join(&KEYRING[1..]);
    fs::create_dir_all(path.parent().expect("a folder")).expect("making a folder");
    fs::write(path, binary).expect("writing a keyring");
}

fn line(suite: &str) -> String {
    format!("deb [arch=amd64 signed-by={KEYRING}] {URI} {suite} stable\n")
}

/// Docker's repository stands once in this file and in no other, and apt works with it.
#[track_caller]
pub(crate) fn is_named_only_in(host: &LabHost, path: &str) {
    let name =
        "grep --recursive --extended-regexp '^[^#]*download.docker.com' /etc/apt/sources.list*";
    let found = host.sh(&format!("{name} || true")).stdout;
    let files: Vec<&str> = found
        .lines()
        .filter_map(|line| line.split(':').next())
        .collect();
    assert_eq!(files, [path], "{found}");
    host.sh("apt-get update -o APT::Update::Error-Mode=any")
        .never_says("W:")
        .says(URI);
}
