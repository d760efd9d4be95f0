//! How this program was called, and the commands that it tells people to type next: quoted for the
//! shell, and with the settings that they gave.

use std::borrow::Cow;
use std::ffi::OsString;
use std::sync::OnceLock;

use crate::shell;

/// There is one command line.
static GIVEN: OnceLock<Invocation> = OnceLock::new();

/// What this run was given, as it is typed again.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Invocation {
    /// Flags, each with its value: `["--preset", "hardened"]`. None holds a password.
    pub(crate) flags: Vec<Vec<String>>,
    /// The names of variables whose values are secret, for sudo to keep.
    pub(crate) kept: Vec<String>,
    /// Variables with their values: `https_proxy=http://proxy:3128`.
    pub(crate) set: Vec<String>,
}

/// Remembers what this run was given, once.
pub(crate) fn remember(given: Invocation) {
    let _ = GIVEN.set(given); // only the first call counts
}

/// The install with the settings of this run, and with these flags, which replace those of the same
/// names.
pub(crate) fn install(flags: &[&str]) -> String {
    let given = GIVEN.get().map_or(Cow::default(), Cow::Borrowed);
    given.install(flags)
}

/// `sudo dockstrap` with these words. sudo drops all variables except those that are named as kept;
/// none of their values goes on the command line.
pub(crate) fn again(words: &[OsString], kept: &[&str]) -> String {
    with_variables(words, kept, &[])
}

fn with_variables(words: &[OsString], kept: &[impl AsRef<str>], set: &[String]) -> String {
    let kept: Vec<&str> = kept.iter().map(AsRef::as_ref).collect();
    let kept = (!kept.is_empty()).then(|| format!("--preserve-env={}", kept.join(",")));
    let before = ["sudo".to_owned()]
        .into_iter()
        .chain(kept)
        .chain(set.iter().cloned())
        .chain(["dockstrap".to_owned()]);
    shell::joined(before.map(OsString::from).chain(words.iter().cloned()))
}

impl Invocation {
    pub(crate) fn install(&self, flags: &[&str]) -> String {
        let is_replaced = |given: &&Vec<String>| {
            let given = given.first().map(|it| name(it));
            flags.iter().any(|flag| Some(name(flag)) == given)
        };
        let given = self.flags.iter().filter(|flag| !is_replaced(flag));
        let words: Vec<OsString> = ["install"]
            .iter()
            .chain(flags)
            .map(OsString::from)
            .chain(given.flatten().map(OsString::from))
            .collect();
        with_variables(&words, &self.kept, &self.set)
    }
}

/// The name of a flag that may carry its value with it.
fn name(flag: &str) -> &str {
    flag.split('=').next().unwrap_or(flag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_come_through_a_shell_as_they_were_given() {
        let words = ["verify", "hub", "--junit", "a b'$(c)\n.xml"].map(OsString::from);
        let again = again(&words, &["NAME", "WORD"]);
        let read = shell_words::split(&again).unwrap();
        assert_eq!(read[..3], ["sudo", "--preserve-env=NAME,WORD", "dockstrap"]);
        assert_eq!(
            read[3..].iter().map(OsString::from).collect::<Vec<_>>(),
            words
        );
        assert_eq!(super::again(&words[..2], &[]), "sudo dockstrap verify hub");
    }

    #[test]
    fn the_settings_of_this_run_are_repeated_and_a_flag_that_is_advised_replaces_its_like() {
        let flag = |words: &[&str]| words.iter().map(ToString::to_string).collect();
        let given = Invocation {
            flags: vec![
                flag(&["--suite", "noble"]),
                flag(&["--config", "/my file"]),
                flag(&["--replace=false"]),
                flag(&["--yes"]),
            ],
            kept: vec!["DOCKSTRAP_PROXY".to_owned()],
            set: vec!["no_proxy=a, b".to_owned()],
        };
        assert_eq!(
            given.install(&["--suite", "resolute", "--replace=true"]),
            "sudo --preserve-env=DOCKSTRAP_PROXY 'no_proxy=a, b' dockstrap install --suite resolute \
             --replace=true --config '/my file' --yes"
        );
        assert_eq!(Invocation::default().install(&[]), "sudo dockstrap install");
    }
}
