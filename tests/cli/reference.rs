//! The page of the manual with all commands, variables, files and exit codes: made from the program
//! as far as it knows them, and held against the source for the rest.

mod page;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use dockstrap::cli::Cli;
use page::page;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/manual/reference.md");

/// Set to write it anew:
/// `DOCKSTRAP_WRITE_MANUAL=1 cargo test --test cli the_reference_is_made`
const WRITE: &str = "DOCKSTRAP_WRITE_MANUAL";

/// What clap does not know of.
const OTHER_VARIABLES: &[(&str, &str)] = &[
    (
        "`DOCKSTRAP_REGISTRY_PASSWORD`",
        "the password for `verify --registry-user`",
    ),
    (
        "`https_proxy`, `http_proxy`, `all_proxy`, `no_proxy`",
        "the proxy, where `--proxy` names none; in capitals as well",
    ),
    (
        "`SSL_CERT_FILE`, `SSL_CERT_DIR`",
        "the certificates to trust instead of the host's store, in the downloads of this run and its apt",
    ),
    (
        "`SUDO_USER`, `DOAS_USER`",
        "who called sudo or doas, and becomes a member of group docker",
    ),
    ("`SUDO_UID`", "whom apt's log names as who asked"),
    (
        "`NO_COLOR`, `CLICOLOR`, `CLICOLOR_FORCE`",
        "no colours, or colours also where there is no terminal",
    ),
    (
        "`TERM`, `COLUMNS`, `LINES`",
        "what the terminal can show, and its size",
    ),
    (
        "`JOURNAL_STREAM`",
        "that standard error goes to systemd's journal: lines have their priority then",
    ),
    (
        "`TMPDIR`",
        "the folder for temporary files; one in which other users could exchange them is refused",
    ),
];

/// What the programs that are run find around them.
const CHILDREN: &str = "\
The programs that dockstrap runs, such as apt-get and docker, see none of these. They run in `/` with the
umask 022, and find:

| variable | value |
|---|---|
| `PATH` | `/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`, where dockstrap itself looks for programs as well |
| `HOME` | `/root`; for users other than root `/nonexistent` |
| `LC_ALL`, `TERM` | `C.UTF-8`, `dumb` |
| `DOCKER_CONFIG` | an empty folder: no user's contexts, credential helpers or plugins are used |
| `DEBIAN_FRONTEND` and others | what keeps apt and needrestart from asking |
| `http_proxy`, `https_proxy`, `no_proxy` | only for an apt-get that downloads, not for one that runs dpkg |
| `SUDO_UID` | for apt-get |

So `APT_CONFIG`, `DPKG_ROOT`, `DOCKER_HOST`, `COMPOSE_FILE`, `LD_PRELOAD` and any other variable of the caller
decide nothing.";

const FILES: &[(&str, &str, &str)] = &[
    (
        "/etc/dockstrap/config.toml",
        "read",
        "the settings, where `--config` names no other file",
    ),
    (
        "/var/lib/dockstrap",
        "written",
        "the journal, copies of what was there before, and, also after `uninstall`, `freshness.json`: how \
         new the repository was when it was last seen",
    ),
    (
        "/run/dockstrap.lock",
        "written",
        "held by a run, so that there is one at a time",
    ),
    ("/etc/apt/keyrings/docker.asc", "written", "Docker's key"),
    (
        "/etc/apt/sources.list.d",
        "written",
        "`docker.sources`; other sources of Docker's repository are taken out",
    ),
    (
        "/etc/apt/sources.list",
        "written",
        "only where it names Docker's repository",
    ),
    (
        "/etc/apt/apt.conf.d/90dockstrap-proxy",
        "written",
        "the proxy, with `--proxy-for apt`",
    ),
    (
        "/etc/apt/preferences",
        "read",
        "pins that keep apt from the engine's packages are named, with their line",
    ),
    ("/etc/apt/preferences.d", "read", "the same"),
    (
        "/etc/apt/apt.conf",
        "read",
        "the line of a setting that apt complains of, or that is in the way, is named",
    ),
    ("/etc/apt/apt.conf.d", "read", "the same"),
    (
        "/etc/docker",
        "checked",
        "its owner and mode: only root may change what is in it",
    ),
    (
        "/etc/docker/daemon.json",
        "written",
        "the engine's configuration, merged into what is there",
    ),
    (
        "/etc/docker/certs.d",
        "written",
        "authorities of private registries; for the time of a run those of `verify --registry`",
    ),
    ("/var/lib/apt/lists", "written", "Docker's index, verified"),
    ("/var/cache/apt/archives", "written", "packages, verified"),
];

#[test]
fn the_reference_is_made_from_the_program() {
    if std::env::var_os(WRITE).is_some() {
        fs::write(PAGE, page()).unwrap();
    }
    assert!(
        fs::read_to_string(PAGE).unwrap_or_default() == page(),
        "{PAGE} is not made from the program as it is by now; write it anew: \
         {WRITE}=1 cargo test --test cli the_reference_is_made"
    );
}

#[test]
fn every_variable_that_is_read_is_in_the_reference() {
    let page = page();
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
    let page = page();
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

#[test]
fn the_exit_codes_of_the_readme_are_those_of_the_help() {
    let readme = fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap();
    let (_, table) = readme.split_once("### Exit codes").unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| "));
    let codes = rows.filter_map(|row| row.split(' ').next()?.parse::<u8>().ok());
    let of_readme: Vec<u8> = codes.collect();
    let of_help: Vec<u8> = exit_codes().iter().map(|(code, _)| *code).collect();
    assert_eq!(of_readme, of_help);
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

/// What the help says of exit codes, each on one line.
fn exit_codes() -> Vec<(u8, String)> {
    let help = Cli::command().get_after_help().unwrap().to_string();
    let mut codes: Vec<(u8, String)> = Vec::new();
    for line in help.lines().skip(1) {
        let (first, rest) = line.trim().split_once(' ').unwrap();
        match first.parse() {
            Ok(code) => codes.push((code, rest.trim().to_owned())),
            Err(_) => {
                let (_, text) = codes.last_mut().unwrap();
                *text += &format!(" {}", line.trim());
            }
        }
    }
    codes
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
