//! The encodings in which dockerd takes its file: UTF-8, or what a byte order mark names.
//!
//! Owns marks and bytes. It must not know what a text says.

/// How a text is written as bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Encoding {
    #[default]
    Utf8,
    MarkedUtf8,
    Utf16Le,
    Utf16Be,
}

/// The encodings that begin with a mark, and the bytes of each mark.
const MARKED: &[(Encoding, &[u8])] = &[
    (Encoding::MarkedUtf8, b"\xEF\xBB\xBF"),
    (Encoding::Utf16Le, b"\xFF\xFE"),
    (Encoding::Utf16Be, b"\xFE\xFF"),
];

impl Encoding {
    /// The encoding that the first bytes name, and the bytes after its mark.
    pub(super) fn of(bytes: &[u8]) -> (Encoding, &[u8]) {
        let mut marked = MARKED.iter();
        let named =
            marked.find_map(|(encoding, mark)| Some((*encoding, bytes.strip_prefix(*mark)?)));
        named.unwrap_or((Encoding::Utf8, bytes))
    }

    /// The text of the bytes after the mark.
    ///
    /// # Errors
    /// The text before the first bytes that are none in this encoding.
    pub(super) fn decode(self, bytes: &[u8]) -> Result<String, String> {
        let unit = match self {
            Encoding::Utf8 | Encoding::MarkedUtf8 => {
                return String::from_utf8(bytes.to_vec()).map_err(|error| {
                    let valid = error.utf8_error().valid_up_to();
                    String::from_utf8_lossy(&bytes[..valid]).into_owned()
                });
            }
            Encoding::Utf16Le => u16::from_le_bytes,
            Encoding::Utf16Be => u16::from_be_bytes,
        };
        let (pairs, rest) = bytes.as_chunks::<2>();
        let mut text = String::new();
        for letter in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
            match letter {
                Ok(letter) => text.push(letter),
                Err(_) => return Err(text),
            }
        }
        if rest.is_empty() { Ok(text) } else { Err(text) }
    }

    /// The bytes of a text, with the mark.
    pub(super) fn encode(self, text: &str) -> Vec<u8> {
        let mark = MARKED.iter().find(|(encoding, _)| *encoding == self);
        let mut bytes = mark.map_or(Vec::new(), |(_, mark)| mark.to_vec());
        match self {
            Encoding::Utf8 | Encoding::MarkedUtf8 => bytes.extend(text.as_bytes()),
            Encoding::Utf16Le => bytes.extend(text.encode_utf16().flat_map(u16::to_le_bytes)),
            Encoding::Utf16Be => bytes.extend(text.encode_utf16().flat_map(u16::to_be_bytes)),
        }
        bytes
    }

    /// Its name for people.
    pub(super) fn name(self) -> &'static str {
        match self {
            Encoding::Utf8 | Encoding::MarkedUtf8 => "UTF-8",
            Encoding::Utf16Le | Encoding::Utf16Be => "UTF-16",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{prop_assert_eq, proptest};

    const ALL: [Encoding; 4] = [
        Encoding::Utf8,
        Encoding::MarkedUtf8,
        Encoding::Utf16Le,
        Encoding::Utf16Be,
    ];

    #[test]
    fn bytes_that_are_no_text_are_refused_with_what_is_before_them() {
        assert_eq!(Encoding::Utf8.decode(b"a\xFF"), Err("a".to_owned()));
        assert_eq!(Encoding::Utf16Le.decode(b"a\0\0\xD8"), Err("a".to_owned()));
        assert_eq!(Encoding::Utf16Be.decode(b"\0a\0"), Err("a".to_owned()));
    }

    proptest! {
        #[test]
        fn a_text_keeps_its_encoding(text in "[^\u{feff}]{0,20}") {
            for encoding in ALL {
                let bytes = encoding.encode(&text);
                let (named, rest) = Encoding::of(&bytes);
                prop_assert_eq!(named, encoding);
                prop_assert_eq!(named.decode(rest), Ok(text.clone()));
            }
        }
    }
}
