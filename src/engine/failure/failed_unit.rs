//! Which unit it is that keeps the engine from running.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::docker::{CONTAINERD_UNIT, SOCKET_UNIT, UNIT};
use crate::engine::unit;
use crate::engine::unit::directives::NEEDS;
use crate::host::Host;
use crate::host::command::Query;
use crate::host::query::Reader;

/// What is asked of systemd.
const PROPERTIES: &str = "--property=LoadState,ActiveState,SubState,Result,ConditionResult,\
                          ConditionTimestampMonotonic,AssertResult,AssertTimestampMonotonic,\
                          NRestarts,InvocationID,InactiveExitTimestampMonotonic,\
                          Requires,BindsTo,Requisite";

/// Kinds of units that can fail in a way of their own.
const KINDS: &[&str] = &[".mount", ".path", ".service", ".socket"];

/// A unit as systemd sees it.
pub(crate) struct UnitState {
    pub unit: String,
    said: BTreeMap<String, String>,
}

impl UnitState {
    /// # Errors
    /// When systemd cannot be asked.
    pub(crate) fn of(host: &Host, unit: &str) -> Result<UnitState> {
        let shown = host
            .query(&Query::of(Reader::SystemctlShow).args([PROPERTIES, "--", unit]))?
            .stdout;
        let pairs = shown.lines().filter_map(|line| line.split_once('='));
        Ok(UnitState {
            unit: unit.to_owned(),
            said: pairs
                .map(|(key, value)| (key.into(), value.into()))
                .collect(),
        })
    }

    pub(crate) fn value(&self, key: &str) -> &str {
        self.said.get(key).map_or("", String::as_str)
    }

    /// The unit's last start, as systemd numbers them; empty where there was none.
    pub(crate) fn invocation(&self) -> &str {
        let id = self.value("InvocationID").trim();
        if id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            id
        } else {
            ""
        }
    }

    /// Whether systemd itself has started it again since.
    pub(crate) fn was_restarted(&self) -> bool {
        self.value("NRestarts")
            .parse()
            .is_ok_and(|times: u32| times > 0)
    }

    /// Why it does not run, in words that follow its name; `None` where nothing is wrong with it.
    fn fault(&self) -> Option<String> {
        let result = self.value("Result");
        let is_failing = self.value("ActiveState") == "failed"
            || self.value("SubState") == "auto-restart"
            || (self.was_restarted() && self.value("ActiveState") != "active");
        match self.value("LoadState") {
            "masked" => return Some("is masked".to_owned()),
            "not-found" => return Some("is not on this host".to_owned()),
            "bad-setting" | "error" => return Some("has files that systemd refuses".to_owned()),
            _ => {}
        }
        if is_failing {
            return Some(match result {
                "" | "success" => "failed".to_owned(),
                result => format!("failed ({result})"),
            });
        }
        let is_waiting = self.value("ActiveState") == "inactive";
        (is_waiting && (self.is_refuted("Condition") || self.is_refuted("Assert")))
            .then(|| "was not started, since a Condition or Assert of it does not hold".to_owned())
    }

    /// Whether systemd has found that a Condition or Assert does not hold. A unit that was never
    /// started has "no" as well, since nothing was checked.
    fn is_refuted(&self, kind: &str) -> bool {
        let checked = self.value(&format!("{kind}TimestampMonotonic"));
        let was_checked = checked.parse().is_ok_and(|time: u64| time > 0);
        was_checked && self.value(&format!("{kind}Result")) == "no"
    }
}

/// The unit that failed, and how it did: one that the engine needs before the engine's own, which
/// then only waited for it. `None` where all of them are well.
pub(crate) fn find(host: &Host) -> Result<Option<(UnitState, String)>> {
    let engine = UnitState::of(host, UNIT)?;
    let is_absent = engine.value("LoadState") == "not-found"; // its package did not get so far
    if is_absent || engine.value("ActiveState") == "active" {
        return Ok(None);
    }
    let mut needed = vec![CONTAINERD_UNIT.to_owned()];
    // Without Requires=, only an engine that takes its listeners from systemd needs the socket.
    if unit::takes_sockets(host)? {
        needed.push(SOCKET_UNIT.to_owned());
    }
    for key in NEEDS {
        let units = engine.value(key).split_whitespace();
        for unit in units.filter(|unit| KINDS.iter().any(|kind| unit.ends_with(kind))) {
            if !needed.iter().any(|known| known == unit) {
                needed.push(unit.to_owned());
            }
        }
    }
    for unit in needed {
        let state = UnitState::of(host, &unit)?;
        let is_only_wanted = unit == CONTAINERD_UNIT && state.value("LoadState") == "not-found";
        if let Some(fault) = state.fault().filter(|_| !is_only_wanted) {
            return Ok(Some((state, fault)));
        }
    }
    Ok(engine.fault().map(|fault| (engine, fault)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    /// The unit at fault and its fault, where `systemctl show` answers as these lines of `case` say.
    fn found(cases: &str) -> Option<String> {
        found_with("fd://", cases)
    }

    /// The same for an engine that is to listen there.
    fn found_with(listener: &str, cases: &str) -> Option<String> {
        let argv = format!("argv[]=/usr/bin/dockerd -H {listener} ; }}");
        let stub = StubHost::new().program(
            "systemctl",
            &format!(
                "case \"$*\" in *ExecStart*) echo '{argv}'; exit ;; esac
                 case $4 in {cases} *) echo ActiveState=active ;; esac"
            ),
        );
        let found = find(stub.host()).unwrap();
        found.map(|(state, fault)| format!("{} {fault}", state.unit))
    }

    #[test]
    fn what_the_engine_needs_is_looked_at_before_the_engine() {
        assert_eq!(found("*) echo LoadState=not-found ;;"), None);
        let engine = "docker.service) printf 'ActiveState=failed\\nResult=exit-code\\n\
                      Requires=other.service docker.socket\\n' ;;";
        assert_eq!(
            found(engine).as_deref(),
            Some("docker.service failed (exit-code)")
        );
        for (unit, state, fault) in [
            (
                "docker.socket",
                "LoadState=masked",
                "docker.socket is masked",
            ),
            (
                "docker.socket",
                "ActiveState=failed\\nResult=resources",
                "docker.socket failed (resources)",
            ),
            (
                "containerd.service",
                "ActiveState=activating\\nSubState=auto-restart\\nResult=exit-code",
                "containerd.service failed (exit-code)",
            ),
            (
                "other.service",
                "LoadState=not-found",
                "other.service is not on this host",
            ),
        ] {
            let cases = format!("{engine} {unit}) printf '{state}\\n' ;;");
            assert_eq!(found(&cases).as_deref(), Some(fault));
        }
        assert_eq!(found(""), None);
    }

    #[test]
    fn a_condition_that_does_not_hold_is_a_fault() {
        for kind in ["Condition", "Assert"] {
            let skipped = |checked: u64| {
                found(&format!(
                    "docker.service) printf 'ActiveState=inactive\\n{kind}Result=no\\n\
                     {kind}TimestampMonotonic={checked}\\n' ;;"
                ))
            };
            assert!(skipped(7).unwrap().contains("a Condition or Assert"));
            assert_eq!(skipped(0), None, "never started, so never checked");
        }
    }

    #[test]
    fn a_unit_that_was_never_started_is_not_to_blame() {
        let waiting = "printf 'LoadState=loaded\\nActiveState=inactive\\nConditionResult=no\\n\
                       ConditionTimestampMonotonic=0\\nAssertResult=no\\n\
                       AssertTimestampMonotonic=0\\n'";
        let units = "containerd.service|docker.socket|docker.service";
        assert_eq!(found(&format!("{units}) {waiting} ;;")), None);
    }

    #[test]
    fn the_socket_is_to_blame_only_where_the_engine_needs_it() {
        let engine = |needs: &str| {
            format!(
                "docker.service) printf 'ActiveState=failed\\nResult=exit-code\\n{needs}\\n' ;;"
            )
        };
        let on_its_own = "unix:///run/docker.sock";
        for state in ["masked", "not-found"] {
            let socket = format!("docker.socket) echo LoadState={state} ;;");
            let blamed = |listener: &str, needs: &str| {
                found_with(listener, &format!("{} {socket}", engine(needs))).unwrap()
            };
            let own = "docker.service failed (exit-code)";
            assert_eq!(blamed(on_its_own, "Requires=sysinit.target"), own);
            for (listener, needs) in [
                ("fd://", "Requires="),
                (on_its_own, "Requires=docker.socket"),
                (on_its_own, "BindsTo=docker.socket"),
            ] {
                assert!(blamed(listener, needs).starts_with("docker.socket is "));
            }
        }
    }
}
