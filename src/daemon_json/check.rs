//! What dockerd would refuse in a configuration, or trip over later, each with its cause and cure.
//!
//! Owns names; values are judged in `types`, `values`, `inside` and `logging`, conflicts in `flags`
//! (with the unit), `conflicts`, `bridge`, `networks` and `paths` (with the host). It must not change the
//! document, and a rule that only asks for good taste has no place here.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::document::{Document, Position};
use super::meant::key_meant_by;
use super::schema::{Engine, Standing, key};
use super::secrets::Secrets;
use super::surroundings::Surroundings;
use super::{bridge, conflicts, flags, inside, logging, networks, paths, types};

/// What the file is checked against.
#[derive(Debug, Clone, Copy, Default)]
pub struct Context<'a> {
    /// The arguments the unit passes to dockerd, without the program itself.
    pub unit_flags: &'a [String],
    /// The engine that will read the file; `None` is the newest.
    pub engine: Option<Engine>,
    /// The host that it is for; `None` leaves out what depends on it.
    pub surroundings: Option<&'a Surroundings>,
}

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The daemon starts, though perhaps not as meant.
    Warning,
    /// The daemon will not start, or fails at the first use.
    Error,
}

/// One finding, at one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    pub severity: Severity,
    /// The key, with the path below it: `log-opts.max-size`, `registry-mirrors.0`; empty for
    /// the file as a whole.
    pub key: String,
    pub position: Position,
    /// Cause and cure.
    pub message: String,
}

/// Everything found, in the order of the file.
pub fn check(document: &Document, context: &Context<'_>) -> Vec<Problem> {
    let mut findings = Findings {
        document,
        engine: context.engine.unwrap_or(Engine::NEWEST),
        secrets: Secrets::of(document, context.unit_flags),
        problems: Vec::new(),
    };
    if document.is_blank() {
        findings.warn(
            &[],
            "the file is empty; dockerd takes it for {}: write that",
        );
    }
    for (name, value) in document.root() {
        check_key(&mut findings, name, value);
    }
    flags::check(&mut findings, document, context.unit_flags);
    let all = flags::with_flags(document, context.unit_flags);
    logging::check(&mut findings, &all);
    inside::check(&mut findings, document);
    conflicts::check(&mut findings, &all, context);
    bridge::check(&mut findings, &all);
    if let Some(surroundings) = context.surroundings {
        networks::check(&mut findings, document, &surroundings.routes);
        paths::check(&mut findings, &all, surroundings, context.engine);
    }
    findings.sorted()
}

/// Collects problems and knows where in the text they are. What they quote is without secrets.
pub(super) struct Findings<'a> {
    document: &'a Document,
    /// The engine that will read the file.
    pub(super) engine: Engine,
    /// Those of the file and of the unit's flags.
    secrets: Secrets,
    problems: Vec<Problem>,
}

impl Findings<'_> {
    pub(super) fn error(&mut self, path: &[&str], message: impl Into<String>) {
        self.add(Severity::Error, path, message);
    }

    pub(super) fn warn(&mut self, path: &[&str], message: impl Into<String>) {
        self.add(Severity::Warning, path, message);
    }

    pub(super) fn add(&mut self, severity: Severity, path: &[&str], message: impl Into<String>) {
        self.problems.push(Problem {
            severity,
            key: path.join("."),
            position: self.document.position(path),
            message: self.secrets.star_out(&message.into()),
        });
    }

    fn sorted(mut self) -> Vec<Problem> {
        self.problems.sort_by_key(|problem| problem.position);
        self.problems
    }
}

fn check_key(findings: &mut Findings<'_>, name: &str, value: &Value) {
    let Some(known) = key(name) else {
        let meant = match key_meant_by(name) {
            Some(meant) => format!("write {meant}"),
            None => "remove it".to_owned(),
        };
        findings.error(&[name], format!("dockerd knows no such key; {meant}"));
        return;
    };
    let engine = findings.engine;
    match known.standing {
        Standing::Known if engine < known.since => {
            let since = known.since;
            findings.error(
                &[name],
                format!("needs engine {since}; remove it for {engine}"),
            );
        }
        Standing::Known => types::check(findings, &[name], known.kind, value),
        Standing::Ignored => findings.warn(&[name], "has no effect; remove it"),
        Standing::Rejected { cure } => {
            findings.error(&[name], format!("dockerd refuses this key; {cure}"));
        }
        Standing::Gone { since, cure } if engine < since => {
            findings.warn(
                &[name],
                format!("engine {since} no longer knows it; {cure}"),
            );
        }
        Standing::Gone { cure, .. } => {
            findings.error(&[name], format!("dockerd no longer knows this key; {cure}"));
        }
    }
}

impl Problem {
    /// One line for a text that nobody wrote: `mtu: must be a whole number; write 1400`.
    pub fn without_position(&self) -> String {
        match self.key.as_str() {
            "" => self.message.clone(),
            key => format!("{key}: {}", self.message),
        }
    }
}

/// One line: `error: line 3, column 5: mtu: must be a whole number; write 1400`.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Problem {
            severity, position, ..
        } = self;
        write!(f, "{severity}: {position}: {}", self.without_position())
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Warning => "warning",
            Severity::Error => "error",
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::daemon_json::samples::any_object;
    use crate::daemon_json::schema::keys;
    use proptest::prelude::proptest;
    use proptest::sample::select;
    use serde_json::json;

    /// The problems of a text, one a line, with no unit in sight.
    pub fn problems(text: &str) -> String {
        problems_under(text, &[])
    }

    /// The same under a unit that passes these flags.
    pub fn problems_under(text: &str, flags: &[&str]) -> String {
        let unit_flags: Vec<String> = flags.iter().map(|flag| flag.to_string()).collect();
        let context = Context {
            unit_flags: &unit_flags,
            ..Context::default()
        };
        problems_of(text, &context)
    }

    /// The same on a host like this.
    pub fn problems_in(text: &str, surroundings: &Surroundings) -> String {
        let context = Context {
            surroundings: Some(surroundings),
            ..Context::default()
        };
        problems_of(text, &context)
    }

    /// The same against this.
    pub fn problems_of(text: &str, context: &Context<'_>) -> String {
        let document = Document::parse(text.as_bytes()).unwrap();
        let problems = check(&document, context);
        let lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
        lines.join("\n")
    }

    #[test]
    fn a_sound_file_has_no_problems() {
        let text = r#"{"debug": true, "mtu": 1400, "dns": ["1.1.1.1"], "features": {"a": true},
            "ip": "0.0.0.0", "default-shm-size": "64m", "hosts": ["fd://"], "builder": {}}"#;
        assert_eq!(problems(text), "");
    }

    #[test]
    fn an_empty_file_is_said_to_be_empty() {
        assert_eq!(
            problems("\n"),
            "warning: line 1, column 1: the file is empty; dockerd takes it for {}: write that"
        );
    }

    #[test]
    fn an_unknown_key_comes_with_the_one_probably_meant() {
        let text = "{\n  \"label\": [],\n  \"Debug\": true,\n  \"colour\": 1\n}";
        assert_eq!(
            problems(text),
            "error: line 2, column 3: label: dockerd knows no such key; write labels\n\
             error: line 3, column 3: Debug: dockerd knows no such key; write debug\n\
             error: line 4, column 3: colour: dockerd knows no such key; remove it"
        );
    }

    #[test]
    fn keys_that_are_gone_rejected_or_ignored_say_so() {
        assert!(
            problems(r#"{"graph": "/x"}"#).contains("no longer knows this key; write data-root")
        );
        assert!(problems(r#"{"default-init": true}"#).contains("refuses this key; write init"));
        assert!(problems(r#"{"deprecated-key-path": ""}"#).starts_with("warning"));
    }

    #[test]
    fn the_engine_decides_which_keys_are_known() {
        let document = Document::parse(br#"{"bip6": "fd00::1/64", "api-cors-header": "*"}"#);
        let context = Context {
            engine: Engine::of("27.5.1"),
            ..Context::default()
        };
        let found = check(&document.unwrap(), &context);
        assert_eq!(found[0].message, "needs engine 28.0; remove it for 27.5");
        assert_eq!(found[1].severity, Severity::Warning);
    }

    #[test]
    fn no_problem_quotes_a_secret() {
        for text in [
            r#"{"log-driver": "splunk", "log-opts": {"splunk-token": 73313}}"#,
            r#"{"log-driver": "splunk", "log-opts": {"splunk-token": ["73313"]}}"#,
            r#"{"log-driver": "local", "log-opts": {"splunk-token": "73313"}}"#,
            r#"{"proxies": {"http-proxy": "ftp://me:73313@x y"}, "proxy": "me:73313@x"}"#,
            r#"{"log-driver": "syslog", "log-opts": {"syslog-address": "x://me:73313@y"}}"#,
            r#"{"labels": "password=73313"}"#,
            r#"{"hosts": ["tcp://me:73313@x/y"]}"#,
        ] {
            let found = problems(text);
            assert!(
                !found.is_empty() && !found.contains("73313"),
                "{text}: {found}"
            );
        }
        let flag = "--log-opt=splunk-token=73313";
        let found = problems_under(r#"{"log-opts": {"splunk-token": "9"}}"#, &[flag]);
        assert!(
            found.contains("the unit passes --log-opt=splunk-token=***"),
            "{found}"
        );
        let apart = ["--log-opt", "splunk-token=73313"];
        assert!(
            !problems_under(r#"{"log-opts": {"splunk-token": "9"}}"#, &apart).contains("73313")
        );
    }

    proptest! {
        #[test]
        fn no_value_of_any_key_makes_a_check_panic(
            key in select(keys().collect::<Vec<_>>()),
            values in any_object(),
            text in "[0-9kmg.:/a-f-]{0,8}",
        ) {
            let text = Value::from(text);
            let pool = json!({"base": text, "size": text});
            let own = [&text, &json!([text]), &json!([pool]), &json!({"max-size": text})];
            for value in values.values().chain(own) {
                let mut document = Document::new();
                document.set(key.name, value);
                check(&document, &Context::default());
            }
        }
    }
}
