//! What systemd says of the engine's unit.

use std::collections::BTreeMap;

use anyhow::Result;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::unit_settings;
use crate::daemon_json::{self, Document, with_flags};
use crate::error::Failure;
use crate::host::Host;
use crate::host::engine::{UNIT, systemctl};

/// What the environment of a unit says, by name.
type Variables = BTreeMap<String, String>;

/// The flags of the packages' own unit.
pub const PACKAGED_FLAGS: &[&str] = &[
    "-H",
    "fd://",
    "--containerd=/run/containerd/containerd.sock",
];

/// The flags that the unit gives to the engine: before it is installed, those of the drop-ins that
/// wait for it, or else the packaged ones.
pub fn flags(host: &Host) -> Result<Vec<String>> {
    let show = systemctl(&["show", UNIT, "--property=ExecStart", "--value"]);
    let shown = host.query(&show)?.stdout;
    let argv = shown
        .split_once("argv[]=")
        .and_then(|(_, rest)| rest.split_once(" ;"));
    let flags = |argv: &str| argv.split_whitespace().skip(1).map(str::to_owned).collect();
    if let Some((argv, _)) = argv {
        let flags: Vec<String> = flags(argv);
        return Ok(match has_variables(&flags) {
            true => with_variables(&environment(host, UNIT)?, flags),
            false => flags,
        });
    }
    let waiting = Waiting::read(host)?;
    Ok(match waiting.start {
        Some(argv) => with_variables(&waiting.environment, flags(&argv)),
        None => PACKAGED_FLAGS.iter().map(ToString::to_string).collect(),
    })
}

/// Whether the engine takes its sockets from systemd, as flag or file say: then it needs the unit
/// that opens them.
pub(super) fn takes_sockets(host: &Host) -> Result<bool> {
    let bytes = host.read(daemon_json::PATH)?.unwrap_or_default();
    let file = Document::parse(&bytes).unwrap_or_default();
    let all = with_flags(&file, &flags(host)?);
    let hosts = all.get("hosts").and_then(Value::as_array);
    let mut hosts = hosts.into_iter().flatten().filter_map(Value::as_str);
    Ok(hosts.any(|host| host.starts_with("fd://")))
}

fn has_variables(flags: &[String]) -> bool {
    flags.iter().any(|flag| flag.starts_with('$'))
}

/// The flags with `$NAME`, which stands for any number of words, and `${NAME}`, which stands for
/// one, replaced by what the unit's environment says; see `systemd.service(5)`.
fn with_variables(variables: &Variables, flags: Vec<String>) -> Vec<String> {
    let value = |name: &str| variables.get(name).cloned().unwrap_or_default();
    let replaced = flags.into_iter().flat_map(|flag| {
        let braced = flag
            .strip_prefix("${")
            .and_then(|rest| rest.strip_suffix('}'));
        match (braced, flag.strip_prefix('$')) {
            (Some(name), _) => vec![value(name)],
            (None, Some(name)) => value(name).split_whitespace().map(str::to_owned).collect(),
            (None, None) => vec![flag],
        }
    });
    replaced.collect()
}

/// The environment that a unit gives to its program, its files included.
pub fn environment(host: &Host, unit: &str) -> Result<Variables> {
    let show = systemctl(&["show", unit, "--property=Environment,EnvironmentFiles"]);
    let shown = host.query(&show)?.stdout;
    let mut variables = Variables::new();
    for line in shown.lines() {
        if let Some(inline) = line.strip_prefix("Environment=") {
            read_assignments(&mut variables, inline);
        } else if let Some(file) = line.strip_prefix("EnvironmentFiles=") {
            let path = file.split(" (").next().unwrap_or(file);
            read_file(&mut variables, host, path)?;
        }
    }
    Ok(variables)
}

/// Reads `NAME=VALUE` with spaces between them; one with spaces in it stands in quotes: every other
/// part.
fn read_assignments(variables: &mut Variables, line: &str) {
    for (number, part) in line.split('"').enumerate() {
        match number % 2 {
            0 => part
                .split(' ')
                .for_each(|it| read_assignment(variables, it)),
            _ => read_assignment(variables, part),
        }
    }
}

fn read_file(variables: &mut Variables, host: &Host, path: &str) -> Result<()> {
    let text = host.read_text(path)?.unwrap_or_default();
    let lines = text.lines();
    let lines = lines.filter(|line| !line.trim_start().starts_with('#'));
    lines.for_each(|line| read_assignment(variables, line));
    Ok(())
}

fn read_assignment(variables: &mut Variables, text: &str) {
    if let Some((name, value)) = text.split_once('=') {
        let value = value.trim_matches(['"', '\'']).to_owned();
        variables.insert(name.trim().to_owned(), value);
    }
}

/// What the files say of a unit that systemd has not loaded: mostly drop-ins that wait for it.
struct Waiting {
    /// The last command of `ExecStart=`, if there is any.
    start: Option<String>,
    environment: Variables,
}

impl Waiting {
    fn read(host: &Host) -> Result<Waiting> {
        let settings = unit_settings::of_unit(host, UNIT)?;
        let start = unit_settings::in_force(&settings, "ExecStart");
        let mut environment = Variables::new();
        for setting in unit_settings::in_force(&settings, "Environment") {
            read_assignments(&mut environment, &setting.value);
        }
        // The files override what is said in the unit, wherever that is.
        for setting in unit_settings::in_force(&settings, "EnvironmentFile") {
            let path = &setting.value;
            let path = path.strip_prefix('-').unwrap_or(path);
            read_file(&mut environment, host, path)?;
        }
        Ok(Waiting {
            start: start.last().map(|setting| setting.value.clone()),
            environment,
        })
    }
}

/// What systemd says of the engine's unit.
pub struct Unit {
    masked: bool,
    pub enabled: bool,
    pub active: bool,
    /// When it was last started, stopped or reloaded.
    pub changed: Option<Timestamp>,
}

impl Unit {
    /// `None` where there is no such unit.
    pub fn query(host: &Host) -> Result<Option<Unit>> {
        let state = host.unit(UNIT)?;
        let is = |key: &str, value: &str| state.get(key).is_some_and(|it| it == value);
        if is("LoadState", "not-found") {
            return Ok(None);
        }
        Ok(Some(Unit {
            masked: is("LoadState", "masked"),
            enabled: is("UnitFileState", "enabled"),
            active: is("ActiveState", "active"),
            changed: state
                .get("StateChangeTimestamp")
                .and_then(|text| timestamp(text)),
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

/// Reads a time like `Tue 2026-11-24 03:07:34.123456 UTC`.
fn timestamp(text: &str) -> Option<Timestamp> {
    let time = DateTime::strptime("%a %Y-%m-%d %H:%M:%S%.f UTC", text).ok()?;
    TimeZone::UTC.to_timestamp(time).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    #[test]
    fn the_time_of_a_units_last_change_is_read_to_the_microsecond() {
        let read = timestamp("Tue 2026-11-24 03:07:34.123456 UTC").unwrap();
        assert_eq!(read.to_string(), "2026-11-24T03:07:34.123456Z");
        assert_eq!(timestamp("n/a"), None);
    }

    #[test]
    fn the_units_flags_are_read_from_its_command_line() {
        let shown = "{ path=/usr/bin/dockerd ; argv[]=/usr/bin/dockerd -H fd:// --debug ; pid=0 }";
        let stub = StubHost::new().program("systemctl", &format!("echo '{shown}'"));
        assert_eq!(flags(stub.host()).unwrap(), ["-H", "fd://", "--debug"]);
        let none = stub.program("systemctl", "");
        assert_eq!(flags(none.host()).unwrap(), PACKAGED_FLAGS);
    }

    #[test]
    fn fault_45_flags_from_the_units_environment_count_too() {
        let stub = StubHost::new()
            .file(
                "/etc/default/docker",
                "# ours\nDOCKER_OPTS=\"--mtu=1400 --debug\"\n",
            )
            .program(
                "systemctl",
                "case \"$*\" in
                    *ExecStart*) echo '{ argv[]=/usr/bin/dockerd $DOCKER_OPTS ${LEVEL} $NONE ; }' ;;
                    *) echo 'Environment=A=1 \"B=2 C\" LEVEL=--icc=false'
                       echo 'EnvironmentFiles=/etc/default/docker (ignore_errors=yes)' ;;
                esac",
            );
        let expected = ["--mtu=1400", "--debug", "--icc=false"];
        assert_eq!(flags(stub.host()).unwrap(), expected);
    }

    #[test]
    fn fault_45_variables_of_a_waiting_drop_in_count_as_well() {
        let drop_in = "/etc/systemd/system/docker.service.d/own.conf";
        let stub = StubHost::new()
            .program("systemctl", "")
            .file(
                "/etc/default/docker",
                "DOCKER_OPTS=\"--mtu=1400 --debug\"\n",
            )
            .file(
                drop_in,
                "[Service]\nEnvironment=\"DOCKER_OPTS=--icc=false\" LEVEL=--tls\n\
                 EnvironmentFile=-/etc/default/docker\nEnvironmentFile=-/etc/none\n\
                 ExecStart=\nExecStart=/usr/bin/dockerd $DOCKER_OPTS ${LEVEL} $NONE\n",
            );
        assert_eq!(
            flags(stub.host()).unwrap(),
            ["--mtu=1400", "--debug", "--tls"]
        );
        let taken_back = stub.read(drop_in) + "EnvironmentFile=\n";
        stub.write(drop_in, taken_back);
        assert_eq!(flags(stub.host()).unwrap(), ["--icc=false", "--tls"]);
    }

    #[test]
    fn fault_45_flags_of_drop_ins_count_before_there_is_a_unit() {
        let stub = StubHost::new()
            .program("systemctl", "")
            .file(
                "/etc/systemd/system/docker.service.d/b.conf",
                "[Service]\nExecStart=\nExecStart=/usr/bin/dockerd -H fd:// \\\n --mtu=1400\n",
            )
            .file(
                "/run/systemd/system/docker.service.d/b.conf",
                "[Service]\nExecStart=/usr/bin/dockerd --debug\n",
            )
            .file(
                "/usr/lib/systemd/system/docker.service.d/a.conf",
                "[Service]\nExecStart=/usr/bin/dockerd --icc=false\n",
            );
        assert_eq!(flags(stub.host()).unwrap(), ["-H", "fd://", "--mtu=1400"]);
        stub.write(
            "/etc/systemd/system/docker.service.d/c.conf",
            "ExecStart=\n",
        );
        assert_eq!(flags(stub.host()).unwrap(), PACKAGED_FLAGS);
    }
}
