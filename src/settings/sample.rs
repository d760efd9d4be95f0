//! The commented sample of a settings file, made from the table of settings.

use std::fmt::Write;

use super::table::{Setting, table};
use super::{LOCK_WAIT, MAX_INDEX_AGE, PATH};
use crate::trust::DOCKER_KEY_FINGERPRINT;

/// Columns of a comment.
const WIDTH: usize = 96;

/// The sample. Lines that begin with `# ` are for people; all others are settings, behind a `#`.
pub fn sample() -> String {
    let mut sample = format!(
        "# Settings of dockstrap, in {PATH}.\n\
         # A variable overrides what is here, and a flag overrides both. See what is in force with\n\
         # `dockstrap settings show`, and what is wrong with `dockstrap settings check FILE`.\n"
    );
    let (tables, values): (Vec<Setting>, Vec<Setting>) = table()
        .into_iter()
        .partition(|setting| setting.flag.is_none());
    // Tables come last: what follows one would be in it.
    for setting in values.iter().chain(&tables) {
        sample.push('\n');
        sample += &comment(&setting.about);
        if let (Some(flag), Some(variable)) = (&setting.flag, &setting.variable) {
            sample += &comment(&format!("({flag}, {variable})"));
        }
        for line in example(setting.key).lines() {
            // Writing to a text cannot fail.
            let _ = writeln!(sample, "#{line}");
        }
    }
    sample
}

/// The setting with a value that makes sense, as it stands in the file.
pub fn example(key: &str) -> String {
    match key {
        "mirror" => "mirror = \"https://mirror.example/docker\"".to_owned(),
        "key-fingerprint" => format!("key-fingerprint = \"{DOCKER_KEY_FINGERPRINT}\""),
        "suite" => "suite = \"noble\"".to_owned(),
        "engine-version" => "engine-version = \"29.5\"".to_owned(),
        "bundle" => "bundle = \"/srv/dockstrap-noble-amd64-29.5.3.tar\"".to_owned(),
        "users" => "users = [\"alice\", \"bob\"]".to_owned(),
        "ca-cert" => "ca-cert = \"/usr/local/share/ca-certificates/company.crt\"".to_owned(),
        "proxy" => "proxy = \"http://proxy.example:3128\"".to_owned(),
        "proxy-for" => "proxy-for = [\"apt\", \"engine\"]".to_owned(),
        "preset" => "preset = \"recommended\"".to_owned(),
        "lock-wait" => format!("lock-wait = {LOCK_WAIT}"),
        "stale" => "stale = \"refuse\"".to_owned(),
        "max-index-age" => format!("max-index-age = {MAX_INDEX_AGE}"),
        "first-boot-jitter" => "first-boot-jitter = 300".to_owned(),
        "replace" | "repair" | "no-start" | "first-boot" | "allow-downgrade" => {
            format!("{key} = true")
        }
        "daemon" => "[daemon]\n\
                     registry-mirrors = [\"https://mirror.example\"]\n\
                     log-opts = { max-size = \"50m\" }"
            .to_owned(),
        "registries" => "[registries.\"registry.example:5000\"]\n\
                         ca = \"/usr/local/share/ca-certificates/registry.crt\""
            .to_owned(),
        _ => String::new(),
    }
}

/// The text as a comment, wrapped.
fn comment(text: &str) -> String {
    let (mut comment, mut line) = (String::new(), String::from("#"));
    for word in text.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            comment += &line;
            comment.push('\n');
            line = String::from("#");
        }
        line.push(' ');
        line += word;
    }
    comment + &line + "\n"
}

/// The sample with all of its settings in force.
#[cfg(test)]
pub(super) fn uncommented() -> String {
    let line = |line: &str| match line.strip_prefix('#') {
        Some(rest) if !rest.starts_with(' ') => rest.to_owned(),
        _ => line.to_owned(),
    };
    let lines: Vec<String> = sample().lines().map(line).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon_config::Severity;
    use crate::settings::check;

    #[test]
    fn the_sample_is_right_as_it_is_and_changes_nothing() {
        assert_eq!(check(&sample()), []);
        let layer = check::layer(&sample()).unwrap();
        assert_eq!(layer.values(), crate::settings::Layer::default().values());
    }

    #[test]
    fn the_sample_is_right_with_all_of_its_settings_and_has_every_one() {
        let problems = check(&uncommented());
        // Its files are on no host that tests this.
        let errors = problems.iter().filter(|it| it.severity == Severity::Error);
        assert_eq!(errors.count(), 0, "{problems:?}");
        let layer = check::layer(&uncommented()).unwrap();
        for (key, value) in layer.values() {
            let is_there = !value.is_null() && value.as_object().is_none_or(|it| !it.is_empty());
            assert!(is_there, "the sample has no {key}");
        }
    }
}
