//! Names of users, read once where they come in: from an option, a variable, a file or a journal.

use std::fmt;

use thiserror::Error;

/// As many bytes as the kernel and `utmp` leave room for in any service's names.
const LONGEST: usize = 256;

/// The name of a user: never an option of a program, never a number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct UserName(String);

/// Why a text is no name of a user, to be put after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum NoName {
    #[error("is no user name")]
    Characters,
    /// The account tools would take it for the user with that number.
    #[error("is a number, not a user name")]
    Number,
}

impl UserName {
    /// Takes letters, digits and `_ . - @ \ $`, as directory services have them.
    pub(crate) fn new(text: &str) -> Result<UserName, NoName> {
        let is_plain = |c: char| c.is_alphanumeric() || "_.-@\\$".contains(c);
        if text.is_empty()
            || text.len() > LONGEST
            || text.starts_with('-')
            || !text.chars().all(is_plain)
        {
            return Err(NoName::Characters);
        }

        if text.chars().all(|c| c.is_ascii_digit()) {
            return Err(NoName::Number);
        }
        Ok(UserName(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_directory_services_are_names() {
        for name in [
            "alice",
            "EXAMPLE\\alice",
            "alice@example.org",
            "web01$",
            "_apt",
            "jürgen",
        ] {
            assert_eq!(UserName::new(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn options_numbers_and_what_files_of_accounts_split_at_are_no_names() {
        for text in [
            "", "-sfiles", "--help", "a b", "a:b", "a,b", "a\nb", "a\0b", "../a", "*",
        ] {
            assert_eq!(UserName::new(text), Err(NoName::Characters), "{text:?}");
        }
        for text in ["0", "1000", "007"] {
            assert_eq!(UserName::new(text), Err(NoName::Number), "{text:?}");
        }
        assert!(UserName::new(&"a".repeat(LONGEST + 1)).is_err());
    }
}
