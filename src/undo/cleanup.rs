//! Removing what an engine leaves behind: what it keeps in `/run`, and the records of its units.

use std::fs;
use std::time::Duration;

use anyhow::Result;

use crate::docker::UNIT;
use crate::host::Host;
use crate::host::authority::Authority;
use crate::host::engine::systemctl;
use crate::host::files;

/// How long the engine may take to stop.
const STOP_DEADLINE: Duration = Duration::from_secs(120);

/// Where the helper of packages' scripts records which links it has made for units.
const UNIT_RECORDS: &str = "/var/lib/systemd/deb-systemd-helper-enabled";

/// Where packages keep their units; the second is a link to the first on most hosts.
const OF_PACKAGES: &[&str] = &["/usr/lib/systemd/system", "/lib/systemd/system"];

/// What it keeps until the next boot.
const RUNTIME: &[&str] = &["/run/docker", "/run/docker.pid", "/run/docker.sock"];

/// Stops the engine, if it runs. Where that fails, its package will say why when it is removed.
pub(crate) fn stop_engine(host: &Authority<'_>) {
    let stop = systemctl(&["stop", "docker.socket", UNIT]).deadline(STOP_DEADLINE);
    let _ = stop.run_apart(host);
}

/// Removes what a stopped engine has left in `/run`, as far as it can be: the next boot removes
/// the rest.
pub(crate) fn clear_runtime(host: &Authority<'_>) {
    for path in RUNTIME {
        let path = host.path(path);
        let _ = if path.is_dir() {
            fs::remove_dir_all(path)
        } else {
            fs::remove_file(path)
        };
    }
}

/// Removes what a helper of the packages' scripts that was killed has left of a record of `units`:
/// it writes the record anew under a name that nobody knows. The caller has waited for apt's locks.
pub(crate) fn remove_unfinished_records(host: &Authority<'_>, units: &[&str]) -> Result<()> {
    let is_unfinished = |name: &String| name.starts_with(".state") && name.ends_with(".tmp");
    for name in host.list(UNIT_RECORDS)?.into_iter().filter(is_unfinished) {
        let path = format!("{UNIT_RECORDS}/{name}");
        let record = host.read_text(&path)?.unwrap_or_default();
        let mut links = record.lines().map(|link| link.rsplit('/').next());
        if links.all(|unit| unit.is_some_and(|unit| units.contains(&unit))) {
            let _ = fs::remove_file(host.path(path));
        }
    }
    Ok(())
}

/// Removes the records of units whose packages are purged. The helper does so as well, but looks no
/// further than the list that it removes first: one that is killed after that leaves the rest for
/// good. Those of a unit that another package has brought since are left.
pub(crate) fn remove_unit_records(host: &Authority<'_>, units: &[&str]) -> Result<()> {
    let at = |name: String| host.path(format!("{UNIT_RECORDS}/{name}"));
    let folders: Vec<String> = host
        .list(UNIT_RECORDS)?
        .into_iter()
        .filter(|name| at(name.clone()).is_dir())
        .collect();
    for unit in units {
        if is_of_a_package(host, unit)? {
            continue;
        }
        let of_links = folders.iter().map(|folder| format!("{folder}/{unit}"));
        for record in of_links.chain([format!("{unit}.dsh-also")]) {
            files::remove(&at(record))?;
        }
    }
    for folder in folders {
        let _ = fs::remove_dir(at(folder)); // where others have records, it is not empty
    }
    Ok(())
}

fn is_of_a_package(host: &Host, unit: &str) -> Result<bool> {
    for folder in OF_PACKAGES {
        if host.exists(format!("{folder}/{unit}"))? {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    #[test]
    fn what_is_left_of_records_of_our_units_goes_and_what_is_of_others_stays() {
        let link = "/etc/systemd/system/multi-user.target.wants";
        let stub = StubHost::new();
        for (name, text) in [
            (".stateAbCdE.tmp", format!("{link}/docker.service\n")),
            (".statefGhIj.tmp", String::new()),
            (".stateKlMnO.tmp", format!("{link}/cron.service\n")),
            ("cron.service.dsh-also", String::new()),
        ] {
            stub.write(&format!("{UNIT_RECORDS}/{name}"), text);
        }
        remove_unfinished_records(&stub.authority(), &["docker.service"]).unwrap();
        let left = stub.host().list(UNIT_RECORDS).unwrap();
        assert_eq!(left, [".stateKlMnO.tmp", "cron.service.dsh-also"]);
        remove_unfinished_records(&StubHost::new().authority(), &[]).unwrap();
    }

    #[test]
    fn of_purged_units_no_record_is_left_and_those_of_others_stay() {
        let stub = StubHost::new();
        for name in [
            "docker.service.dsh-also",
            "multi-user.target.wants/docker.service",
            "multi-user.target.wants/cron.service",
            "sockets.target.wants/docker.socket",
        ] {
            stub.write(&format!("{UNIT_RECORDS}/{name}"), "");
        }
        let remove =
            || remove_unit_records(&stub.authority(), &["docker.service", "docker.socket"]);
        remove().unwrap();
        remove().unwrap();
        assert_eq!(
            stub.host().list(UNIT_RECORDS).unwrap(),
            ["multi-user.target.wants"]
        );
        assert!(stub.has(&format!(
            "{UNIT_RECORDS}/multi-user.target.wants/cron.service"
        )));
        let of_another = format!("{UNIT_RECORDS}/docker.service.dsh-also");
        stub.write(&of_another, "");
        stub.write("/usr/lib/systemd/system/docker.service", "");
        remove().unwrap();
        assert!(stub.has(&of_another), "its package has come since");
    }
}
