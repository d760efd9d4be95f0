use super::*;

/// What is said of a file, each with its line and column.
fn said(text: &str) -> Vec<String> {
    check(text).iter().map(ToString::to_string).collect()
}

#[track_caller]
fn is_refused(text: &str, place: &str, word: &str) {
    let problems = check(text);
    let said = said(text);
    assert_eq!(problems.len(), 1, "{text}: {said:?}");
    assert_eq!(problems[0].severity, Severity::Error, "{said:?}");
    assert!(
        said[0].starts_with(place) && said[0].contains(word),
        "{said:?}"
    );
}

#[test]
fn each_kind_of_mistake_is_refused_at_its_place() {
    for (text, place, word) in [
        ("miror = 'x'", "line 1, column 1: miror: ", "write `mirror`"),
        ("mtu = 1400", "line 1, column 1: mtu: ", "under [daemon]"),
        (
            "zzz = 1",
            "line 1, column 1: zzz: ",
            "mirror, key-fingerprint",
        ),
        (
            "\nlock-wait = 'soon'",
            "line 2, column 13: lock-wait: ",
            "invalid type",
        ),
        (
            "max-index-age = 0",
            "line 1, column 17: max-index-age: ",
            "nonzero",
        ),
        (
            "preset = 'hard'",
            "line 1, column 10: preset: ",
            "`hardened`",
        ),
        (
            "suite = 'Noble'",
            "line 1, column 9: suite: ",
            "no codename",
        ),
        (
            "mirror = 'http://x'",
            "line 1, column 10: mirror: ",
            "https",
        ),
        ("users = ['root']", "line 1, column 9: users: ", "root"),
        (
            "proxy-for = ['snap']\nproxy = 'http://p:1'",
            "line 1, column 14: ",
            "`engine`",
        ),
        ("proxy = 'ftp://p'", "line 1, column 9: proxy: ", "HTTP"),
        (
            "[daemon]\nlabel = ['a=1']",
            "line 2, column 9: daemon.label: ",
            "labels",
        ),
        (
            "[daemon]\n\nmtu = 'x'",
            "line 3, column 7: daemon.mtu: ",
            "whole number",
        ),
        (
            "[daemon.log-opts]\nmax-size = 5",
            "line 2, column 12: daemon.log-opts.max-size: ",
            "write \"5\"",
        ),
        (
            "[daemon]\nlabels = [\n  'a=1',\n  2,\n]",
            "line 4, column 3: daemon.labels.1: ",
            "string",
        ),
        (
            "[registries.'https://x']\nca = '/dev/null'",
            "line 1, column 13: ",
            "no host",
        ),
        (
            "[registries.x]\nfile = '/x'",
            "line 2, column 1: registries: ",
            "`ca`",
        ),
        ("mirror = ", "line 1, column 10: ", "value"),
        ("mirror 'x'", "line 1, column ", ""),
    ] {
        let problems = check(text);
        let said = said(text);
        let first = problems
            .iter()
            .find(|it| it.severity == Severity::Error)
            .map(ToString::to_string)
            .unwrap_or_default();
        assert!(
            first.starts_with(place) && first.contains(word),
            "{text}: {said:?}"
        );
    }
    is_refused("mirror = 'http://x'", "line 1, column 10", "https");
}

#[test]
fn all_mistakes_are_named_in_their_order() {
    let said = said("suite = 'No'\nusrs = ['a']\nmirror = 1\n[daemon]\nmtu = 'x'\nicc = 1\n");
    let lines: Vec<&str> = said.iter().filter_map(|it| it.split(',').next()).collect();
    assert_eq!(
        lines,
        ["line 1", "line 2", "line 3", "line 5", "line 6"],
        "{said:?}"
    );
}

#[test]
fn columns_count_characters() {
    is_refused("\"ä\" = 1", "line 1, column 1: ä", "not a setting");
    is_refused(
        "daemon.labels = [\"ä=1\", 2]",
        "line 1, column 25: ",
        "string",
    );
}

#[test]
fn a_file_that_is_not_there_is_only_warned_of() {
    let text = "ca-cert = '/no/such.pem'\nbundle = '/no/such.tar'\n\
                [registries.'registry.example:5000']\nca = '/no/such.crt'\n";
    let problems = check(text);
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(problems.iter().all(|it| it.severity == Severity::Warning));
    assert_eq!(problems[2].position, Position { line: 4, column: 6 });
    is_refused("ca-cert = '/dev/null'", "line 1, column 11", "PEM");
}

#[test]
fn what_is_right_is_said_nothing_of() {
    for text in [
        "",
        "# nothing",
        "replace = true\nlock-wait = 0\n[daemon]\nlabels = ['a=1']\n",
        "proxy-for = ['apt']\nproxy = 'http://proxy.example:3128'",
    ] {
        assert_eq!(said(text), Vec::<String>::new(), "{text}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
    #[test]
    fn to_check_any_settings_changes_no_file(
        key in "(bundle|ca-cert|mirror|suite|users|registries\\.[a-z./]{1,5}|daemon\\.[a-z-]{1,9})",
        value in "[a-z./\\\\ ]{0,12}",
        any in proptest::prelude::any::<String>(),
    ) {
        let root = tempfile::tempdir().unwrap();
        let kept = root.path().join("kept");
        std::fs::write(&kept, "kept").unwrap();
        let written = std::fs::metadata(&kept).unwrap().modified().unwrap();
        let folder = root.path().display();
        for text in [
            format!("{key} = '{folder}/{value}'\n"),
            format!("{key} = ['{value}', '{folder}/kept']\n"),
            format!("[registries.'{value}']\nca = '{folder}/kept'\n"),
            any,
        ] {
            check(&text);
            let names: Vec<_> = std::fs::read_dir(root.path()).unwrap().flatten().collect();
            proptest::prop_assert_eq!(names.len(), 1);
            proptest::prop_assert_eq!(std::fs::read(&kept).unwrap(), b"kept");
            proptest::prop_assert_eq!(std::fs::metadata(&kept).unwrap().modified().unwrap(), written);
        }
    }
}
