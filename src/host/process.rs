//! The processes that run, and what has started them.

use anyhow::Result;

use super::Host;
use crate::docker::UNIT;

impl Host {
    /// The numbers of all processes.
    pub(super) fn pids(&self) -> Result<Vec<i32>> {
        let names = self.list("/proc")?.into_iter();
        Ok(names.filter_map(|name| name.parse().ok()).collect())
    }

    /// Engines that run in this host's network, beside the one of the unit; each by its number.
    pub(crate) fn other_engines(&self) -> Result<Vec<i32>> {
        let network = |process: &str| {
            let link = self.path(format!("/proc/{process}/ns/net"));
            std::fs::read_link(link).ok()
        };
        let own = network("self");
        let is_other = |pid: &i32| {
            let text = |name: &str| self.read_text(format!("/proc/{pid}/{name}")).ok().flatten();
            let is_engine = text("comm").is_some_and(|name| name.trim() == "dockerd");
            let service = || self.service_of(*pid);
            let is_of_unit = || service().is_some_and(|service| service.is_of_system(UNIT));
            is_engine && network(&pid.to_string()) == own && !is_of_unit()
        };
        Ok(self.pids()?.into_iter().filter(is_other).collect())
    }

    /// The process that has started this one; see `proc_pid_stat(5)`.
    pub(super) fn parent_of(&self, pid: i32) -> Option<i32> {
        let text = self.read_text(format!("/proc/{pid}/stat")).ok()??;
        // The name, in parentheses, may have any letter in it.
        let (_, rest) = text.rsplit_once(')')?;
        rest.split_whitespace().nth(1)?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use crate::host::stub::StubHost;

    #[test]
    fn an_engine_counts_in_this_network_and_outside_of_the_unit() {
        let stub = StubHost::new();
        let process = |pid: &str, name: &str, network: &str, group: &str| {
            stub.write(&format!("/proc/{pid}/comm"), format!("{name}\n"));
            stub.write(&format!("/proc/{pid}/cgroup"), format!("0::{group}\n"));
            let folder = stub.host().path(format!("/proc/{pid}/ns"));
            std::fs::create_dir(&folder).unwrap();
            symlink(network, folder.join("net")).unwrap();
        };
        process("self", "dockstrap", "net:[1]", "/");
        process("10", "dockerd", "net:[1]", "/system.slice/docker.service");
        process("11", "dockerd", "net:[2]", "/user.slice"); // rootless, or in a container
        process("12", "containerd", "net:[1]", "/");
        assert!(stub.host().other_engines().unwrap().is_empty());
        process("13", "dockerd", "net:[1]", "/system.slice/other.service");
        assert_eq!(stub.host().other_engines().unwrap(), [13]);
        let of_user = "/user.slice/user-1000.slice/user@1000.service/app.slice/docker.service";
        process("14", "dockerd", "net:[1]", of_user); // rootless, in the network of the host
        assert_eq!(stub.host().other_engines().unwrap(), [13, 14]);
    }
}
