//! Units that systemd cannot start as they are: masked, or not to be loaded.

use std::path::Path;

use anyhow::Result;

use crate::docker::{CONTAINERD_UNIT, SOCKET_UNIT, UNIT};
use crate::engine::obstacle::Obstacle;
use crate::engine::unit;
use crate::engine::unit::directives::{self, Directive, NEEDS};
use crate::error::quote;
use crate::host::Host;
use crate::host::command::Query;
use crate::host::query::Reader;

/// Those that the engine needs, in the order in which they start.
pub(super) const UNITS: [&str; 3] = [CONTAINERD_UNIT, SOCKET_UNIT, UNIT];

/// The same for the unit that is there: one that somebody wrote may do without the socket.
pub(super) fn needed(host: &Host) -> Result<Vec<&'static str>> {
    let settings = directives::of_unit(host, UNIT)?;
    let is_to_come = settings.iter().all(Directive::is_of_drop_in);
    // An empty value removes nothing here, unlike elsewhere.
    let mut needs = settings
        .iter()
        .filter(|it| NEEDS.contains(&it.name.as_str()));
    let needs_socket = is_to_come
        || needs.any(|it| it.value.split_whitespace().any(|unit| unit == SOCKET_UNIT))
        || unit::takes_sockets(host)?;
    let units = UNITS.into_iter();
    Ok(units
        .filter(|unit| needs_socket || *unit != SOCKET_UNIT)
        .collect())
}

/// Where a unit is masked: for good, or until the host restarts.
const MASKS: [(&str, &str); 2] = [
    ("/etc/systemd/system", ""),
    ("/run/systemd/system", "--runtime "),
];

/// Those of these units that are masked.
pub(super) fn masked(host: &Host, of: &[&'static str]) -> Result<Option<Obstacle>> {
    let (mut masked, mut commands) = (Vec::new(), Vec::new());
    for (folder, option) in MASKS {
        let mut units = Vec::new();
        for unit in of.iter().copied() {
            if is_mask(host, &format!("{folder}/{unit}"))? {
                units.push(unit);
            }
        }
        if !units.is_empty() {
            commands.push(format!("sudo systemctl unmask {option}{}", units.join(" ")));
        }
        masked.extend(units);
    }
    let (are, them) = match masked.as_slice() {
        [] => return Ok(None),
        [_] => ("is", "it"),
        _ => ("are", "them"),
    };
    Ok(Some(Obstacle::new(
        format!(
            "{} {are} masked, so the engine cannot be started",
            masked.join(" and ")
        ),
        format!(
            "Unmask {them} and run this again: {}",
            commands.join(" && ")
        ),
    )))
}

fn is_mask(host: &Host, path: &str) -> Result<bool> {
    let is_link = host.metadata(path)?.is_some_and(|there| there.is_symlink());
    let target = is_link.then(|| std::fs::read_link(host.path(path)));
    Ok(target
        .transpose()?
        .is_some_and(|target| target == Path::new("/dev/null")))
}

/// A unit whose files systemd refuses, in its own words.
pub(super) fn unloadable(host: &Host) -> Result<Option<Obstacle>> {
    if !host.runs_systemd()? {
        return Ok(None);
    }
    for unit in UNITS {
        let state = host.unit(unit)?;
        let load = state.get("LoadState").map_or("", String::as_str);
        if !matches!(load, "bad-setting" | "error") {
            continue;
        }
        let verify = Query::of(Reader::SystemdVerify).arg(unit);
        let verified = host.query(&verify);
        let is_sound = verified.as_ref().is_ok_and(|output| output.code == 0);
        let said = verified.map_or_else(|_| load_error(host, unit), |output| output.tail());
        return Ok(Some(if is_sound {
            // It was edited since it was loaded.
            Obstacle::new(
                format!("systemd has an old {unit} loaded, which it refuses"),
                "Let it read the files again: sudo systemctl daemon-reload",
            )
        } else {
            Obstacle::new(
                format!("systemd refuses the files of {unit}"),
                quote(&format!("Fix what it names: systemctl cat {unit}"), &said),
            )
        }));
    }
    Ok(None)
}

fn load_error(host: &Host, unit: &str) -> String {
    let show =
        Query::of(Reader::SystemctlShow).args(["--property=LoadError", "--value", "--", unit]);
    let shown = host.query(&show).map(|output| output.stdout);
    shown.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    /// A host whose units are in these states.
    fn host(states: &str) -> StubHost {
        StubHost::new().program(
            "systemctl",
            &format!(
                "case \"$5\" in {states} *) state=loaded ;; esac
                 echo LoadState=$state"
            ),
        )
    }

    #[test]
    fn every_masked_unit_is_named_with_the_commands_that_unmask_it() {
        let mask = |stub: StubHost, path: &str| stub.link(path, "/dev/null");
        assert_eq!(masked(StubHost::new().host(), &UNITS).unwrap(), None);
        let stub = mask(StubHost::new(), "/etc/systemd/system/docker.socket");
        let one = masked(stub.host(), &UNITS).unwrap().unwrap();
        assert_eq!(
            one.cause,
            "docker.socket is masked, so the engine cannot be started"
        );
        assert!(one.cure.ends_with(": sudo systemctl unmask docker.socket"));
        let stub = mask(stub, "/etc/systemd/system/containerd.service");
        let stub = mask(stub, "/run/systemd/system/docker.service");
        let own = masked(stub.host(), &[UNIT]).unwrap().unwrap();
        assert!(own.cause.starts_with("docker.service is masked"));
        let all = masked(stub.host(), &UNITS).unwrap().unwrap();
        let end = ": sudo systemctl unmask containerd.service docker.socket && sudo systemctl \
                   unmask --runtime docker.service";
        assert!(all.cure.ends_with(end), "{}", all.cure);
        let other = StubHost::new().link("/etc/systemd/system/docker.service", "/srv/x.service");
        assert_eq!(masked(other.host(), &UNITS).unwrap(), None);
    }

    #[test]
    fn a_unit_that_somebody_wrote_may_do_without_the_socket() {
        let of = |file: &str, text: &str| {
            let stub = StubHost::new().program("systemctl", "").file(file, text);
            needed(stub.host()).unwrap().contains(&SOCKET_UNIT)
        };
        let own = "/etc/systemd/system/docker.service";
        let starts = |listener: &str| format!("ExecStart=/usr/bin/dockerd -H {listener}\n");
        assert!(!of(own, &starts("unix:///run/docker.sock")));
        assert!(of(own, &starts("fd://")));
        let requires = "Requires=docker.socket\nExecStart=/usr/bin/dockerd\n";
        assert!(of(own, requires));
        let drop_in = "/etc/systemd/system/docker.service.d/own.conf";
        assert!(of(drop_in, &starts("unix:///run/docker.sock")));
    }

    #[test]
    fn a_unit_that_systemd_refuses_is_shown_with_its_words() {
        let broken = "docker.service) state=bad-setting ;;";
        let stub = host(broken).program("systemd-analyze", "echo own.conf:3: no >&2; exit 1");
        let found = unloadable(stub.host()).unwrap().unwrap();
        assert_eq!(found.cause, "systemd refuses the files of docker.service");
        assert!(found.cure.ends_with("own.conf:3: no"), "{}", found.cure);
        let edited = stub.program("systemd-analyze", "");
        let found = unloadable(edited.host()).unwrap().unwrap();
        assert!(found.cure.ends_with("sudo systemctl daemon-reload"));
        assert_eq!(unloadable(host("").host()).unwrap(), None);
    }
}
