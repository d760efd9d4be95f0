//! The table of keys as a page of the manual.
//!
//! It must not say anything that the tables do not.

use crate::daemon_config::check::host_facts::HostFacts;
use crate::daemon_config::merge::preset::Preset;
use crate::daemon_config::schema::log_drivers::{COMMON, DRIVERS, Driver, LIMITS, Opt};
use crate::daemon_config::schema::{
    Conflict, Entries, Key, Reload, Rule, Support, ValueKind, With, by_name,
};

const HEAD: &str = "\
# Keys of daemon.json

Everything that dockstrap knows of the keys of `/etc/docker/daemon.json`, and so of the `[daemon]`
table in its settings. This page is made from the table that the file is checked against.

*Since* is the first engine that takes the key; 1.12 stands for that or an earlier one. *Taken up by*
says what makes a running engine take a changed value: a reload, which leaves everything running, or
a restart. A key that is taken out of the file keeps its value until a restart, but for those marked
with a star, which a reload sets back. *Merged* says how a wanted value joins the one that is there:
lists are united, objects get each entry by itself, anything else is replaced. Of keys that are
*confirmed*, the running engine is asked after a change whether it has the new value.

| key | type | since | applied by | merged | confirmed | what it is for |
|---|---|---|---|---|---|---|
";

const ENTRIES: &str = "
## Entries

What may stand in the keys that are objects with names of their own.

| entry | type | of another name |
|---|---|---|
";

const CONFLICTS: &str = "
## What does not go together

Any key conflicts with a flag of the unit that says the same, but for `runtimes`.

| key | with | what comes of it |
|---|---|---|
";

const LOGS: &str = "
## Log drivers

The options that `log-opts` may have under each `log-driver`; those marked with a star, no container
starts without. Under any driver these are taken as well: ";

const LOGS_TABLE: &str = "
| driver | options |
|---|---|
";

const PRESETS: &str = "
## Presets

Of a host with no limits and no routes of its own. What is *filled in* leaves a value that is there;
what is *set* overrides it when it first comes.

What you changed since an install is yours: the next `install` keeps it, `plan` and `status` show it
as `kept: yours` and do not count it as a change, and `install --restore` puts it back, all of it or
what is named.

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
    let (known, others) = by_name();
    let mut page = HEAD.to_owned();
    for key in &known {
        page += &row(&[
            &code(key.name),
            &key.kind.to_string(),
            &key.since.to_string(),
            taken_up_by(key),
            merged(key),
            confirmed(key),
            key.about,
        ]);
    }
    page += ENTRIES;
    for key in &known {
        for (path, kind, others) in entries(key.name, key.kind) {
            page += &row(&[&code(&path), &kind.to_string(), others]);
        }
    }
    page += CONFLICTS;
    for key in &known {
        for conflict in key.conflicts {
            let path = path(key, conflict);
            page += &row(&[&code(&path), &other_side(conflict), conflict.text]);
        }
    }
    page += LOGS;
    page += &options("", COMMON, &[]);
    page += ".\n";
    page += LOGS_TABLE;
    for Driver {
        name,
        options: known,
        needs,
        ..
    } in DRIVERS
    {
        page += &row(&[&code(name), &options(name, known, needs)]);
    }
    page += PRESETS;
    let recommended = Preset::Recommended.entries(&HostFacts::default());
    for entry in Preset::Hardened.entries(&HostFacts::default()) {
        let preset = if recommended.contains(&entry) {
            "recommended, hardened: filled in"
        } else {
            "hardened: set"
        };
        let value = code(&entry.value.to_string());
        page += &row(&[&code(entry.key), &value, preset, entry.reason]);
    }
    page += OTHERS;
    for key in others {
        page += &row(&[&code(key.name), &fate(key)]);
    }
    page
}

fn row(cells: &[&str]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

/// Every entry below a value of this type, with its path, its type, and what becomes of one that has
/// another name.
pub(super) fn entries(path: &str, kind: ValueKind) -> Vec<(String, ValueKind, &'static str)> {
    let ValueKind::Object(Entries { known, unknown, .. }) = kind else {
        let below = match kind {
            ValueKind::Map(_) => format!("{path}.NAME"),
            _ => path.to_owned(),
        };
        return kind.entries().map_or(vec![], |kind| entries(&below, kind));
    };
    let others = match unknown {
        Some(crate::daemon_config::Severity::Error) => "dockerd does not start",
        Some(crate::daemon_config::Severity::Warning) => "passed over",
        None => "the runtime's own",
    };
    let below = known.iter().flat_map(|(name, kind)| {
        let path = format!("{path}.{name}");
        let deeper = entries(&path, *kind);
        [vec![(path, *kind, others)], deeper].concat()
    });
    below.collect()
}

fn path(key: &Key, conflict: &Conflict) -> String {
    match conflict.entry {
        Some(entry) => format!("{}.{entry}", key.name),
        None => key.name.to_owned(),
    }
}

/// The other side of a conflict, with what it is made of.
fn other_side(conflict: &Conflict) -> String {
    let With::Gone(words) = conflict.with else {
        return conflict.with.to_string();
    };
    let words = words
        .iter()
        .map(|(word, since)| format!("{word} since {since}"));
    words.collect::<Vec<_>>().join(", ")
}

/// The options of a driver, with the engines that take them where not all do.
fn options(driver: &str, options: &[Opt], needed: &[&str]) -> String {
    let options = options.iter().map(|(name, _)| {
        let star = if needed.contains(name) { "*" } else { "" };
        let mut limits = LIMITS.iter();
        let limit = limits.find(|limit| (limit.driver, limit.option) == (driver, *name));
        let engines = match limit.map(|limit| (limit.since, limit.until)) {
            None => String::new(),
            Some((_, Some(until))) => format!(" (before {until})"),
            Some((since, None)) => format!(" (since {since})"),
        };
        format!("`{name}`{star}{engines}")
    });
    options.collect::<Vec<_>>().join(", ")
}

pub(super) fn taken_up_by(key: &Key) -> &'static str {
    match key.reload {
        Reload::Restart => "restart",
        Reload::Reload => "reload",
        Reload::Resets => "reload*",
    }
}

pub(super) fn merged(key: &Key) -> &'static str {
    match key.rule {
        Rule::Union => "united",
        Rule::Entries => "by entry",
        Rule::Replace => "replaced",
    }
}

pub(super) fn confirmed(key: &Key) -> &'static str {
    match key.shown {
        Some(_) => "yes",
        None => "no",
    }
}

/// What becomes of a key without effect.
pub(super) fn fate(key: &Key) -> String {
    match key.support {
        Support::Known => String::new(),
        Support::Ignored { since } if since == key.since => {
            "taken without any effect; remove it".to_owned()
        }
        Support::Ignored { since } => {
            format!("{}; taken without any effect since {since}", key.about)
        }
        Support::Rejected { cure } => format!("refused; {cure}"),
        Support::Gone { since, cure } => format!("refused since {since}; {cure}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon_config::schema::keys;

    #[test]
    fn the_page_has_every_key() {
        let page = page();
        for key in keys() {
            assert!(
                page.contains(&format!("| `{}` |", key.name)),
                "{}",
                key.name
            );
        }
    }

    #[test]
    fn every_key_with_an_effect_says_what_it_is_for() {
        for key in keys().filter(|key| key.support == Support::Known) {
            assert!(!key.about.is_empty(), "{}", key.name);
        }
    }
}
