//! What was probably meant by a command or flag that there is not. Hidden ones are never suggested.

use std::ffi::OsString;

use clap::Command;
use clap::error::{ContextKind, ContextValue, Error, ErrorKind};

/// Words that people type for a command of another name, or for a flag.
const OTHER_WORDS: &[(&str, &str)] = &[
    ("check", "verify"),
    ("config", "settings"),
    ("delete", "uninstall"),
    ("diagnose", "doctor"),
    ("diff", "plan"),
    ("dry-run", "plan"),
    ("info", "status"),
    ("purge", "uninstall"),
    ("remove", "uninstall"),
    ("rollback", "uninstall"),
    ("setup", "install"),
    ("test", "verify"),
    ("undo", "uninstall"),
    ("update", "install"),
    ("upgrade", "install"),
    ("version", "--version"),
];

/// Corrects what clap suggests for these words: it knows hidden names, and no words but its own.
pub(super) fn correct(error: &mut Error, command: &Command, words: &[OsString]) {
    match error.kind() {
        ErrorKind::InvalidSubcommand => correct_command(error, command, words),
        ErrorKind::UnknownArgument => correct_flag(error, command),
        _ => {}
    }
}

fn correct_command(error: &mut Error, command: &Command, words: &[OsString]) {
    let Some(ContextValue::String(typed)) = error.get(ContextKind::InvalidSubcommand) else {
        return;
    };
    let before = words.iter().take_while(|word| *word != typed.as_str());
    let mut above = before.filter_map(|word| command.find_subcommand(word));
    if above.any(Command::has_subcommands) {
        return; // one of `bundle` or `settings`, of which none is hidden
    }
    let other = OTHER_WORDS.iter().find(|(word, _)| *word == typed.as_str());
    let suggested = match (other, error.get(ContextKind::SuggestedSubcommand)) {
        (Some((_, name)), _) => vec![(*name).to_owned()],
        (None, Some(ContextValue::Strings(names))) => names.clone(),
        (None, Some(ContextValue::String(name))) => vec![name.clone()],
        _ => return,
    };
    error.remove(ContextKind::SuggestedSubcommand);
    let (flags, names): (Vec<String>, Vec<String>) = suggested
        .into_iter()
        .partition(|name| name.starts_with('-'));
    let is_hidden = |name: &String| {
        let found = command.find_subcommand(name);
        found.is_some_and(Command::is_hide_set)
    };
    // clap has the nearest last. One alone: who means `install` is not to read of `uninstall`.
    let names: Vec<String> = names
        .into_iter()
        .rfind(|name| !is_hidden(name))
        .into_iter()
        .collect();
    for (kind, suggested) in [
        (ContextKind::SuggestedSubcommand, names),
        (ContextKind::SuggestedArg, flags),
    ] {
        if !suggested.is_empty() {
            error.insert(kind, ContextValue::Strings(suggested));
        }
    }
}

/// A flag that goes by another name by now is suggested by that one.
fn correct_flag(error: &mut Error, command: &Command) {
    let Some(ContextValue::String(suggested)) = error.get(ContextKind::SuggestedArg) else {
        return;
    };
    let name = suggested.trim_start_matches('-').to_owned();
    let mut flags = command.get_subcommands().flat_map(Command::get_arguments);
    let renamed = flags.find(|flag| {
        let names = flag.get_all_aliases().unwrap_or_default();
        let visible = flag.get_visible_aliases().unwrap_or_default();
        names.contains(&name.as_str()) && !visible.contains(&name.as_str())
    });
    let Some(long) = renamed.and_then(clap::Arg::get_long) else {
        return;
    };
    let long = format!("--{long}");
    error.insert(ContextKind::SuggestedArg, ContextValue::String(long));
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    fn said(words: &[&str]) -> String {
        let words = ["dockstrap"].iter().chain(words).map(OsString::from);
        Cli::read_from(words).unwrap_err().to_string()
    }

    #[test]
    fn no_slip_of_the_finger_suggests_a_hidden_command() {
        let command = Cli::command();
        let hidden: Vec<&str> = command
            .get_subcommands()
            .filter(|it| it.is_hide_set())
            .map(Command::get_name)
            .collect();
        assert_eq!(hidden, ["first-boot", "probe"]);
        for name in &hidden {
            for cut in 1..name.len() {
                for typed in [&name[cut..], &name[..cut], &format!("{name}{cut}")] {
                    let said = said(&[typed]);
                    let shown = hidden.iter().any(|it| said.contains(&format!("'{it}'")));
                    // What was typed is repeated.
                    assert!(hidden.contains(&typed) || !shown, "{said}");
                }
            }
        }
    }

    #[test]
    fn the_nearest_command_is_suggested_and_so_is_what_other_words_mean() {
        for (typed, suggested) in [
            (&["instal"][..], "'install'"),
            (&["verfy"], "'verify'"),
            (&["prove"], ""),
            (&["bundle", "creat"], "'create'"),
            (&["bundle", "remove"], ""),
            (&["remove"], "'uninstall'"),
            (&["upgrade", "--yes"], "'install'"),
            (&["version"], "'--version'"),
            (&["--output", "json", "remove"], "'uninstall'"),
        ] {
            let said = said(typed);
            if suggested.is_empty() {
                assert!(!said.contains("tip:"), "{said}");
            } else {
                assert!(said.contains(&format!("exists: {suggested}")), "{said}");
            }
        }
    }

    #[test]
    fn other_words_mean_what_there_is() {
        let command = Cli::command();
        for (word, name) in OTHER_WORDS {
            assert!(command.find_subcommand(word).is_none(), "{word}");
            let found = command.find_subcommand(name);
            assert!(
                name.starts_with("--") || found.is_some_and(|it| !it.is_hide_set()),
                "{name}"
            );
        }
    }

    #[test]
    fn a_flag_is_suggested_by_the_name_that_it_has_now() {
        let said = said(&["verify", "--caa", "FILE"]);
        assert!(said.contains("'--ca-cert'"), "{said}");
    }
}
