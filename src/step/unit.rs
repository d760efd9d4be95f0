//! What systemd says of the engine's unit.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::error::Failure;
use crate::host::Host;
use crate::host::engine::{UNIT, systemctl};

/// The flags of the packages' own unit.
const PACKAGED_FLAGS: &[&str] = &[
    "-H",
    "fd://",
    "--containerd=/run/containerd/containerd.sock",
];

/// The flags that the unit gives to the engine: the packaged ones before it is installed.
pub fn flags(host: &Host) -> Result<Vec<String>> {
    let show = systemctl(&["show", UNIT, "--property=ExecStart", "--value"]);
    let shown = host.query(&show)?.stdout;
    let argv = shown
        .split_once("argv[]=")
        .and_then(|(_, rest)| rest.split_once(" ;"));
    Ok(match argv {
        Some((argv, _)) => argv.split_whitespace().skip(1).map(str::to_owned).collect(),
        None => PACKAGED_FLAGS.iter().map(ToString::to_string).collect(),
    })
}

/// What systemd says of the engine's unit.
pub struct Unit {
    masked: bool,
    pub enabled: bool,
    pub active: bool,
    /// When it became active, in seconds since 1970; 0 when it is not.
    pub started: u64,
}

impl Unit {
    /// `None` where there is no such unit.
    pub fn query(host: &Host) -> Result<Option<Unit>> {
        let show = systemctl(&[
            "show",
            UNIT,
            "--timestamp=unix",
            "--property=LoadState,UnitFileState,ActiveState,ActiveEnterTimestamp",
        ]);
        let shown = host.query(&show)?.success()?.stdout;
        let state: BTreeMap<&str, &str> = shown
            .lines()
            .filter_map(|line| line.split_once('='))
            .collect();
        let is = |key: &str, value: &str| state.get(key) == Some(&value);
        if is("LoadState", "not-found") {
            return Ok(None);
        }
        let started = state
            .get("ActiveEnterTimestamp")
            .copied()
            .unwrap_or_default();
        Ok(Some(Unit {
            masked: is("LoadState", "masked"),
            enabled: is("UnitFileState", "enabled"),
            active: is("ActiveState", "active"),
            started: started.trim_start_matches('@').parse().unwrap_or(0),
        }))
    }

    pub fn refuse_masked(&self) -> Result<()> {
        if !self.masked {
            return Ok(());
        }
        Err(Failure::Blocked(format!(
            "{UNIT} is masked, so the engine cannot be started; nothing was changed. \
             Allow it and run this again: systemctl unmask {UNIT}"
        ))
        .into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    #[test]
    fn the_units_flags_are_read_from_its_command_line() {
        let shown = "{ path=/usr/bin/dockerd ; argv[]=/usr/bin/dockerd -H fd:// --debug ; pid=0 }";
        let stub = StubHost::new().program("systemctl", &format!("echo '{shown}'"));
        assert_eq!(flags(stub.host()).unwrap(), ["-H", "fd://", "--debug"]);
        let none = stub.program("systemctl", "");
        assert_eq!(flags(none.host()).unwrap(), PACKAGED_FLAGS);
    }
}
