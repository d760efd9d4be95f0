//! Stanzas of `Name: value` fields, the form of Release and Packages texts.
//!
//! Owns how a field is asked for, and that what is ambiguous is refused. Knows no field.

use std::str::FromStr;

use deb822_fast::borrowed::{BorrowedField, BorrowedParagraph, iter_paragraphs_borrowed};

use super::{FileKind, Refusal};

/// One stanza of a document.
pub(crate) struct Stanza<'a> {
    document: FileKind,
    fields: BorrowedParagraph<'a>,
}

/// The stanzas of `text`, one by one.
pub(crate) fn stanzas(
    document: FileKind,
    text: &str,
) -> impl Iterator<Item = Result<Stanza<'_>, Refusal>> {
    iter_paragraphs_borrowed(text).map(move |fields| match fields {
        Ok(fields) => Ok(Stanza { document, fields }),
        Err(error) => Err(Refusal::malformed(document, error)),
    })
}

impl<'a> Stanza<'a> {
    /// The one line of a field that must be there.
    pub(crate) fn required(&self, name: &str) -> Result<&'a str, Refusal> {
        self.optional(name)?
            .ok_or_else(|| self.malformed(format!("{name} is missing")))
    }

    /// The one line of a field that may be there.
    pub(crate) fn optional(&self, name: &str) -> Result<Option<&'a str>, Refusal> {
        match self.lines(name)?.as_slice() {
            [] => Ok(None),
            [line] => Ok(Some(line)),
            _ => Err(self.malformed(format!("{name} has several lines"))),
        }
    }

    /// The words of a field; none if it is not there.
    pub(crate) fn words(&self, name: &str) -> Result<Vec<String>, Refusal> {
        let line = self.optional(name)?.unwrap_or_default();
        Ok(line.split_whitespace().map(str::to_owned).collect())
    }

    /// The lines of a field without white space around them; none if it is not there.
    pub(crate) fn lines(&self, name: &str) -> Result<Vec<&'a str>, Refusal> {
        let mut found = self.fields.iter().filter(|field| is_named(field, name));
        let field = found.next();
        if found.next().is_some() {
            return Err(self.malformed(format!("{name} is there twice")));
        }
        let lines = field.map(BorrowedField::lines).unwrap_or_default();
        Ok(lines.iter().map(|line| line.trim_ascii()).collect())
    }

    /// `text`, which is of the field `name`, as a `T`.
    pub(crate) fn parse<T: FromStr>(&self, name: &str, text: &str) -> Result<T, Refusal> {
        text.parse()
            .map_err(|_| self.malformed(format!("{name} is '{text}'")))
    }

    pub(crate) fn malformed(&self, detail: impl std::fmt::Display) -> Refusal {
        Refusal::malformed(self.document, detail)
    }
}

/// The names of fields are the same in any case (deb-control(5)).
fn is_named(field: &BorrowedField<'_>, name: &str) -> bool {
    field.name().eq_ignore_ascii_case(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(text: &str) -> Stanza<'_> {
        stanzas(FileKind::Packages, text).next().unwrap().unwrap()
    }

    #[test]
    fn a_field_is_found_in_any_case() {
        assert_eq!(only("SHA256: a\n").required("Sha256"), Ok("a"));
    }

    #[test]
    fn a_field_that_is_there_twice_is_refused() {
        assert!(only("Size: 1\nsize: 2\n").required("Size").is_err());
    }

    #[test]
    fn a_field_of_several_lines_is_not_taken_for_one() {
        let stanza = only("Size: 1\n 2\n");
        assert!(stanza.required("Size").is_err());
        assert_eq!(stanza.lines("Size"), Ok(vec!["1", "2"]));
    }

    #[test]
    fn a_missing_field_is_named() {
        let refusal = only("Size: 1\n").required("Filename").unwrap_err();
        assert!(refusal.to_string().contains("Filename is missing"));
    }
}
