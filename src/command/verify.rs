//! `dockstrap verify`: proves that the engine works.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use super::DONE;
use crate::change::withdraw_verification;
use crate::cli;
use crate::error::Failure;
use crate::history::remember;
use crate::host::exposure::refuse_exposed;
use crate::host::{Host, temporary};
use crate::invocation;
use crate::reading;
use crate::report::Listener;
use crate::settings::LOCK_WAIT;
use crate::ui::{self, JunitFile, Live};
use crate::verify::{self, Choice, Login, TestRegistry, When};

/// The variable with the password for a private registry: other users see the command line.
const PASSWORD: &str = "DOCKSTRAP_REGISTRY_PASSWORD";
/// The variables of a private registry.
const VARIABLES: &[&str] = &["DOCKSTRAP_REGISTRY_USER", PASSWORD];

pub(crate) fn run(host: &Host, arguments: cli::VerifyArgs, words: &[OsString]) -> Result<u8> {
    let mut kept = VARIABLES.to_vec();
    kept.retain(|name| arguments.registry.address.is_some() && std::env::var_os(name).is_some());
    let choice = Choice {
        again: invocation::again(words, &kept),
        named: arguments.stages,
        when: if arguments.all {
            When::All
        } else {
            When::Default
        },
        skip: arguments.skip,
        registry: registry(arguments.registry)?,
    };
    // Tried at once, not after a verification of several seconds.
    let junit = arguments.junit.as_deref().map(junit_file).transpose()?;
    let live = if arguments.json {
        Live::quiet()
    } else {
        Live::new()
    };
    let show = |event| live.show(event);
    // Root's proof may restart the engine, so no install or uninstall may be at work meanwhile.
    let lock = if nix::unistd::geteuid().is_root() {
        Some(lock(host, &choice, &show)?)
    } else {
        None
    };
    temporary::sweep()?;
    if lock.is_some() {
        withdraw_verification(host, &show)?;
    }
    let verification = verify::verify(host, &choice, &show)?;
    remember(host, &verification, &show);
    drop(live);
    let written = junit.map_or(Ok(()), |file| file.write(&verification));
    ui::report(&verification)?;
    if arguments.json {
        ui::json(&verification)?;
    }
    if let (Err(error), Err(_)) = (&written, verification.require()) {
        ui::warn(format!("{error:#}"));
    }
    verification.require()?;
    written?;
    if verification.passed().is_empty() {
        ui::note("Nothing was verified: no stage passed.");
    } else if !arguments.json {
        ui::line(format!(
            "The engine works (verified in {:.1} s).",
            verification.seconds
        ));
    }
    Ok(DONE)
}

fn junit_file(path: &Path) -> Result<JunitFile> {
    let file = JunitFile::at(path).map_err(|error| {
        Failure::Usage(format!(
            "junit {} cannot be written: {error}",
            path.display()
        ))
    })?;
    Ok(file)
}

fn lock(host: &Host, choice: &Choice, listener: Listener<'_>) -> Result<fs::File> {
    let wait = Duration::from_secs(LOCK_WAIT);
    host.lock_run(wait, listener).with_context(|| {
        let again = &choice.again;
        format!("nothing was verified. Once the other run has ended, run: {again}")
    })
}

fn registry(arguments: cli::RegistryArgs) -> Result<Option<TestRegistry>> {
    let Some(address) = arguments.address else {
        return Ok(None);
    };
    let login = match arguments.user {
        Some(user) => Some(Login {
            user,
            password: password(arguments.password_file.as_deref())?,
        }),
        None => None,
    };
    TestRegistry::new(&address, login, arguments.ca_cert).map(Some)
}

fn password(file: Option<&std::path::Path>) -> Result<String> {
    if let Some(path) = file {
        let text = reading::read_named_text(path, reading::CONFIGURATION).map_err(|error| {
            let path = path.display();
            Failure::Usage(format!(
                "registry-password-file {path} cannot be read: {error}"
            ))
        })?;
        refuse_exposed("registry-password-file", path)?;
        return Ok(text.trim_end_matches(['\r', '\n']).to_owned());
    }
    std::env::var(PASSWORD).map_err(|_| {
        Failure::Usage(format!(
            "a registry's user needs a password: put it into the variable {PASSWORD}, or name a \
             file with it by --registry-password-file"
        ))
        .into()
    })
}
