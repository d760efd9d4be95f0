//! The outer shape of an OpenPGP file: one of its kind, whole, nothing around it.
//!
//! Owns what can be told without cryptography, so that each of it has a name: empty, too large,
//! a web page, cut off, several, surrounded. OpenPGP readers differ in what they make of such
//! files (some take the first part, some all), so no reader is asked before this is settled.

use super::{FileKind, Refusal};

/// The first and the last line of an armored file, and its document.
pub(crate) struct Frame {
    pub document: FileKind,
    pub first: &'static str,
    pub last: &'static str,
    /// Bytes.
    pub limit: usize,
}

impl Frame {
    /// Whether `bytes` may be a file of this kind at all.
    pub(crate) fn check_size(&self, bytes: &[u8]) -> Result<(), Refusal> {
        let Frame {
            document, limit, ..
        } = *self;
        if bytes.len() > limit {
            return Err(Refusal::TooLarge { document, limit });
        }
        match bytes.trim_ascii_start().first() {
            None => Err(Refusal::Empty(document)),
            Some(b'<') => Err(Refusal::WebPage(document)),
            Some(_) => Ok(()),
        }
    }

    /// Whether `bytes` are exactly one armored file of this kind, blank lines aside.
    pub(crate) fn check_lines(&self, bytes: &[u8]) -> Result<(), Refusal> {
        let mut lines = bytes
            .split(|&byte| byte == b'\n')
            .map(<[u8]>::trim_ascii_end);
        let mut lines = lines.by_ref().skip_while(|line| line.is_empty());
        if lines.next() != Some(self.first.as_bytes()) {
            return Err(if self.is_first_somewhere(bytes) {
                Refusal::Surrounded(self.document)
            } else {
                Refusal::NotThat(self.document)
            });
        }
        let mut whole = false;
        for line in lines {
            if line == self.first.as_bytes() {
                return Err(Refusal::Several(self.document));
            }
            if whole && !line.is_empty() {
                return Err(Refusal::Surrounded(self.document));
            }
            whole = whole || line == self.last.as_bytes();
        }
        if whole {
            Ok(())
        } else {
            Err(Refusal::Truncated(self.document))
        }
    }

    fn is_first_somewhere(&self, bytes: &[u8]) -> bool {
        bytes
            .windows(self.first.len())
            .any(|window| window == self.first.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Frame = Frame {
        document: FileKind::KeyFile,
        first: "-----BEGIN",
        last: "-----END",
        limit: 64,
    };

    fn refusal(text: &str) -> Refusal {
        FRAME
            .check_size(text.as_bytes())
            .and_then(|()| FRAME.check_lines(text.as_bytes()))
            .unwrap_err()
    }

    #[test]
    fn one_whole_block_passes_with_any_line_ends_and_blank_lines() {
        for text in [
            "-----BEGIN\na\n-----END",
            "\n-----BEGIN\r\na\r\n-----END\r\n\n",
        ] {
            assert_eq!(FRAME.check_size(text.as_bytes()), Ok(()));
            assert_eq!(FRAME.check_lines(text.as_bytes()), Ok(()));
        }
    }

    #[test]
    fn an_empty_file_is_named() {
        assert_eq!(refusal(" \n"), Refusal::Empty(FileKind::KeyFile));
    }

    #[test]
    fn a_file_over_the_limit_is_named() {
        let long = "x".repeat(65);
        assert!(matches!(
            refusal(&long),
            Refusal::TooLarge { limit: 64, .. }
        ));
    }

    #[test]
    fn a_web_page_is_named() {
        let page = refusal("\n <!DOCTYPE html><html>");
        assert_eq!(page, Refusal::WebPage(FileKind::KeyFile));
    }

    #[test]
    fn another_kind_of_file_is_named() {
        assert_eq!(
            refusal("404 not found"),
            Refusal::NotThat(FileKind::KeyFile)
        );
    }

    #[test]
    fn a_block_without_its_end_is_cut_off() {
        assert_eq!(
            refusal("-----BEGIN\na\n-----EN"),
            Refusal::Truncated(FileKind::KeyFile)
        );
    }

    #[test]
    fn a_second_block_is_refused_inside_or_after_the_first() {
        for text in [
            "-----BEGIN\n-----BEGIN\n-----END",
            "-----BEGIN\n-----END\n-----BEGIN",
        ] {
            assert_eq!(refusal(text), Refusal::Several(FileKind::KeyFile), "{text}");
        }
    }

    #[test]
    fn text_around_the_block_is_refused() {
        for text in ["a\n-----BEGIN\n-----END", "-----BEGIN\n-----END\na"] {
            assert_eq!(
                refusal(text),
                Refusal::Surrounded(FileKind::KeyFile),
                "{text}"
            );
        }
    }
}
