//! The command line as its users meet it: words, exit codes, and nothing that falls over.

#![allow(clippy::disallowed_methods, reason = "what tests write is their own")]

mod examples;
mod fences;
mod fleet;
mod output;
mod reference;
mod settings;

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const COMMANDS: [&str; 9] = [
    "install",
    "plan",
    "verify",
    "status",
    "explain",
    "doctor",
    "uninstall",
    "settings",
    "completions",
];

/// The program, with nothing of this user's settings or terminal around it.
fn dockstrap() -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("dockstrap"));
    command
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    command.stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    dockstrap().args(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Asserts that the arguments are refused as wrong, with these words and without output.
fn refused(arguments: &[&str], words: &[&str]) {
    let output = run(arguments);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
    assert_eq!(stdout(&output), "", "{arguments:?}");
    for word in words {
        assert!(said.contains(word), "{arguments:?}: no {word:?} in {said}");
    }
}

#[test]
fn the_version_is_that_of_the_package() {
    let output = run(&["--version"]);
    assert_eq!(output.status.code(), Some(0));
    let version = concat!("dockstrap ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(stdout(&output), version);
}

#[test]
fn the_help_of_every_command_fits_and_names_the_exit_codes() {
    for command in COMMANDS {
        let output = run(&[command, "--help"]);
        assert_eq!(output.status.code(), Some(0), "{command}");
        let help = stdout(&output);
        assert!(
            help.contains(&format!("Usage: dockstrap {command}")),
            "{help}"
        );
        assert!(
            help.contains("Exit codes:")
                || ["completions", "explain", "settings"].contains(&command)
        );
        for line in help.lines() {
            assert!(line.chars().count() <= 80, "{command}: {line}");
        }
    }
}

#[test]
fn help_names_every_command_and_every_exit_code() {
    let help = stdout(&run(&["--help"]));
    for command in COMMANDS {
        assert!(
            help.contains(&format!("\n  {command} ")),
            "{command} in {help}"
        );
    }
    assert!(!help.contains("probe"), "{help}");
    let (_, codes) = help.split_once("Exit codes:").unwrap();
    for code in ["0", "1", "2", "3", "4", "5", "6", "7", "130"] {
        assert!(
            codes.contains(&format!("\n  {code}  ")),
            "{code} in {codes}"
        );
    }
}

#[test]
fn what_cannot_be_meant_exits_2() {
    refused(&[], &["Usage: dockstrap"]);
    refused(&["instal"], &["install"]);
    refused(&["install", "--forse"], &["--forse"]);
    refused(&["verify", "everything"], &["engine", "restart", "hub"]);
    refused(&["verify", "--all", "run"], &["--all"]);
    refused(&["verify", "--ca-cert", "/etc/passwd"], &["--registry"]);
    refused(&["completions", "tcl"], &["bash", "zsh", "fish"]);
}

#[test]
fn settings_that_cannot_be_meant_exit_2() {
    refused(&["plan", "--mirror", "http://mirror.example"], &["https"]);
    refused(
        &["plan", "--key-fingerprint", "0EBFCD88"],
        &["key-fingerprint"],
    );
    refused(&["plan", "--user", "root"], &["root"]);
    refused(&["plan", "--lock-wait", "soon"], &["--lock-wait"]);
    refused(&["plan", "--config", "/no/such/file"], &["/no/such/file"]);
}

#[test]
fn a_verification_that_cannot_be_meant_is_refused_before_anything_is_proven() {
    let registry = ["verify", "--registry"];
    let with = |more: &[&'static str]| [&registry[..], more].concat();
    refused(&with(&["https://registry.example"]), &["HOST[:PORT]"]);
    refused(
        &with(&["registry.example", "--registry-user", "alice"]),
        &["DOCKSTRAP_REGISTRY_PASSWORD", "--registry-password-file"],
    );
    refused(
        &with(&["registry.example", "--ca-cert", "/etc/passwd"]),
        &["/etc/passwd", "PEM"],
    );
    refused(&["verify", "--junit", "/no/such/file"], &["/no/such/file"]);
}

#[test]
fn a_settings_file_with_an_unknown_key_is_refused_with_the_known_one() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "miror = 'https://mirror.example'\n").unwrap();
    let path = file.path().to_str().unwrap();
    refused(&["plan", "--config", path], &["miror", "`mirror`", path]);
}

#[test]
fn a_variable_is_a_flag_under_another_name() {
    let output = dockstrap()
        .arg("plan")
        .env("DOCKSTRAP_MIRROR", "http://mirror.example")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("https"));
}

#[test]
fn only_root_may_change_the_host() {
    let folder = tempfile::tempdir().unwrap();
    for command in ["install", "uninstall"] {
        let output = as_nobody(folder.path())
            .args([command, "--yes"])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        let said = stderr(&output);
        assert!(said.contains("nothing was changed"), "{said}");
        let cure = format!("sudo dockstrap {command}");
        assert!(said.contains(&cure), "{said}");
    }
}

/// The program, run by a user without rights: a copy in `folder`, as that user may not be able
/// to come to where it was built.
fn as_nobody(folder: &Path) -> Command {
    use std::os::unix::fs::PermissionsExt;
    let mut command = dockstrap();
    if nix::unistd::geteuid().is_root() {
        let copy = folder.join("dockstrap");
        if !copy.exists() {
            std::fs::copy(command.get_program(), &copy).unwrap();
        }
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
        command = Command::new(copy);
        command.env_clear().uid(65534).gid(65534).current_dir("/");
    }
    command
}

#[test]
fn a_plan_is_refused_where_there_is_no_ubuntu() {
    let ubuntu = std::fs::read_to_string("/etc/os-release")
        .unwrap_or_default()
        .to_lowercase()
        .contains("ubuntu");
    // Where a plan could be made, a mirror that nobody serves keeps it from being one.
    let output = run(&["plan", "--mirror", "https://127.0.0.1:1"]);
    let said = stderr(&output);
    let refusal = "which dockstrap does not set up; it sets up Ubuntu 22.04 (jammy)";
    if ubuntu {
        assert!(!output.status.success(), "{said}");
        assert!(!said.contains("panicked"), "{said}");
    } else {
        assert_eq!(output.status.code(), Some(4), "{said}");
        assert!(said.contains(refusal), "{said}");
    }
}

#[test]
fn completions_name_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let output = run(&["completions", shell]);
        assert_eq!(output.status.code(), Some(0), "{shell}");
        for command in COMMANDS {
            assert!(stdout(&output).contains(command), "{shell}: {command}");
        }
    }
}

#[test]
fn completions_name_presets_and_the_keys_of_the_engine() {
    for shell in ["bash", "zsh", "fish"] {
        let script = stdout(&run(&["completions", shell]));
        assert!(script.contains("hardened"), "{shell}");
        assert!(script.contains("default-address-pools"), "{shell}");
        assert!(!script.contains("***"), "{shell}: taken for a secret");
    }
}

#[test]
fn nothing_that_the_program_says_of_itself_is_taken_for_a_secret() {
    for arguments in [
        &["settings", "sample"][..],
        &["settings", "schema"],
        &["explain", "log-opts", "proxies"],
        &["verify", "--help"],
        &["install", "--help"],
        &["probe", "hello", "an-echo"],
    ] {
        let said = stdout(&run(arguments));
        assert!(
            !said.is_empty() && !said.contains("***"),
            "{arguments:?}: {said}"
        );
    }
}

#[test]
fn a_key_is_explained_and_one_that_is_none_comes_with_the_one_like_it() {
    let output = run(&["explain", "live-restore", "icc"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(stdout(&output).contains("applied by    reload"));
    refused(&["explain", "live-restor"], &["live-restore"]);
}

#[test]
fn a_preset_that_is_none_is_refused_with_those_there_are() {
    refused(&["plan", "--preset", "hard"], &["recommended", "hardened"]);
}

#[test]
fn a_reader_that_goes_away_early_is_no_reason_to_fall_over() {
    for arguments in [&["completions", "bash"][..], &["probe", "hello", "token"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = dockstrap().args(arguments).stdout(writer).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_eq!(stderr(&output), "");
    }
}
