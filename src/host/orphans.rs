//! Containers that run on without their engine: one with live-restore that was stopped, or one that
//! died.

use anyhow::Result;
use serde_json::Value;

use super::Host;

/// What containerd starts for each container, and what the engine calls its own there.
///
/// Source: <https://github.com/containerd/containerd/blob/main/core/runtime/v2/README.md>.
const SHIM: &str = "containerd-shim";
const NAMESPACE: [&str; 2] = ["-namespace", "moby"];

/// A container without its engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Orphan {
    /// What the user calls it, or the beginning of its identifier.
    pub name: String,
    /// Its processes that are nobody else's children, and the one that looks after them.
    pub processes: Vec<i32>,
}

impl Host {
    /// The engine's containers that run, while the engine's unit does not; none where it does.
    pub fn orphans(&self) -> Result<Vec<Orphan>> {
        if !self.runs_systemd()? || self.engine_is_active()? {
            return Ok(Vec::new());
        }
        let names = self.list("/proc")?.into_iter();
        let running: Vec<i32> = names.filter_map(|name| name.parse().ok()).collect();
        let mut orphans = Vec::new();
        for shim in &running {
            let line = self.read_text(format!("/proc/{shim}/cmdline"));
            // One that has ended meanwhile has none.
            let Some(container) = line.ok().flatten().and_then(|line| container_of(&line)) else {
                continue;
            };
            let is_child = |pid: &&i32| self.parent_of(**pid) == Some(*shim);
            let mut processes: Vec<i32> = running.iter().filter(is_child).copied().collect();
            processes.push(*shim);
            let name = self.container_name(&container)?;
            orphans.push(Orphan { name, processes });
        }
        Ok(orphans)
    }

    /// The name of a container, as the engine has it on its disk.
    fn container_name(&self, container: &str) -> Result<String> {
        let folder = self.data_root()?.join("containers").join(container);
        let kept = self.read(folder.join("config.v2.json"))?;
        let kept: Option<Value> = kept.and_then(|kept| serde_json::from_slice(&kept).ok());
        let name = kept.as_ref().and_then(|kept| kept["Name"].as_str());
        let short = || container.chars().take(12).collect();
        Ok(name.map_or_else(short, |name| name.trim_start_matches('/').to_owned()))
    }
}

/// The container of the engine's that a process of this command line looks after.
fn container_of(line: &str) -> Option<String> {
    let words: Vec<&str> = line.split('\0').collect();
    let program = words.first()?.rsplit('/').next()?;
    let is_of_engine = words.windows(2).any(|pair| pair == NAMESPACE);
    let id = words.windows(2).find(|pair| pair[0] == "-id")?[1];
    (program.starts_with(SHIM) && is_of_engine).then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    #[test]
    fn the_engines_containers_are_found_by_what_looks_after_them() {
        let shim = |namespace: &str, id: &str| {
            format!("/usr/bin/containerd-shim-runc-v2\0-namespace\0{namespace}\0-id\0{id}\0")
        };
        let stub = StubHost::new()
            .folder("/run/systemd/system")
            .program("systemctl", "exit 3")
            .file("/etc/docker/daemon.json", r#"{"data-root": "/srv/docker"}"#)
            .file(
                "/srv/docker/containers/abc/config.v2.json",
                r#"{"Name": "/web"}"#,
            )
            .file("/proc/10/cmdline", shim("moby", "abc"))
            .file("/proc/11/cmdline", "sleep\0")
            .file("/proc/11/stat", "11 (a) b) S 10 1")
            .file("/proc/12/cmdline", shim("moby", "0123456789abcdef"))
            .file("/proc/13/cmdline", shim("k8s.io", "kube"))
            .file("/proc/14/cmdline", "vi\0containerd-shim\0-id\0x\0")
            .file("/proc/self/cmdline", shim("moby", "no-number"));
        let mut orphans = stub.host().orphans().unwrap();
        orphans.sort_by_key(|it| it.processes.clone());
        let orphan = |name: &str, processes: &[i32]| Orphan {
            name: name.to_owned(),
            processes: processes.to_vec(),
        };
        assert_eq!(
            orphans,
            [orphan("web", &[11, 10]), orphan("0123456789ab", &[12])]
        );
        let runs = stub.program("systemctl", "exit 0");
        assert_eq!(runs.host().orphans().unwrap(), []);
    }
}
