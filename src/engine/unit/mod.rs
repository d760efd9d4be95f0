//! What systemd says of the engine's unit.

pub(crate) mod directives;
mod environment;
pub(crate) mod words;

use anyhow::Result;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::daemon_config::{self, Document, with_flags};
use crate::docker::UNIT;
use crate::error::Failure;
use crate::host::Host;
use crate::host::command::Query;
use crate::host::query::Reader;
pub(crate) use environment::Environment;

/// The flags of the packages' own unit.
pub(crate) const PACKAGED_FLAGS: &[&str] = &[
    "-H",
    "fd://",
    "--containerd=/run/containerd/containerd.sock",
];

/// What may stand before the program of a command; see `systemd.service(5)`.
pub(crate) const PREFIXES: [char; 6] = ['@', '-', ':', '+', '!', '|'];

/// The flags that the unit gives to the engine: before it is installed, those of the drop-ins that
/// wait for it, or else the packaged ones.
pub(crate) fn flags(host: &Host) -> Result<Vec<String>> {
    if let Some(argv) = loaded_command(host)? {
        let flags: Vec<String> = argv.split_whitespace().skip(1).map(str::to_owned).collect();
        return Ok(if flags.iter().any(|flag| flag.contains('$')) {
            Environment::of(host, UNIT)?.in_place(flags)
        } else {
            flags
        });
    }
    Ok(waiting_flags(host)?
        .unwrap_or_else(|| PACKAGED_FLAGS.iter().map(ToString::to_string).collect()))
}

/// The environment that the unit gives to the engine, or is going to.
pub(crate) fn environment(host: &Host) -> Result<Environment> {
    match loaded_command(host)? {
        Some(_) => Environment::of(host, UNIT),
        None => Environment::of_settings(host, &directives::of_unit(host, UNIT)?),
    }
}

/// The command of the unit that systemd has loaded.
fn loaded_command(host: &Host) -> Result<Option<String>> {
    let show = Query::of(Reader::SystemctlShow).args([UNIT, "--property=ExecStart", "--value"]);
    let shown = host.query(&show)?.stdout;
    let argv = shown
        .split_once("argv[]=")
        .and_then(|(_, rest)| rest.split_once(" ;"));
    Ok(argv.map(|(argv, _)| argv.to_owned()))
}

/// What the files say of a unit that systemd has not loaded: mostly drop-ins that wait for it.
fn waiting_flags(host: &Host) -> Result<Option<Vec<String>>> {
    let settings = directives::of_unit(host, UNIT)?;
    let Some(start) = directives::in_force(&settings, "ExecStart").pop() else {
        return Ok(None);
    };
    let command = start.value.trim_start_matches(PREFIXES);
    let prefix = &start.value[..start.value.len() - command.len()];
    let words = words::split(command).into_iter();
    let program = if prefix.contains('@') { 2 } else { 1 };
    let flags = words
        .skip(program)
        .map(|word| words::resolved(&word))
        .collect();
    Ok(Some(if prefix.contains(':') {
        flags
    } else {
        Environment::of_settings(host, &settings)?.in_place(flags)
    }))
}

/// Whether the engine takes its sockets from systemd, as flag or file say: then it needs the unit
/// that opens them.
pub(crate) fn takes_sockets(host: &Host) -> Result<bool> {
    let bytes = host.read(daemon_config::PATH)?.unwrap_or_default();
    let file = Document::parse(&bytes).unwrap_or_default();
    let all = with_flags(&file, &flags(host)?);
    let mut hosts = all
        .get("hosts")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    Ok(hosts.any(|host| host.starts_with("fd://")))
}

/// What systemd says of the engine's unit.
pub(crate) struct Unit {
    masked: bool,
    pub enabled: bool,
    pub active: bool,
    /// When it was last started, stopped or reloaded.
    pub changed: Option<Timestamp>,
}

impl Unit {
    /// `None` where there is no such unit.
    pub(crate) fn query(host: &Host) -> Result<Option<Unit>> {
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

    pub(crate) fn refuse_masked(&self) -> Result<()> {
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
    fn flags_of_a_waiting_drop_in_are_read_as_systemd_reads_them() {
        let drop_in = "/etc/systemd/system/docker.service.d/own.conf";
        let read = |start: &str| {
            let text =
                format!("[Service]\nEnvironment=HOST=fd://\nExecStart=\nExecStart={start}\n");
            let stub = StubHost::new().program("systemctl", "").file(drop_in, text);
            flags(stub.host()).unwrap()
        };
        for (start, expected) in [
            ("/usr/bin/dockerd -H \"fd://\"", "-H fd://"),
            ("\"/usr/bin/dockerd\" '--host=fd://'", "--host=fd://"),
            ("/usr/bin/dockerd --host=\"fd://\"", "--host=fd://"),
            (
                "/usr/bin/dockerd -H unix://%t/docker.sock",
                "-H unix:///run/docker.sock",
            ),
            ("/usr/bin/dockerd -H $HOST", "-H fd://"),
            ("-/usr/bin/dockerd --host=${HOST}", "--host=fd://"),
            ("@/usr/bin/dockerd dockerd -H fd://", "-H fd://"),
            (":/usr/bin/dockerd --label=$HOST", "--label=$HOST"),
        ] {
            assert_eq!(read(start).join(" "), expected, "{start}");
        }
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
