//! The table of keys as a page of the manual.
//!
//! It must not say anything that the tables do not.

use std::fmt::Write;

use super::merge::Rule;
use super::preset::Preset;
use super::schema::{self, KEYS, Key, Reload, Standing};
use super::surroundings::Surroundings;

const HEAD: &str = "\
# Keys of daemon.json

Everything that dockstrap knows of the keys of `/etc/docker/daemon.json`, and so of the `[daemon]`
table in its settings. This page is made from the table that the file is checked against.

*Since* is the first engine that takes the key; 1.12 stands for that or an earlier one. *Taken up by*
says what makes a running engine take a changed value: a reload, which leaves everything running, or
a restart. A key that is taken out of the file keeps its value until a restart, but for those marked
with a star, which a reload sets back. *Merged* says how a wanted value joins the one that is there:
lists are united, objects get each entry by itself, anything else is replaced.

| key | type | since | taken up by | merged | what it is for |
|---|---|---|---|---|---|
";

const PRESETS: &str = "
## Presets

Of a host with no limits and no routes of its own. What is *filled in* leaves a value that is there;
what is *set* stands over it.

| key | value | preset | why |
|---|---|---|---|
";

const OTHERS: &str = "
## Keys that are none

| key | what becomes of it |
|---|---|
";

/// The page, in Markdown.
pub fn page() -> String {
    let mut page = HEAD.to_owned();
    let known = |key: &&Key| key.standing == Standing::Known;
    let mut keys: Vec<&Key> = KEYS.iter().filter(known).collect();
    keys.sort_by_key(|key| key.name);
    for key in keys {
        let Key {
            name,
            about,
            kind,
            since,
            ..
        } = key;
        let (by, merged) = (taken_up_by(key), merged(key));
        // Writing to a text cannot fail.
        let _ = writeln!(
            page,
            "| `{name}` | {kind} | {since} | {by} | {merged} | {about} |"
        );
    }
    page += PRESETS;
    let recommended = Preset::Recommended.entries(&Surroundings::default());
    for entry in Preset::Hardened.entries(&Surroundings::default()) {
        let preset = match recommended.contains(&entry) {
            true => "recommended, hardened: filled in",
            false => "hardened: set",
        };
        let (key, value, reason) = (entry.key, &entry.value, entry.reason);
        let _ = writeln!(page, "| `{key}` | `{value}` | {preset} | {reason} |");
    }
    page += OTHERS;
    let mut others: Vec<&Key> = KEYS.iter().filter(|key| !known(key)).collect();
    others.sort_by_key(|key| key.name);
    for key in others {
        let fate = fate(key);
        let _ = writeln!(page, "| `{}` | {fate} |", key.name);
    }
    page
}

/// What is known of a key, in lines for a terminal; nothing for a name that is no key's.
pub fn explained(name: &str) -> String {
    let Some(key) = schema::key(name) else {
        return String::new();
    };
    if key.standing != Standing::Known {
        return format!("{name}: {}\n", fate(key));
    }
    let mut text = format!("{name}: {}\n", key.about);
    let mut add = |what: &str, value: &str| {
        let _ = writeln!(text, "  {what:13} {value}");
    };
    add("type", &key.kind.to_string());
    add("since engine", &key.since.to_string());
    add("taken up by", taken_up_by(key));
    add("merged", merged(key));
    let presets = Preset::Hardened.entries(&Surroundings::default());
    for entry in presets.iter().filter(|entry| entry.key == name) {
        add("in presets", &format!("{} ({})", entry.value, entry.reason));
    }
    text
}

fn taken_up_by(key: &Key) -> &'static str {
    match key.reload {
        Reload::Restart => "restart",
        Reload::Reload => "reload",
        Reload::Resets => "reload*",
    }
}

fn merged(key: &Key) -> &'static str {
    match Rule::of(key.name) {
        Rule::Union => "united",
        Rule::Entries => "by entry",
        Rule::Replace => "replaced",
    }
}

/// What becomes of a key without effect.
fn fate(key: &Key) -> String {
    match key.standing {
        Standing::Known => String::new(),
        Standing::Ignored => "taken without any effect; remove it".to_owned(),
        Standing::Rejected { cure } => format!("refused; {cure}"),
        Standing::Gone { since, cure } => format!("refused since {since}; {cure}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/packaging/manual/daemon-json.md"
    );

    /// Set to write the page anew:
    /// `DOCKSTRAP_WRITE_MANUAL=1 cargo test --lib the_manual_has_every_key`
    const WRITE: &str = "DOCKSTRAP_WRITE_MANUAL";

    #[test]
    fn the_manual_has_every_key() {
        if std::env::var_os(WRITE).is_some() {
            std::fs::write(PAGE, page()).unwrap();
        }
        let written = std::fs::read_to_string(PAGE).unwrap_or_default();
        assert!(
            written == page(),
            "{PAGE} is not made from the table as it is by now; write it anew: \
             {WRITE}=1 cargo test --lib the_manual_has_every_key"
        );
        for key in KEYS {
            assert!(
                written.contains(&format!("| `{}` |", key.name)),
                "{}",
                key.name
            );
        }
    }

    #[test]
    fn a_key_is_explained_in_a_few_lines() {
        let text = explained("icc");
        assert!(
            text.starts_with("icc: let containers on the default bridge"),
            "{text}"
        );
        assert!(
            text.contains("taken up by   restart") && text.contains("CIS 2.2"),
            "{text}"
        );
        assert!(explained("graph").contains("write data-root"));
    }

    #[test]
    fn every_key_with_an_effect_says_what_it_is_for() {
        for key in KEYS.iter().filter(|key| key.standing == Standing::Known) {
            assert!(!key.about.is_empty(), "{}", key.name);
        }
    }
}
