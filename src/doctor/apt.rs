//! The sources of Docker's repository, and the keys that they trust.

use anyhow::{Context, Result};

use super::{Check, Severity};
use crate::apt::{Existing, Migration, Source};
use crate::change::Tx;
use crate::facts::Facts;
use crate::host::Host;
use crate::step::KEYRING;
use crate::trust::DOCKER_KEY_FINGERPRINT;

pub const CHECKS: &[Check] = &[
    Check {
        id: "DS601",
        severity: Severity::Error,
        title: "Docker's repository is named once",
        danger: "where it is named with two keyrings, all of apt stops; and one for another \
                 distribution or release brings packages that do not fit.",
        cure: "let it be put in order, with a way back: sudo dockstrap install",
        link: "https://github.com/docker/for-linux/issues/1349",
        look: sources,
        fix: None,
    },
    Check {
        id: "DS602",
        severity: Severity::Error,
        title: "apt can read the key of Docker's repository",
        danger: "apt reads keys as the user _apt, and ignores the repository without its key.",
        cure: "chmod 0644 /etc/apt/keyrings/docker.asc, or: sudo dockstrap doctor --fix",
        link: "https://github.com/docker/docker-install/issues/244",
        look: key_mode,
        fix: Some(mend_key_mode),
    },
];

fn sources(host: &Host, facts: &Facts) -> Result<Option<String>> {
    let source = Source {
        uri: "https://download.docker.com/linux/ubuntu".to_owned(),
        suite: facts.codename.clone(),
        architecture: facts.architecture.clone(),
    };
    let existing = Existing::find(host, &source, &DOCKER_KEY_FINGERPRINT, |_| Ok(true))?;
    let Existing { kept, migrations } = &existing;
    let sources: usize = migrations.iter().map(Migration::sources).sum();
    if usize::from(kept.is_some()) + sources < 2 {
        return Ok(None); // a single one is as its owner wants it, be it of a mirror
    }
    let files = kept.iter().map(|kept| &kept.path);
    let files = files.chain(migrations.iter().map(|migration| &migration.path));
    let files: Vec<&str> = files.map(String::as_str).collect();
    Ok(Some(format!(
        "Docker's repository is named {} times, in {}",
        usize::from(kept.is_some()) + sources,
        files.join(" and ")
    )))
}

fn key_mode(host: &Host, _: &Facts) -> Result<Option<String>> {
    use std::os::unix::fs::MetadataExt;
    let there = host.metadata(KEYRING)?;
    let mode = there.map(|there| there.mode() & 0o7777);
    Ok(mode
        .filter(|mode| mode & 0o444 != 0o444)
        .map(|mode| format!("{KEYRING} has the mode {mode:04o}, so apt cannot read it")))
}

fn mend_key_mode(tx: &mut Tx<'_>) -> Result<()> {
    let key = tx.host().read(KEYRING)?;
    tx.write_file(KEYRING, &key.context("the key went away")?, 0o644)
}
