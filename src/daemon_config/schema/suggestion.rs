//! The key that was probably meant by a name that is none, or by a flag of dockerd.
//!
//! Owns the likenesses. It must not judge whether a name is right.

use super::{Support, keys};

/// Names whose key is not like them.
const OTHER_WORDS: &[(&str, &str)] = &[
    ("H", "hosts"),
    ("D", "debug"),
    ("G", "group"),
    ("b", "bridge"),
    ("g", "data-root"),
    ("l", "log-level"),
    ("p", "pidfile"),
    ("s", "storage-driver"),
    ("add-runtime", "runtimes"),
    ("http-proxy", "proxies.http-proxy"),
    ("https-proxy", "proxies.https-proxy"),
    ("no-proxy", "proxies.no-proxy"),
    ("data-dir", "data-root"),
    ("mirrors", "registry-mirrors"),
];

/// The accepted key nearest to an unknown name, if one is near enough to name.
pub(crate) fn suggested_key(name: &str) -> Option<&'static str> {
    let name = name.trim().trim_start_matches('-');
    key_of_flag(name)
        .or_else(|| find(|key| plain(key) == plain(name) || plain(key) == plain(&plural(name))))
        .or_else(|| nearest(name, suggested()))
}

/// The key that sets the same as this flag of dockerd, given without dashes and value.
pub(crate) fn key_of_flag(flag: &str) -> Option<&'static str> {
    let other = OTHER_WORDS.iter().find(|(word, _)| *word == flag);
    other
        .map(|(_, key)| *key)
        .or_else(|| find(|key| key == flag || key == plural(flag)))
}

/// The candidate at the smallest edit distance, if it is small for the length of the words. Of
/// several, one with which the word only has a letter too many or too few at its end.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    let word = word.to_lowercase();
    let length = |text: &str| text.chars().count();
    let is_near =
        |distance: usize, candidate: &str| distance <= length(&word).max(length(candidate)) / 4;
    let rank = |distance: usize, candidate: &str| {
        let goes_on = word.starts_with(candidate) || candidate.starts_with(&word);
        (
            distance,
            !goes_on,
            length(&word).abs_diff(length(candidate)),
        )
    };
    candidates
        .map(|candidate| (strsim::damerau_levenshtein(&word, candidate), candidate))
        .filter(|(distance, candidate)| is_near(*distance, candidate))
        .min_by_key(|(distance, candidate)| rank(*distance, candidate))
        .map(|(_, candidate)| candidate)
}

/// What to write for a word that is none of these.
pub(crate) fn cure<'a, I: Iterator<Item = &'a str>>(word: &str, known: impl Fn() -> I) -> String {
    match nearest(word, known()) {
        Some(suggestion) => format!("write {suggestion}"),
        None => format!("write one of {}", known().collect::<Vec<_>>().join(", ")),
    }
}

fn accepted() -> impl Iterator<Item = &'static str> {
    keys().filter(|key| key.is_accepted()).map(|key| key.name)
}

/// The keys worth a suggestion: those with an effect.
fn suggested() -> impl Iterator<Item = &'static str> {
    let known = keys().filter(|key| key.support == Support::Known);
    known.map(|key| key.name)
}

fn find(is_it: impl Fn(&str) -> bool) -> Option<&'static str> {
    accepted().find(|key| is_it(key))
}

fn plural(word: &str) -> String {
    match word.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => format!("{word}s"),
    }
}

/// Without case and word breaks: `logDriver` and `Log_Driver` are `logdriver`.
fn plain(word: &str) -> String {
    word.to_lowercase().replace(['-', '_', '.', ' '], "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_singular_of_a_list_means_the_list() {
        assert_eq!(suggested_key("label"), Some("labels"));
        assert_eq!(
            suggested_key("insecure-registry"),
            Some("insecure-registries")
        );
        assert_eq!(suggested_key("registry-mirror"), Some("registry-mirrors"));
        assert_eq!(suggested_key("host"), Some("hosts"));
    }

    #[test]
    fn another_case_or_word_break_means_the_key() {
        assert_eq!(suggested_key("Debug"), Some("debug"));
        assert_eq!(suggested_key("logDriver"), Some("log-driver"));
        assert_eq!(
            suggested_key("insecure_registries"),
            Some("insecure-registries")
        );
        assert_eq!(suggested_key("--log-opt"), Some("log-opts"));
    }

    #[test]
    fn a_slip_of_the_finger_means_the_nearest_key() {
        assert_eq!(suggested_key("live-resotre"), Some("live-restore"));
        assert_eq!(suggested_key("date-root"), Some("data-root"));
    }

    #[test]
    fn a_letter_too_many_at_the_end_means_the_shorter_key() {
        for (word, meant) in [
            ("bipp", "bip"),
            ("bi6", "bip6"),
            ("bip66", "bip6"),
            ("dnss", "dns"),
        ] {
            assert_eq!(suggested_key(word), Some(meant), "{word}");
        }
        for word in ["x", "é", "ipé", "ééé"] {
            assert_eq!(suggested_key(word), None, "{word}");
        }
        let names = ["docker", "doc", "hub"];
        assert_eq!(nearest("hubb", names.into_iter()), Some("hub"));
    }

    #[test]
    fn a_proxy_at_the_root_means_the_one_under_proxies() {
        assert_eq!(suggested_key("https-proxy"), Some("proxies.https-proxy"));
    }

    #[test]
    fn a_key_without_effect_is_no_suggestion() {
        assert_eq!(suggested_key("containerd-plugins-namespaces"), None);
        assert_eq!(suggested_key("deprecated-key-pat"), None);
    }

    #[test]
    fn a_word_like_no_key_means_none() {
        assert_eq!(suggested_key("favourite-colour"), None);
        assert_eq!(suggested_key(""), None);
    }

    #[test]
    fn short_flags_are_keys_too() {
        assert_eq!(key_of_flag("H"), Some("hosts"));
        assert_eq!(key_of_flag("containerd"), Some("containerd"));
        assert_eq!(key_of_flag("config-file"), None);
    }
}
