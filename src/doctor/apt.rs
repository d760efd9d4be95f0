//! The sources of Docker's repository, and the keys that they trust.

use anyhow::Result;

use super::{Check, Level};
use crate::apt::{self, Closed, Existing, Migration, Misfit, Source, source_files};
use crate::change::{Journal, Tx};
use crate::error::Failure;
use crate::facts::{self, Facts};
use crate::host::{Host, is_forbidden};
use crate::trust::DOCKER_KEY_FINGERPRINT;

pub(crate) const CHECKS: &[Check] = &[
    Check {
        id: "DS601",
        severity: Level::Error,
        title: "Docker's repository is named once",
        danger: "where it is named with two keyrings, all of apt stops; and one for another \
                 distribution or release brings packages that do not fit.",
        cure: "put it in order: sudo dockstrap install",
        link: "https://github.com/docker/for-linux/issues/1349",
        look: sources,
        fix: None,
    },
    Check {
        id: "DS602",
        severity: Level::Error,
        title: "apt can read the key of Docker's repository",
        danger: "apt reads keys as the user _apt, and ignores the repository without its key.",
        cure: "chmod 0755 /etc/apt/keyrings; chmod 0644 /etc/apt/keyrings/docker.asc, or: sudo dockstrap doctor --fix",
        link: "https://github.com/docker/docker-install/issues/244",
        look: key_mode,
        fix: Some(mend_key_mode),
    },
    Check {
        id: "DS603",
        severity: Level::Error,
        title: "apt can reach the key that a source for Docker's repository names",
        danger: "apt reads keys as the user _apt, and ignores the repository without its key.",
        cure: "put the repository's key into /etc/apt/keyrings: sudo dockstrap install; or open the folder or file that is named yourself: sudo chmod o+x FOLDER, \
               sudo chmod o+r FILE",
        link: "https://github.com/docker/docker-install/issues/244",
        look: key_out_of_reach,
        fix: None,
    },
];

/// Docker's repository as the doctor knows it; nobody has said a mirror of it.
fn source(facts: &Facts) -> Source {
    Source {
        uri: "https://download.docker.com/linux/ubuntu".to_owned(),
        suite: facts.codename.clone(),
        architecture: facts.architecture.clone(),
    }
}

fn sources(host: &Host, facts: &Facts) -> Result<Option<String>> {
    let found = Existing::find(host, &source(facts), &DOCKER_KEY_FINGERPRINT, |_| Ok(true));
    let Existing { kept, migrations } = match found {
        Ok(existing) => existing,
        Err(error) => match error.downcast_ref::<Failure>() {
            // One that is named together with others.
            Some(Failure::Blocked(reason)) => return Ok(Some(reason.clone())),
            _ => return Err(error),
        },
    };
    let sources: usize = migrations.iter().map(Migration::sources).sum();
    if usize::from(kept.is_some()) + sources < 2 {
        return misfit(host, facts);
    }
    let files: Vec<&str> = kept
        .iter()
        .map(|kept| &kept.path)
        .chain(migrations.iter().map(|migration| &migration.path))
        .map(String::as_str)
        .collect();
    Ok(Some(format!(
        "Docker's repository is named {} times, in {}",
        usize::from(kept.is_some()) + sources,
        files.join(" and ")
    )))
}

/// A single source is as its owner wants it, be it of a mirror, unless it is for another system.
fn misfit(host: &Host, facts: &Facts) -> Result<Option<String>> {
    let source = source(facts);
    for file in source_files(host)? {
        for (part, entry) in file.dockers(&source) {
            let told =
                |reason: String| Some(format!("{}, line {}: {reason}", file.path, part.line));
            match entry.misfit(&source).filter(|_| facts.release.is_some()) {
                Some(Misfit::System(reason)) => return Ok(told(reason)),
                Some(Misfit::Suite(reason)) if !suite_is_chosen(host)? => return Ok(told(reason)),
                _ => {}
            }
        }
    }
    Ok(None)
}

/// Whether the last install was told which suite to take.
///
/// # Errors
/// Where only root can read that.
fn suite_is_chosen(host: &Host) -> Result<bool> {
    match Journal::read(host) {
        Err(error) if is_forbidden(&error) => Err(error),
        // Another run says what is wrong with the journal.
        Err(_) => Ok(false),
        Ok(journal) => {
            let last = journal.installed();
            Ok(last.is_some_and(|run| run.given.contains_key("suite")))
        }
    }
}

/// What is closed to the user `_apt` on the way to the keyrings of sources.
fn closed(host: &Host, facts: &Facts) -> Result<Vec<Closed>> {
    let files = source_files(host)?;
    let source = source(facts);
    let mut closed = Vec::new();
    for keyring in files.iter().flat_map(|file| file.keyrings(&source)) {
        closed.extend(apt::closed(host, keyring)?);
    }
    Ok(closed)
}

/// The closed files and folders that are dockstrap's to open.
fn key_mode(host: &Host, facts: &Facts) -> Result<Option<String>> {
    let closed = closed(host, facts)?;
    Ok(closed.iter().find(|it| it.open.is_some()).map(shut_out))
}

/// Those that are up to their owner.
fn key_out_of_reach(host: &Host, facts: &Facts) -> Result<Option<String>> {
    let closed = closed(host, facts)?;
    Ok(closed.iter().find(|it| it.open.is_none()).map(shut_out))
}

fn shut_out(Closed { path, mode, .. }: &Closed) -> String {
    let path = path.display();
    format!("{path} has the mode {mode:04o}, so apt cannot read the key")
}

fn mend_key_mode(tx: &mut Tx<'_>) -> Result<()> {
    let facts = facts::gather_anyway(tx.host())?;
    let open = |closed: Closed| Some((closed.path, closed.open?));
    // Two sources may name one key.
    while let Some((path, open)) = closed(tx.host(), &facts)?.into_iter().find_map(open) {
        tx.set_mode(&path, open)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::{Purpose, Run, trial};
    use crate::host::stub::StubHost;
    use crate::settings::{Origin, Origins};
    use crate::undo::JOURNAL;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_source_that_shares_a_stanza_is_a_finding() {
        let uris = "https://download.docker.com/linux/ubuntu https://example.com/ubuntu";
        let stanza = format!("Types: deb\nURIs: {uris}\nSuites: noble\nComponents: stable\n");
        let stub = StubHost::noble().file("/etc/apt/sources.list.d/all.sources", stanza);
        let facts = facts::gather(stub.host()).unwrap();
        let found = sources(stub.host(), &facts).unwrap().unwrap();
        assert!(found.contains("all.sources names Docker's"), "{found}");
    }

    #[test]
    fn a_source_for_another_system_is_a_finding_and_one_of_a_mirror_is_none() {
        let found = |line: &str| {
            let stub = StubHost::noble().file("/etc/apt/sources.list.d/docker.list", line);
            let facts = facts::gather(stub.host()).unwrap();
            sources(stub.host(), &facts).unwrap().unwrap_or_default()
        };
        for (line, expected) in [
            (
                "# x\ndeb https://download.docker.com/linux/ubuntu UNKNOWN stable\n",
                "/etc/apt/sources.list.d/docker.list, line 2: it is for UNKNOWN",
            ),
            (
                "deb https://download.docker.com/linux/linuxmint noble stable\n",
                "it is for linuxmint",
            ),
            (
                "deb https://apt.dockerproject.org/repo ubuntu-xenial main\n",
                "no longer there",
            ),
            (
                "deb https://mirrors.example/docker-ce/linux/ubuntu noble stable\n",
                "",
            ),
        ] {
            let found = found(line);
            assert!(
                found.contains(expected) && found.is_empty() == expected.is_empty(),
                "{found}"
            );
        }
    }

    #[test]
    fn another_suite_is_a_finding_unless_the_last_install_was_told_to_take_it() {
        let found = |keys: &[&str], line: &str| {
            let given = keys.iter().map(|key| ((*key).to_owned(), Origin::Flag));
            let run = Run::now(Purpose::Install, Origins::from_iter(given));
            let mut run = serde_json::to_value(run).unwrap();
            run["line"] = "run".into();
            let head = r#"{"line":"journal","schema":1,"dockstrap":"1.0.0","created":"2026-11-01T00:00:00Z"}"#;
            let stub = StubHost::noble()
                .file("/etc/apt/sources.list.d/docker.list", line)
                .file(JOURNAL, format!("{head}\n{run}\n{{\"line\":\"ended\"}}\n"));
            let facts = facts::gather(stub.host()).unwrap();
            sources(stub.host(), &facts).unwrap().unwrap_or_default()
        };
        let jammy = "deb https://download.docker.com/linux/ubuntu jammy stable\n";
        assert!(found(&["mirror"], jammy).contains("it is for jammy, not for noble"));
        assert_eq!(found(&["suite"], jammy), "");
        let debian = "deb https://download.docker.com/linux/debian jammy stable\n";
        assert!(found(&["suite"], debian).contains("it is for debian"));
    }

    #[test]
    fn a_key_that_is_not_dockstraps_to_open_is_another_finding_and_stays_closed() {
        let line =
            "deb [signed-by=/root/d.asc] https://download.docker.com/linux/ubuntu noble stable\n";
        let stub = StubHost::noble()
            .file("/etc/apt/sources.list.d/docker.list", line)
            .file("/root/d.asc", "key");
        let host = stub.host();
        stub.set_mode("/", 0o755);
        stub.set_mode("/root", 0o700);
        let facts = facts::gather(host).unwrap();
        assert_eq!(key_mode(host, &facts).unwrap(), None);
        let found = key_out_of_reach(host, &facts).unwrap().unwrap();
        assert!(found.starts_with("/root has the mode 0700"), "{found}");
        trial::run(host, mend_key_mode).unwrap();
        assert_eq!(stub.mode("/root"), 0o700);
    }

    #[test]
    fn the_keyring_that_the_source_names_is_looked_at_behind_links_and_in_its_folder() {
        let line = "deb [signed-by=/etc/apt/keyrings/d.gpg] https://download.docker.com/linux/ubuntu noble stable\n";
        let stub = StubHost::noble()
            .file("/etc/apt/sources.list.d/docker.list", line)
            .folder("/etc/apt/keyrings")
            .file("/srv/key", "key");
        let host = stub.host();
        let facts = facts::gather(host).unwrap();
        let set = |path: &str, mode: u32| {
            let mode = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(host.path(path), mode).unwrap();
        };
        let link = host.path("/etc/apt/keyrings/d.gpg");
        std::os::unix::fs::symlink(host.path("/srv/key"), link).unwrap();
        set("/", 0o755);
        assert_eq!(key_mode(host, &facts).unwrap(), None);
        set("/srv/key", 0o600);
        let found = key_out_of_reach(host, &facts).unwrap().unwrap();
        assert!(
            found.contains("/etc/apt/keyrings/d.gpg has the mode 0600"),
            "{found}"
        );
        set("/etc/apt/keyrings", 0o700);
        let found = key_mode(host, &facts).unwrap().unwrap();
        assert!(
            found.contains("/etc/apt/keyrings has the mode 0700"),
            "{found}"
        );
    }
}
