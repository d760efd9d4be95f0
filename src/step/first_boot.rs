//! The unit that proves the engine at the first boot of an image. The package of dockstrap brings
//! it; where there is none, it is written.

use std::path::Path;

use anyhow::{Context, Result};

use super::{Inspection, Step};
use crate::change::Tx;
use crate::error::Failure;
use crate::host::Host;
use crate::host::engine::systemctl;
use crate::settings::{Origin, Origins, PATH};
use crate::undo::Undo;

pub(crate) const ID: &str = "first-boot";
pub(crate) const UNIT: &str = "dockstrap-firstboot.service";

/// Where the package puts it.
const PACKAGED: &str = "/usr/lib/systemd/system/dockstrap-firstboot.service";
/// Where it is put without the package.
const WRITTEN: &str = "/etc/systemd/system/dockstrap-firstboot.service";
/// By which systemd starts it.
const LINK: &str = "/etc/systemd/system/multi-user.target.wants/dockstrap-firstboot.service";

const TEXT: &str = include_str!("../../packaging/systemd/dockstrap-firstboot.service");
/// The program that it names.
const PROGRAM: &str = "/usr/bin/dockstrap";

/// Where programs are put to stay.
const LASTING: &[&str] = &["/usr/", "/opt/"];

pub(crate) struct FirstBoot {
    /// This program, where it is to be found at the boot as well.
    program: String,
    /// Settings that it will not have at the boot.
    lost: Vec<String>,
}

impl FirstBoot {
    pub(crate) fn new(given: &Origins) -> Result<FirstBoot> {
        let program = std::env::current_exe().context("looking for this program's own path")?;
        Ok(FirstBoot::of(&program.to_string_lossy(), given))
    }

    fn of(program: &str, given: &Origins) -> FirstBoot {
        let is_lost = |(key, origin): &(&String, &Origin)| {
            let is_kept = matches!(origin, Origin::File(path) if path == Path::new(PATH));
            !is_kept && ![ID, "no-start"].contains(&key.as_str())
        };
        let lost = given.iter().filter(is_lost);
        FirstBoot {
            program: program.to_owned(),
            lost: lost.map(|(key, _)| key.clone()).collect(),
        }
    }

    /// The unit's text, which names this program.
    ///
    /// # Errors
    /// [`Failure::Usage`] when the program lies where a unit cannot name it plainly, or where it
    /// may be gone by then, as a module of Ansible is.
    fn text(&self) -> Result<String> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
        let lasts = LASTING
            .iter()
            .any(|folder| self.program.starts_with(folder));
        if lasts && self.program.chars().all(is_plain) {
            return Ok(TEXT.replace(PROGRAM, &self.program));
        }
        let cause = format!(
            "first-boot: {} may not be there at the boot; install dockstrap's package, or put the \
             program at /usr/local/bin/dockstrap and run it from there",
            self.program
        );
        Err(Failure::Usage(cause).into())
    }

    /// Requires that only root can change the program, which root runs at the boot.
    fn require_roots_own(&self, host: &Host) -> Result<()> {
        let program = &self.program;
        let Some(exposure) = host.exposure(Path::new(program))? else {
            return Ok(());
        };
        let cure = exposure.cure();
        let cause = format!("first-boot: the program {program}: {exposure}. Run: {cure}");
        Err(Failure::Usage(cause).into())
    }
}

impl Step for FirstBoot {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> &'static str {
        "first boot"
    }

    fn inspect(&self, host: &Host) -> Result<Inspection> {
        let warnings = match self.lost.as_slice() {
            [] => Vec::new(),
            lost => vec![format!(
                "the first boot has only the settings that are in {PATH}; put there as well: {}",
                lost.join(", ")
            )],
        };
        if is_enabled(host)? {
            let finding = Inspection::satisfied(format!("{UNIT} is enabled"));
            return Ok(finding.with_warnings(warnings));
        }
        let mut details = Vec::new();
        if !is_there(host)? {
            self.text()?;
            self.require_roots_own(host)?;
            details.push(format!("write {WRITTEN}, which runs {}", self.program));
        }
        let summary = format!("enable {UNIT}, which verifies the engine at the first boot");
        Ok(Inspection::pending(summary, details).with_warnings(warnings))
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<()> {
        if !is_there(tx.host())? {
            self.require_roots_own(tx.host())?;
            tx.write_file(WRITTEN, self.text()?.as_bytes(), 0o644)?;
        }
        let undo = Undo::RestoreUnit {
            unit: UNIT.to_owned(),
            enabled: false,
            active: false,
        };
        let enable = systemctl(&["enable", UNIT]);
        tx.run("enable the first boot", undo, &enable).map(drop)
    }
}

/// Whether the unit is going to be started at a boot, asked without systemd.
pub(crate) fn is_enabled(host: &Host) -> Result<bool> {
    host.exists(LINK)
}

/// Disables the unit: an install has succeeded, so that there is nothing left for it to do. One
/// that was enabled by somebody else goes without a way back.
pub(crate) fn end(tx: &mut Tx<'_>) -> Result<()> {
    tx.withdraw(|act| act.step == ID)?;
    if is_enabled(tx.host())? {
        tx.run_covered(&systemctl(&["disable", UNIT]))?;
    }
    let state = tx.host().unit(UNIT)?;
    if state.get("ActiveState").is_some_and(|it| it == "failed") {
        // It had given up; what it waited for is done.
        tx.run_covered(&systemctl(&["reset-failed", UNIT]))?;
    }
    Ok(())
}

fn is_there(host: &Host) -> Result<bool> {
    let paths = [PACKAGED, WRITTEN].map(Path::new);
    paths
        .iter()
        .try_fold(false, |there, path| Ok(there || host.exists(path)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::trial;
    use crate::error::exit_code;
    use crate::host::stub::StubHost;

    /// A host whose systemctl makes and removes the link.
    fn host() -> StubHost {
        StubHost::new()
            .folder("/etc/systemd/system/multi-user.target.wants")
            .program(
                "systemctl",
                &format!(
                    "case $1 in
                        enable) touch $ROOT{LINK} ;;
                        disable) rm $ROOT{LINK} ;;
                        show) echo LoadState=loaded ;;
                    esac"
                ),
            )
    }

    fn step() -> FirstBoot {
        FirstBoot::of("/usr/local/bin/dockstrap", &Origins::new())
    }

    /// The step, applied in its place.
    fn apply(stub: &StubHost) {
        trial::run(stub.host(), |tx| {
            tx.enter(ID);
            step().apply(tx)
        })
        .unwrap();
    }

    #[test]
    fn without_the_package_the_unit_is_written_and_names_this_program() {
        let stub = host();
        let before = stub.snapshot();
        assert!(step().inspect(stub.host()).unwrap().details[0].contains(WRITTEN));
        apply(&stub);
        assert!(step().inspect(stub.host()).unwrap().satisfied);
        let start = "\nExecStart=/usr/local/bin/dockstrap first-boot\n";
        assert!(stub.read(WRITTEN).contains(start), "{}", stub.read(WRITTEN));
        trial::revert(stub.host()).unwrap();
        assert_eq!(stub.snapshot(), before);
    }

    #[test]
    fn the_packages_own_unit_is_only_enabled_and_stays() {
        let stub = host().file(PACKAGED, TEXT);
        assert!(step().inspect(stub.host()).unwrap().details.is_empty());
        apply(&stub);
        assert!(!stub.has(WRITTEN));
        assert!(trial::run(stub.host(), end).is_ok());
        assert!(stub.has(PACKAGED) && !is_enabled(stub.host()).unwrap());
    }

    #[test]
    fn once_an_install_has_succeeded_it_goes_without_being_stopped_and_without_a_trace() {
        let stub = host();
        let before = stub.snapshot();
        apply(&stub);
        stub.calls();
        trial::run(stub.host(), end).unwrap();
        let calls = stub.calls().concat();
        assert!(
            calls.contains("disable") && !calls.contains("stop"),
            "{calls}"
        );
        assert_eq!(trial::acts(stub.host()), [""; 0]);
        trial::revert(stub.host()).unwrap();
        assert_eq!(stub.snapshot(), before);
    }

    #[test]
    fn one_that_had_given_up_no_longer_counts_as_failed() {
        for (state, is_reset) in [("failed", true), ("active", false)] {
            let stub = StubHost::new().file(LINK, "").program(
                "systemctl",
                &format!(
                    "case $1 in disable) rm $ROOT{LINK} ;; show) echo ActiveState={state} ;; esac"
                ),
            );
            trial::run(stub.host(), end).unwrap();
            let reset = format!("systemctl reset-failed {UNIT}");
            assert_eq!(stub.calls().contains(&reset), is_reset, "{state}");
        }
    }

    #[test]
    fn one_that_was_enabled_by_hand_goes_too() {
        let stub = host().file(LINK, "");
        trial::run(stub.host(), end).unwrap();
        assert!(!is_enabled(stub.host()).unwrap());
    }

    #[test]
    fn an_uninstall_stops_one_that_tries_still() {
        let stub = host();
        apply(&stub);
        stub.calls();
        trial::revert(stub.host()).unwrap();
        let stop = format!("systemctl stop {UNIT}");
        assert!(stub.calls().contains(&stop));
    }

    #[test]
    fn a_program_that_may_be_gone_at_the_boot_is_refused_unless_there_is_a_packaged_one() {
        for path in [
            "/opt/a b",
            "/opt/100%",
            "/tmp/dockstrap",
            "/root/.ansible/tmp/engine",
        ] {
            let step = FirstBoot::of(path, &Origins::new());
            let error = step.inspect(host().host()).unwrap_err();
            assert_eq!(exit_code(&error), 2, "{path}");
            let packaged = host().file(PACKAGED, TEXT);
            assert!(step.inspect(packaged.host()).is_ok(), "{path}");
        }
    }

    #[test]
    fn a_program_that_others_could_exchange_is_refused() {
        let stub = host().file("/usr/local/bin/dockstrap", "");
        assert!(step().inspect(stub.host()).is_ok());
        stub.set_mode("/usr/local", 0o777);
        let error = step().inspect(stub.host()).unwrap_err();
        assert_eq!(exit_code(&error), 2);
        let text = error.to_string();
        assert!(text.ends_with("Run: sudo chmod go-w /usr/local"), "{text}");
    }

    #[test]
    fn settings_that_the_boot_will_not_have_are_named() {
        let file = |path: &str| Origin::File(path.into());
        let given = [
            ("no-start", Origin::Flag),
            ("first-boot", Origin::Variable),
            ("users", file(PATH)),
            ("mirror", Origin::Flag),
            ("preset", file("/root/other.toml")),
        ]
        .map(|(key, origin)| (key.to_owned(), origin))
        .into();
        let step = FirstBoot::of("/usr/bin/dockstrap", &given);
        let warnings = step.inspect(host().host()).unwrap().warnings;
        assert!(
            warnings[0].ends_with("as well: mirror, preset"),
            "{warnings:?}"
        );
    }
}
