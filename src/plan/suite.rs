//! Which of the repository's suites this host uses: its release's own, or the one asked for.

use anyhow::Result;

use crate::apt::Source;
use crate::error::Failure;
use crate::facts::Facts;
use crate::invocation;
use crate::release::{self, SUPPORTED};
use crate::report::{Event, Listener};
use crate::settings::Settings;

/// The source for this host.
///
/// # Errors
/// [`Failure::Blocked`] for a release that is not known, unless a suite is asked for, and for a
/// suite that gets no updates any more.
pub(crate) fn source(facts: &Facts, settings: &Settings, listener: Listener<'_>) -> Result<Source> {
    Ok(Source {
        uri: format!("{}/linux/ubuntu", settings.mirror),
        suite: choose(facts, settings.suite.as_deref(), listener)?.to_owned(),
        architecture: facts.architecture.clone(),
    })
}

fn choose<'a>(
    facts: &'a Facts,
    asked_for: Option<&'a str>,
    listener: Listener<'_>,
) -> Result<&'a str> {
    let Facts { name, codename, .. } = facts;
    match asked_for {
        Some(suite) if release::has_ended(suite) => Err(Failure::Blocked(format!(
            "Docker no longer updates the suite `{suite}`, so an engine from it would stay as \
             vulnerable as it is; nothing was changed. Choose one of a supported release: Ubuntu {}",
            release::supported()
        ))
        .into()),
        Some(suite) if facts.release.is_none() => {
            listener(Event::Warning {
                text: format!(
                    "{name} ({codename}) is newer than this version of dockstrap knows; going on \
                     with the suite `{suite}`, as was asked for"
                ),
            });
            Ok(suite)
        }
        Some(suite) => Ok(suite),
        None if facts.release.is_none() => Err(unknown(facts)),
        None => Ok(codename),
    }
}

fn unknown(facts: &Facts) -> anyhow::Error {
    let newest = SUPPORTED.last().map_or("", |release| release.codename);
    let Facts { name, codename, .. } = facts;
    Failure::Blocked(format!(
        "{name} ({codename}) is newer than this version of dockstrap knows; it sets up Ubuntu \
         {}, and what is built on them; nothing was changed. If Docker has packages for it by \
         now, say --suite {codename}; those for another release can be used, if you choose to: {}",
        release::supported(),
        invocation::install(&["--suite", newest])
    ))
    .into()
}

/// That another suite than the release's own is used, for the plan; nothing if it is not.
pub(crate) fn remark(facts: &Facts, source: &Source) -> Option<String> {
    (source.suite != facts.codename).then(|| {
        format!(
            "suite {}, as asked for, not {} as this host's release",
            source.suite, facts.codename
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::exit_code;
    use crate::facts::Init;
    use crate::release::Release;
    use std::cell::Cell;

    fn host(codename: &str) -> Facts {
        Facts {
            name: "Ubuntu".to_owned(),
            codename: codename.to_owned(),
            release: Release::by_codename(codename),
            architecture: "amd64".to_owned(),
            init: Init::Systemd,
            packages: std::collections::BTreeMap::new(),
            unfinished: crate::facts::UnfinishedPackages::default(),
            invoking_user: None,
        }
    }

    fn chosen(codename: &str, asked_for: Option<&str>) -> Result<String> {
        choose(&host(codename), asked_for, &|_| {}).map(str::to_owned)
    }

    #[test]
    fn the_suite_is_the_releases_own_unless_another_is_asked_for() {
        assert_eq!(chosen("noble", None).unwrap(), "noble");
        assert_eq!(chosen("resolute", Some("noble")).unwrap(), "noble");
    }

    #[test]
    fn a_newer_release_is_refused_with_the_way_on() {
        let error = chosen("stonking", None).unwrap_err();
        assert_eq!(exit_code(&error), 4);
        assert!(
            error.to_string().ends_with("install --suite resolute"),
            "{error}"
        );
    }

    #[test]
    fn a_newer_release_goes_on_with_a_warning_when_a_suite_is_asked_for() {
        let warned = Cell::new(0);
        let stonking = host("stonking");
        let suite = choose(&stonking, Some("resolute"), &|_| {
            warned.set(warned.get() + 1)
        });
        assert_eq!(suite.unwrap(), "resolute");
        assert_eq!(warned.get(), 1);
    }

    #[test]
    fn a_suite_without_updates_is_refused() {
        let error = chosen("noble", Some("focal")).unwrap_err();
        assert_eq!(exit_code(&error), 4);
    }

    #[test]
    fn the_plan_says_when_the_suite_is_another_one() {
        let source = |suite: &str| Source {
            uri: String::new(),
            suite: suite.to_owned(),
            architecture: "amd64".to_owned(),
        };
        assert_eq!(remark(&host("noble"), &source("noble")), None);
        let remark = remark(&host("noble"), &source("jammy")).unwrap();
        assert!(remark.contains("jammy") && remark.contains("noble"));
    }
}
