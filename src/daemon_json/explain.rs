//! A key of the table as lines for a terminal.
//!
//! It must not say anything that the tables do not.

use std::fmt::Write;

use super::log_drivers::DRIVERS;
use super::preset::Preset;
use super::reference::{confirmed, entries, fate, merged, taken_up_by};
use super::schema::{self, Conflict, Standing};
use super::surroundings::Surroundings;

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
        // Writing to a text cannot fail.
        let _ = writeln!(text, "  {what:13} {value}");
    };
    add("type", &key.kind.to_string());
    for (path, kind, _) in entries(name, key.kind) {
        add("", &format!("{path}: {kind}"));
    }
    if name == "log-opts" {
        for driver in DRIVERS {
            let options: Vec<&str> = driver.options.iter().map(|(name, _)| *name).collect();
            add("", &format!("of {}: {}", driver.name, options.join(" ")));
        }
    }
    if name == "log-driver" {
        let names: Vec<&str> = DRIVERS.iter().map(|driver| driver.name).collect();
        add("", &format!("{}, or a plug-in's name", names.join(", ")));
    }
    add("since engine", &key.since.to_string());
    add("taken up by", taken_up_by(key));
    add("merged", merged(key));
    add("confirmed", confirmed(key));
    for conflict in key.conflicts {
        let Conflict { text, .. } = conflict;
        let entry = conflict.entry.map(|entry| format!("{entry}, "));
        let entry = entry.unwrap_or_default();
        let with = &conflict.with;
        add("conflicts", &format!("{entry}with {with}: {text}"));
    }
    let presets = Preset::Hardened.entries(&Surroundings::default());
    for entry in presets.iter().filter(|entry| entry.key == name) {
        add("in presets", &format!("{} ({})", entry.value, entry.reason));
    }
    text
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
            text.contains("taken up by   restart") && text.contains("CIS 2.2"),
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
