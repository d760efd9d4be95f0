//! Settings, for people.

use console::style;
use serde_json::Value;

use super::line;
use crate::daemon_json::{Position, Severity};
use crate::settings::{InForce, Problem, Source};

/// Prints what is wrong with a file, each with its place as compilers have it.
pub fn print_problems(file: &str, problems: &[Problem]) {
    for problem in problems {
        let mark = match problem.severity {
            Severity::Error => style("error:").red().bold(),
            Severity::Warning => style("warning:").yellow().bold(),
        };
        let Position {
            line: number,
            column,
        } = problem.position;
        let key = match problem.key.as_str() {
            "" => String::new(),
            key => format!("{key}: "),
        };
        let text = problem.text.trim_end();
        line(format!("{file}:{number}:{column}: {mark} {key}{text}"));
    }
    if !problems.iter().any(|it| it.severity == Severity::Error) {
        line(format!("{file}: its settings can be used."));
    }
}

/// Prints every setting with its value and where that came from.
pub fn print_settings(in_force: &InForce) {
    for setting in &in_force.settings {
        let value = match &setting.value {
            Value::Null => "-".to_owned(),
            Value::String(text) => text.clone(),
            value => value.to_string(),
        };
        let source = match setting.source {
            Source::Default => "default",
            Source::File => "file",
            Source::Variable => "variable",
            Source::Flag => "flag",
        };
        let name = setting.name.as_deref().unwrap_or_default();
        let source = format!("{source} {name}");
        line(format!(
            "{} {value}  {}",
            style(format!("{:15}", setting.key)).bold(),
            style(source.trim_end()).dim()
        ));
    }
}
