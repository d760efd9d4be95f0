//! The words of a unit's setting, as systemd reads them.
//!
//! Owns quotes, escapes and specifiers; see `systemd.syntax(7)` and `systemd.unit(5)`.

/// What a specifier stands for in a system unit that runs as root. Those that differ between hosts
/// or units are left as they are.
const SPECIFIERS: &[(char, &str)] = &[
    ('%', "%"),
    ('C', "/var/cache"),
    ('E', "/etc"),
    ('L', "/var/log"),
    ('S', "/var/lib"),
    ('T', "/tmp"),
    ('U', "0"),
    ('V', "/var/tmp"),
    ('h', "/root"),
    ('t', "/run"),
    ('u', "root"),
];

/// The words of a line without their quotes. A quote may begin within a word.
pub(crate) fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = line.chars();
    while let Some(next) = chars.next() {
        match (next, quote) {
            ('\\', _) => word.get_or_insert_default().extend(escaped(&mut chars)),
            (_, Some(open)) if next == open => quote = None,
            ('"' | '\'', None) => {
                quote = Some(next);
                word.get_or_insert_default();
            }
            (_, None) if next.is_ascii_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(next),
        }
    }
    words.extend(word);
    words
}

/// What a backslash and the characters behind it stand for.
fn escaped(chars: &mut std::str::Chars<'_>) -> Option<char> {
    Some(match chars.next()? {
        'n' => '\n',
        't' => '\t',
        's' => ' ',
        'x' => {
            let code: String = chars.by_ref().take(2).collect();
            char::from(u8::from_str_radix(&code, 16).ok()?)
        }
        other => other,
    })
}

/// The text with specifiers replaced, such as `%t` by `/run`.
pub(crate) fn resolved(text: &str) -> String {
    let mut all = String::new();
    let mut chars = text.chars();
    while let Some(next) = chars.next() {
        if next != '%' {
            all.push(next);
            continue;
        }
        let letter = chars.next();
        match SPECIFIERS.iter().find(|(it, _)| Some(*it) == letter) {
            Some((_, value)) => all.push_str(value),
            None => all.extend([next].into_iter().chain(letter)),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_without_their_quotes_and_escapes() {
        for (line, words) in [
            ("", &[][..]),
            (" -H  \"fd://\" ", &["-H", "fd://"]),
            ("'-H' 'fd://'", &["-H", "fd://"]),
            ("--host=\"fd://\" x", &["--host=fd://", "x"]),
            ("--label=\"a b\"'c d'", &["--label=a bc d"]),
            (r#"a\x20b "c\"d" e\sf"#, &["a b", "c\"d", "e f"]),
            ("'' \"\"", &["", ""]),
            ("\"open a", &["open a"]),
        ] {
            assert_eq!(split(line), words, "{line}");
        }
    }

    #[test]
    fn specifiers_are_replaced_as_far_as_they_are_known() {
        assert_eq!(resolved("unix://%t/docker.sock"), "unix:///run/docker.sock");
        assert_eq!(resolved("%S/docker 5%% %i %"), "/var/lib/docker 5% %i %");
    }
}
