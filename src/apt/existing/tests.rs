use super::*;
use crate::error::exit_code;
use crate::trust::DOCKER_KEY_FINGERPRINT;
use std::path::Path;

const OURS: &str = "/etc/apt/keyrings/docker.asc";
const LIST: &str = "/etc/apt/sources.list.d/docker.list";

fn noble() -> Source {
    Source {
        uri: "https://download.docker.com/linux/ubuntu".to_owned(),
        suite: "noble".to_owned(),
        architecture: "amd64".to_owned(),
    }
}

fn find(files: &[(&str, &str)]) -> Result<Existing> {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = root.path().join(&path[1..]);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let host = Host::at(root.path(), Path::new("/nowhere"));
    Existing::find(&host, &noble(), &DOCKER_KEY_FINGERPRINT, |keyring| {
        Ok(keyring == OURS)
    })
}

fn line(keyring: &str) -> String {
    format!("deb [signed-by={keyring}] https://download.docker.com/linux/ubuntu noble stable\n")
}

#[test]
fn a_bare_host_has_none() {
    let found = find(&[("/etc/apt/sources.list", "deb http://x noble main\n")]).unwrap();
    assert_eq!(found.kept, None);
    assert_eq!(found.migrations, []);
}

#[test]
fn a_source_that_does_the_same_is_kept() {
    let found = find(&[(LIST, &line(OURS))]).unwrap();
    assert_eq!(found.kept.unwrap().path, LIST);
    assert_eq!(found.migrations, []);
}

#[test]
fn fault_16_a_list_with_another_keyring_is_moved_aside() {
    let found = find(&[(
        LIST,
        &line("/usr/share/keyrings/docker-archive-keyring.gpg"),
    )])
    .unwrap();
    assert_eq!(found.kept, None);
    assert_eq!(
        found.migrations[0].to_string(),
        "move /etc/apt/sources.list.d/docker.list aside: it trusts another keyring, \
         /usr/share/keyrings/docker-archive-keyring.gpg (line 1)"
    );
}

#[test]
fn of_two_that_do_the_same_ours_is_kept_and_the_other_goes() {
    let ours = noble().text(OURS);
    let found = find(&[(LIST, &line(OURS)), (Source::PATH, &ours)]).unwrap();
    assert_eq!(found.kept.unwrap().path, Source::PATH);
    assert_eq!(found.migrations.len(), 1);
    assert_eq!(found.migrations[0].path, LIST);
    assert!(found.migrations[0].reason().contains("once more"));
}

#[test]
fn only_dockers_lines_are_taken_out_of_the_main_list() {
    let text = format!("deb http://x noble main\n{}# end\n", line("/other"));
    let found = find(&[("/etc/apt/sources.list", &text)]).unwrap();
    let migration = &found.migrations[0];
    assert!(
        migration
            .to_string()
            .starts_with("take Docker's repository out of /etc/apt/sources.list, line 2: "),
        "{migration}"
    );
    assert_eq!(
        migration.left.as_deref(),
        Some(b"deb http://x noble main\n# end\n".as_slice())
    );
}

#[test]
fn beside_a_line_that_is_kept_the_others_of_its_file_go() {
    let source = line(OURS).replace("deb ", "deb-src ");
    let found = find(&[(LIST, &format!("{}{source}", line(OURS)))]).unwrap();
    assert_eq!(found.kept.unwrap().path, LIST);
    assert_eq!(found.migrations[0].left, Some(line(OURS).into_bytes()));
}

#[test]
fn a_stanza_of_docker_and_others_is_refused_with_its_line() {
    let stanza = "Types: deb\nURIs: http://x https://download.docker.com/linux/ubuntu\n\
                  Suites: noble\nComponents: stable\n";
    let path = "/etc/apt/sources.list.d/mixed.sources";
    let error = find(&[(path, &format!("# head\n\n{stanza}"))]).unwrap_err();
    assert_eq!(exit_code(&error), 4);
    assert!(
        error
            .to_string()
            .contains("line 3 of /etc/apt/sources.list.d/mixed.sources")
    );
}
