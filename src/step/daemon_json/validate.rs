//! The engine's own word on a configuration, where there is an engine to ask.

use std::io::Write;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::daemon_config::{Document, EngineRelease, PATH, Secrets, is_said_by_flag};
use crate::host::command::Query;
use crate::host::{Host, temporary};

const DOCKERD: &str = "dockerd";

/// Since this engine it can be asked.
const ASKABLE: EngineRelease = EngineRelease(23, 0);

/// Why the engine, given these flags, would not start with this configuration. `None` when it
/// would, and when it cannot be asked: there is no engine yet, or asking changes the host.
pub fn refusal(
    host: &Host,
    engine: Option<EngineRelease>,
    flags: &[String],
    document: &Document,
) -> Result<Option<String>> {
    let can_be_asked = engine.is_some_and(|engine| engine >= ASKABLE);
    if !can_be_asked || !host.has_program(DOCKERD) || is_remapped(flags, document) {
        return Ok(None);
    }
    let mut file = temporary::make_file(".json").context("making a file to show to dockerd")?;
    file.write_all(&asked_of(document).bytes())
        .context("writing a file to show to dockerd")?;
    let name = file.path().to_string_lossy().into_owned();
    let ask = Query::validation(DOCKERD)
        .arg(format!("--config-file={name}"))
        .args(without_file(flags));
    let answer = host.query(&ask)?;
    let secrets = Secrets::of(document, flags);
    Ok((answer.code != 0).then(|| secrets.star_out(&answer.tail().replace(&name, PATH))))
}

/// The configuration without the keys of which dockerd would say that the question has them as
/// flags, though its unit does not.
fn asked_of(document: &Document) -> Document {
    let mut asked = document.clone();
    for key in ["config-file", "validate"] {
        asked.remove(key);
    }
    asked
}

/// The flags but for the one that names the file, which would be read in place of the one to judge.
fn without_file(flags: &[String]) -> Vec<&String> {
    let is_apart = |index: usize| index > 0 && flags[index - 1] == "--config-file";
    let flags = flags.iter().enumerate();
    let flags =
        flags.filter(|(index, flag)| !is_apart(*index) && !flag.starts_with("--config-file"));
    flags.map(|(_, flag)| flag).collect()
}

/// Asked about user namespaces, dockerd makes the user and the group they are for.
fn is_remapped(flags: &[String], document: &Document) -> bool {
    let named = document.get("userns-remap").and_then(Value::as_str);
    named.is_some_and(|named| !named.is_empty()) || is_said_by_flag("userns-remap", flags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_that_the_unit_names_is_not_the_one_to_judge() {
        let rest = |flags: &[&str]| {
            let flags: Vec<String> = flags.iter().map(ToString::to_string).collect();
            let rest = without_file(&flags).into_iter().cloned();
            rest.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(rest(&["--config-file=/x.json", "-H", "fd://"]), "-H fd://");
        assert_eq!(
            rest(&["-H", "fd://", "--config-file", "/x.json"]),
            "-H fd://"
        );
        assert_eq!(rest(&["--config-file", "/x.json", "--debug"]), "--debug");
    }

    #[test]
    fn the_question_does_not_stand_in_its_own_way() {
        let text = br#"{"config-file": "/x", "debug": true, "validate": false}"#;
        let asked = asked_of(&Document::parse(text).unwrap());
        assert_eq!(asked.bytes(), br#"{"debug": true}"#);
    }

    #[test]
    fn user_namespaces_are_known_from_the_file_and_from_a_flag() {
        let document = |text: &str| Document::parse(text.as_bytes()).unwrap();
        assert!(is_remapped(
            &[],
            &document(r#"{"userns-remap": "default"}"#)
        ));
        assert!(!is_remapped(&[], &document(r#"{"userns-remap": ""}"#)));
        assert!(is_remapped(
            &["--userns-remap=default".to_owned()],
            &document("{}")
        ));
    }
}
