//! The settings that a command line and the variables gave, as they are typed again.

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args};

use super::Install;
use crate::host::network::Proxy;

/// The flags that an install takes as well, each with its value; without passwords.
pub(super) fn flags(matches: &ArgMatches) -> Vec<Vec<String>> {
    let all = arguments(matches, ValueSource::CommandLine);
    all.iter().filter_map(|it| typed(it, matches)).collect()
}

/// The names of the variables that an install takes as well.
pub(super) fn variables(matches: &ArgMatches) -> Vec<String> {
    let all = arguments(matches, ValueSource::EnvVariable);
    let names = all.iter().filter_map(Arg::get_env);
    names
        .map(|name| name.to_string_lossy().into_owned())
        .collect()
}

/// The arguments of an install whose values came from this source.
fn arguments(matches: &ArgMatches, source: ValueSource) -> Vec<Arg> {
    let install = Install::augment_args(clap::Command::new("install"));
    let is_given = |argument: &&Arg| {
        let id = argument.get_id().as_str();
        // Asked of an argument that this command does not have, clap panics.
        matches!(matches.try_get_raw(id), Ok(Some(_))) && matches.value_source(id) == Some(source)
    };
    install.get_arguments().filter(is_given).cloned().collect()
}

fn typed(argument: &Arg, matches: &ArgMatches) -> Option<Vec<String>> {
    let name = format!("--{}", argument.get_long()?);
    if !argument.get_action().takes_values() {
        return Some(vec![name]);
    }
    let values = matches.try_get_raw(argument.get_id().as_str()).ok()??;
    let values: Vec<_> = values.map(|value| value.to_string_lossy()).collect();
    let value = match argument.get_id().as_str() {
        "proxy" => Proxy::parse(&values.concat()).ok()?.without_credentials(),
        _ => values.join(","),
    };
    Some(match (argument.is_require_equals_set(), value.as_str()) {
        (false, _) => vec![name, value],
        (true, "true") => vec![name],
        (true, _) => vec![format!("{name}={value}")],
    })
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use crate::cli::Cli;

    #[test]
    fn what_was_typed_is_typed_again_without_what_only_one_command_takes() {
        let typed = |words: &[&str]| {
            let words = ["dockstrap"].iter().chain(words);
            let cli = Cli::read_from(words.map(OsString::from)).unwrap();
            cli.given.flags.concat().join(" ")
        };
        let plan = [
            "plan",
            "--json",
            "--preset=hardened",
            "--user",
            "alice",
            "--replace",
            "--user=bob",
            "--check",
            "--repair=false",
            "--config",
            "x.toml",
        ];
        assert_eq!(
            typed(&plan),
            "--config x.toml --user alice,bob --preset hardened --replace --repair=false"
        );
        assert_eq!(
            typed(&["install", "-y", "--no-verify"]),
            "--yes --no-verify"
        );
        let proxy = "http://me:s3cret@proxy:3128";
        assert_eq!(
            typed(&["plan", "--proxy", proxy]),
            "--proxy http://proxy:3128"
        );
        assert_eq!(typed(&["status"]), "");
    }
}
