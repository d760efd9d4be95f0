//! Reading the command line and the variables, and who gave which setting.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, ValueEnum};

use super::given::given as typed_again;
use super::suggestion::correct;
use super::{Cli, CliCommand, OUTPUT};
use crate::settings::{Layer, Origin, Origins};
use crate::ui::OutputFormat;

impl Cli {
    /// Reads the command line and the variables.
    pub fn read() -> Result<Cli, clap::Error> {
        Cli::read_from(std::env::args_os())
    }

    /// Reads these words, of which the first is the program, and the variables.
    pub fn read_from(words: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
        let mut command = Cli::command();
        let words: Vec<OsString> = words.into_iter().collect();
        let matches = command
            .try_get_matches_from_mut(&words)
            .map_err(|mut error| {
                correct(&mut error, &command, &words);
                error
            })?;
        let mut cli = Cli::from_arg_matches(&matches)?;
        cli.words = words.into_iter().skip(1).collect();
        let (names, last) = innermost(&matches);
        cli.name = names.join(" ");
        let is_given = |id: &str| last.value_source(id) == Some(ValueSource::CommandLine);
        if let Ok(Some(true)) = last.try_get_one::<bool>("json") {
            // Who asks for the report alone gets it alone, whatever the environment says.
            if is_given("output") && cli.output == OutputFormat::Json {
                let cause = "--json prints the report alone, --output json the events as well; \
                             give one of them";
                return Err(command.error(ErrorKind::ArgumentConflict, cause));
            }
            cli.output = OutputFormat::Text;
        }
        if let CliCommand::Probe(_) = cli.command {
            // Its output is read by the stages of verify.
            cli.output = OutputFormat::Text;
        }
        if let Some(settings) = cli.command.settings() {
            settings.given = given(last);
            cli.given = typed_again(last, |name| std::env::var(name).ok());
        }
        Ok(cli)
    }
}

/// The output that is asked for by a command line that is not understood.
pub(crate) fn output_asked_for(words: impl IntoIterator<Item = OsString>) -> OutputFormat {
    let words: Vec<OsString> = words.into_iter().take_while(|it| it != "--").collect();
    let pairs = words.iter().zip(words.iter().skip(1));
    let apart = pairs
        .filter(|(flag, _)| *flag == "--output")
        .filter_map(|(_, form)| form.to_str());
    let joined = words
        .iter()
        .filter_map(|word| word.to_str())
        .filter_map(|word| word.strip_prefix("--output="));
    let by_flag = apart.chain(joined).last().map(str::to_owned);
    let form = by_flag.or_else(|| std::env::var(OUTPUT).ok());
    let form = form.and_then(|form| OutputFormat::from_str(&form, false).ok());
    form.unwrap_or_default()
}

/// The names of the subcommands, and what stands behind the last of them.
fn innermost(matches: &ArgMatches) -> (Vec<&str>, &ArgMatches) {
    let (mut names, mut last) = (Vec::new(), matches);
    while let Some((name, inner)) = last.subcommand() {
        names.push(name);
        last = inner;
    }
    (names, last)
}

/// The settings that the command line or a variable gives.
fn given(matches: &ArgMatches) -> Origins {
    let all = Layer::augment_args(clap::Command::new("settings"));
    let origin = |id: &str| match matches.value_source(id)? {
        ValueSource::CommandLine => Some(Origin::Flag),
        ValueSource::EnvVariable => Some(Origin::Variable),
        _ => None,
    };
    let ids = all
        .get_arguments()
        .map(|argument| argument.get_id().as_str());
    ids.filter_map(|id| Some((id.replace('_', "-"), origin(id)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Cli, clap::Error> {
        let words = ["dockstrap"].iter().chain(words);
        Cli::read_from(words.map(OsString::from))
    }

    #[test]
    fn a_command_is_known_by_all_of_its_names() {
        let cli = read(&["bundle", "inspect", "FILE", "--output", "json"]).unwrap();
        assert_eq!(
            (cli.name.as_str(), cli.output),
            ("bundle inspect", OutputFormat::Json)
        );
        assert_eq!(read(&["status"]).unwrap().output, OutputFormat::Text);
    }

    #[test]
    fn the_report_alone_and_lines_with_it_are_not_had_at_once() {
        let error = read(&["plan", "--json", "--output", "json"]).unwrap_err();
        assert!(error.to_string().contains("give one of them"), "{error}");
        assert_eq!(
            read(&["plan", "--json", "--output", "text"])
                .unwrap()
                .output,
            OutputFormat::Text
        );
    }

    #[test]
    fn the_output_is_known_even_where_the_command_line_is_not() {
        let asked_for = |words: &[&str]| output_asked_for(words.iter().map(OsString::from));
        assert_eq!(
            asked_for(&["instal", "--output", "json"]),
            OutputFormat::Json
        );
        assert_eq!(asked_for(&["--output=json", "instal"]), OutputFormat::Json);
        assert_eq!(
            asked_for(&["--output=json", "--output=text"]),
            OutputFormat::Text
        );
        assert_eq!(asked_for(&["--", "--output=json"]), OutputFormat::Text);
        assert_eq!(asked_for(&["--output"]), OutputFormat::Text);
    }
}
