//! A key of the table as lines for a terminal, and as what the manual page says of it.
//!
//! It must not say anything that the tables do not.

use std::fmt::Write;

use super::reference::{confirmed, entries, fate, merged, taken_up_by};
use crate::daemon_config::check::host_facts::HostFacts;
use crate::daemon_config::merge::preset::Preset;
use crate::daemon_config::schema::log_drivers::DRIVERS;
use crate::daemon_config::schema::{self, Conflict, Key, Support};

/// What is known of a key, in lines for a terminal; nothing for a name that is no key's.
pub fn explained(name: &str) -> String {
    let Some(key) = schema::key(name) else {
        return String::new();
    };
    let mut text = format!("{name}: {}\n", summary(key));
    for (what, value) in facts(key) {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "  {what:13} {value}");
    }
    text
}

/// What a key is for, or what becomes of one that is none.
pub fn summary(key: &Key) -> String {
    match key.support {
        Support::Known => key.about.to_owned(),
        _ => fate(key),
    }
}

/// All else that is known of a key, each with a word for what it is. One that goes on with what
/// stands before it has none.
pub fn facts(key: &Key) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    if key.support != Support::Known {
        return facts;
    }
    let mut add = |what, value| facts.push((what, value));
    add("type", key.kind.to_string());
    for (path, kind, _) in entries(key.name, key.kind) {
        add("", format!("{path}: {kind}"));
    }
    if key.name == "log-opts" {
        for driver in DRIVERS {
            let options: Vec<&str> = driver.options.iter().map(|(name, _)| *name).collect();
            add("", format!("of {}: {}", driver.name, options.join(" ")));
        }
    }
    if key.name == "log-driver" {
        let names: Vec<&str> = DRIVERS.iter().map(|driver| driver.name).collect();
        add("", format!("{}, or a plug-in's name", names.join(", ")));
    }
    add("since engine", key.since.to_string());
    add("applied by", taken_up_by(key).to_owned());
    add("merged", merged(key).to_owned());
    add("confirmed", confirmed(key).to_owned());
    for conflict in key.conflicts {
        let Conflict { text, .. } = conflict;
        let entry = conflict
            .entry
            .map(|entry| format!("{entry}, "))
            .unwrap_or_default();
        let with = &conflict.with;
        add("conflicts", format!("{entry}with {with}: {text}"));
    }
    let presets = Preset::Hardened.entries(&HostFacts::default());
    for entry in presets.iter().filter(|entry| entry.key == key.name) {
        add("in presets", format!("{} ({})", entry.value, entry.reason));
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_explained_in_a_few_lines() {
        let text = explained("icc");
        assert!(
            text.starts_with("icc: let containers on the default bridge"),
            "{text}"
        );
        assert!(
            text.contains("applied by    restart") && text.contains("CIS 2.2"),
            "{text}"
        );
        assert!(explained("graph").contains("write data-root"));
        assert!(explained("log-level").contains(r#"one of "debug", "error""#));
        assert!(explained("labels").contains("merged        united"));
        assert!(explained("live-restore").contains("conflicts     with a swarm: a member"));
        assert!(
            explained("builder").contains("builder.gc.policy.keepStorage: a string with a size")
        );
        assert!(explained("log-opts").contains("of splunk: env env-regex"));
    }
}
