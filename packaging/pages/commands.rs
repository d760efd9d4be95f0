//! The page of each command, made from the types of the command line.

use anyhow::{Context, Result};
use clap::{Command, CommandFactory};
use clap_mangen::Man;
use dockstrap::reference::{Cli, JOURNAL, Source, daemon_config, settings};
use roff::bold;

use super::page::Page;

/// Files that the commands read and write, and what they are.
const FILES: &[(&str, &str)] = &[
    (settings::PATH, "The settings; see dockstrap-config(5)."),
    (
        JOURNAL,
        "What was done to the host, and how each act is undone.",
    ),
    (daemon_config::PATH, "The configuration of the engine."),
    (Source::KEYRING, "Docker's key."),
];

/// The pages of the command and those below it, but for hidden ones.
pub fn pages(date: &str) -> Result<Vec<Page>> {
    // There are pages instead of `help COMMAND`.
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let mut pages = Vec::new();
    write(&command, &[], date, &mut pages)?;
    Ok(pages)
}

/// Writes the page of a command whose name follows on these words, then those below it.
fn write(command: &Command, above: &[&str], date: &str, pages: &mut Vec<Page>) -> Result<()> {
    let words = [above, &[command.get_name()]].concat();
    let name = words.join("-");
    let about = command
        .get_about()
        .with_context(|| format!("{name} says nothing of itself"))?;
    let mut page = Page::new(&name, '1', date, &about.to_string());
    page.section("SYNOPSIS");
    let usage = command.clone().render_usage().to_string();
    page.lines(usage.trim_start_matches("Usage: "));
    page.section("DESCRIPTION");
    let about = command.get_long_about().unwrap_or(about).to_string();
    for paragraph in about.split("\n\n") {
        page.paragraph(paragraph);
    }
    page.append(&options(command)?);

    let below: Vec<&Command> = command
        .get_subcommands()
        .filter(|it| !it.is_hide_set())
        .collect();
    if !below.is_empty() {
        page.section("COMMANDS");
    }
    for command in &below {
        let name = format!("{name}-{}(1)", command.get_name());
        let about = command
            .get_about()
            .map(ToString::to_string)
            .unwrap_or_default();
        page.item([bold(name)], &[&about]);
    }
    if let Some(codes) = command.get_after_help() {
        page.section("EXIT STATUS");
        page.lines(codes.to_string().trim_start_matches("Exit codes:\n"));
    }
    if above.is_empty() {
        page.section("FILES");
        for (path, what) in FILES {
            page.item([bold(*path)], &[what]);
        }
    }
    page.see_also(&related(command, &words));
    pages.push(page);
    for command in below {
        write(command, &words, date, pages)?;
    }
    Ok(())
}

fn options(command: &Command) -> Result<String> {
    let mut rendered = Vec::new();
    Man::new(command.clone()).render_options_section(&mut rendered)?;
    Ok(String::from_utf8(rendered)?)
}

/// The pages that tell more.
fn related(command: &Command, words: &[&str]) -> Vec<(&'static str, char)> {
    let takes_settings = command.get_arguments().any(|it| it.get_id() == "config");
    let [_, below @ ..] = words else {
        return vec![];
    };
    let mut pages = Vec::new();
    if !below.is_empty() {
        pages.push(("dockstrap", '1'));
    }
    if takes_settings || matches!(below, [] | ["settings", ..]) {
        pages.push(("dockstrap-config", '5'));
    }
    if takes_settings || matches!(below, [] | ["explain"]) {
        pages.push(("dockstrap-daemon.json", '5'));
    }
    if matches!(below, [] | ["doctor"]) {
        pages.push(("dockstrap-checks", '7'));
    }
    pages
}
