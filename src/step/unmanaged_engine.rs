//! An unmanaged engine: one that no package owns, out of an archive of binaries. apt knows nothing
//! of it, and would put its own beside or over it; so it is moved aside first, when that is asked
//! for, and comes back with `uninstall`.

use anyhow::{Result, bail};

use super::{Inspection, Step};
use crate::change::{Act, Tx};
use crate::docker::UNIT;
use crate::engine::unit::Unit;
use crate::engine::workloads::{kubelet_is_here, running_under};
use crate::error::blocked;
use crate::facts::{CONFLICTING_PACKAGES, ENGINE_PACKAGES, Facts};
use crate::host::Host;
use crate::host::command::{Command, Query};
use crate::host::engine::systemctl;
use crate::host::query::Reader;
use crate::invocation;
use crate::shell::{joined, quoted};
use crate::undo::Undo;

/// Where the programs of an unmanaged engine are.
const FOLDERS: &[&str] = &["/usr/local/bin", "/usr/local/sbin", "/usr/bin", "/usr/sbin"];

/// What an archive of Docker's binaries holds. The last two are those by which it is known, and the
/// last to be moved.
///
/// Source: <https://docs.docker.com/engine/install/binaries/>.
const PROGRAMS: &[&str] = &[
    "containerd-shim",
    "containerd-shim-runc-v2",
    "ctr",
    "docker",
    "docker-init",
    "docker-proxy",
    "runc",
    "containerd",
    "dockerd",
];
const KNOWN_BY: &[&str] = &["containerd", "dockerd"];

/// The units that are written for it; in the order in which they are to be stopped.
const UNITS: &[&str] = &["docker.socket", UNIT, "containerd.service"];
const UNIT_FOLDERS: &[&str] = &[
    "/etc/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
];

/// Packages that hold an engine.
const WITH_AN_ENGINE: &[&str] = &["docker-ce", "docker.io"];

/// Where an engine notes its process.
const PID_FILE: &str = "/run/docker.pid";

pub(crate) struct UnmanagedEngine {
    /// Its programs, units, and what of the units' drop-ins names a program.
    files: Vec<String>,
    /// Those of its units that are there.
    units: Vec<&'static str>,
}

impl UnmanagedEngine {
    /// Finds an engine, or a containerd, of which dpkg knows nothing, and that is not just beside the
    /// one that is used.
    pub(crate) fn of(host: &Host, facts: &Facts) -> Result<Option<UnmanagedEngine>> {
        // dpkg knows the files of a package only once it has unpacked all of them.
        let unfinished = facts.unfinished.packages();
        let mut bringing = ENGINE_PACKAGES.iter().chain(CONFLICTING_PACKAGES);
        let is_cut_short = bringing.any(|package| unfinished.contains(*package));
        if is_cut_short || WITH_AN_ENGINE.iter().any(|package| facts.has(package)) {
            Ok(None)
        } else {
            UnmanagedEngine::find(host)
        }
    }

    fn find(host: &Host) -> Result<Option<UnmanagedEngine>> {
        let mut programs = Vec::new();
        for name in PROGRAMS {
            for folder in FOLDERS {
                let path = format!("{folder}/{name}");
                if host.exists(&path)? && !is_packaged(host, &path)? {
                    programs.push(path);
                }
            }
        }
        let is_known = |path: &String| KNOWN_BY.iter().any(|it| path.ends_with(&format!("/{it}")));
        if !programs.iter().any(is_known) {
            return Ok(None);
        }
        let (mut files, mut units) = (Vec::new(), Vec::new());
        for unit in UNITS {
            for folder in UNIT_FOLDERS {
                let path = format!("{folder}/{unit}");
                // A link is a unit that is masked, or has another name.
                let there = host.metadata(&path)?;
                if there.is_some_and(|it| it.is_file()) && !is_packaged(host, &path)? {
                    files.push(path);
                    units.push(*unit);
                }
                let drop_ins = format!("{folder}/{unit}.d");
                for name in host.list(&drop_ins)? {
                    let path = format!("{drop_ins}/{name}");
                    let text = host.read_text(&path)?.unwrap_or_default();
                    if programs
                        .iter()
                        .any(|program| text.contains(program.as_str()))
                    {
                        files.push(path);
                    }
                }
            }
        }
        units.dedup();
        files.extend(programs);
        Ok(Some(UnmanagedEngine { files, units }))
    }

    /// Refuses to go on unless it may be moved aside.
    ///
    /// # Errors
    /// [`Failure::Blocked`](crate::error::Failure::Blocked), with every file and unit named.
    pub(crate) fn check(&self, host: &Host, replace: bool) -> Result<()> {
        if kubelet_is_here(host)? {
            return Err(blocked(
                &format!(
                    "kubelet runs pods on this host under a containerd that came by no package \
                     ({})",
                    self.files.join(", ")
                ),
                "Take the node out of its cluster first, or set Docker up on another host: \
                 kubectl drain NODE",
            ));
        }
        for path in &self.files {
            if host.metadata(path)?.is_some_and(|there| there.is_symlink()) {
                return Err(blocked(
                    &format!("{path} came by no package, and is a link to another file"),
                    &format!("Remove the link, and run this again: rm {}", quoted(path)),
                ));
            }
        }
        if self.runs_without_unit(host)? {
            return Err(blocked(
                &format!(
                    "an engine that came by no package ({}) runs without a unit, so that it could \
                     not be started again",
                    self.files.join(", ")
                ),
                &format!("Stop it, and run this again: kill $(cat {PID_FILE})"),
            ));
        }
        if replace {
            Ok(())
        } else {
            Err(self.refusal(host))
        }
    }

    fn refusal(&self, host: &Host) -> anyhow::Error {
        let under_it = match running_under(host, &[]).as_slice() {
            [] => String::new(),
            running => format!(", and containers run under it ({})", running.join(", ")),
        };
        let stop = match self.units.as_slice() {
            [] => String::new(),
            units => format!("systemctl disable --now {}; ", units.join(" ")),
        };
        blocked(
            &format!(
                "an engine is on this host that came by no package, which apt cannot replace: \
                 {}{under_it}",
                self.files.join(", ")
            ),
            &format!(
                "To have it moved aside by the install, which stops its containers and keeps their \
                 data, and to get it back with uninstall: {}. To see to it yourself: {stop}mkdir -p \
                 /root/docker-by-hand; mv {} /root/docker-by-hand/; systemctl daemon-reload",
                invocation::install(&["--replace"]),
                joined(&self.files)
            ),
        )
    }

    fn runs_without_unit(&self, host: &Host) -> Result<bool> {
        let process = host.read_text(PID_FILE)?.unwrap_or_default();
        let Ok(process) = process.trim().parse::<u32>() else {
            return Ok(false);
        };
        // One that was killed leaves its number, which another program may have by now.
        let program = host.read_text(format!("/proc/{process}/comm"))?;
        let runs = program.is_some_and(|program| program.trim() == "dockerd");
        Ok(runs && !host.engine_is_active()?)
    }

    /// Those of its units of which this holds.
    fn units_that(&self, holds: impl Fn(&str) -> Result<bool>) -> Result<Vec<String>> {
        let mut units = Vec::new();
        for unit in &self.units {
            if holds(unit)? {
                units.push((*unit).to_owned());
            }
        }
        Ok(units)
    }

    fn stop(&self, tx: &mut Tx<'_>) -> Result<()> {
        let host = tx.host();
        let is_noted = |act: &Act| matches!(act.undo, Undo::StartUnits { .. });
        if !tx.journal().acts().iter().any(is_noted) {
            let is_enabled = |unit: &str| {
                let asked =
                    host.query(&Query::of(Reader::SystemctlIsEnabled).args(["--quiet", unit]))?;
                Ok(asked.code == 0)
            };
            let undo = Undo::StartUnits {
                enabled: self.units_that(is_enabled)?,
                active: self.units_that(|unit| host.unit_is_active(unit))?,
                containers: if host.engine_is_active()? {
                    host.running_containers()?
                } else {
                    Vec::new()
                },
            };
            tx.note("stop the engine that was installed by hand", undo)?;
        }
        if host.engine_is_active()? {
            let running = host.running_containers()?;
            tx.stop_containers(&running)?;
        }
        if !self.units.is_empty() {
            let verb: &[&str] = if tx.host().runs_systemd()? {
                &["disable", "--now"]
            } else {
                &["disable"]
            };
            let disable = verb.iter().chain(&self.units);
            let disable = Command::new("systemctl").args(disable.copied());
            tx.run_covered(&disable.deadline(super::STOP_DEADLINE))?;
        }
        Ok(())
    }
}

impl Step for UnmanagedEngine {
    fn id(&self) -> &'static str {
        "by-hand"
    }

    fn title(&self) -> &'static str {
        "engine by hand"
    }

    fn inspect(&self, host: &Host) -> Result<Inspection> {
        let Some(there) = UnmanagedEngine::find(host)? else {
            return Ok(Inspection::satisfied("it is moved aside"));
        };
        let mut details: Vec<String> = there.files.iter().map(|it| format!("move {it}")).collect();
        if !there.units.is_empty() {
            details.push(format!("stop {}", there.units.join(", ")));
        }
        let running = running_under(host, &[]);
        if !running.is_empty() {
            details.push(format!("containers that stop: {}", running.join(", ")));
        }
        Ok(Inspection::pending(
            "move aside the engine that was installed by hand",
            details,
        ))
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<()> {
        self.check(tx.host(), true)?;
        self.stop(tx)?;
        for path in &self.files {
            tx.move_aside(path)?;
        }
        if tx.host().runs_systemd()? {
            tx.run_covered(&systemctl(&["daemon-reload"]))?;
        }
        if Unit::query(tx.host())?.is_some_and(|unit| unit.active) {
            bail!("{UNIT} is still active; see why with: systemctl status {UNIT}");
        }
        Ok(())
    }

    fn writes(&self, _host: &Host) -> Result<Vec<String>> {
        Ok(self.files.clone())
    }
}

/// Whether a file is one of a package's.
fn is_packaged(host: &Host, path: &str) -> Result<bool> {
    let search = Query::of(Reader::DpkgQuery).args(["--search", path]);
    let found = host.query(&search)?;
    match found.code {
        1 => Ok(false),
        _ => found.success().map(|_| true),
    }
}

#[cfg(test)]
mod tests;
