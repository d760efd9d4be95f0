//! What the command line and the variables gave, as it is typed again.

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args};

use super::InstallArgs;
use crate::host::network::{self, Proxy};
use crate::invocation::Invocation;
use crate::redact;

/// The argument that names a proxy.
const PROXY: &str = "proxy";

/// What an install takes of it: a setting of either source is a flag, since sudo drops variables
/// and the next shell may not have them. Only what holds a secret stays a variable.
pub(super) fn given(matches: &ArgMatches, variable: impl Fn(&str) -> Option<String>) -> Invocation {
    let mut given = Invocation::default();
    let arguments = arguments(matches);
    for argument in &arguments {
        match typed(argument, matches) {
            Some(words)
                if !words
                    .iter()
                    .any(|word| is_secret(argument.get_id().as_str(), word)) =>
            {
                given.flags.push(words);
            }
            Some(_) => {
                let name = argument.get_env().map(|name| name.to_string_lossy().into());
                given.kept.extend(name);
            }
            None => {}
        }
    }
    let is_chosen = arguments.iter().any(|argument| argument.get_id() == PROXY);
    for (name, value) in network::variables_in_force(is_chosen, variable) {
        if is_secret(PROXY, &value) {
            given.kept.push(name.to_owned())
        } else {
            given.set.push(format!("{name}={value}"))
        }
    }
    given
}

/// The arguments of an install that were given a value.
fn arguments(matches: &ArgMatches) -> Vec<Arg> {
    let install = InstallArgs::augment_args(clap::Command::new("install"));
    let is_given = |argument: &&Arg| {
        let id = argument.get_id().as_str();
        // Asked of an argument that this command does not have, clap panics.
        let is_known = matches!(matches.try_get_raw(id), Ok(Some(_)));
        let is_default = |source| source == ValueSource::DefaultValue;
        is_known && !matches.value_source(id).is_none_or(is_default)
    };
    install.get_arguments().filter(is_given).cloned().collect()
}

fn typed(argument: &Arg, matches: &ArgMatches) -> Option<Vec<String>> {
    let name = format!("--{}", argument.get_long()?);
    if !argument.get_action().takes_values() {
        return Some(vec![name]);
    }
    let values: Vec<_> = matches
        .try_get_raw(argument.get_id().as_str())
        .ok()??
        .map(|value| value.to_string_lossy())
        .collect();
    let value = values.join(",");
    Some(match (argument.is_require_equals_set(), value.as_str()) {
        // Given without a value, as `--restore` may be.
        (false, _) if values.is_empty() => vec![name],
        (false, _) => vec![name, value],
        (true, "true") => vec![name],
        (true, _) => vec![format!("{name}={value}")],
    })
}

/// Whether the value of this argument holds what other users must not see on a command line.
fn is_secret(id: &str, value: &str) -> bool {
    // A proxy may come without a scheme, and then looks like a mail address.
    let is_login = || Proxy::parse(value).is_ok_and(|proxy| proxy.has_credentials());
    redact::has_credentials(value) || (id == PROXY && is_login())
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use clap::CommandFactory;

    use super::given;
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
        assert_eq!(typed(&["install", "--restore", "--yes"]), "--restore --yes");
        assert_eq!(
            typed(&["install", "--restore=live-restore", "--user="]),
            "--user  --restore live-restore"
        );
        assert_eq!(typed(&["status"]), "");
    }

    #[test]
    fn a_proxy_with_a_login_is_kept_by_the_name_of_its_variable() {
        let matches = |words: &[&str]| {
            let words = ["dockstrap"].iter().chain(words);
            let matches = Cli::command().get_matches_from(words);
            let (_, install) = matches.subcommand().unwrap();
            install.clone()
        };
        let again = |words: &[&str], variables: &[(&str, &str)]| {
            let read = |name: &str| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            given(&matches(words), read).install(&[])
        };
        let proxy = "http://me:s3cret@proxy:3128";
        assert_eq!(
            again(&["plan", "--proxy", proxy], &[]),
            "sudo --preserve-env=DOCKSTRAP_PROXY dockstrap install"
        );
        assert_eq!(
            again(&["plan", "--proxy", "proxy:3128"], &[("no_proxy", "a, b")]),
            "sudo 'no_proxy=a, b' dockstrap install --proxy proxy:3128"
        );
        let variables = [
            ("https_proxy", "me:s3cret@proxy:3128"),
            ("http_proxy", "http://proxy:3128"),
            ("all_proxy", " "),
            ("SSL_CERT_FILE", "/srv/ca.pem"),
        ];
        assert_eq!(
            again(&["install"], &variables),
            "sudo --preserve-env=https_proxy http_proxy=http://proxy:3128 \
             SSL_CERT_FILE=/srv/ca.pem dockstrap install"
        );
    }
}
