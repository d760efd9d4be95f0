mod runs;
mod strangers;

use super::*;
use crate::error::{exit_code, next_command};
use crate::host::stub::StubHost;
use proptest::prelude::{ProptestConfig, any, prop, prop_assert, prop_assert_eq, proptest};

fn undo() -> Undo {
    Undo::RemoveFolder {
        path: "/etc/docker".into(),
    }
}

#[test]
fn an_act_counts_from_the_moment_it_is_begun() {
    let stub = StubHost::new();
    let host = stub.host();
    let mut journal = Journal::read(host).unwrap();
    journal.open(host).unwrap();
    journal.begin("a", "first", undo()).unwrap();
    let second = journal.begin("b", "second", undo()).unwrap();
    journal.done(second, None).unwrap();
    let read = Journal::read(host).unwrap();
    let texts: Vec<&str> = read.acts().iter().map(|act| act.text.as_str()).collect();
    assert_eq!(texts, ["first", "second"]);
}

#[test]
fn a_reverted_act_no_longer_counts_but_its_number_stays_taken() {
    let stub = StubHost::new();
    let host = stub.host();
    let mut journal = Journal::read(host).unwrap();
    journal.open(host).unwrap();
    let act = journal.begin("a", "first", undo()).unwrap();
    journal.reverted(act).unwrap();
    let mut read = Journal::read(host).unwrap();
    assert!(read.acts().is_empty());
    read.open(host).unwrap();
    assert_eq!(read.begin("b", "second", undo()).unwrap(), act + 1);
}

#[test]
fn a_torn_last_line_is_passed_over_and_cut_off() {
    let stub = StubHost::new();
    let host = stub.host();
    let mut journal = Journal::read(host).unwrap();
    journal.open(host).unwrap();
    journal.begin("a", "first", undo()).unwrap();
    stub.write(JOURNAL, stub.read(JOURNAL) + "{\"line\":\"ac");
    let mut read = Journal::read(host).unwrap();
    assert_eq!(read.acts().len(), 1);
    read.open(host).unwrap();
    read.begin("b", "second", undo()).unwrap();
    assert_eq!(Journal::read(host).unwrap().acts().len(), 2);
}

#[test]
fn fault_51_a_newer_a_foreign_or_a_zeroed_journal_is_refused() {
    for (text, why) in [
        (
            "{\"line\":\"journal\",\"schema\":2,\"x\":1}\n",
            "newer dockstrap",
        ),
        ("hello\n", "no journal"),
        ("\0\0\0\0", "zeroed"),
        ("{\"line\":\"journal\",\0\0", "zeroed"),
        ("hello\0\n{}\n", "zeroed"),
        ("hello", "no journal"),
        ("{\"line\":\"journal\",\"schema\":2,\"x", "no journal"),
    ] {
        let stub = StubHost::new().file(JOURNAL, text);
        let error = Journal::read(stub.host()).unwrap_err();
        assert_eq!(exit_code(&error), 4);
        assert!(error.to_string().contains(why), "{error}");
    }
}

/// It stands in the middle when a newer dockstrap went on with an older one's journal.
#[test]
fn lines_of_a_newer_dockstrap_are_refused_wherever_they_begin() {
    let (whole, _) = written(&["first".to_owned()]);
    for newer in [
        r#"{"line":"journal","schema":99,"dockstrap":"99.0","created":"2099-01-01T00:00:00Z"}"#,
        r#"{"line":"journal","schema":99,"dockstrap":"99.0","host":["what","is","this"]}"#,
    ] {
        let stub = StubHost::new().file(JOURNAL, format!("{whole}{newer}\n{{\"line\":\"new\"}}\n"));
        let error = Journal::read(stub.host()).unwrap_err();
        assert_eq!(exit_code(&error), 4);
        let text = error.to_string();
        assert!(
            text.contains("a newer dockstrap wrote it (99.0, schema 99"),
            "{text}"
        );
        assert!(
            text.contains("install.sh --version 99.0 --download-only"),
            "{text}"
        );
        let next = next_command(&error, Some("install"));
        assert_eq!(next, "sudo apt-get install dockstrap");
    }
}

/// No schema 0 was ever released: here it is one that is older than the first.
#[test]
fn an_older_journal_is_gone_on_with_under_this_schema() {
    let (whole, after) = written(&["first".to_owned()]);
    let older = whole.replacen("\"schema\":1", "\"schema\":0", 1);
    let stub = StubHost::new().file(JOURNAL, older.clone());
    for _ in 0..2 {
        let mut journal = Journal::read(stub.host()).unwrap();
        assert_eq!(journal.acts().len(), after.last().unwrap().len());
        journal.open(stub.host()).unwrap();
    }
    let text = stub.read(JOURNAL);
    let added = text.strip_prefix(&older).unwrap();
    assert_eq!(added.lines().count(), 1, "{added}");
    assert!(added.contains("\"schema\":1"), "{added}");
}

#[test]
fn fault_51_an_empty_journal_beside_copies_that_it_made_is_refused() {
    let stub = StubHost::new().file(JOURNAL, "");
    Journal::read(stub.host()).unwrap();
    let stub = stub.file(&format!("{FOLDER}/3-docker.list"), "");
    let error = Journal::read(stub.host()).unwrap_err();
    assert_eq!(exit_code(&error), 4);
    assert!(error.to_string().contains("3-docker.list"), "{error}");
}

#[test]
fn zeros_behind_the_last_whole_line_are_a_torn_line() {
    let (whole, after) = written(&["first".to_owned()]);
    let stub = StubHost::new().file(JOURNAL, whole.clone() + "\0\0\0\0");
    let mut read = Journal::read(stub.host()).unwrap();
    assert_eq!(read.acts().len(), after.last().unwrap().len());
    read.open(stub.host()).unwrap();
    assert_eq!(stub.read(JOURNAL), whole);
}

#[test]
fn a_journal_cut_within_its_first_line_is_begun_anew() {
    let stub = StubHost::new().file(JOURNAL, "{\"line\":\"jour");
    let mut journal = Journal::read(stub.host()).unwrap();
    journal.open(stub.host()).unwrap();
    journal.begin("a", "first", undo()).unwrap();
    assert_eq!(Journal::read(stub.host()).unwrap().acts().len(), 1);
}

/// A journal of `texts`, every second act of which is reverted, and the numbers that count after
/// each of its lines.
fn written(texts: &[String]) -> (String, Vec<Vec<u64>>) {
    let stub = StubHost::new();
    let mut journal = Journal::read(stub.host()).unwrap();
    journal.open(stub.host()).unwrap();
    let numbers = |journal: &Journal| journal.acts().iter().map(|act| act.act).collect();
    let mut after = vec![vec![], vec![]];
    for text in texts {
        let act = journal.begin("step", text, undo()).unwrap();
        after.push(numbers(&journal));
        if act.is_multiple_of(2) {
            journal.reverted(act).unwrap();
        } else {
            journal.done(act, None).unwrap();
        }
        after.push(numbers(&journal));
    }
    (stub.read(JOURNAL), after)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn whatever_a_crash_leaves_of_a_journal_no_whole_line_is_lost(
        texts in proptest::collection::vec("[a-zé→\"\\n\\\\]{0,12}", 0..5),
    ) {
        let (whole, after) = written(&texts);
        let stub = StubHost::new().file(JOURNAL, "");
        for cut in 0..=whole.len() {
            let left = &whole.as_bytes()[..cut];
            std::fs::write(stub.host().path(JOURNAL), left).unwrap();
            let read = Journal::read(stub.host()).unwrap();
            let numbers: Vec<u64> = read.acts().iter().map(|act| act.act).collect();
            let lines = left.iter().filter(|byte| **byte == b'\n').count();
            prop_assert_eq!(&numbers, &after[lines]);
        }
    }

    #[test]
    fn a_journal_that_a_crash_cut_is_gone_on_with(
        texts in proptest::collection::vec("[a-z]{0,4}", 0..3), cut in any::<prop::sample::Index>(),
    ) {
        let (whole, _) = written(&texts);
        let stub = StubHost::new().file(JOURNAL, &whole[..cut.index(whole.len() + 1)]);
        let mut journal = Journal::read(stub.host()).unwrap();
        let acts = journal.acts().len();
        journal.open(stub.host()).unwrap();
        journal.begin("step", "another", undo()).unwrap();
        prop_assert_eq!(Journal::read(stub.host()).unwrap().acts().len(), acts + 1);
    }

    #[test]
    fn bytes_that_are_no_journal_are_refused_and_never_taken_for_one(
        noise in proptest::collection::vec(any::<u8>(), 0..64),
    ) {
        let stub = StubHost::new().file(JOURNAL, &noise);
        match Journal::read(stub.host()) {
            Ok(journal) => prop_assert!(journal.acts().is_empty()),
            Err(error) => prop_assert_eq!(exit_code(&error), 4),
        }
    }
}

/// Every schema that was ever released, with each way back that it knows. A newer dockstrap must
/// read them all, or a host that it upgrades on could not be taken back.
#[test]
fn every_journal_that_was_ever_written_is_read() {
    for (schema, text) in [(1, include_str!("../../../tests/fixtures/journal/schema-1"))] {
        let stub = StubHost::new();
        stub.write(JOURNAL, text);
        let journal = Journal::read(stub.host()).unwrap();
        let written = text.matches("\"line\":\"act\"").count();
        let reverted = text.matches("\"line\":\"reverted\"").count();
        assert_eq!(journal.acts().len(), written - reverted, "schema {schema}");
        for act in journal.acts() {
            // What it says is what it said when it was written.
            let again = serde_json::to_value(Line::Act(act.clone())).unwrap();
            let line = text
                .lines()
                .find(|line| line.contains(&format!("\"act\":{},", act.act)));
            let line: serde_json::Value = serde_json::from_str(line.unwrap()).unwrap();
            assert_eq!(again, line);
        }
    }
}

/// The newest schema's fixture has every kind of way back: one that is added must be added there.
#[test]
fn the_newest_fixture_has_every_kind() {
    let text = include_str!("../../../tests/fixtures/journal/schema-1");
    let enumerated = include_str!("../../undo/mod.rs");
    let body = enumerated
        .split("enum Undo {")
        .nth(1)
        .unwrap()
        .split("\n}\n")
        .next()
        .unwrap();
    let is_variant = |line: &&str| {
        let name = line.strip_prefix("    ");
        name.is_some_and(|name| name.starts_with(|first: char| first.is_ascii_uppercase()))
    };
    for line in body.lines().filter(is_variant) {
        let name = line.trim().split([' ', '{', ',']).next().unwrap();
        let mut kind = String::new();
        for letter in name.chars() {
            if letter.is_ascii_uppercase() && !kind.is_empty() {
                kind.push('-');
            }
            kind.push(letter.to_ascii_lowercase());
        }
        assert!(text.contains(&format!("\"kind\":\"{kind}\"")), "{kind}");
    }
}

#[test]
fn a_folder_without_a_journal_goes_when_it_is_empty_and_stays_with_what_it_keeps() {
    let stub = StubHost::new().folder(FOLDER);
    remove_empty_folder(stub.host()).unwrap();
    assert!(!stub.host().exists(FOLDER).unwrap());
    remove_empty_folder(stub.host()).unwrap();

    let stub = StubHost::new().file("/var/lib/dockstrap/1-docker.list", "deb");
    remove_empty_folder(stub.host()).unwrap();
    assert_eq!(stub.read("/var/lib/dockstrap/1-docker.list"), "deb");
}
