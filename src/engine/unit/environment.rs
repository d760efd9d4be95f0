//! What a unit gives to its program as environment, and what stands for that in its command line.

use std::collections::BTreeMap;

use anyhow::Result;

use super::directives::{Directive, in_force};
use super::words;
use crate::host::command::Query;
use crate::host::query::Reader;
use crate::host::{Host, is_forbidden};

/// The environment of a unit.
#[derive(Debug, Default)]
pub(crate) struct Environment {
    variables: BTreeMap<String, String>,
    /// Whether there is a file of it that only root may read.
    is_partly_hidden: bool,
}

impl Environment {
    /// That of a unit which systemd has loaded.
    pub(crate) fn of(host: &Host, unit: &str) -> Result<Environment> {
        let show = Query::of(Reader::SystemctlShow).args([
            "--property=Environment,EnvironmentFiles",
            "--",
            unit,
        ]);
        let shown = host.query(&show)?.stdout;
        let mut environment = Environment::default();
        for line in shown.lines() {
            if let Some(inline) = line.strip_prefix("Environment=") {
                environment.read_words(inline);
            } else if let Some(file) = line.strip_prefix("EnvironmentFiles=") {
                let path = file.split(" (").next().unwrap_or(file);
                environment.read_file(host, path)?;
            }
        }
        Ok(environment)
    }

    /// That of a unit which systemd has not loaded, as its files say.
    pub(crate) fn of_settings(host: &Host, settings: &[Directive]) -> Result<Environment> {
        let mut environment = Environment::default();
        for setting in in_force(settings, "Environment") {
            environment.read_words(&words::resolved(&setting.value));
        }
        // The files override what is said in the unit, wherever that is.
        for setting in in_force(settings, "EnvironmentFile") {
            let path = words::resolved(&setting.value);
            environment.read_file(host, path.strip_prefix('-').unwrap_or(&path))?;
        }
        Ok(environment)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// Each variable with its value.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        let variables = self.variables.iter();
        variables.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The flags with `$NAME`, which stands for any number of words, and `${NAME}`, which stands for
    /// a part of one, replaced; see `systemd.service(5)`. What stands in a file that cannot be read
    /// is left as it is.
    pub(crate) fn in_place(&self, flags: Vec<String>) -> Vec<String> {
        let replaced = flags.into_iter().flat_map(|flag| {
            let name = flag.strip_prefix('$');
            match name.filter(|name| !name.starts_with(['{', '$'])) {
                Some(name) => match self.value(name) {
                    Some(value) => words::split(value),
                    None => vec![flag],
                },
                None => vec![self.with_braced(&flag)],
            }
        });
        replaced.collect()
    }

    fn with_braced(&self, flag: &str) -> String {
        let mut all = String::new();
        let mut rest = flag;
        while let Some((before, behind)) = rest.split_once('$') {
            all.push_str(before);
            rest = behind;
            if let Some(behind) = rest.strip_prefix('$') {
                all.push('$');
                rest = behind;
            } else if let Some((name, behind)) = braced(rest)
                && let Some(value) = self.value(name)
            {
                all.push_str(value);
                rest = behind;
            } else {
                all.push('$');
            }
        }
        all + rest
    }

    /// What a variable stands for: nothing where there is none, unless it may be in a hidden file.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.get(name).or((!self.is_partly_hidden).then_some(""))
    }

    /// Reads `NAME=VALUE` with spaces between them; one with spaces in it stands in quotes.
    fn read_words(&mut self, line: &str) {
        for word in words::split(line) {
            self.read_assignment(&word, |value| value);
        }
    }

    fn read_file(&mut self, host: &Host, path: &str) -> Result<()> {
        let text = match host.read_text(path) {
            Err(error) if is_forbidden(&error) => {
                self.is_partly_hidden = true;
                return Ok(());
            }
            text => text?.unwrap_or_default(),
        };
        for line in text.lines().filter(|it| !it.trim_start().starts_with('#')) {
            self.read_assignment(line, |value| value.trim_matches(['"', '\'']));
        }
        Ok(())
    }

    fn read_assignment(&mut self, text: &str, value: impl Fn(&str) -> &str) {
        if let Some((name, text)) = text.split_once('=') {
            let value = value(text).to_owned();
            self.variables.insert(name.trim().to_owned(), value);
        }
    }
}

/// The name in `{NAME}`, and what stands behind it.
fn braced(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix('{')?.split_once('}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    fn of(stub: &StubHost, text: &str) -> Environment {
        let settings = super::super::directives::parse("/f", text);
        Environment::of_settings(stub.host(), &settings).unwrap()
    }

    #[test]
    fn a_variable_stands_for_words_and_in_braces_for_a_part_of_one() {
        let environment = of(
            &StubHost::new(),
            "Environment='OPTS=--debug \"--label=a b\"' HOST=fd:// \"SOCK=%t/docker.sock\"\n",
        );
        let flags = [
            "$OPTS",
            "-H",
            "${HOST}",
            "--host=unix://${SOCK}",
            "$NONE",
            "a$$b",
            "c$HOST",
        ];
        assert_eq!(
            environment.in_place(flags.map(str::to_owned).to_vec()),
            [
                "--debug",
                "--label=a b",
                "-H",
                "fd://",
                "--host=unix:///run/docker.sock",
                "a$b",
                "c$HOST"
            ]
        );
    }

    #[test]
    fn what_only_root_may_read_is_left_as_it_is() {
        let known = of(&StubHost::new(), "Environment=KNOWN=--debug\n");
        let hidden = Environment {
            is_partly_hidden: true,
            ..known
        };
        let flags = ["-H", "${HOST}", "$KNOWN", "$OTHER"].map(str::to_owned);
        assert_eq!(
            hidden.in_place(flags.to_vec()),
            ["-H", "${HOST}", "--debug", "$OTHER"]
        );
    }
}
