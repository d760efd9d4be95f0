//! What is wrong with a settings file, all of it, each with its place.
//!
//! A file is read by this alone, so that what is refused here is what `install` refuses.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

use super::engine_version::EngineVersion;
use super::layer::RegistryLayer;
use super::table::keys;
use super::value;
use super::{Layer, Settings};
use crate::daemon_config::{self, Position, Severity};
use crate::host::network::CaCert;
use crate::redact::redact;

/// Something that is wrong, at one place of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    pub severity: Severity,
    #[serde(flatten)]
    pub position: Position,
    /// The setting, with the path below it; empty for the file as a whole.
    pub key: String,
    /// Cause and cure.
    pub text: String,
}

/// Everything that is wrong with the text of a settings file, in its order. Files that it names and
/// that are not there only earn a warning: they must be where the settings are used.
pub fn check(text: &str) -> Vec<Problem> {
    let mut file = ParsedFile::read(text);
    for (key, layer) in file.layers.clone() {
        match key.as_str() {
            "daemon" => file.check_daemon(layer),
            "registries" => file.check_registries(layer),
            "ca-cert" | "bundle" => file.check_file(&key, layer),
            "proxy-for" if !file.layers.contains_key("proxy") => {
                let text = "names no proxy beside it: install needs one from proxy, --proxy or the \
                            environment";
                file.add(Severity::Warning, &key, text.to_owned());
                file.check_value(&key, layer);
            }
            _ => file.check_value(&key, layer),
        }
    }
    file.sorted()
}

/// The layer that the text of a settings file describes, as far as that can be told without looking
/// at what its values say.
///
/// # Errors
/// What is wrong with it.
pub(super) fn layer(text: &str) -> Result<Layer, Vec<Problem>> {
    let ParsedFile {
        problems, layers, ..
    } = ParsedFile::read(text);
    if problems.is_empty() {
        Ok(layers.into_values().fold(Layer::default(), Layer::over))
    } else {
        Err(problems)
    }
}

/// A settings file, taken apart.
struct ParsedFile<'a> {
    text: &'a str,
    root: DeTable<'a>,
    /// Each setting by itself.
    layers: BTreeMap<String, Layer>,
    problems: Vec<Problem>,
}

impl<'a> ParsedFile<'a> {
    fn read(text: &'a str) -> ParsedFile<'a> {
        let (root, errors) = DeTable::parse_recoverable(text);
        let mut file = ParsedFile {
            text,
            root: root.into_inner(),
            layers: BTreeMap::new(),
            problems: Vec::new(),
        };
        // What follows the first one may only follow from it.
        if let Some(error) = errors.first() {
            file.add_at(
                Severity::Error,
                error.span(),
                "",
                error.message().to_owned(),
            );
            return file;
        }
        for (key, value) in file.root.clone() {
            let name = key.get_ref().to_string();
            if !keys().contains(&name.as_str()) {
                let text = match daemon_config::nearest(&name, keys().iter().copied()) {
                    Some(meant) => format!("is not a setting; write `{meant}`"),
                    None if daemon_config::key(&name).is_some() => {
                        "is not a setting, but a key of daemon.json; write it under [daemon]"
                            .to_owned()
                    }
                    None => format!("is not a setting; there are {}", keys().join(", ")),
                };
                file.add_at(Severity::Error, Some(key.span()), &name, text);
                continue;
            }
            let mut alone = DeTable::new();
            let span = value.span();
            alone.insert(key, value);
            let alone = Spanned::new(span.clone(), alone);
            match Layer::deserialize(Deserializer::from(alone)) {
                Ok(layer) => {
                    file.layers.insert(name, layer);
                }
                Err(error) => {
                    let span = error.span().unwrap_or(span);
                    file.add_at(
                        Severity::Error,
                        Some(span),
                        &name,
                        error.message().to_owned(),
                    );
                }
            }
        }
        file
    }

    /// What `install` says of this one setting.
    fn check_value(&mut self, key: &str, layer: Layer) {
        if let Err(error) = Settings::of(layer) {
            self.add(Severity::Error, key, format!("{error:#}"));
        }
    }

    fn check_file(&mut self, key: &str, layer: Layer) {
        let path = layer.ca_cert.as_ref().or(layer.bundle.as_ref());
        if path.is_none_or(|path| path.exists()) {
            self.check_value(key, layer)
        } else {
            self.add(
                Severity::Warning,
                key,
                not_there(path.map(PathBuf::as_path)),
            )
        }
    }

    fn check_daemon(&mut self, layer: Layer) {
        let version = self
            .layers
            .get("engine-version")
            .and_then(|layer| layer.engine_version.as_deref())
            .and_then(|text| EngineVersion::parse(text).ok());
        for problem in value::daemon_findings(layer.daemon.exposed(), version.as_ref()) {
            let key = format!("daemon.{}", problem.key);
            self.add(problem.severity, &key, problem.message);
        }
    }

    fn check_registries(&mut self, layer: Layer) {
        for (host, RegistryLayer { ca }) in layer.registries {
            let key = format!("registries.{host}");
            if let Err(error) = value::registry_host(&host) {
                self.add(Severity::Error, &key, error.to_string());
            }
            let key = format!("{key}.ca");
            if !ca.exists() {
                self.add(Severity::Warning, &key, not_there(Some(&ca)));
            } else if let Err(error) = CaCert::read(&ca) {
                self.add(Severity::Error, &key, error.to_string());
            }
        }
    }

    fn add(&mut self, severity: Severity, key: &str, text: String) {
        let value = DeValue::Table(self.root.clone());
        let span = span_of(&Spanned::new(0..0, value), key);
        self.add_at(severity, span, key, text);
    }

    fn add_at(&mut self, severity: Severity, span: Option<Range<usize>>, key: &str, text: String) {
        let before = &self.text[..span.map_or(0, |span| span.start.min(self.text.len()))];
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        self.problems.push(Problem {
            severity,
            position: Position {
                line: before.matches('\n').count() + 1,
                column: before[line_start..].chars().count() + 1,
            },
            key: key.to_owned(),
            text: redact(&text).into_owned(),
        });
    }

    fn sorted(mut self) -> Vec<Problem> {
        self.problems.sort_by_key(|problem| problem.position);
        self.problems
    }
}

/// Where the value under this path stands, or the nearest above it. A key may have dots itself.
fn span_of(value: &Spanned<DeValue<'_>>, path: &str) -> Option<Range<usize>> {
    let below = |name: &str| {
        if path == name {
            Some("")
        } else {
            path.strip_prefix(name)?.strip_prefix('.')
        }
    };
    let found = match value.get_ref() {
        DeValue::Table(table) => table.iter().find_map(|(key, value)| {
            let rest = below(key.get_ref())?;
            // A table may begin far from its name.
            Some(if rest.is_empty() && value.get_ref().is_table() {
                key.span()
            } else {
                span_of(value, rest).unwrap_or(key.span())
            })
        }),
        DeValue::Array(list) => (0..).zip(list.iter()).find_map(|(index, value)| {
            let rest = below(&format!("{index}"))?;
            span_of(value, rest)
        }),
        _ => None,
    };
    found.or_else(|| (!value.span().is_empty()).then(|| value.span()))
}

fn not_there(path: Option<&Path>) -> String {
    let path = path.unwrap_or(Path::new("the file")).display();
    format!("{path} is not there; it must be, on the host that is set up")
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column } = self.position;
        write!(formatter, "line {line}, column {column}: ")?;
        if !self.key.is_empty() {
            write!(formatter, "{}: ", self.key)?;
        }
        formatter.write_str(self.text.trim_end())
    }
}

#[cfg(test)]
mod tests;
