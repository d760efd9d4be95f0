//! The few failures on which the exit code depends.
//!
//! Everything else is an [`anyhow::Error`] with context and exits 1. A [`Failure`] may sit
//! anywhere in an error's chain of causes.

use thiserror::Error;

use crate::invocation;

/// A failure with an exit code of its own. The texts name the cause and the cure.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// The command line, a variable or the settings file says something that cannot be done.
    #[error("{0}")]
    Usage(String),
    /// The host is one that dockstrap does not set up, or something on it stands in the way.
    #[error("{0}")]
    Blocked(String),
    /// A certificate, a key, a signature or a hash is not one to be trusted.
    #[error("{0}")]
    Trust(String),
    /// Another process held a lock for longer than the wait.
    #[error("{0}")]
    Locked(String),
    /// The engine is installed, but a stage of the verification failed.
    #[error("{0}")]
    Unproven(String),
    /// The user said no, or pressed Ctrl-C.
    #[error("{0}")]
    Cancelled(String),
}

impl Failure {
    /// The process exit code, as documented in the manual.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Failure::Usage(_) => 2,
            Failure::Blocked(_) => 4,
            Failure::Trust(_) => 5,
            Failure::Locked(_) => 6,
            Failure::Unproven(_) => 7,
            Failure::Cancelled(_) => 130,
        }
    }
}

/// The exit code for any error: its first [`Failure`]'s, or 1.
pub(crate) fn exit_code(error: &anyhow::Error) -> u8 {
    error
        .chain()
        .find_map(|cause| cause.downcast_ref::<Failure>())
        .map_or(1, Failure::exit_code)
}

/// A refusal before anything was changed, with the command that helps.
pub(crate) fn blocked(cause: &str, cure: &str) -> anyhow::Error {
    Failure::Blocked(format!("{cause}; nothing was changed. {cure}")).into()
}

/// A text of ours with the words of another program behind it, on lines of their own: so they are
/// never taken for ours, as by [`next_command`].
pub(crate) fn quote(text: &str, words: &str) -> String {
    format!("{text}\n{}", words.trim())
}

/// The command to type next: the one with which the first text of ours that names one ends, or else
/// what finds out more. `command` is the one that failed.
pub(crate) fn next_command(error: &anyhow::Error, command: Option<&str>) -> String {
    let ours = error.chain().take_while(|cause| !is_of_others(*cause));
    let texts = ours.map(ToString::to_string);
    if let Some(named) = texts.filter_map(|text| named_at_the_end(&text)).next() {
        return named;
    }
    let words = command.map_or("dockstrap".to_owned(), |it| format!("dockstrap {it}"));
    match (exit_code(error), command) {
        (2, _) => format!("{words} --help"),
        // It can be tried again as it was.
        (6 | 130, Some("install")) => invocation::install(&[]),
        (6 | 130, Some("uninstall")) => format!("sudo {words}"),
        (6 | 130, _) => words,
        _ => "sudo dockstrap doctor".to_owned(),
    }
}

/// Programs that our own texts tell people to run.
const PROGRAMS: &[&str] = &[
    "apt-get",
    "apt-mark",
    "chattr",
    "chmod",
    "chown",
    "cp",
    "df",
    "docker",
    "dockstrap",
    "dpkg",
    "dpkg-divert",
    "dpkg-statoverride",
    "groupadd",
    "install",
    "ip",
    "iptables",
    "journalctl",
    "kill",
    "mkdir",
    "mount",
    "mv",
    "newgrp",
    "pro",
    "rm",
    "rmdir",
    "sed",
    "snap",
    "ss",
    "systemctl",
    "timedatectl",
    "umount",
    "update-alternatives",
];

/// Whether the text of a cause is the system's or a library's, which may have in it what they read.
fn is_of_others(cause: &(dyn std::error::Error + 'static)) -> bool {
    cause.is::<std::io::Error>()
        || cause.is::<serde_json::Error>()
        || cause.is::<toml::de::Error>()
        || cause.is::<reqwest::Error>()
}

/// A command that stands behind the last colon of a text, as in all of our own. On further lines
/// other programs are [quoted](quote).
fn named_at_the_end(text: &str) -> Option<String> {
    let (_, last) = text.lines().next()?.trim_end().rsplit_once(": ")?;
    let words = shell_words::split(last).ok()?;
    let of_sudo = |word: &&String| {
        let is_variable = word.split_once('=').is_some_and(|(name, _)| is_name(name));
        *word == "sudo" || word.starts_with("--preserve-env=") || is_variable
    };
    let program = words.iter().find(|word| !of_sudo(word))?;
    let (_, arguments) = last.split_once(&format!("{program} "))?;
    // A list in one word is an argument, words behind a comma are prose.
    let is_prose = arguments.contains(['\n', ';', '`']) || arguments.contains(", ");
    let is_command = PROGRAMS.contains(&program.as_str()) && !is_prose && !arguments.ends_with(',');
    is_command.then(|| last.trim_end_matches('.').to_owned())
}

/// Whether it may be the name of a variable.
fn is_name(word: &str) -> bool {
    let mut characters = word.chars();
    let is_letter = |c: char| c == '_' || c.is_ascii_alphabetic();
    characters.next().is_some_and(is_letter)
        && characters.all(|c| is_letter(c) || c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::{Context, anyhow};

    #[test]
    fn the_next_command_is_the_one_that_a_text_ends_with() {
        for (text, command) in [
            (
                "only root may. Run: sudo dockstrap install",
                "sudo dockstrap install",
            ),
            (
                "it went away; see why with: systemctl status docker",
                "systemctl status docker",
            ),
            ("no room; begin with: apt-get clean.", "apt-get clean"),
            (
                "not for good: sudo dockstrap install --proxy-for apt,engine",
                "sudo dockstrap install --proxy-for apt,engine",
            ),
            (
                "failed: hub. Run: sudo --preserve-env=A,B dockstrap verify --registry 'a b'",
                "sudo --preserve-env=A,B dockstrap verify --registry 'a b'",
            ),
            (
                "no. Run: sudo --preserve-env=A 'no_proxy=a, b' https_proxy=p:1 dockstrap install",
                "sudo --preserve-env=A 'no_proxy=a, b' https_proxy=p:1 dockstrap install",
            ),
        ] {
            let error = anyhow!(text.to_owned()).context("installing");
            assert_eq!(next_command(&error, Some("install")), command);
        }
    }

    #[test]
    fn without_one_the_next_command_hangs_on_how_it_failed() {
        let failed = |failure: Failure| anyhow::Error::from(failure);
        let text = || "no: apt-get install, with their names".to_owned();
        for (error, command, next) in [
            (anyhow!(text()), Some("install"), "sudo dockstrap doctor"),
            (
                failed(Failure::Usage(text())),
                Some("plan"),
                "dockstrap plan --help",
            ),
            (failed(Failure::Usage(text())), None, "dockstrap --help"),
            (
                failed(Failure::Locked(text())),
                Some("uninstall"),
                "sudo dockstrap uninstall",
            ),
            (
                failed(Failure::Cancelled(text())),
                Some("verify"),
                "dockstrap verify",
            ),
            (
                failed(Failure::Trust(text())),
                Some("plan"),
                "sudo dockstrap doctor",
            ),
        ] {
            assert_eq!(next_command(&error, command), next, "{error}");
        }
    }

    #[test]
    fn what_another_program_said_is_never_the_next_command() {
        let words = "pull it again: docker run --privileged evil";
        let invalid = serde_json::from_str::<std::net::Ipv4Addr>(&format!("{words:?}"));
        for error in [
            anyhow!(quote("the engine did not start; its last words:", words)),
            anyhow!(Failure::Blocked(quote("apt failed:", words))),
            anyhow::Error::from(std::io::Error::other(words)),
            anyhow::Error::from(std::io::Error::other(words)).context("writing x"),
            anyhow::Error::from(invalid.unwrap_err()),
        ] {
            let error = error.context("starting the engine");
            let next = next_command(&error, Some("install"));
            assert_eq!(next, "sudo dockstrap doctor", "{error:?}");
        }
    }

    #[test]
    fn a_failure_keeps_its_exit_code_under_any_context() {
        let refused: anyhow::Result<()> = Err(Failure::Trust("another key".into()).into());
        let error = refused
            .context("checking the key")
            .context("planning")
            .unwrap_err();
        assert_eq!(exit_code(&error), 5);
    }

    #[test]
    fn any_other_error_exits_1() {
        assert_eq!(exit_code(&anyhow::anyhow!("disk on fire")), 1);
    }
}
