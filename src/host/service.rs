//! The service that a process belongs to.

use super::Host;
use crate::shell::quoted;

/// A service of the system, or of one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Service {
    unit: String,
    user: Option<String>,
}

impl Service {
    /// Whether it is this one of the system.
    pub(crate) fn is_of_system(&self, unit: &str) -> bool {
        self.user.is_none() && self.unit == unit
    }

    /// The user whose own it is.
    pub(crate) fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The command that stops it.
    pub(crate) fn stop(&self) -> String {
        let unit = quoted(&self.unit);
        match &self.user {
            None => format!("sudo systemctl stop {unit}"),
            Some(user) => format!(
                "sudo systemctl --user --machine={}@ stop {unit}",
                quoted(user)
            ),
        }
    }
}

impl Host {
    /// The service that a process belongs to, by its cgroup; none for one in a container, whose
    /// services are not of this host.
    pub(crate) fn service_of(&self, pid: i32) -> Option<Service> {
        let path = self.cgroup_of(pid)?;
        let init = self.cgroup_of(1).unwrap_or_default();
        let root = init.strip_suffix("/init.scope").unwrap_or_default();
        let mut units = path.strip_prefix(root)?.split('/').filter(is_no_slice);
        let service = |unit: &str| unit.ends_with(".service").then(|| unit.to_owned());
        let unit = service(units.next()?)?;
        let Some(uid) = uid_of_manager(&unit) else {
            return Some(Service { unit, user: None });
        };
        let unit = service(units.next()?)?;
        let entry = self.entry("passwd", uid).ok()??;
        let user = entry.split(':').next().map(str::to_owned);
        Some(Service { unit, user })
    }

    /// The place of a process in systemd's tree; see `cgroups(7)`.
    fn cgroup_of(&self, pid: i32) -> Option<String> {
        let text = self.read_text(format!("/proc/{pid}/cgroup")).ok()??;
        let of = |kind: &str| {
            text.lines().find_map(|line| {
                let (_, rest) = line.split_once(':')?;
                rest.strip_prefix(kind)?.strip_prefix(':')
            })
        };
        // Where systemd works with version 1, that of version 2 is empty, and the reverse.
        let unified = of("").filter(|path| *path != "/");
        unified.or(of("name=systemd")).map(str::to_owned)
    }
}

fn is_no_slice(part: &&str) -> bool {
    !part.is_empty() && !part.ends_with(".slice")
}

/// The user whose services this unit of the system runs.
fn uid_of_manager(unit: &str) -> Option<&str> {
    let uid = unit.strip_prefix("user@")?.strip_suffix(".service")?;
    uid.bytes().all(|it| it.is_ascii_digit()).then_some(uid)
}

#[cfg(test)]
mod tests {
    use crate::host::stub::StubHost;

    fn stop(cgroup: &str) -> Option<String> {
        let stub = StubHost::new()
            .program(
                "getent",
                "test $2 = 1000 || exit 2; echo alice:x:1000:1000::/:",
            )
            .file("/proc/9/cgroup", cgroup);
        let service = stub.host().service_of(9)?;
        let is_systems = service.is_of_system("docker.service");
        assert_eq!(
            is_systems,
            service.user().is_none() && cgroup.contains("docker.service")
        );
        Some(service.stop())
    }

    #[test]
    fn a_service_of_a_user_is_not_one_of_the_system() {
        for (cgroup, command) in [
            (
                "0::/system.slice/docker.service\n",
                Some("stop docker.service"),
            ),
            (
                "0::/system.slice/system-x.slice/x@1.service/sub\n",
                Some("stop x@1.service"),
            ),
            (
                "0::/user.slice/user-1000.slice/user@1000.service/app.slice/docker.service\n",
                Some("--user --machine=alice@ stop docker.service"),
            ),
            (
                "0::/user.slice/user-7.slice/user@7.service/app.slice/docker.service\n",
                None,
            ),
            (
                "0::/user.slice/user-1000.slice/user@1000.service/init.scope\n",
                None,
            ),
            ("0::/user.slice/user-1000.slice/session-1.scope\n", None),
            (
                "0::/system.slice/docker-0af.scope/system.slice/docker.service\n",
                None,
            ),
            ("0::/lxc.payload.x/system.slice/docker.service\n", None),
            (
                "4:pids:/x.service\n1:name=systemd:/system.slice/docker.service\n0::/\n",
                Some("stop docker.service"),
            ),
            (
                "9:name=systemd:/\n8:pids:/\n0::/system.slice/docker.service\n",
                Some("stop docker.service"),
            ),
            ("0::/\n", None),
        ] {
            let command = command.map(|command| format!("sudo systemctl {command}"));
            assert_eq!(stop(cgroup), command, "{cgroup}");
        }
    }

    #[test]
    fn a_host_that_is_itself_a_container_may_see_the_groups_around_it() {
        let stub = StubHost::new()
            .file("/proc/1/cgroup", "0::/machine.slice/lab.scope/init.scope\n")
            .file(
                "/proc/9/cgroup",
                "0::/machine.slice/lab.scope/system.slice/docker.service\n",
            );
        let service = stub.host().service_of(9).unwrap();
        assert!(service.is_of_system("docker.service"));
    }
}
