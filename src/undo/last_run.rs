//! A copy of the last daemon.json that an engine is known to have run with.
//!
//! A file can be edited long before an engine reads it: where a run fails and the engine does not
//! start with the file from before either, this one is what brings it up.

use std::path::Path;

use anyhow::Result;

use super::Revert;
use crate::daemon_config::{self, Document};
use crate::docker::UNIT;
use crate::host::authority::Authority;
use crate::host::engine::systemctl;
use crate::host::files;

/// Where the copy is; it goes with the journal.
pub(super) const LAST_RUN: &str = "/var/lib/dockstrap/daemon.json";

/// Keeps a copy of the file, which the engine runs with. One with a password is not copied.
pub(crate) fn remember(host: &Authority<'_>) -> Result<()> {
    let copy = host.path(LAST_RUN);
    let bytes = host.read(daemon_config::PATH)?;
    let is_open =
        |bytes: &Vec<u8>| Document::parse(bytes).is_ok_and(|document| !document.holds_password());
    match bytes.filter(is_open) {
        Some(bytes) => files::write(&copy, &bytes, Some(0o600)),
        None => files::remove(&copy),
    }
}

impl Revert<'_> {
    /// Starts the engine with the copy, where it did not start with the file that is there; that one
    /// is put beside. Returns what is to be said of it.
    pub(super) fn start_with_last_run(&self, failure: anyhow::Error) -> Result<String> {
        let either = "the engine does not start with the daemon.json from before this run either";
        let failure = failure.context(format!(
            "{either}; fix that file, and then: systemctl restart docker"
        ));
        let current = self.host.read(daemon_config::PATH)?;
        let Some(copy) = self
            .host
            .read(LAST_RUN)?
            .filter(|it| current.as_ref() != Some(it))
        else {
            return Err(failure);
        };
        let there = current.is_some();
        let beside = if there {
            self.put_beside(
                Path::new(daemon_config::PATH),
                Path::new(daemon_config::PATH),
            )?
        } else {
            String::new()
        };
        // The file that the engine reads.
        let target = files::behind_links(self.host.path(daemon_config::PATH));
        files::write(&target, &copy, None)?;
        for verb in ["reset-failed", "restart"] {
            let made = self.output(&systemctl(&[verb, UNIT]))?;
            if made.code != 0 {
                // It was not the file, and so that is as it was.
                match &current {
                    Some(current) => files::write(&target, current, None)?,
                    None => files::remove(&target)?,
                }
                if there {
                    files::remove(&self.host.path(&beside))?;
                }
                return Err(failure);
            }
        }
        let whose = if there {
            format!("; the one from before is in {beside}: fix it and put it back")
        } else {
            String::new()
        };
        Ok(format!(
            "{either}; it runs with the last one that it is known to have run with{whose}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::trial;
    use crate::host::stub::StubHost;

    #[test]
    fn the_file_that_an_engine_runs_with_is_remembered_unless_it_holds_a_password() {
        let remember = |text: &str| {
            let stub = StubHost::new().file(daemon_config::PATH, text);
            trial::run(stub.host(), |tx| tx.remember_configuration()).unwrap();
            stub
        };
        let stub = remember("{\"debug\": true}");
        assert_eq!(stub.read(LAST_RUN), "{\"debug\": true}");
        assert_eq!(stub.mode(LAST_RUN), 0o600);
        trial::revert(stub.host()).unwrap();
        assert!(!stub.has(LAST_RUN), "it goes with the journal");
        let secret = "{\"proxies\": {\"http-proxy\": \"http://me:s3cret@192.0.2.1\"}}";
        assert!(!remember(secret).has(LAST_RUN));
    }
}
