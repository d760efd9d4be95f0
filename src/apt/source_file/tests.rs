//! Files of sources, from which Docker's own are taken out.

use super::*;
use crate::host::stub::StubHost;
use proptest::prelude::*;

fn noble() -> Source {
    Source {
        uri: "https://download.docker.com/linux/ubuntu".to_owned(),
        suite: "noble".to_owned(),
        architecture: "amd64".to_owned(),
    }
}

fn left(path: &str, text: &str) -> Option<String> {
    let left = SourceFile::parse(path, text.as_bytes()).without_docker(&noble());
    left.map(|bytes| String::from_utf8(bytes).unwrap())
}

const LINE: &str = "deb [arch=amd64] https://download.docker.com/linux/ubuntu noble stable\n";
const OTHER: &str = "deb http://archive.example/ubuntu noble main # mine\n";
const STANZA: &str = "Types: deb\nURIs: https://download.docker.com/linux/ubuntu\n\
                      Suites: noble\nComponents: stable\n";
const OTHER_STANZA: &str = "Types: deb\nURIs: http://archive.example/ubuntu\n\
                            Suites: noble\nComponents: main\n";

#[test]
fn a_file_with_docker_alone_goes_and_its_comments_with_it() {
    assert_eq!(left("/d/docker.list", LINE), None);
    assert_eq!(
        left("/d/docker.list", &format!("# Docker\n\n{LINE}# end")),
        None
    );
    assert_eq!(
        left("/d/docker.sources", &format!("# Docker\n{STANZA}\n\n")),
        None
    );
}

#[test]
fn the_main_list_is_never_removed() {
    assert_eq!(left(SOURCES_LIST, LINE).as_deref(), Some(""));
}

#[test]
fn what_is_not_dockers_stays_as_it_is() {
    let text = format!("# a\n{OTHER}\t\n{LINE}\n{OTHER}no newline");
    let kept = format!("# a\n{OTHER}\t\n\n{OTHER}no newline");
    assert_eq!(left("/d/mixed.list", &text), Some(kept));
    let text = format!("{OTHER_STANZA}\n# Docker\n{STANZA}\n\n{OTHER_STANZA}");
    let kept = format!("{OTHER_STANZA}\n\n\n{OTHER_STANZA}");
    assert_eq!(left("/d/mixed.sources", &text), Some(kept));
}

#[test]
fn a_disabled_source_is_something_that_stays() {
    let disabled = format!("{STANZA}Enabled: no\n");
    let text = format!("{STANZA}\n{disabled}");
    assert_eq!(
        left("/d/docker.sources", &text),
        Some(format!("\n{disabled}"))
    );
}

#[test]
fn bytes_that_are_no_text_stay_as_they_are() {
    let bytes = [b"deb http://x/\xff noble main\n", LINE.as_bytes()].concat();
    let file = SourceFile::parse("/d/x.list", &bytes);
    let left = file.without_docker(&noble()).unwrap();
    assert_eq!(left, b"deb http://x/\xff noble main\n");
}

#[test]
fn what_is_no_file_is_passed_over_and_a_link_followed() {
    let stub = StubHost::new()
        .folder("/etc/apt/sources.list.d/a.list")
        .folder("/etc/apt/sources.list.d/b.sources")
        .file("/srv/docker.list", LINE);
    let folder = stub.host().path(FOLDER);
    let target = stub.host().path("/srv/docker.list");
    std::os::unix::fs::symlink(target, folder.join("c.list")).unwrap();
    let files = source_files(stub.host()).unwrap();
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["/etc/apt/sources.list.d/c.list"]);
    assert!(files[0].names_docker(&noble()));
}

#[test]
fn names_that_apt_passes_over_are_passed_over() {
    for name in [
        "docker.list.save",
        "a b.list",
        ".x.list",
        "ö.list",
        "list",
        "x.sources~",
    ] {
        assert!(!PARTS.reads(name), "{name}");
    }
    assert!(PARTS.reads("docker-ce_1.0.list"));
}

/// Lines of all kinds, good and bad, in any order.
fn texts() -> impl Strategy<Value = Vec<String>> {
    let line = prop_oneof![
        Just(LINE.to_owned()),
        Just(OTHER.to_owned()),
        Just("\n".to_owned()),
        Just(" \n".to_owned()),
        Just("# note\n".to_owned()),
        Just(STANZA.to_owned()),
        Just(OTHER_STANZA.to_owned()),
        "[ -~\t]{0,30}\r?\n",
        "\\PC{0,20}\n",
    ];
    prop::collection::vec(line, 0..12)
}

#[test]
fn our_file_stays_sound_as_long_as_apt_verifies_all_of_it_with_our_keyring() {
    let ours = noble().text(Source::KEYRING);
    let edited = |from: &str, to: &str| ours.replace(from, to).into_bytes();
    for sound in [
        edited("", ""),
        edited("Components: stable", "Components: stable test"),
        edited("Types: deb", "Enabled: no\nTypes: deb"),
        edited("https://download.docker.com", "https://mirror.example"),
        format!("{ours}# mine\n").into_bytes(),
        Vec::new(),
    ] {
        assert!(is_sound(&sound), "{}", String::from_utf8_lossy(&sound));
    }
    for unsound in [
        edited(Source::KEYRING, "/usr/share/keyrings/other.gpg"),
        edited("Signed-By: ", "# Signed-By: "),
        edited("Types: deb", "Trusted: yes\nTypes: deb"),
        format!("{ours}\nhello\n").into_bytes(),
    ] {
        assert!(!is_sound(&unsound), "{}", String::from_utf8_lossy(&unsound));
    }
}

proptest! {
    #[test]
    fn taking_docker_out_and_putting_it_back_is_the_identity(
        lines in texts(),
        list in any::<bool>(),
    ) {
        let path = if list { SOURCES_LIST } else { "/d/x.sources" };
        let text = lines.concat();
        let file = SourceFile::parse(path, text.as_bytes());
        let taken: Vec<usize> = file.dockers(&noble()).map(|(part, _)| part.line).collect();
        let bytes = |part: &Block| part.bytes.clone();
        // Put back: the parts that were left, and those that were taken, by their lines.
        let whole: Vec<u8> = file.parts.iter().flat_map(bytes).collect();
        prop_assert_eq!(&whole, text.as_bytes());
        let stays = |part: &&Block| !taken.contains(&part.line);
        let kept: Vec<u8> = file.parts.iter().filter(stays).flat_map(bytes).collect();
        if let Some(left) = file.without(&taken) {
            prop_assert_eq!(&left, &kept);
        }
        // Nothing of Docker's is left in it, and nothing else is lost.
        let after = SourceFile::parse(path, &kept);
        prop_assert!(!after.names_docker(&noble()));
        let entries = |file: &SourceFile| -> Vec<Entry> {
            let entries = file.parts.iter().filter_map(|part| part.entry.clone());
            entries.filter(|entry| !entry.names_docker(&noble())).collect()
        };
        prop_assert_eq!(entries(&file), entries(&after));
    }
}
