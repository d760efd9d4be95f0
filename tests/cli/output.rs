//! `--output json`, and what the journal gets.

use std::process::Output;

use crate::{dockstrap, refused, run, stderr, stdout};

/// The lines of JSON on standard output; the last one is the report.
fn lines(output: &Output) -> Vec<serde_json::Value> {
    let stdout = stdout(output);
    let lines: Result<Vec<_>, _> = stdout.lines().map(serde_json::from_str).collect();
    lines.unwrap_or_else(|error| panic!("{error}: {stdout}"))
}

#[test]
fn whatever_the_end_the_last_line_is_the_report() {
    for (arguments, code, command, next) in [
        (&["instal"][..], 2, None, Some("dockstrap --help")),
        (&[][..], 2, None, Some("dockstrap --help")),
        (&["--version"][..], 0, None, None),
        (&["install", "--help"][..], 0, None, None),
        (&["explain", "icc"][..], 0, Some("explain"), None),
        (&["completions", "bash"][..], 0, Some("completions"), None),
        (
            &["plan", "--user", "root"][..],
            2,
            Some("plan"),
            Some("dockstrap plan --help"),
        ),
        (
            &["bundle", "inspect", "/no/such/file"][..],
            2,
            Some("bundle inspect"),
            Some("dockstrap bundle inspect --help"),
        ),
    ] {
        let output = run(&[&["--output", "json"], arguments].concat());
        assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
        let lines = lines(&output);
        let last = lines.last().unwrap();
        assert_eq!(last["event"], "report", "{arguments:?}");
        assert_eq!(last["exit_code"], code, "{arguments:?}");
        assert_eq!(last["command"].as_str(), command, "{arguments:?}");
        assert_eq!(last["error"]["next"].as_str(), next, "{arguments:?}");
        assert_eq!(last["report"].is_null(), code != 0, "{arguments:?}");
        assert!(
            !stderr(&output).is_empty(),
            "{arguments:?}: nothing for people"
        );
    }
}

#[test]
fn the_variable_asks_for_json_and_the_report_alone_stays_alone() {
    let by_variable = |arguments: &[&str]| {
        let mut command = dockstrap();
        let command = command.args(arguments).env("DOCKSTRAP_OUTPUT", "json");
        command.output().unwrap()
    };
    let output = by_variable(&["explain", "icc"]);
    let report = &lines(&output)[0]["report"];
    assert!(report["keys"]["icc"].as_str().unwrap().contains("CIS"));
    let alone: serde_json::Value =
        serde_json::from_str(&stdout(&by_variable(&["doctor", "--json"]))).unwrap();
    assert!(alone["checks"].is_array());
    assert_eq!(lines(&by_variable(&["instal"]))[0]["exit_code"], 2);
    let probe = by_variable(&["probe", "lines", "1"]);
    assert_eq!(stdout(&probe), "line 1\n");
    let both = run(&["doctor", "--json", "--output", "json"]);
    let error = &lines(&both)[0]["error"]["chain"][0];
    assert!(
        error.as_str().unwrap().ends_with("give one of them"),
        "{error}"
    );
    refused(&["doctor", "--output", "yaml"], &["text", "json"]);
}

#[test]
fn behind_a_journal_every_line_has_its_priority_and_no_colour() {
    use std::os::unix::fs::MetadataExt;
    let behind = |names_it: bool| {
        let file = tempfile::NamedTempFile::new().unwrap();
        let there = file.as_file().metadata().unwrap();
        let inode = there.ino() + u64::from(!names_it);
        let mut command = dockstrap();
        command
            .args(["plan", "--user", "root"])
            .env("JOURNAL_STREAM", format!("{}:{inode}", there.dev()))
            .env("CLICOLOR_FORCE", "1")
            .stderr(file.reopen().unwrap());
        assert_eq!(command.status().unwrap().code(), Some(2));
        std::fs::read_to_string(file.path()).unwrap()
    };
    let lines = behind(true);
    assert!(!lines.is_empty());
    assert!(lines.lines().all(|line| line.starts_with("<3>")), "{lines}");
    assert!(!lines.contains('\u{1b}'), "{lines}");
    // Another's stream is none of this process.
    let lines = behind(false);
    assert!(
        !lines.contains("<3>") && lines.contains('\u{1b}'),
        "{lines}"
    );
}

#[test]
fn fault_13_no_line_for_programs_shows_a_password() {
    let secret = "http://me:s3cret@proxy.example/with/a/path";
    for arguments in [
        &["plan", "--proxy", secret][..],
        &["plan", "--mirror", secret],
        &["install", "--bundle", secret],
        &["bundle", "inspect", secret],
        &["verify", "--registry", secret],
        &["explain", secret],
    ] {
        let output = run(&[arguments, &["--output=json"]].concat());
        let last = lines(&output).pop().unwrap();
        assert_ne!(last["exit_code"], 0, "{last}");
        let both = stdout(&output) + &stderr(&output);
        assert!(!both.contains("s3cret"), "{arguments:?}: {both}");
    }
}
