//! What a drop-in takes away from the engine or containerd that they need to work.

use anyhow::Result;

use super::Obstacle;
use crate::docker::{CONTAINERD_UNIT, UNIT};
use crate::engine::unit::directives::{self, Directive, NO, in_force};
use crate::host::Host;
use crate::report::{Event, Listener};
use crate::shell::joined;

/// Settings for which systemd gives a service mounts of its own, and the values with which it does
/// not. containerd, a service of its own, then sees nothing of what the engine mounts for containers.
///
/// Source: `systemd.exec(5)`; most of the switches, and some of the lists, were tried with an engine
/// 26.1.
const MOUNTS_OF_ITS_OWN: &[(&str, &[&str])] = &[
    ("BindPaths", &[]),
    ("BindReadOnlyPaths", &[]),
    ("ExecPaths", &[]),
    ("InaccessibleDirectories", &[]),
    ("InaccessiblePaths", &[]),
    ("MountFlags", &["shared"]),
    ("NoExecPaths", &[]),
    ("PrivateDevices", NO),
    ("PrivateIPC", NO),
    ("PrivateMounts", NO),
    ("PrivateNetwork", NO),
    ("PrivateTmp", NO),
    ("ProcSubset", &["all"]),
    ("ProtectControlGroups", NO),
    ("ProtectHome", NO),
    ("ProtectKernelLogs", NO),
    ("ProtectKernelModules", NO),
    ("ProtectKernelTunables", NO),
    ("ProtectProc", &["default"]),
    ("ProtectSystem", NO),
    ("ReadOnlyDirectories", &[]),
    ("ReadOnlyPaths", &[]),
    ("ReadWriteDirectories", &[]),
    ("ReadWritePaths", &[]),
    ("RootDirectory", &["/"]),
    ("RootImage", &[]),
    ("TemporaryFileSystem", &[]),
];

/// Settings that take away other things an engine works with, unless they are off; some other values
/// do no harm either.
///
/// Source: `systemd.exec(5)`, `systemd.resource-control(5)`.
const CONFINING: &[&str] = &[
    "AmbientCapabilities",
    "CapabilityBoundingSet",
    "DeviceAllow",
    "DevicePolicy",
    "MemoryDenyWriteExecute",
    "PrivateUsers",
    "RestrictAddressFamilies",
    "RestrictFileSystems",
    "RestrictNamespaces",
    "SystemCallFilter",
];

/// The same of the units as they stand. What only root can read is not judged.
pub(crate) fn problem(host: &Host) -> Result<Option<Obstacle>> {
    for unit in [CONTAINERD_UNIT, UNIT] {
        let settings = directives::files_of(host, unit)?.settings;
        let found = check(unit, &settings, &packaged(unit));
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// The file that a unit's package brings.
pub(crate) fn packaged(unit: &str) -> String {
    format!("/usr/lib/systemd/system/{unit}")
}

/// All lines of a file with which no container starts, or containerd has no place to write to.
pub(crate) fn check(unit: &str, settings: &[Directive], packaged: &str) -> Option<Obstacle> {
    let (found, why) = if unit == UNIT {
        (
            with_mounts_of_its_own(settings),
            "containerd does not see what an engine that is confined like this mounts, so no \
             container starts",
        )
    } else {
        (strict(settings), "it has no place to write to")
    };
    let file = &found.iter().find(|it| it.file != packaged)?.file;
    let lines: Vec<&Directive> = found.into_iter().filter(|it| it.file == *file).collect();
    let named = lines
        .iter()
        .map(|it| format!("line {}: {}={}", it.line, it.name, it.value));
    let scripts = lines
        .iter()
        .flat_map(|it| ["-e".to_owned(), format!("{}d", it.line)]);
    let sed: Vec<String> = ["sed", "-i"]
        .map(str::to_owned)
        .into_iter()
        .chain(scripts)
        .chain([file.clone()])
        .collect();
    Some(Obstacle::new(
        format!("{file}, {}: {why}", named.collect::<Vec<_>>().join(", ")),
        format!(
            "Remove this: sudo {} && sudo systemctl daemon-reload",
            joined(&sed)
        ),
    ))
}

/// Warns of what may keep a service from working.
pub(crate) fn warn(settings: &[Directive], packaged: &str, listener: Listener<'_>) {
    for setting in settings.iter().filter(|it| it.file != packaged) {
        let Directive { name, value, .. } = setting;
        // What a later line takes back does nothing.
        if !in_force(settings, name).contains(&setting) {
            continue;
        }
        let is_off = NO.contains(&value.to_lowercase().as_str());
        if is_apart(setting) || CONFINING.contains(&name.as_str()) && !is_off {
            let place = setting.place();
            let text = format!("{place}: {name}={value} may keep the service from working");
            listener(Event::Warning { text });
        }
    }
}

/// All lines of the settings that are in force: what one line says counts again without a later one.
fn with_mounts_of_its_own(settings: &[Directive]) -> Vec<&Directive> {
    let mut found = Vec::new();
    for (name, _) in MOUNTS_OF_ITS_OWN {
        let lines = in_force(settings, name);
        if lines.last().is_some_and(|last| is_apart(last)) {
            found.extend(lines.into_iter().filter(|line| is_apart(line)));
        }
    }
    found.sort_by_key(|setting| setting.line);
    found
}

fn is_apart(setting: &Directive) -> bool {
    let value = setting.value.to_lowercase();
    let mut known = MOUNTS_OF_ITS_OWN.iter();
    known.any(|(name, off)| *name == setting.name && !off.contains(&value.as_str()))
}

fn strict(settings: &[Directive]) -> Vec<&Directive> {
    let last = in_force(settings, "ProtectSystem").pop();
    let has_exceptions = !in_force(settings, "ReadWritePaths").is_empty();
    let strict = last.filter(|it| it.value == "strict" && !has_exceptions);
    strict.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::CONTAINERD_UNIT;
    use crate::engine::unit::directives::parse;
    use std::cell::RefCell;

    const FILE: &str = "/etc/systemd/system/docker.service.d/own.conf";

    fn found(unit: &str, text: &str) -> Option<Obstacle> {
        check(unit, &parse(FILE, text), "/usr/lib/systemd/system/x")
    }

    #[test]
    fn all_that_hides_mounts_from_containerd_is_named_and_removed_at_once() {
        let text = "[Service]\nProtectHome=yes\nPrivateTmp=true\nNoNewPrivileges=yes\n\
                    PrivateTmp=on\nMountFlags=slave\n";
        let found = found(UNIT, text).unwrap();
        assert_eq!(
            found.cause,
            format!(
                "{FILE}, line 2: ProtectHome=yes, line 3: PrivateTmp=true, line 5: PrivateTmp=on, \
                 line 6: MountFlags=slave: containerd does not see what an engine that is confined \
                 like this mounts, so no container starts"
            )
        );
        assert_eq!(
            found.cure,
            format!(
                "Remove this: sudo sed -i -e 2d -e 3d -e 5d -e 6d {FILE} && \
                 sudo systemctl daemon-reload"
            )
        );
    }

    #[test]
    fn what_hides_nothing_is_let_through() {
        for text in [
            "[Service]\nProtectHome=no\nMountFlags=shared\nPrivateTmp=0\nProtectProc=default\n",
            "[Service]\nReadWritePaths=/srv\nReadWritePaths=\n",
            "[Service]\nProtectClock=yes\nNoNewPrivileges=yes\nUMask=0077\n",
        ] {
            assert_eq!(found(UNIT, text), None, "{text}");
        }
        assert_eq!(found(CONTAINERD_UNIT, "[Service]\nProtectHome=yes\n"), None);
        let strict = "[Service]\nProtectSystem=strict\n";
        assert!(found(UNIT, strict).is_some());
        let refused = found(CONTAINERD_UNIT, strict).unwrap();
        assert!(refused.cause.ends_with("it has no place to write to"));
        let excepted = format!("{strict}ReadWritePaths=/\n");
        assert_eq!(found(CONTAINERD_UNIT, &excepted), None);
    }

    #[test]
    fn what_may_do_harm_is_warned_of() {
        let warned = RefCell::new(Vec::new());
        let settings = parse(
            FILE,
            "[Service]\nPrivateUsers=yes\nProtectHome=yes\nRestrictNamespaces=no\nUMask=77\n\
                     ReadWritePaths=\nDeviceAllow=/dev/x\nDeviceAllow=\n",
        );
        warn(&settings, "", &|event| warned.borrow_mut().push(event));
        let warning = |line: &str| Event::Warning {
            text: format!("{FILE}, line {line} may keep the service from working"),
        };
        assert_eq!(
            warned.into_inner(),
            [
                warning("2: PrivateUsers=yes"),
                warning("3: ProtectHome=yes")
            ]
        );
    }
}
