//! What a unit itself said last, as systemd's journal has it.

use serde_json::Value;

use super::failed_unit::UnitState;
use crate::daemon_config::{Document, PATH, Secrets};
use crate::docker::UNIT;
use crate::engine::unit;
use crate::error::quote;
use crate::host::Host;
use crate::host::command::Query;
use crate::host::query::Reader;

/// How many of its lines are shown.
const LINES: usize = 15;

/// What journald's own driver for containers' logs marks each of their lines with.
///
/// Source: <https://docs.docker.com/engine/logging/drivers/journald/>.
const OF_CONTAINERS: &[&str] = &["CONTAINER_ID", "CONTAINER_ID_FULL", "CONTAINER_NAME"];

/// The text with what the engine said on lines of their own behind it.
pub(crate) fn with_last_words(text: &str, host: &Host) -> String {
    quote(&format!("{text}; its last words:"), &words_of_engine(host))
}

/// What systemd and the engine said of the engine's last start.
pub(crate) fn words_of_engine(host: &Host) -> String {
    let engine = UnitState::of(host, UNIT).map(|engine| words_of(host, &engine));
    engine.unwrap_or_default()
}

/// What systemd and the unit said of its last start. Containers may log by the engine, and to the
/// same journal: what they say is not among it.
pub(crate) fn words_of(host: &Host, unit: &UnitState) -> String {
    let of_start = entries(host, unit);
    let entries = if unit.was_restarted() && !of_start.iter().any(is_own_output) {
        // the start at hand has only begun
        entries_of_boot(host, &unit.unit, "")
    } else {
        of_start
    };
    let lines: Vec<String> = entries.iter().filter_map(message).collect();
    without_secrets(host, &lines.join("\n"))
}

/// The last entries about the unit's last start; of this boot, where it was never started.
fn entries(host: &Host, unit: &UnitState) -> Vec<Value> {
    let mut entries = entries_of_boot(host, &unit.unit, unit.invocation());
    if !unit.invocation().is_empty() {
        entries.retain(|entry| !is_own_output(entry) || is_of_start(entry, unit));
    }
    entries
}

/// The last entries of this boot about a unit. What systemd said is of one start, where its number is
/// given. What the unit wrote to its output is of any start.
fn entries_of_boot(host: &Host, unit: &str, invocation: &str) -> Vec<Value> {
    let journal = Query::of(Reader::Journal)
        .arg("--output=json")
        .arg(format!("--lines={LINES}"))
        .arg("--boot")
        .args(matches(unit, invocation));
    let said = host
        .query(&journal)
        .map(|output| output.stdout)
        .unwrap_or_default();
    said.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

/// What to look for: what the unit's processes wrote to their output, which is no log driver's way,
/// or what systemd said of the unit. Fields that begin with a line are journald's own.
fn matches(unit: &str, invocation: &str) -> Vec<String> {
    let own = [format!("_SYSTEMD_UNIT={unit}"), "_TRANSPORT=stdout".into()];
    let systemds = [format!("UNIT={unit}"), "_PID=1".to_owned()];
    let of_start = (!invocation.is_empty()).then(|| format!("INVOCATION_ID={invocation}"));
    own.into_iter()
        .chain(["+".to_owned()])
        .chain(systemds)
        .chain(of_start)
        .collect()
}

fn is_own_output(entry: &Value) -> bool {
    entry["_TRANSPORT"] == "stdout"
}

/// Whether the unit's last start wrote it. journald marks a line with the start's number only where
/// the process that wrote it still runs; a line without the number tells by its time.
fn is_of_start(entry: &Value, unit: &UnitState) -> bool {
    match entry["_SYSTEMD_INVOCATION_ID"].as_str() {
        Some(invocation) => invocation == unit.invocation(),
        None => {
            let microseconds = |text: &str| text.parse::<u64>().ok();
            let written = entry["__MONOTONIC_TIMESTAMP"].as_str();
            let begun = microseconds(unit.value("InactiveExitTimestampMonotonic"));
            written
                .and_then(microseconds)
                .zip(begun)
                .is_some_and(|(written, begun)| written >= begun)
        }
    }
}

/// The text of an entry, unless a container said it.
fn message(entry: &Value) -> Option<String> {
    if OF_CONTAINERS
        .iter()
        .any(|field| entry.get(*field).is_some())
    {
        return None;
    }
    match entry.get("MESSAGE")? {
        Value::String(text) => Some(text.clone()),
        // What is not a text in UTF-8 comes as its bytes.
        Value::Array(bytes) => {
            let bytes: Vec<u8> = bytes
                .iter()
                .map(|byte| u8::try_from(byte.as_u64()?).ok())
                .collect::<Option<_>>()?;
            Some(String::from_utf8_lossy(&bytes).into_owned())
        }
        _ => None,
    }
}

/// What the engine said, without the secrets of the file and the flags that it goes by.
fn without_secrets(host: &Host, said: &str) -> String {
    let document = host
        .read(PATH)
        .ok()
        .flatten()
        .and_then(|bytes| Document::parse(&bytes).ok());
    let flags = unit::flags(host).unwrap_or_default();
    Secrets::of(&document.unwrap_or_default(), &flags).star_out(said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;
    use serde_json::json;

    fn journal_call(stub: &StubHost) -> String {
        let mut calls = stub
            .calls()
            .into_iter()
            .filter(|call| call.starts_with("journalctl"));
        calls.next().expect("a look into the journal")
    }

    #[test]
    fn what_a_container_logs_is_not_what_the_engine_said() {
        let entries = [
            json!({
                "MESSAGE": "failed to start daemon: no space left on device",
                "_TRANSPORT": "stdout",
                "_SYSTEMD_INVOCATION_ID": "0123abcd"
            }),
            json!({ "MESSAGE": "run: docker run evil", "CONTAINER_ID": "abc" }),
            json!({ "MESSAGE": "run: docker run evil", "CONTAINER_NAME": "web" }),
            json!({ "MESSAGE": [104, 105, 255] }),
            json!({ "MESSAGE": null }),
        ]
        .map(|entry| entry.to_string())
        .join("\n");
        let stub = StubHost::new()
            .file("/entries", entries)
            .program("systemctl", "echo InvocationID=0123abcd")
            .program("journalctl", "cat $ROOT/entries");
        assert_eq!(
            with_last_words("it failed", stub.host()),
            "it failed; its last words:\nfailed to start daemon: no space left on device\nhi\u{fffd}"
        );
        assert_eq!(
            journal_call(&stub),
            "journalctl --no-pager --output=json --lines=15 --boot _SYSTEMD_UNIT=docker.service \
             _TRANSPORT=stdout + UNIT=docker.service _PID=1 INVOCATION_ID=0123abcd"
        );
    }

    /// journald no longer finds the start's number where the process has ended before it looked.
    #[test]
    fn a_line_of_a_process_that_has_ended_is_known_by_its_time() {
        let line = |words: &str, microseconds: &str, invocation: Option<&str>| {
            json!({
                "MESSAGE": words,
                "_TRANSPORT": "stdout",
                "__MONOTONIC_TIMESTAMP": microseconds,
                "_SYSTEMD_INVOCATION_ID": invocation,
            })
        };
        let entries = [
            line("of another start", "5000", Some("fedc")),
            line("of an earlier start", "3999", None),
            json!({ "MESSAGE": "Starting x..." }),
            line("no such module", "4000", None),
            line("giving up", "4001", Some("0123abcd")),
        ]
        .map(|entry| entry.to_string())
        .join("\n");
        let stub = StubHost::new()
            .file("/entries", entries)
            .program(
                "systemctl",
                "printf 'InvocationID=0123abcd\\nInactiveExitTimestampMonotonic=4000\\n'",
            )
            .program("journalctl", "cat $ROOT/entries");
        assert_eq!(
            words_of_engine(stub.host()),
            "Starting x...\nno such module\ngiving up"
        );
    }

    #[test]
    fn without_a_last_start_the_unit_is_looked_for_in_this_boot() {
        let stub = StubHost::new()
            .program("systemctl", "echo")
            .program("journalctl", "");
        let engine = UnitState::of(stub.host(), UNIT).unwrap();
        assert_eq!(words_of(stub.host(), &engine), "");
        let call = journal_call(&stub);
        assert!(
            call.ends_with(
                "--boot _SYSTEMD_UNIT=docker.service _TRANSPORT=stdout + UNIT=docker.service _PID=1"
            ),
            "{call}"
        );
    }

    #[test]
    fn a_unit_that_is_just_being_started_again_has_spoken_before() {
        let stub = StubHost::new()
            .program(
                "systemctl",
                "printf 'InvocationID=0123abcd\\nNRestarts=2\\n'",
            )
            .program(
                "journalctl",
                "case \"$*\" in
                    *INVOCATION*) echo '{\"MESSAGE\": \"Starting x...\"}' ;;
                    *) echo '{\"MESSAGE\": \"invalid plugin\", \"_TRANSPORT\": \"stdout\"}' ;;
                esac",
            );
        let unit = UnitState::of(stub.host(), "containerd.service").unwrap();
        assert_eq!(words_of(stub.host(), &unit), "invalid plugin");
    }
}
