//! `dockstrap settings`.

use std::process::Stdio;

use serde_json::Value;

use crate::{dockstrap, run, stderr, stdout};

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

#[test]
fn a_wrong_file_exits_2_with_each_mistake_at_its_place() {
    let file = file("miror = 'x'\nlock-wait = 'soon'\nca-cert = '/no/such.pem'\n");
    let path = file.path().to_str().unwrap();
    let output = run(&["settings", "check", path]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let said = stdout(&output);
    for place in [
        "1:1: error: miror: is not a setting; write `mirror`",
        "2:13: error: lock-wait: ",
        "3:11: warning: ca-cert: /no/such.pem is not there",
    ] {
        assert!(said.contains(&format!("{path}:{place}")), "{place}: {said}");
    }
    let json = run(&["settings", "check", "--json", path]);
    assert_eq!(json.status.code(), Some(2));
    let json: Value = serde_json::from_str(&stdout(&json)).unwrap();
    assert_eq!(
        (&json["valid"], &json["problems"][1]["line"]),
        (&false.into(), &2.into())
    );
    let install = run(&["plan", "--config", path]);
    assert_eq!(install.status.code(), Some(2));
    assert!(stderr(&install).contains("line 1, column 1: miror: is not a setting"));
}

#[test]
fn a_right_file_exits_0_and_comes_from_standard_input_as_well() {
    let file = file("users = ['alice']\n[daemon]\nmtu = 1400\n");
    let mut check = dockstrap();
    let check = check
        .args(["settings", "check", "-"])
        .stdin(file.reopen().unwrap());
    let output = check.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    let missing = run(&["settings", "check", "/no/such/file"]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(stderr(&missing).contains("/no/such/file"));
}

#[test]
fn the_sample_and_the_schema_are_those_that_are_published() {
    let sample = run(&["settings", "sample"]);
    let published = include_str!("../../packaging/config.toml");
    assert_eq!(stdout(&sample), published);
    let schema = run(&["settings", "schema"]);
    assert_eq!(
        stdout(&schema),
        include_str!("../../packaging/config.schema.json")
    );
}

#[test]
fn what_is_in_force_is_shown_with_who_gave_it() {
    let file = file("suite = 'noble'\nlock-wait = 5\nreplace = true\n");
    let path = file.path().to_str().unwrap();
    let mut show = dockstrap();
    show.args([
        "settings",
        "show",
        "--config",
        path,
        "--lock-wait",
        "7",
        "--json",
    ])
    .env("DOCKSTRAP_PROXY", "http://me:s3cret@proxy.example:3128")
    .env("DOCKSTRAP_REPLACE", "false")
    .stdin(Stdio::null());
    let output = show.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(!stdout(&output).contains("s3cret"));
    let json: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let settings = json["settings"].as_array().unwrap();
    for (key, value, source, name) in [
        ("suite", Value::from("noble"), "file", Some(path)),
        ("lock-wait", 7.into(), "flag", Some("--lock-wait")),
        (
            "proxy",
            "http://***@proxy.example:3128".into(),
            "variable",
            Some("DOCKSTRAP_PROXY"),
        ),
        (
            "replace",
            false.into(),
            "variable",
            Some("DOCKSTRAP_REPLACE"),
        ),
        ("repair", false.into(), "default", None),
        (
            "mirror",
            "https://download.docker.com".into(),
            "default",
            None,
        ),
    ] {
        let setting = settings.iter().find(|it| it["key"] == key).unwrap();
        assert_eq!(setting["value"], value, "{key}");
        assert_eq!(setting["source"], source, "{key}");
        assert_eq!(setting["name"].as_str(), name, "{key}");
    }
    the_text_names_where_each_came_from(path);
}

fn the_text_names_where_each_came_from(path: &str) {
    let text = stdout(&run(&[
        "settings",
        "show",
        "--config",
        path,
        "--allow-downgrade",
    ]));
    assert!(
        text.contains(&format!("lock-wait       5  file {path}")),
        "{text}"
    );
    assert!(
        text.contains("allow-downgrade true  flag --allow-downgrade"),
        "{text}"
    );
    assert!(text.contains("bundle          -  default"), "{text}");
}

#[test]
fn a_file_whose_name_is_no_text_is_checked_and_shown_all_the_same() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder
        .path()
        .join(std::ffi::OsStr::from_bytes(b"a\xff.toml"));
    std::fs::write(&path, "lock-wait = 5\n").unwrap();
    let check = |more: &[&str]| {
        let mut command = dockstrap();
        let command = command.args(["settings", "check"]).arg(&path).args(more);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stdout(&output)
    };
    assert!(check(&[]).contains("can be used"));
    let report: Value = serde_json::from_str(&check(&["--json"])).unwrap();
    assert!(report["file"].as_str().unwrap().ends_with("a\u{fffd}.toml"));
    let mut show = dockstrap();
    let show = show.args(["settings", "show", "--json", "--config"]);
    let output = show.arg(&path).output().unwrap();
    let shown: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert!(shown["file"].as_str().unwrap().ends_with("a\u{fffd}.toml"));
}

#[test]
fn what_a_full_disk_does_not_take_is_no_success() {
    for arguments in [
        &["settings", "sample"][..],
        &["settings", "schema"],
        &["settings", "show", "--json"],
        &["completions", "bash"],
        &["explain", "icc"],
    ] {
        let full = std::fs::File::options().write(true).open("/dev/full");
        let output = dockstrap()
            .args(arguments)
            .stdout(full.unwrap())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let said = stderr(&output);
        assert!(said.contains("writing to standard output"), "{said}");
    }
}
