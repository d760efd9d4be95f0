//! Settings, for people.

use console::Style;
use serde_json::Value;

use super::text::Text;
use super::{line, print};
use crate::daemon_config::{Position, Severity};
use crate::settings::{Effective, Problem, SettingSource};

/// Prints what is wrong with a file, each with its place as compilers have it.
pub(crate) fn print_problems(file: &str, problems: &[Problem]) {
    for problem in problems {
        let mark = match problem.severity {
            Severity::Error => (Style::new().red().bold(), "error:"),
            Severity::Warning => (Style::new().yellow().bold(), "warning:"),
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
        let place = Text::plain(format!("{file}:{number}:{column}: "));
        print(
            place
                .and_styled(mark.0, mark.1)
                .and(format!(" {key}{text}")),
        );
    }
    if !problems.iter().any(|it| it.severity == Severity::Error) {
        line(format!("{file}: its settings can be used."));
    }
}

/// Prints every setting with its value and where that came from.
pub(crate) fn print_settings(in_force: &Effective) {
    for setting in &in_force.settings {
        let value = match &setting.value {
            Value::Null => "-".to_owned(),
            Value::String(text) => text.clone(),
            value => value.to_string(),
        };
        let source = match setting.source {
            SettingSource::Default => "default",
            SettingSource::File => "file",
            SettingSource::Variable => "variable",
            SettingSource::Flag => "flag",
        };
        let name = setting.name.as_deref().unwrap_or_default();
        let source = format!("{source} {name}");
        let key = Text::styled(Style::new().bold(), format!("{:15}", setting.key));
        let value = key.and(format!(" {value}  "));
        print(value.and_styled(Style::new().dim(), source.trim_end()));
    }
}
