//! Every number that a test cites is in `tests/faults.md`.

use std::collections::BTreeSet;
use std::path::Path;

use crate::{ROOT, rust_files};

/// The rows of the list, such as `13` and `J10`.
fn listed() -> Vec<String> {
    let list = std::fs::read_to_string(Path::new(ROOT).join("tests/faults.md")).unwrap();
    let cells = list.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.split(" | ");
        cells.next().map(str::to_owned)
    });
    cells
        .filter(|cell| cell.ends_with(|it: char| it.is_ascii_digit()))
        .collect()
}

/// The number that a name or a word of a comment cites, as the list has it.
fn cited(word: &str) -> Option<String> {
    let (prefix, rest) = match word.strip_prefix("fault_") {
        Some(rest) => ("", rest),
        None => ("J", word.strip_prefix(['j', 'J'])?),
    };
    let (number, rest) = rest.split_at(rest.find(|it: char| !it.is_ascii_digit())?);
    let number: u32 = number.parse().ok()?;
    rest.starts_with('_').then(|| format!("{prefix}{number}"))
}

/// Of comments that cite a case in words: `J1 of the field`.
fn cited_in_words(line: &str) -> Option<String> {
    let words = line.trim_start().strip_prefix("//")?;
    words
        .split(|it: char| !it.is_ascii_alphanumeric())
        .find(|word| {
            let number = word.strip_prefix('J').unwrap_or_default();
            !number.is_empty() && number.bytes().all(|it| it.is_ascii_digit())
        })
        .map(str::to_owned)
}

#[test]
fn every_fault_that_a_test_cites_is_listed() {
    let listed: BTreeSet<String> = listed().into_iter().collect();
    let mut count = 0;
    for file in rust_files(&["src", "tests"]) {
        let text = std::fs::read_to_string(&file).unwrap();
        let names = text
            .split(|it: char| !it.is_ascii_alphanumeric() && it != '_')
            .filter_map(cited);
        for number in names.chain(text.lines().filter_map(cited_in_words)) {
            let name = file.display();
            assert!(
                listed.contains(&number),
                "{name} cites {number}, which is not in tests/faults.md"
            );
            count += 1;
        }
    }
    assert!(count > 150, "only {count} citations were found");
}

#[test]
fn no_number_is_listed_twice() {
    let numbers = listed();
    let unique: BTreeSet<&String> = numbers.iter().collect();
    assert_eq!(unique.len(), numbers.len());
    assert!(numbers.len() > 80, "{}", numbers.len());
}

#[test]
fn a_citation_is_recognised_by_its_form() {
    assert_eq!(cited("fault_09_a_missing_suite").as_deref(), Some("9"));
    assert_eq!(cited("j10_folders").as_deref(), Some("J10"));
    assert_eq!(cited("just_a_name"), None);
    assert_eq!(cited("fault_of_others"), None);
    let comment = cited_in_words("    /// J1 of the field: logging.");
    assert_eq!(comment.as_deref(), Some("J1"));
}
