//! What systemd says of the engine's unit.

use std::collections::BTreeMap;

use anyhow::Result;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::error::Failure;
use crate::host::Host;
use crate::host::engine::{UNIT, systemctl};

/// The flags of the packages' own unit.
pub const PACKAGED_FLAGS: &[&str] = &[
    "-H",
    "fd://",
    "--containerd=/run/containerd/containerd.sock",
];

/// Where settings for a unit stand that is not there yet, those that count most first.
const DROP_INS: &[&str] = &[
    "/etc/systemd/system/docker.service.d",
    "/run/systemd/system/docker.service.d",
    "/usr/lib/systemd/system/docker.service.d",
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
    Ok(match (argv, start_of_drop_ins(host)?) {
        (Some((argv, _)), _) => with_variables(host, flags(argv))?,
        (None, Some(argv)) => flags(&argv),
        (None, None) => PACKAGED_FLAGS.iter().map(ToString::to_string).collect(),
    })
}

/// The flags with `$NAME`, which stands for any number of words, and `${NAME}`, which stands for
/// one, replaced by what the unit's environment says; see `systemd.service(5)`.
fn with_variables(host: &Host, flags: Vec<String>) -> Result<Vec<String>> {
    if !flags.iter().any(|flag| flag.starts_with('$')) {
        return Ok(flags);
    }
    let variables = environment(host, UNIT)?;
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
    Ok(replaced.collect())
}

/// The environment that a unit gives to its program, its files included.
pub fn environment(host: &Host, unit: &str) -> Result<BTreeMap<String, String>> {
    let show = systemctl(&["show", unit, "--property=Environment,EnvironmentFiles"]);
    let shown = host.query(&show)?.stdout;
    let mut variables = BTreeMap::new();
    let mut read = |assignment: &str| {
        if let Some((name, value)) = assignment.split_once('=') {
            let value = value.trim_matches(['"', '\'']).to_owned();
            variables.insert(name.trim().to_owned(), value);
        }
    };
    for line in shown.lines() {
        if let Some(inline) = line.strip_prefix("Environment=") {
            // An assignment with spaces in it stands in quotes: every other part.
            for (number, part) in inline.split('"').enumerate() {
                match number % 2 {
                    0 => part.split(' ').for_each(&mut read),
                    _ => read(part),
                }
            }
        } else if let Some(file) = line.strip_prefix("EnvironmentFiles=") {
            let path = file.split(" (").next().unwrap_or(file);
            let text = host.read_text(path)?.unwrap_or_default();
            let lines = text
                .lines()
                .filter(|line| !line.trim_start().starts_with('#'));
            lines.for_each(&mut read);
        }
    }
    Ok(variables)
}

/// The last command of `ExecStart=` in the drop-ins, if there is any.
fn start_of_drop_ins(host: &Host) -> Result<Option<String>> {
    let mut files = BTreeMap::new();
    for folder in DROP_INS {
        for name in host.list(folder)? {
            // Of two with one name the first counts; they are read by name, whatever the folder.
            let path = format!("{folder}/{name}");
            files.entry(name).or_insert(path);
        }
    }
    let mut start = None;
    for (_, path) in files.iter().filter(|(name, _)| name.ends_with(".conf")) {
        let text = host.read_text(path)?.unwrap_or_default();
        let text = text.replace("\\\n", " ");
        for command in text
            .lines()
            .filter_map(|line| line.strip_prefix("ExecStart="))
        {
            start = Some(command.trim().to_owned()).filter(|command| !command.is_empty());
        }
    }
    Ok(start)
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
