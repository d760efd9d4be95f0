//! The terminal: the only place that prints, and nothing that it prints shows a password, or does
//! anything but show.
//!
//! What a command is asked for goes to standard output; what happens meanwhile, to standard error.
//! With `--output json` all that is for people goes to standard error.

mod doctor;
mod install;
mod journal;
mod junit;
mod live;
mod plan;
mod prompt;
mod settings;
mod status;
mod stream;
mod text;
mod uninstall;

use std::cell::RefCell;
use std::fmt::Display;
use std::io::Write;
use std::sync::OnceLock;

use anyhow::Context;
use clap::ValueEnum;
use console::{Style, Term};
use serde::Serialize;
use serde_json::json;

use self::journal::Priority;
use self::text::Text;
use crate::error;
use crate::redact::redact;
use crate::report::Event;

pub(crate) use doctor::print_diagnosis;
pub(crate) use install::print_installed;
pub(crate) use junit::JunitFile;
pub(crate) use live::Live;
pub(crate) use plan::print_plan;
pub(crate) use prompt::confirm;
pub(crate) use settings::{print_problems, print_settings};
pub(crate) use status::print_status;
pub(crate) use text::visible;
pub(crate) use uninstall::{print_reversal, print_uninstalled};

/// What goes to standard output.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// text for people
    #[default]
    Text,
    /// a line of JSON for each event, and the report as the last one
    Json,
}

/// How this process prints; there is one terminal, and so one of these.
#[derive(Default)]
struct Manner {
    output: OutputFormat,
    to_journal: bool,
}

static MANNER: OnceLock<Manner> = OnceLock::new();

thread_local! {
    /// The terminal on which somebody is asked about what is printed meanwhile, where standard output
    /// is not one.
    static SCREEN: RefCell<Option<Term>> = const { RefCell::new(None) };
}

/// Says how to print, once. Honours `NO_COLOR` (<https://no-color.org>); `console` looks after the
/// rest.
pub(crate) fn set_up(output: OutputFormat) {
    let to_journal = journal::is_behind(std::io::stderr());
    if to_journal || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) {
        console::set_colors_enabled(false);
        console::set_colors_enabled_stderr(false);
    }
    // Only the first call counts.
    let _ = MANNER.set(Manner { output, to_journal });
}

/// Prints a line of what a command is asked for. A reader that went away is no reason to stop.
pub(crate) fn line(text: impl Display) {
    print(Text::plain(text));
}

fn print(text: Text) {
    if let Some(screen) = SCREEN.with_borrow(Option::clone) {
        let _ = screen.write_line(&redact(&text.to_string()));
        return;
    }
    if wants_report() {
        say(Priority::Info, text)
    } else {
        let _ = writeln!(std::io::stdout().lock(), "{}", redact(&text.to_string()));
    }
}

/// Tells of something that is good to know.
pub(crate) fn note(text: impl Display) {
    let text = text.to_string();
    say(Priority::Info, Text::plain(&text));
    emit(&Event::Note { text });
}

/// Tells systemd what `systemctl status` is to show of the unit that runs us, if one does.
pub(crate) fn unit_status(text: impl Display) {
    let text = text::plain(text).replace('\n', " ");
    let status = sd_notify::NotifyState::Status(&text);
    let _ = sd_notify::notify(&[status]);
}

/// Tells of something that the user should know, although it stops nothing.
pub(crate) fn warn(text: impl Display) {
    let text = text.to_string();
    say_warning(&text);
    emit(&Event::Warning { text });
}

/// Prints data as JSON on standard output, where `--json` asks for it.
///
/// # Errors
/// As [`answer`].
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    answer(&text::visible_json(&serde_json::to_string_pretty(value)?))
}

/// Prints what is read by programs or kept in a file: half of it must not pass for the whole.
///
/// # Errors
/// When it cannot be written, as on a full disk; but not when the reader went away.
pub(crate) fn answer(text: &str) -> anyhow::Result<()> {
    let text = &visible(text);
    if wants_report() {
        say(Priority::Info, Text::plain(text));
        return Ok(());
    }
    let mut stdout = std::io::stdout().lock();
    let written = writeln!(stdout, "{}", redact(text)).and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(error).context("writing to standard output")
        }
        _ => Ok(()),
    }
}

/// Makes this the report of the command, which its last line has under `--output json`.
pub(crate) fn report(value: &impl Serialize) -> anyhow::Result<()> {
    if wants_report() {
        stream::keep(serde_json::to_value(value)?);
    }
    Ok(())
}

/// As [`report`], for one that takes work: it is made only if it is wanted.
pub(crate) fn report_of<T: Serialize>(make: impl FnOnce() -> T) -> anyhow::Result<()> {
    if wants_report() {
        report(&make())
    } else {
        Ok(())
    }
}

/// Prints how a command ended, where there is more to say than it said itself, and returns the exit
/// code.
pub(crate) fn end(command: &str, ended: &anyhow::Result<u8>) -> u8 {
    let (code, failure) = match ended {
        Ok(code) => (*code, None),
        Err(failure) => (error::exit_code(failure), Some(failure)),
    };
    if let Some(failure) = failure {
        print_failure(failure);
    }
    if wants_report() {
        stream::end(Some(command), code, failure);
    }
    code
}

/// Prints what clap has to say of the command line: help, the version, or what is wrong with it.
/// Returns the exit code.
pub(crate) fn usage(said: &clap::Error) -> u8 {
    let code = u8::try_from(said.exit_code()).unwrap_or(2);
    let rendered = said.render();
    let (plain, coloured) = (rendered.to_string(), rendered.ansi().to_string());
    // Its styles cannot be told from what the words of the command line hold.
    let has_controls = visible(&plain) != plain;
    let text = match said.use_stderr() || wants_report() {
        _ if has_controls => Text::plain(plain.trim_end()),
        true if console::colors_enabled_stderr() => Text::rendered(coloured.trim_end()),
        false if console::colors_enabled() => Text::rendered(coloured.trim_end()),
        _ => Text::plain(plain.trim_end()),
    };
    if said.use_stderr() {
        say(Priority::Error, text)
    } else {
        print(text)
    }
    if wants_report() {
        if code == 0 {
            stream::keep(json!({ "text": plain.trim_end() }));
        }
        let failure = (code != 0).then(|| error::Failure::Usage(cause(&plain)).into());
        stream::end(None, code, failure.as_ref());
    }
    code
}

/// What is wrong with a command line, without the usage that clap puts under it.
fn cause(said: &str) -> String {
    let Some(said) = said.strip_prefix("error: ") else {
        return "no command is given".to_owned();
    };
    let end = ["\n\nUsage:", "\n\nFor more information"]
        .iter()
        .filter_map(|follows| said.find(follows))
        .min();
    said[..end.unwrap_or(said.len())].trim_end().to_owned()
}

/// Prints a failure: what was tried, then each cause.
fn print_failure(error: &anyhow::Error) {
    let mut causes = error.chain().map(ToString::to_string);
    let first = causes.next().unwrap_or_default();
    let mark = Style::new().red().bold().for_stderr();
    let text = Text::styled(mark, "error:").and(" ").and(first);
    say(Priority::Error, text.shortened());
    for cause in causes {
        let mark = Style::new().dim().for_stderr();
        let text = Text::plain("  ").and_styled(mark, "because:");
        say(Priority::Error, text.and(" ").and(cause).shortened());
    }
}

fn say_warning(text: &str) {
    let mark = Style::new().yellow().bold().for_stderr();
    let text = Text::styled(mark, "warning:").and(" ").and(text);
    say(Priority::Warning, text.shortened());
}

/// Whether lines of JSON are asked for, and so a report.
fn wants_report() -> bool {
    MANNER
        .get()
        .is_some_and(|it| it.output == OutputFormat::Json)
}

/// Writes the line of an event, where lines are asked for.
fn emit(event: &Event) {
    if wants_report() {
        stream::event(event);
    }
}

/// Prints a line for people on standard error.
fn say(priority: Priority, text: Text) {
    let text = text.to_string();
    let mut text = redact(&text).into_owned();
    if MANNER.get().is_some_and(|it| it.to_journal) {
        text = journal::prefixed(priority, &text);
    }
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
