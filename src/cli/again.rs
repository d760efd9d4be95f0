//! The command that asks for the same once more.

use std::ffi::OsString;

use crate::shell;

/// `sudo dockstrap` with these words. sudo drops all variables but those that are named as kept;
/// none of their values goes on the command line.
pub(crate) fn again(words: &[OsString], kept: &[&str]) -> String {
    let kept = match kept {
        [] => String::new(),
        names => format!("--preserve-env={} ", names.join(",")),
    };
    format!("sudo {kept}dockstrap {}", shell::joined(words))
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
}
