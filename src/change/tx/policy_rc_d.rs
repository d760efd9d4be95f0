//! What is on the host for a while only, and acts that are taken back before all others.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};

use super::Tx;
use crate::change::{Act, Journal, Purpose};
use crate::host::Host;
use crate::report::{Event, Listener};
use crate::undo::{Extent, Revert, Reverted};

/// What Debian's tools ask before a package's script starts or restarts a service; see
/// `invoke-rc.d(8)` and `deb-systemd-invoke(1p)`.
pub(crate) const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Exits with the code for what is forbidden.
const NOTHING_STARTS: &str = "\
#!/bin/sh
# dockstrap install --no-start: for as long as apt is at work, no package starts a service.
exit 101
";

impl Tx<'_> {
    /// Has packages installed or configured. In a run that is to start nothing, their scripts are
    /// kept from it; an engine that runs already is restarted with its upgrade all the same.
    pub(super) fn configuring<T>(
        &mut self,
        configure: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        if !self.no_start || self.host.engine_is_active()? {
            return configure(self);
        }
        self.write_file(POLICY, NOTHING_STARTS.as_bytes(), 0o755)?;
        let outcome = configure(self);
        let taken_back = self.withdraw_policy();
        let value = outcome?;
        taken_back.map(|()| value)
    }

    /// Takes the policy back that is there for a while only; a run that was killed has left it.
    pub(crate) fn withdraw_policy(&mut self) -> Result<()> {
        self.withdraw(|act| act.undo.subject() == Some(Path::new(POLICY)))
    }

    /// Takes back what a verification has put there for a while only; one that was killed has left
    /// it.
    fn withdraw_verification(&mut self) -> Result<()> {
        self.withdraw(is_of_verification)
    }

    /// Takes back the acts that are meant, newest first, and strikes them out of the journal. What
    /// runs goes on running.
    pub(crate) fn withdraw(&mut self, is_meant: impl Fn(&Act) -> bool) -> Result<()> {
        let acts: Vec<Act> = self
            .journal
            .acts()
            .iter()
            .filter(|act| is_meant(act))
            .cloned()
            .collect();
        let (extent, wait) = (Extent::default(), self.lock_wait);
        let revert = Revert {
            stops: false, // it may be we who run
            ..Revert::of(
                &self.authority,
                acts.iter().map(Act::undone),
                extent,
                wait,
                self.listener,
            )?
        };
        for act in acts.iter().rev() {
            let outcome = revert
                .undo(&act.undo, &[])
                .with_context(|| format!("undoing: {}", act.text))?;
            self.journal.reverted(act.act)?;
            if let Reverted::Kept(reason) = outcome {
                let (step, text) = (act.step.clone(), act.text.clone());
                self.tell(Event::Kept { step, text, reason });
            }
        }
        Ok(())
    }
}

/// The step that the acts of a verification belong to.
pub(crate) const VERIFICATION: &str = "verify";

fn is_of_verification(act: &Act) -> bool {
    act.step == VERIFICATION
}

/// Takes back what verifications that were killed have left, so that the engine trusts no authority
/// any longer than one of them runs. The caller holds the lock on runs.
///
/// # Errors
/// When it cannot be taken back, with what to do then.
pub(crate) fn withdraw_verification(host: &Host, listener: Listener<'_>) -> Result<()> {
    let journal = Journal::read(host)?;
    if !journal.acts().iter().any(is_of_verification) {
        return Ok(());
    }
    let (wait, cancelled) = (Duration::ZERO, Arc::default());
    let withdraw = || {
        let mut tx = Tx::begin(host, journal, Purpose::Verify, wait, listener, cancelled)?;
        tx.withdraw_verification()?;
        let last = tx.journal().last();
        tx.revert(last, Extent::default()).map(drop)
    };
    withdraw().context(
        "the engine may still trust an authority that a verification was given, and that could \
         not be taken back; to see which: grep ca.crt /var/lib/dockstrap/journal",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::{Run, trial};
    use crate::host::command::Command;
    use crate::host::stub::StubHost;
    use crate::undo::Undo;

    /// A run that is to start nothing, on a host whose engine `is_active` or not.
    fn run<T>(stub: &StubHost, change: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        let run = Run {
            no_start: true,
            ..Run::from(Purpose::Install)
        };
        let journal = Journal::read(stub.host()).unwrap();
        let (wait, cancelled) = (Duration::ZERO, Arc::default());
        let mut tx = Tx::begin(stub.host(), journal, run, wait, &|_| {}, cancelled).unwrap();
        change(&mut tx)
    }

    fn host(is_active: bool) -> StubHost {
        let code = if is_active { 0 } else { 3 };
        StubHost::new()
            .folder("/usr/sbin")
            .program("systemctl", &format!("exit {code}"))
            .program("dpkg", "cat $ROOT/usr/sbin/policy-rc.d >$ROOT/asked")
    }

    fn configure(tx: &mut Tx<'_>) -> Result<()> {
        let configure = Command::new("dpkg").args(["--configure", "--pending"]);
        tx.configuring(|tx| tx.run("configure", Undo::nothing(), &configure).map(drop))
    }

    #[test]
    fn fault_43_services_are_held_back_for_as_long_as_packages_are_configured() {
        let stub = host(false);
        run(&stub, configure).unwrap();
        assert_eq!(stub.read("/asked"), NOTHING_STARTS);
        assert!(!stub.has(POLICY));
        assert_eq!(trial::acts(stub.host()), ["configure"]);
    }

    #[test]
    fn fault_43_a_policy_that_was_there_comes_back_also_after_a_failure() {
        for body in ["true", "exit 1"] {
            let stub = host(false).program("dpkg", body).file(POLICY, "theirs");
            stub.set_mode(POLICY, 0o744);
            assert_eq!(run(&stub, configure).is_ok(), body == "true");
            assert_eq!(stub.read(POLICY), "theirs");
            assert_eq!(stub.mode(POLICY), 0o744);
        }
    }

    #[test]
    fn without_systemd_they_are_held_back_as_well_for_scripts_of_system_v() {
        let stub = host(true).without_systemd();
        run(&stub, configure).unwrap();
        assert_eq!(stub.read("/asked"), NOTHING_STARTS);
    }

    #[test]
    fn an_engine_that_runs_is_restarted_with_its_upgrade() {
        let stub = host(true).file(POLICY, "theirs");
        run(&stub, configure).unwrap();
        assert_eq!(stub.read("/asked"), "theirs");
    }

    #[test]
    fn fault_15_what_a_killed_run_left_of_it_goes_with_the_next() {
        let stub = host(false);
        let nothing_starts = NOTHING_STARTS.as_bytes();
        run(&stub, |tx| tx.write_file(POLICY, nothing_starts, 0o755)).unwrap();
        assert!(stub.has(POLICY));
        run(&stub, |tx| tx.withdraw_policy()).unwrap();
        assert!(!stub.has(POLICY));
        assert_eq!(trial::acts(stub.host()), [""; 0]);
    }

    const AUTHORITY: &str = "/etc/docker/certs.d/r:5000/ca.crt";

    /// Puts an authority there as a verification that is then killed.
    fn verify(stub: &StubHost) {
        let journal = Journal::read(stub.host()).unwrap();
        let (wait, run) = (Duration::ZERO, Purpose::Verify);
        let mut tx = Tx::begin(stub.host(), journal, run, wait, &|_| {}, Arc::default()).unwrap();
        tx.enter(VERIFICATION);
        tx.write_file(AUTHORITY, b"pem", 0o644).unwrap();
    }

    #[test]
    fn the_authority_of_a_verification_that_was_killed_goes_with_the_next_run() {
        let stub = StubHost::new();
        let before = stub.snapshot();
        verify(&stub);
        assert!(stub.has(AUTHORITY));
        withdraw_verification(stub.host(), &|_| {}).unwrap();
        assert_eq!(stub.snapshot(), before);
    }

    #[test]
    fn what_an_install_has_set_up_stays_when_it_goes() {
        let stub = StubHost::new();
        trial::complete(stub.host(), |tx| tx.write_file("/etc/ours", b"x", 0o644)).unwrap();
        verify(&stub);
        withdraw_verification(stub.host(), &|_| {}).unwrap();
        assert!(!stub.has("/etc/docker") && stub.has("/etc/ours"));
        let journal = Journal::read(stub.host()).unwrap();
        assert_eq!(journal.cut_short(), None);
        assert_eq!(trial::acts(stub.host()), ["write /etc/ours"]);
        // Where nothing is left, nothing is written.
        let before = stub.snapshot();
        withdraw_verification(stub.host(), &|_| {}).unwrap();
        assert_eq!(stub.snapshot(), before);
    }
}
