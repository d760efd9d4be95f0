use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::change::{Journal, Purpose};
use crate::error::exit_code;
use crate::trust::DOCKER_KEY_FINGERPRINT;
use crate::undo::Extent;

const KEYRING: &str = "/etc/apt/keyrings/docker.asc";
const LIST: &str = "/etc/apt/sources.list.d/docker.list";
const MAIN: &str = "/etc/apt/sources.list";
const OLD: &str = "deb [arch=amd64 signed-by=/usr/share/keyrings/docker-archive-keyring.gpg] \
                   https://download.docker.com/linux/ubuntu noble stable\n";
const OTHER: &str = "deb http://archive.example/ubuntu noble main # mine\n";

/// A host in a folder.
struct Lab {
    root: TempDir,
    host: Host,
}

impl Lab {
    fn with(files: &[(&str, &[u8])]) -> Lab {
        let root = tempfile::tempdir().unwrap();
        let host = Host::at(root.path(), Path::new("/nowhere"));
        for folder in ["etc/apt/sources.list.d", "var/lib"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        let lab = Lab { root, host };
        for (path, bytes) in files {
            lab.write(path, bytes);
        }
        lab
    }

    fn write(&self, path: &str, bytes: &[u8]) {
        fs::write(self.host.path(path), bytes).unwrap();
    }

    fn mode(&self, path: &str, mode: u32) {
        fs::set_permissions(self.host.path(path), fs::Permissions::from_mode(mode)).unwrap();
    }

    fn text(&self, path: &str) -> Option<String> {
        self.host.read_text(path).unwrap()
    }

    fn tx(&self) -> Tx<'_> {
        let journal = Journal::read(&self.host).unwrap();
        let cancelled = Arc::new(AtomicBool::new(false));
        Tx::begin(
            &self.host,
            journal,
            Purpose::Install,
            Duration::ZERO,
            &|_| {},
            cancelled,
        )
        .unwrap()
    }

    fn inspect(&self) -> Inspection {
        step().inspect(&self.host).unwrap()
    }

    fn apply(&self) {
        step().apply(&mut self.tx()).unwrap();
        let after = self.inspect();
        assert!(after.satisfied, "{after:?}");
    }

    /// Takes all back; returns how much was kept.
    fn revert(&self) -> usize {
        self.tx().revert(0, Extent::default()).unwrap()
    }

    /// Every file with its mode and content.
    fn tree(&self) -> BTreeMap<String, (u32, Vec<u8>)> {
        let folder = self.root.path().join("etc/apt");
        let mut tree = BTreeMap::new();
        for folder in [folder.join("sources.list.d"), folder] {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_file() {
                    let mode = path.metadata().unwrap().permissions().mode();
                    let name = path.display().to_string();
                    tree.insert(name, (mode, fs::read(&path).unwrap()));
                }
            }
        }
        tree
    }
}

fn step() -> AptSource {
    AptSource {
        source: Source {
            uri: "https://download.docker.com/linux/ubuntu".to_owned(),
            suite: "noble".to_owned(),
            architecture: "amd64".to_owned(),
        },
        keyring: KEYRING.to_owned(),
        pin: DOCKER_KEY_FINGERPRINT,
        remark: None,
        freshness: None,
        theirs: None,
    }
}

fn ours() -> String {
    step().source.text(KEYRING)
}

#[test]
fn our_file_stays_as_somebody_edited_it_unless_another_source_stands_beside_it() {
    let step = || AptSource {
        theirs: Ownership::of_names(&[Source::PATH])
            .named(Source::PATH)
            .cloned(),
        ..step()
    };
    for edited in [
        ours().replace("Components: stable", "Components: test"),
        ours().replace("Types: deb", "Enabled: no\nTypes: deb"),
        ours().replace(
            "https://download.docker.com",
            "https://mirror.example/docker-ce",
        ),
    ] {
        let lab = Lab::with(&[(Source::PATH, edited.as_bytes())]);
        let before = lab.tree();
        let finding = step().inspect(&lab.host).unwrap();
        assert!(finding.satisfied, "{finding:?}");
        assert_eq!(finding.kept[0].name, Source::PATH);
        assert_eq!(step().writes(&lab.host).unwrap(), [""; 0]);
        step().apply(&mut lab.tx()).unwrap();
        assert_eq!(lab.tree(), before);
    }
    let lab = Lab::with(&[]);
    let finding = step().inspect(&lab.host).unwrap();
    assert!(finding.satisfied, "removed, it stays away: {finding:?}");
    let other = "deb https://download.docker.com/linux/ubuntu jammy stable\n";
    let lab = Lab::with(&[("/etc/apt/sources.list.d/z.list", other.as_bytes())]);
    assert!(!step().inspect(&lab.host).unwrap().satisfied);
}

#[test]
fn a_bare_host_gets_the_source_and_loses_it_again() {
    let lab = Lab::with(&[]);
    assert_eq!(
        lab.inspect().details,
        ["https://download.docker.com/linux/ubuntu noble stable [amd64]"]
    );
    lab.apply();
    assert_eq!(lab.text(Source::PATH), Some(ours()));
    assert_eq!(lab.revert(), 0);
    assert_eq!(lab.tree(), BTreeMap::new());
}

#[test]
fn applied_twice_it_changes_nothing_more() {
    let lab = Lab::with(&[(LIST, OLD.as_bytes())]);
    lab.apply();
    let acts = lab.tx().journal().acts().len();
    lab.apply();
    assert_eq!(lab.tx().journal().acts().len(), acts);
}

#[test]
fn a_source_that_does_the_same_is_kept_and_survives_the_way_back() {
    let line = OLD.replace("/usr/share/keyrings/docker-archive-keyring.gpg", KEYRING);
    let lab = Lab::with(&[(LIST, line.as_bytes())]);
    let before = lab.tree();
    assert!(lab.inspect().satisfied);
    lab.apply();
    assert_eq!(lab.tree(), before);
    lab.revert();
    assert_eq!(lab.tree(), before);
}

#[test]
fn fault_16_an_old_list_is_moved_aside_and_comes_back_as_it_was() {
    let lab = Lab::with(&[(LIST, OLD.as_bytes())]);
    lab.mode(LIST, 0o640);
    let before = lab.tree();
    let details = lab.inspect().details;
    assert!(
        details[1].starts_with("move /etc/apt/sources.list.d/docker.list aside: it trusts another"),
        "{details:?}"
    );
    lab.apply();
    assert_eq!(lab.text(LIST), None);
    assert_eq!(lab.text(Source::PATH), Some(ours()));
    assert_eq!(lab.revert(), 0);
    assert_eq!(lab.tree(), before);
}

#[test]
fn only_dockers_lines_leave_the_main_list_and_come_back() {
    let text = format!("{OTHER}# docker\n{OLD}no newline");
    let lab = Lab::with(&[(MAIN, text.as_bytes())]);
    lab.mode(MAIN, 0o600);
    let before = lab.tree();
    lab.apply();
    let left = format!("{OTHER}# docker\nno newline");
    assert_eq!(lab.text(MAIN), Some(left));
    assert_eq!(lab.revert(), 0);
    assert_eq!(lab.tree(), before);
}

#[test]
fn another_source_in_dockers_own_file_stays_there() {
    let other = "Types: deb\nURIs: http://x\nSuites: noble\nComponents: main\n";
    let docker = ours().replace("noble", "jammy");
    let lab = Lab::with(&[(Source::PATH, format!("{docker}\n{other}").as_bytes())]);
    let before = lab.tree();
    assert!(lab.inspect().details[1].contains("another suite, jammy"));
    lab.apply();
    assert_eq!(
        lab.text(Source::PATH),
        Some(format!("\n{other}\n{}", ours()))
    );
    assert_eq!(lab.revert(), 0);
    assert_eq!(lab.tree(), before);
}

#[test]
fn beside_a_kept_source_a_second_one_goes() {
    let line = OLD.replace("/usr/share/keyrings/docker-archive-keyring.gpg", KEYRING);
    let lab = Lab::with(&[(LIST, line.as_bytes()), (Source::PATH, ours().as_bytes())]);
    let before = lab.tree();
    lab.apply();
    assert_eq!(lab.text(LIST), None);
    assert_eq!(lab.revert(), 0);
    assert_eq!(lab.tree(), before);
}

#[test]
fn a_list_that_was_made_anew_since_is_left_and_told() {
    let lab = Lab::with(&[(LIST, OLD.as_bytes())]);
    lab.apply();
    lab.write(LIST, b"# mine\n");
    assert_eq!(lab.revert(), 1);
    assert_eq!(lab.text(LIST).as_deref(), Some("# mine\n"));
}

#[test]
fn a_main_list_that_was_edited_since_is_left_and_told() {
    let lab = Lab::with(&[(MAIN, format!("{OTHER}{OLD}").as_bytes())]);
    lab.apply();
    lab.write(MAIN, b"# mine\n");
    assert_eq!(lab.revert(), 1);
    assert_eq!(lab.text(MAIN).as_deref(), Some("# mine\n"));
}

#[test]
fn a_link_to_another_file_is_refused() {
    let lab = Lab::with(&[("/etc/elsewhere.list", OLD.as_bytes())]);
    symlink(lab.host.path("/etc/elsewhere.list"), lab.host.path(LIST)).unwrap();
    let error = step().inspect(&lab.host).unwrap_err();
    assert_eq!(exit_code(&error), 4);
    assert!(error.to_string().contains("is a link"), "{error}");
}

#[test]
fn what_is_to_be_said_of_the_suite_is_said_when_there_is_nothing_to_do_as_well() {
    let lab = Lab::with(&[(Source::PATH, ours().as_bytes())]);
    let remarked = AptSource {
        remark: Some("another suite".to_owned()),
        ..step()
    };
    let finding = remarked.inspect(&lab.host).unwrap();
    assert!(finding.satisfied);
    assert_eq!(finding.details, ["another suite"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn there_and_back_again_is_the_identity(
        lines in prop::collection::vec(
            prop_oneof![
                Just(OLD.as_bytes().to_vec()),
                Just(OTHER.as_bytes().to_vec()),
                Just(b"\n".to_vec()),
                prop::collection::vec(any::<u8>(), 0..24),
            ],
            0..8,
        ),
        main in any::<bool>(),
    ) {
        let path = if main { MAIN } else { LIST };
        let lab = Lab::with(&[(path, &lines.concat())]);
        let before = lab.tree();
        lab.apply();
        prop_assert_eq!(lab.revert(), 0);
        prop_assert_eq!(lab.tree(), before);
    }
}
