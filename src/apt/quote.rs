//! Values in apt's own configuration files.

use crate::error::Failure;

/// A value as a file of apt's configuration takes it. Between its quotes apt knows no escapes, so
/// that a quote would end it, and what follows would be configuration: commands to run, for one.
///
/// # Errors
/// [`Failure::Usage`] for what apt cannot be told.
pub(super) fn quoted(value: &str) -> Result<String, Failure> {
    if value.contains(|c: char| c == '"' || c.is_control()) {
        return Err(Failure::Usage(
            "apt cannot take a path or an address with a quote or a control character in \
             it; use one without"
                .to_owned(),
        ));
    }
    Ok(format!("\"{value}\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::exit_code;

    #[test]
    fn what_would_end_the_value_is_refused() {
        assert_eq!(
            quoted("http://a:b%22@c/x;{}#//").unwrap(),
            "\"http://a:b%22@c/x;{}#//\""
        );
        for value in [
            "x\";dpkg{pre-invoke{\"id\";};};foo\"y",
            "\"",
            "a\nb",
            "a\rb",
            "a\0b",
        ] {
            let error = quoted(value).unwrap_err();
            assert_eq!(exit_code(&error.into()), 2, "{value:?}");
        }
    }
}
