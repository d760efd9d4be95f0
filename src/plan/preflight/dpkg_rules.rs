//! What files of the host have dpkg do with the files of packages: put them elsewhere, leave them
//! out, give them to somebody. Where that means the engine's, it is refused before.

use std::fmt::Display;
use std::os::unix::fs::PermissionsExt;

use anyhow::Result;

use crate::error::blocked;
use crate::facts::ENGINE_PACKAGES;
use crate::host::Host;
use crate::host::command::Query;
use crate::host::query::Reader;
use crate::report::{Event, Listener};
use crate::shell;

/// Files without which the engine, or a command of docker's, does not work.
const NEEDED: &[&str] = &[
    "/usr/bin/containerd",
    "/usr/bin/containerd-shim-runc-v2",
    "/usr/bin/docker",
    "/usr/bin/docker-init",
    "/usr/bin/docker-proxy",
    "/usr/bin/dockerd",
    "/usr/bin/runc",
    "/usr/libexec/docker/cli-plugins/docker-buildx",
    "/usr/libexec/docker/cli-plugins/docker-compose",
    "/lib/systemd/system/containerd.service",
    "/lib/systemd/system/docker.service",
    "/lib/systemd/system/docker.socket",
    "/usr/lib/systemd/system/containerd.service",
    "/usr/lib/systemd/system/docker.service",
    "/usr/lib/systemd/system/docker.socket",
];

const DIVERSIONS: &str = "/var/lib/dpkg/diversions";
const OWNERS: &str = "/var/lib/dpkg/statoverride";
const CONFIGURATION: &str = "/etc/dpkg/dpkg.cfg";
const FOLDER: &str = "/etc/dpkg/dpkg.cfg.d";

/// Refuses to have dpkg unpack the engine under rules with which it would not work; a wrapper in the
/// place of a program is warned of.
///
/// # Errors
/// [`Failure::Blocked`](crate::error::Failure::Blocked), with the rule and the command that removes
/// it.
pub(super) fn check(host: &Host, listener: Listener<'_>) -> Result<()> {
    refuse_configuration(host)?;
    check_diversions(host, listener)?;
    refuse_exclusions(host)?;
    refuse_owners(host)
}

/// dpkg does nothing under a configuration that it cannot read: `configuration error: FILE:LINE: …`.
fn refuse_configuration(host: &Host) -> Result<()> {
    let Ok(told) = host.query(&Query::of(Reader::DpkgArchitecture)) else {
        return Ok(()); // without dpkg, there is more to say of elsewhere
    };
    let Some((_, error)) = told.stderr.split_once("configuration error: ") else {
        return Ok(());
    };
    let error = error.lines().next().unwrap_or_default();
    let place = error.split_once(": ");
    let place = place.and_then(|(place, fault)| Some((place.rsplit_once(':')?, fault)));
    let Some(((file, line), fault)) = place else {
        return Ok(());
    };
    Err(blocked(
        &format!("{file}, line {line}: dpkg cannot read its configuration ({fault})"),
        &format!(
            "Fix that line, or make it a comment: {}",
            comment(file, line)
        ),
    ))
}

/// The command that makes a line of dpkg's configuration a comment.
fn comment(file: &str, line: impl Display) -> String {
    let script = format!("{line}s/^/# /");
    format!("sudo {}", shell::joined(["sed", "-i", &script, file]))
}

/// Each diversion has three lines: what is diverted, where to, and the package that wants it, or a
/// colon. One with a wrapper in the place of the program works.
fn check_diversions(host: &Host, listener: Listener<'_>) -> Result<()> {
    let text = host.read_text(DIVERSIONS)?.unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    for entry in lines.chunks_exact(3) {
        let (path, elsewhere, owner) = (entry[0], entry[1], entry[2]);
        if !NEEDED.contains(&path) || ENGINE_PACKAGES.contains(&owner) {
            continue;
        }
        let (by, mut words) = match owner {
            ":" => ("by hand".to_owned(), vec!["dpkg-divert"]),
            owner => (
                format!("by {owner}"),
                vec!["dpkg-divert", "--package", owner],
            ),
        };
        let told = format!("dpkg is configured ({by}) to put {path} at {elsewhere}");
        if stands_in(host, path) {
            let text = format!("{told}; what is at {path} now is used in its place");
            listener(Event::Warning { text });
            continue;
        }
        words.extend(["--rename", "--remove", path]);
        let remove = format!("sudo {}", shell::joined(words));
        let cause = format!("{told}, where it would not be found");
        // dpkg-divert puts nothing in the place of what is there.
        let cure = if host.exists(path)? {
            let aside = shell::joined(["mv", path, &format!("{path}.disabled")]);
            format!(
                "Move what is at {path} aside, since it is of no use there, and remove the \
                     diversion: sudo {aside} && {remove}"
            )
        } else {
            format!("Remove the diversion: {remove}")
        };
        return Err(blocked(&cause, &cure));
    }
    Ok(())
}

/// Whether a file that can be used stands in the place of one of the engine's; a link counts as what it
/// leads to.
fn stands_in(host: &Host, path: &str) -> bool {
    let is_unit = path.contains("/systemd/");
    std::fs::metadata(host.path(path))
        .is_ok_and(|there| there.is_file() && (is_unit || there.permissions().mode() & 0o111 != 0))
}

/// A pattern that dpkg.cfg leaves files out by, or takes them in again.
struct Filter {
    file: String,
    line: usize,
    pattern: String,
    excludes: bool,
}

fn refuse_exclusions(host: &Host) -> Result<()> {
    let filters = filters(host)?;
    for path in NEEDED {
        // The last one that matches counts.
        let last = filters.iter().rfind(|it| matches(&it.pattern, path));
        let Some(Filter {
            file,
            line,
            pattern,
            ..
        }) = last.filter(|it| it.excludes)
        else {
            continue;
        };
        return Err(blocked(
            &format!(
                "{file}, line {line}: dpkg is configured to leave out {pattern}, and {path} with it"
            ),
            &format!("Make that line a comment: {}", comment(file, line)),
        ));
    }
    Ok(())
}

fn filters(host: &Host) -> Result<Vec<Filter>> {
    let names = host.list(FOLDER)?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    let names = names.iter().filter(|name| name.chars().all(is_plain));
    let files = names.map(|name| format!("{FOLDER}/{name}"));
    let mut filters = Vec::new();
    for file in files.chain([CONFIGURATION.to_owned()]) {
        let text = host.read_text(&file)?.unwrap_or_default();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            let rest = line.strip_prefix("path-exclude").map(|rest| (rest, true));
            let rest = rest.or(line.strip_prefix("path-include").map(|rest| (rest, false)));
            if let Some((pattern, excludes)) = rest {
                let pattern = pattern.trim_start_matches(['=', ' ', '\t']);
                filters.push(Filter {
                    file: file.clone(),
                    line: number + 1,
                    pattern: pattern.trim_matches('"').to_owned(),
                    excludes,
                });
            }
        }
    }
    Ok(filters)
}

/// Whether a path matches a pattern of `*` and `?`, which match slashes as well (dpkg(1)). One with
/// brackets is taken by its letters.
fn matches(pattern: &str, path: &str) -> bool {
    let Some(wild) = pattern.find(['*', '?']) else {
        return pattern == path;
    };
    let Some(rest) = path.strip_prefix(&pattern[..wild]) else {
        return false;
    };
    let after = &pattern[wild + 1..];
    let mut ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
    if pattern[wild..].starts_with('*') {
        ends.any(|at| matches(after, &rest[at..]))
    } else {
        ends.nth(1).is_some_and(|at| matches(after, &rest[at..]))
    }
}

/// Each line has a user, a group, a mode and a path. dpkg unpacks nothing at all when one is unknown
/// to the host.
fn refuse_owners(host: &Host) -> Result<()> {
    let text = host.read_text(OWNERS)?.unwrap_or_default();
    for line in text.lines() {
        let fields: Vec<&str> = line.splitn(4, ' ').collect();
        let [user, group, _, path] = fields[..] else {
            continue;
        };
        for (database, what, name) in [("passwd", "user", user), ("group", "group", group)] {
            // A number needs no name.
            if name.starts_with('#') || is_known(host, database, name)? {
                continue;
            }
            let remove = shell::joined(["dpkg-statoverride", "--remove", path]);
            return Err(blocked(
                &format!(
                    "{OWNERS} gives {path} to the {what} {name}, which is not there, so dpkg \
                          unpacks nothing"
                ),
                &format!("Remove the entry: sudo {remove}"),
            ));
        }
    }
    Ok(())
}

fn is_known(host: &Host, database: &str, name: &str) -> Result<bool> {
    let entry = host.query(&Query::of(Reader::Getent).args([database, name]))?;
    Ok(entry.code == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{exit_code, next_command};
    use crate::host::stub::StubHost;
    use std::cell::RefCell;

    /// The command that the refusal of a host with this file ends with.
    fn cure(path: &str, text: &str) -> String {
        let stub = StubHost::new()
            .file(path, text)
            .program("getent", "case $2 in root) ;; *) exit 2 ;; esac");
        let error = check(stub.host(), &|_| {}).unwrap_err();
        assert_eq!(exit_code(&error), 4);
        next_command(&error, Some("install"))
    }

    fn is_let_through(path: &str, text: &str) {
        check(StubHost::new().file(path, text).host(), &|_| {}).unwrap();
    }

    #[test]
    fn a_configuration_that_dpkg_cannot_read_is_named_with_its_line() {
        let told = "dpkg: error: configuration error: /etc/dpkg/dpkg.cfg.d/x:3: unknown option 'y'";
        let stub = StubHost::new().program("dpkg", &format!("echo \"{told}\" >&2; exit 2"));
        let error = check(stub.host(), &|_| {}).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("/etc/dpkg/dpkg.cfg.d/x, line 3: ")
        );
        assert_eq!(
            next_command(&error, Some("install")),
            "sudo sed -i '3s/^/# /' /etc/dpkg/dpkg.cfg.d/x"
        );
    }

    #[test]
    fn a_diversion_of_the_engines_files_is_refused_and_others_are_not() {
        let others = "/bin/sh\n/bin/sh.distrib\ndash\n";
        let local = format!("{others}/usr/bin/docker\n/usr/bin/docker.real\n:\n");
        assert_eq!(
            cure(DIVERSIONS, &local),
            "sudo dpkg-divert --rename --remove /usr/bin/docker"
        );
        assert_eq!(
            cure(DIVERSIONS, "/usr/bin/runc\n/usr/bin/runc.real\nwrapper\n"),
            "sudo dpkg-divert --package wrapper --rename --remove /usr/bin/runc"
        );
        is_let_through(DIVERSIONS, others);
    }

    #[test]
    fn a_diversion_with_a_wrapper_in_the_place_of_the_program_works_and_is_warned_of() {
        let docker = "/usr/bin/docker";
        let diverted = format!("{docker}\n{docker}.real\n:\n");
        let stub = StubHost::new()
            .file(DIVERSIONS, diverted)
            .file(docker, "#!/bin/sh\nexec docker.real \"$@\"\n");
        let warnings = RefCell::new(Vec::new());
        let told = || check(stub.host(), &|event| warnings.borrow_mut().push(event));
        let cure = "sudo mv /usr/bin/docker /usr/bin/docker.disabled && sudo dpkg-divert --rename \
                    --remove /usr/bin/docker";
        let refused = |error: anyhow::Error| next_command(&error, Some("install"));
        assert_eq!(refused(told().unwrap_err()), cure, "it cannot be run");
        stub.set_mode(docker, 0o755);
        told().unwrap();
        let [Event::Warning { text }] = &warnings.take()[..] else {
            panic!("one warning was expected");
        };
        assert!(text.ends_with("what is at /usr/bin/docker now is used in its place"));
        let stub = stub.link(docker, "gone");
        let error = check(stub.host(), &|_| {}).unwrap_err();
        assert_eq!(refused(error), cure, "it leads nowhere");
    }

    #[test]
    fn what_is_left_out_of_documents_only_is_in_nobodys_way() {
        let file = "/etc/dpkg/dpkg.cfg.d/excludes";
        assert_eq!(
            cure(
                file,
                "# small\npath-exclude=/usr/libexec/*/docker-c?mpose\n"
            ),
            "sudo sed -i '2s/^/# /' /etc/dpkg/dpkg.cfg.d/excludes"
        );
        assert!(
            cure(
                file,
                "path-include /usr/bin/docker\npath-exclude /usr/bin/*"
            )
            .contains("2s")
        );
        is_let_through(
            file,
            "path-exclude=/usr/share/doc/*\npath-exclude=/usr/share/man/*\n",
        );
        is_let_through(file, "path-exclude=*\npath-include=*\n");
        is_let_through("/etc/dpkg/dpkg.cfg.d/x.dpkg-old", "path-exclude=*\n");
    }

    #[test]
    fn a_file_for_somebody_who_is_gone_stops_dpkg_and_is_named() {
        assert_eq!(
            cure(OWNERS, "root gone 2755 /usr/bin/thing\n"),
            "sudo dpkg-statoverride --remove /usr/bin/thing"
        );
        is_let_through(OWNERS, "#0 #0 2755 /usr/bin/thing\n");
    }
}
