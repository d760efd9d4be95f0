//! The page of the manual with all commands, variables, files and exit codes, held against the source
//! for what the program does not know of itself. `packaging/pages/reference.rs` makes the page.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/manual/reference.md");

#[test]
fn every_variable_that_is_read_is_in_the_reference() {
    let page = fs::read_to_string(PAGE).unwrap();
    let mut indirect = BTreeSet::new();
    for (path, text) in sources() {
        for call in text.split("env::var").skip(1) {
            let Some((_, inside)) = call.split_once('(') else {
                continue;
            };
            let name = inside.split(')').next().unwrap_or_default();
            match name
                .strip_prefix('"')
                .and_then(|name| name.strip_suffix('"'))
            {
                Some(name) => assert!(page.contains(&format!("`{name}`")), "{path:?}: {name}"),
                None => {
                    indirect.insert(path.clone());
                }
            }
        }
    }
    // These name their variables elsewhere; what they name is looked for by hand.
    let known = [
        ("src/cli/read.rs", &["DOCKSTRAP_OUTPUT"][..]),
        (
            "src/command/verify.rs",
            &["DOCKSTRAP_REGISTRY_PASSWORD", "DOCKSTRAP_REGISTRY_USER"],
        ),
        ("src/facts/mod.rs", &["SUDO_USER", "DOAS_USER"]),
        (
            "src/host/network/trusted.rs",
            &["SSL_CERT_FILE", "SSL_CERT_DIR"],
        ),
        (
            "src/host/network/mod.rs",
            &["https_proxy", "http_proxy", "all_proxy", "no_proxy"],
        ),
    ];
    // What a container of verify is given is none of the user's.
    indirect.remove(&Path::new(ROOT).join("src/verify/probe.rs"));
    let known = BTreeMap::from(known.map(|(path, names)| (Path::new(ROOT).join(path), names)));
    assert_eq!(indirect, known.keys().cloned().collect());
    for name in known.values().copied().flatten() {
        assert!(page.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn every_file_of_ours_is_in_the_reference() {
    let page = fs::read_to_string(PAGE).unwrap();
    let ours = [
        "/etc/dockstrap",
        "/var/lib/dockstrap",
        "/run/dockstrap",
        "/etc/apt",
        "/etc/docker",
    ];
    for (path, text) in sources() {
        let is_ours = |literal: &&str| ours.iter().any(|ours| literal.starts_with(ours));
        for literal in text.split('"').filter(is_ours) {
            let file = literal.split([' ', '{', '\\', ';', ',']).next().unwrap();
            let mut above = Path::new(file.trim_end_matches('/')).ancestors();
            let is_told_of = above.any(|it| page.contains(&format!("| `{}`", it.display())));
            assert!(is_told_of, "{path:?}: {file}");
        }
    }
}

/// The page has them from the help.
#[test]
fn the_exit_codes_of_the_readme_are_those_of_the_help() {
    let codes = |page: &str, heading: &str| -> Vec<u8> {
        let text = fs::read_to_string(page).unwrap();
        let (_, table) = text.split_once(heading).unwrap();
        let rows = table.lines().filter_map(|line| line.strip_prefix("| "));
        rows.filter_map(|row| row.split(' ').next()?.parse().ok())
            .collect()
    };
    let readme = codes(
        concat!(env!("CARGO_MANIFEST_DIR"), "/README.md"),
        "### Exit codes",
    );
    assert!(readme.len() > 5, "{readme:?}");
    assert_eq!(readme, codes(PAGE, "## Exit codes"));
}

/// What becomes of changes of the user's own is said once, in the same words.
#[test]
fn whose_a_change_is_the_readme_and_the_manual_say_in_one_sentence() {
    let sentence = |page: &str| {
        let text = fs::read_to_string(Path::new(ROOT).join(page)).unwrap();
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let (_, rest) = words
            .split_once("What you changed since an install is yours: ")
            .unwrap();
        rest.split_once(". ").unwrap().0.to_owned()
    };
    let readme = sentence("README.md");
    assert_eq!(readme, sentence("packaging/manual/daemon-json.md"));
    for word in ["`kept: yours`", "`install --restore`", "`status`"] {
        assert!(readme.contains(word), "{readme}");
    }
}

/// The source of the program, each file without its tests.
fn sources() -> Vec<(PathBuf, String)> {
    let mut sources = Vec::new();
    let mut folders = vec![Path::new(ROOT).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if !["tests.rs", "stub.rs", "samples.rs", "trial.rs", "manual.rs"]
                .contains(&name.as_str())
            {
                let text = fs::read_to_string(&path).unwrap();
                let code = text
                    .split("#[cfg(test)]\nmod tests")
                    .next()
                    .unwrap()
                    .to_owned();
                sources.push((path, code));
            }
        }
    }
    sources
}
