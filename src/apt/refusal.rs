//! The refusals that answer apt's complaints: the file or package that is wrong, apt's own fault,
//! and the command that helps.

use std::path::Path;

use anyhow::Result;

use super::apt_error::{AptError, Hook};
use super::host_lists::lists_are_fresh;
use super::pins;
use super::setting::{self, Location, put_aside};
use super::source_file::{FOLDER, SOURCES_LIST, named};
use super::unmet::{self, Unmet};
use crate::error::{Failure, quote};
use crate::facts;
use crate::host::Host;
use crate::host::command::{Output, Query};
use crate::host::query::Reader;
use crate::shell;

/// What became of the host before apt complained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Planning,
    /// Whoever takes back what was done says what became of it.
    Changing,
}

/// The output of a command of apt's that asks; when it failed, the refusal that answers its
/// complaint, or else its own words.
pub(super) fn answered(host: &Host, output: Output, stage: Phase) -> Result<Output> {
    match of(host, &output, None, stage)? {
        Some(refusal) => Err(refusal.into()),
        None => output.success(),
    }
}

/// The refusal that answers what apt complains of; nothing where that is not known. `view` is the
/// folder of a private view.
pub(super) fn of(
    host: &Host,
    output: &Output,
    view: Option<&Path>,
    stage: Phase,
) -> Result<Option<Failure>> {
    let Some(complaint) = AptError::of(output, view) else {
        return Ok(None);
    };
    let (cause, cure) = match complaint {
        AptError::Configuration { file, line, fault } => (
            format!("{file}, line {line}: apt cannot read its configuration ({fault})"),
            format!("Fix that line, or put the file aside: {}", put_aside(&file)),
        ),
        AptError::Preferences { file, fault } => preferences(host, file, &fault)?,
        AptError::DefaultRelease(release) => default_release(host, &release)?,
        AptError::Source { file, fault } => source(host, file, &fault)?,
        AptError::Records(file) => records(host, &file)?,
        AptError::UnmetDependencies => {
            let unmet = unmet::unmet(host);
            return if unmet.is_empty() {
                Ok(None)
            } else {
                unmet_dependencies(host, &unmet, stage).map(Some)
            };
        }
        AptError::NoArchive(package) => no_archive(host, &package)?,
        AptError::Hook(hook) => {
            let (cause, cure) = self::hook(host, &hook)?;
            // What the command itself said is the reason.
            let text = format!("{cause}{} {cure}", became_of_host(stage));
            return Ok(Some(Failure::Blocked(quote(&text, &output.tail()))));
        }
    };
    let state = became_of_host(stage);
    Ok(Some(Failure::Blocked(format!("{cause}{state} {cure}"))))
}

fn unmet_dependencies(host: &Host, unmet: &[Unmet], stage: Phase) -> Result<Failure> {
    let needs: Vec<String> = unmet.iter().map(Unmet::to_string).collect();
    Ok(Failure::Blocked(format!(
        "packages on this host lack what they depend on ({}), and apt does nothing until that is \
         fixed{} {}",
        needs.join(", "),
        became_of_host(stage),
        unmet::cure(host, unmet)?
    )))
}

/// A package that is there in part only. Another list may have its archive.
fn no_archive(host: &Host, package: &str) -> Result<(String, String)> {
    let cause = |none: &str| {
        format!(
            "dpkg has only a part of {package} on this host, and {none} has its package, without \
             which apt refuses to work"
        )
    };
    Ok(if lists_are_fresh(host)? {
        (
            cause("no source of apt's"),
            format!(
                "Add a source that has it, or remove what is there of it: sudo dpkg --remove \
                 --force-remove-reinstreq {package}"
            ),
        )
    } else {
        (
            cause("none of apt's lists, which are old or not there,"),
            format!(
                "Fetch them, and install it again: sudo apt-get update && sudo apt-get install \
                 --reinstall {package}"
            ),
        )
    })
}

/// Refuses to go on beside packages that lack what they depend on.
///
/// # Errors
/// [`Failure::Blocked`], unless there are none.
pub(crate) fn refuse_unmet(host: &Host, unmet: &[Unmet]) -> Result<()> {
    if unmet.is_empty() {
        Ok(())
    } else {
        Err(unmet_dependencies(host, unmet, Phase::Planning)?.into())
    }
}

/// Refuses a configuration of apt's that cannot be read, or that has apt look for its sources
/// elsewhere: what is written here would not be found.
///
/// # Errors
/// [`Failure::Blocked`], with the file.
pub(crate) fn check_configuration(host: &Host) -> Result<()> {
    let ask = ["shell", "FOLDER", "Dir::Etc::SourceParts/d"];
    let Ok(told) = host.query(&Query::of(Reader::AptConfig).args(ask)) else {
        return Ok(()); // without apt, there is more to say of elsewhere
    };
    if let Some(refusal) = of(host, &told, None, Phase::Planning)? {
        return Err(refusal.into());
    }
    let folder = told
        .stdout
        .trim()
        .strip_prefix("FOLDER=")
        .map(|it| it.trim_matches(['\'', '/']))
        .unwrap_or_default();
    if folder.is_empty() || folder == FOLDER.trim_matches('/') {
        return Ok(());
    }
    let mut place = None;
    for (name, value) in setting::values(host, "Dir")? {
        let part = value.trim_matches('/');
        if name.starts_with("Dir") && !part.is_empty() && folder.contains(part) {
            place = setting::find(host, &format!("\"{value}\""))?.or(place);
        }
    }
    let cause = format!("apt is configured to look for its sources in /{folder}, not in {FOLDER}");
    Err(Failure::Blocked(match place {
        Some(place) => format!(
            "{place}: {cause}; nothing was changed. Put the file aside: {}",
            put_aside(&place.file)
        ),
        None => format!(
            "{cause}; nothing was changed. See where that is set with: apt-config dump Dir::Etc"
        ),
    })
    .into())
}

fn became_of_host(stage: Phase) -> &'static str {
    match stage {
        Phase::Planning => "; nothing was changed.",
        Phase::Changing => ".",
    }
}

fn preferences(host: &Host, file: Option<String>, fault: &str) -> Result<(String, String)> {
    let file = match file {
        Some(file) => Some(file),
        None => pins::unreadable(host, fault)?,
    };
    Ok(match file {
        Some(file) => (
            format!("{file}: apt cannot read its preferences ({fault})"),
            format!("Fix the file, or put it aside: {}", put_aside(&file)),
        ),
        None => (
            format!("apt cannot read its preferences ({fault})"),
            "See apt_preferences(5), and the files in /etc/apt/preferences.d".to_owned(),
        ),
    })
}

fn default_release(host: &Host, release: &str) -> Result<(String, String)> {
    let place = setting::find(host, &format!("\"{release}\""))?;
    let fault = format!("no source of apt's has the release {release}");
    Ok(match place {
        Some(place) => (
            format!("{place}: APT::Default-Release is \"{release}\", and {fault}"),
            format!(
                "Name one that there is, or put the file aside: {}",
                put_aside(&place.file)
            ),
        ),
        None => (
            format!("APT::Default-Release is \"{release}\", and {fault}"),
            "See where it is set with: apt-config dump APT::Default-Release".to_owned(),
        ),
    })
}

fn source(host: &Host, file: Option<String>, fault: &str) -> Result<(String, String)> {
    if let Some(file) = file {
        let cause = format!("{file}: apt cannot read it, nor any other source beside it ({fault})");
        return Ok((cause, source_cure(&file, line_in(fault))));
    }
    // `Conflicting values … regarding source URI SUITE: …`
    let mut words = fault.split(' ');
    let uri = words.find(|word| word.contains("://")).unwrap_or_default();
    let named = named(host, uri)?;
    let places: Vec<String> = named.iter().map(Location::to_string).collect();
    let cause = format!(
        "{}: two sources contradict each other ({fault})",
        places.join("; ")
    );
    Ok((
        cause,
        match named.last() {
            Some(last) => source_cure(&last.file, Some(last.line)),
            None => "Give both the same value, or remove one of them".to_owned(),
        },
    ))
}

/// The line that apt's words name.
fn line_in(fault: &str) -> Option<usize> {
    let mut numbers = fault.split(' ').zip(fault.split(' ').skip(1));
    numbers.find_map(|(before, number)| match before {
        "entry" | "line" => number.parse().ok(),
        _ => None,
    })
}

/// A line is made a comment. A stanza cannot be, nor is a file that others look after.
pub(super) fn source_cure(file: &str, line: Option<usize>) -> String {
    match line {
        Some(line) if file.ends_with(".list") => {
            let script = format!("{line}s/^/# /");
            let words = shell::joined(["sed", "-i", &script, file]);
            format!("Fix line {line}, or make it a comment: sudo {words}")
        }
        _ if file == SOURCES_LIST => "Fix the file: see sources.list(5)".to_owned(),
        _ => format!("Fix the file, or put it aside: {}", put_aside(file)),
    }
}

fn records(host: &Host, file: &str) -> Result<(String, String)> {
    if file.starts_with(super::lock::LISTS) {
        let remove = shell::joined(["rm", file]);
        return Ok((
            format!("{file}: apt cannot read this index"),
            format!("Remove it, so that it is fetched again: sudo {remove}"),
        ));
    }
    let cause = format!("{file}: apt cannot read what dpkg knows of this host's packages");
    Ok((cause, facts::status_cure(host)?))
}

/// A hook that failed: where it is set, and how to go on without it.
fn hook(host: &Host, hook: &Hook) -> Result<(String, String)> {
    let Hook { option, command } = hook;
    let place = setting::find(host, command)?;
    Ok(match place {
        Some(Location { file, line }) => (
            format!(
                "{file}, line {line}: the command that apt is configured to run there failed ({option}: {command})"
            ),
            format!(
                "Fix what the command complains of, or put the file aside: {}",
                put_aside(&file)
            ),
        ),
        None => (
            format!("a command that apt is configured to run failed ({option}: {command})"),
            format!("See where it is set with: apt-config dump {option}"),
        ),
    })
}

/// What to say of a hook that failed after apt had done its work.
pub(super) fn late_hook(host: &Host, output: &Output) -> Result<Option<String>> {
    let Some(AptError::Hook(found)) = AptError::of(output, None) else {
        return Ok(None);
    };
    let is_late = found.option.eq_ignore_ascii_case("DPkg::Post-Invoke");
    let follows = "Sub-process returned an error code";
    let others = super::apt_error::errors(&output.stderr)
        .filter(|error| *error != follows && !error.starts_with("Problem executing scripts "));
    if !is_late || others.count() > 0 {
        return Ok(None);
    }
    let (cause, cure) = hook(host, &found)?;
    Ok(Some(format!(
        "{cause}, after apt had done its work. {cure}"
    )))
}

#[cfg(test)]
mod tests;
