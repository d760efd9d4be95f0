//! The way back for packages, and for what they have made.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{FOLDER, LINKED, Revert, Reverted, cleanup, has_engine, network};
use crate::apt::{self, Leave, Unpacking};
use crate::facts::{HostPackage, dpkg_query, known_packages, unfinished_packages};
use crate::host::Host;
use crate::host::command::{Command, Query};
use crate::host::engine::systemctl;
use crate::host::files;
use crate::host::firewall::NetworkBaseline;
use crate::host::network::Network as ConnectionSettings;
use crate::host::query::Reader;
use crate::report::Event;

/// The units that Docker's packages enable when they are configured.
const UNITS: [(&str, &str); 3] = [
    ("docker-ce", "docker.service"),
    ("docker-ce", "docker.socket"),
    ("containerd.io", "containerd.service"),
];

impl Revert<'_> {
    pub(super) fn purge(
        &self,
        packages: &[String],
        asked_for: &[String],
        leave: Leave,
    ) -> Result<Reverted> {
        self.clear_unfinished(packages)?;
        let is_engine = |package: &String| package == "docker-ce";
        let network = self.network.as_ref();
        let Some(purge) = apt::Purge::plan(self.host, packages, asked_for, &self.engine)? else {
            self.clear_records(packages, &[], leave)?;
            // Killed after they went, an earlier run may not have come to the network; it is left
            // to an engine that came by others since.
            let is_its_turn = packages.iter().any(is_engine) && !has_engine(self.host)?;
            self.restore_network(network.filter(|_| is_its_turn))?;
            return Ok(Reverted::Done);
        };
        let mut reasons = Vec::new();
        if let Some(command) = purge.command(leave) {
            apt::wait_for_locks(self.host, self.lock_wait, self.listener)?;
            // Before they go: iptables may be one of them.
            let engine_goes = network.filter(|_| purge.takes("docker-ce"));
            self.restore_network(engine_goes)?;
            if matches!(leave, Leave::Nothing) {
                self.disable_units(&purge, packages);
            }
            self.keep_edits(&purge, packages)?;
            let links = links(self.host);
            for command in purge.ahead().iter().chain([&command]) {
                apt::run(&self.authority, command, self.lock_wait, self.listener)?;
            }
            for (path, target) in links {
                files::link(&path, &target)?;
            }
            if engine_goes.is_some() && self.stops {
                cleanup::clear_runtime(&self.authority);
            }
        }
        let staying = [purge.needed_by_others.as_slice(), &purge.asked_for].concat();
        self.clear_records(packages, &staying, leave)?;
        for (packages, reason) in [
            (purge.needed_by_others, "other packages need"),
            (purge.asked_for, "somebody has asked apt for"),
        ] {
            if !packages.is_empty() {
                reasons.push(format!("{reason} {}", packages.join(", ")));
            }
        }
        Ok(match reasons.as_slice() {
            [] => Reverted::Done,
            reasons => Reverted::Kept(reasons.join("; ")),
        })
    }

    /// Clears what dpkg has left unfinished, before which apt does nothing.
    fn clear_unfinished(&self, packages: &[String]) -> Result<()> {
        let unfinished = unfinished_packages(self.host)?;
        if unfinished.is_empty() {
            return Ok(());
        }
        apt::wait_for_locks(self.host, self.lock_wait, self.listener)?;
        let unpacking = Unpacking {
            known: &self.archives,
            folder: Path::new(FOLDER),
            since: self.since,
        };
        apt::clear_for_purge(&self.authority, &unfinished, packages, &unpacking)
    }

    /// Takes the configuration that was there before its package, and goes with it, as it is by now:
    /// whoever has edited it since gets that back, and not what it was before.
    fn keep_edits(&self, purge: &apt::Purge, packages: &[String]) -> Result<()> {
        let going = packages.iter().filter(|package| purge.takes(package));
        let show = Query::of(Reader::DpkgQuery)
            .args(["--show", "--showformat=${Conffiles}\n"])
            .args(going);
        let shown = dpkg_query(self.host, &show)?;
        let of_packages: Vec<&str> = shown
            .lines()
            .filter_map(|line| line.split_whitespace().next())
            .collect();
        for (path, copy) in &self.returned {
            let goes = of_packages.iter().any(|it| path == Path::new(it));
            if goes && self.host.exists(path)? && self.host.exists(copy)? {
                files::copy(&self.host.path(path), &self.host.path(copy))?;
            }
        }
        Ok(())
    }

    /// Takes out the links that enable the units of packages that are purged. The packages' scripts
    /// do so as well, but only for links that they have a record of, and they make the link before
    /// the record and remove it after: one that is killed in between leaves a link for good.
    fn disable_units(&self, purge: &apt::Purge, packages: &[String]) {
        // What only goes along leaves its configuration, and its links with it.
        let goes = |package: &str| packages.iter().any(|it| it == package) && purge.takes(package);
        let units = UNITS.iter().filter(|(package, _)| goes(package));
        for (_, unit) in units {
            // Without its counterpart of System V, which the package looks after.
            let disable = systemctl(&["disable", unit]).env("SYSTEMCTL_SKIP_SYSV", "1");
            let _ = disable.run_apart(&self.authority); // of a unit that is not there
        }
    }

    /// Takes out what a helper of the packages' scripts that was killed has left of its records of
    /// their units.
    fn clear_records(&self, packages: &[String], staying: &[String], leave: Leave) -> Result<()> {
        let has = |names: &[String], package: &str| names.iter().any(|it| it == package);
        let gone = UNITS
            .iter()
            .filter(|(package, _)| has(packages, package) && !has(staying, package));
        let units: Vec<&str> = gone.map(|(_, unit)| *unit).collect();
        if units.is_empty() {
            return Ok(());
        }
        cleanup::remove_unfinished_records(&self.authority, &units)?;
        match leave {
            Leave::Nothing => cleanup::remove_unit_records(&self.authority, &units),
            Leave::Configuration => Ok(()),
        }
    }

    /// Installs again what made room for the engine, when that is asked for.
    pub(super) fn offer(&self, asked_for: &[String], automatic: &[String]) -> Result<Reverted> {
        let there = known_packages(self.host)?;
        let is_there = |name: &String| there.get(name).is_some_and(HostPackage::is_installed);
        if asked_for.iter().chain(automatic).all(is_there) {
            return Ok(Reverted::Done); // apt never began, or somebody has them back
        }
        if !self.extent.restore_packages {
            return Ok(Reverted::Kept(format!(
                "they made room for Docker's; to have them back: apt-get install {}",
                match asked_for {
                    [] => automatic.join(" "), // what they came along with went before
                    asked_for => asked_for.join(" "),
                }
            )));
        }
        let install = apt::apt_get()
            .arg("install")
            .args(asked_for)
            .args(automatic);
        apt::wait_for_locks(self.host, self.lock_wait, self.listener)?;
        apt::discard_for(&self.authority, &install)
            .and_then(|()| self.install_again(&install))
            .context("to have them back later: apt-get install, with their names")?;
        if !automatic.is_empty() {
            let mark = Command::new("apt-mark").arg("auto").args(automatic);
            self.output(&mark)?.success()?;
        }
        Ok(Reverted::Done)
    }

    fn install_again(&self, install: &Command) -> Result<()> {
        let way = ConnectionSettings::from_environment(None, None)?;
        let (wait, listener) = (self.lock_wait, self.listener);
        apt::download_by_proxy(&self.authority, install, &way, wait, listener)?;
        apt::run(&self.authority, install, wait, listener)
    }

    pub(super) fn restore_network(&self, before: Option<&NetworkBaseline>) -> Result<()> {
        // In a chroot no engine has run; what there is of a network is of the host around it.
        let Some(before) = before.filter(|_| self.stops) else {
            return Ok(());
        };
        (self.listener)(Event::Started {
            text: "stopping Docker Engine".to_owned(),
        });
        cleanup::stop_engine(&self.authority);
        self.left
            .replace(network::restore(&self.authority, before)?);
        Ok(())
    }
}

/// Links of somebody's own in the places of folders, each with what it leads to: dpkg removes them with
/// the packages, also those that were made since.
fn links(host: &Host) -> Vec<(PathBuf, PathBuf)> {
    let places = LINKED.iter().map(|path| host.path(path));
    places
        .filter_map(|path| Some((path.clone(), fs::read_link(path).ok()?)))
        .collect()
}
