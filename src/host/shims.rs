//! Containers as the processes that they are: with live-restore, they run on when their engine is
//! stopped or dies.

use anyhow::Result;
use serde_json::Value;

use super::Host;
use super::engine::DATA_ROOT;

/// What containerd starts for each container, and what the engine calls its own there.
///
/// Source: <https://github.com/containerd/containerd/blob/main/core/runtime/v2/README.md>.
const SHIM: &str = "containerd-shim";
const NAMESPACE: [&str; 2] = ["-namespace", "moby"];

/// A container that runs, whether or not its engine does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contained {
    /// What the user calls it, or the beginning of its identifier.
    pub name: String,
    /// What was started in it, and the shim that has started that.
    pub processes: Vec<i32>,
}

impl Host {
    /// The containers of this host's engine that run. Those of other engines, as in a container or
    /// of a user's own, look alike, but are not in its data-root.
    pub fn contained(&self) -> Result<Vec<Contained>> {
        let names = self.list("/proc")?.into_iter();
        let running: Vec<i32> = names.filter_map(|name| name.parse().ok()).collect();
        let mut contained = Vec::new();
        for shim in &running {
            let line = self.read_text(format!("/proc/{shim}/cmdline"));
            // One that has ended meanwhile has none.
            let Some(id) = line.ok().flatten().and_then(|line| container_of(&line)) else {
                continue;
            };
            let Some(name) = self.container_name(&id)? else {
                continue;
            };
            let is_child = |pid: &&i32| self.parent_of(**pid) == Some(*shim);
            let mut processes: Vec<i32> = running.iter().filter(is_child).copied().collect();
            processes.push(*shim);
            contained.push(Contained { name, processes });
        }
        Ok(contained)
    }

    /// Those that run on without the engine; none where its unit runs, or systemd does not.
    pub fn orphans(&self) -> Result<Vec<Contained>> {
        let contained = self.contained()?;
        if contained.is_empty() || !self.runs_systemd()? || self.engine_is_active()? {
            return Ok(Vec::new());
        }
        Ok(contained)
    }

    /// The name of a container that the engine has on its disk.
    fn container_name(&self, id: &str) -> Result<Option<String>> {
        // What daemon.json says may have been taken back by now.
        for root in [self.data_root()?, DATA_ROOT.into()] {
            let folder = root.join("containers").join(id);
            if !self.exists(&folder)? {
                continue;
            }
            let kept = self.read(folder.join("config.v2.json"))?;
            let kept: Option<Value> = kept.and_then(|kept| serde_json::from_slice(&kept).ok());
            let name = kept.as_ref().and_then(|kept| kept["Name"].as_str());
            let short = || id.chars().take(12).collect();
            let name = name.map_or_else(short, |name| name.trim_start_matches('/').to_owned());
            return Ok(Some(name));
        }
        Ok(None)
    }
}

/// The container of an engine's that a process of this command line looks after.
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
            .folder("/var/lib/docker/containers/0123456789abcdef")
            .folder("/srv/docker/containers/kube")
            .file("/proc/10/cmdline", shim("moby", "abc"))
            .file("/proc/11/cmdline", "sleep\0")
            .file("/proc/11/stat", "11 (a) b) S 10 1")
            .file("/proc/12/cmdline", shim("moby", "0123456789abcdef"))
            .file("/proc/13/cmdline", shim("k8s.io", "kube"))
            .file("/proc/14/cmdline", "vi\0containerd-shim\0-id\0abc\0")
            .file("/proc/15/cmdline", shim("moby", "of-another-engine"))
            .file("/proc/self/cmdline", shim("moby", "abc"));
        let contained = |name: &str, processes: &[i32]| Contained {
            name: name.to_owned(),
            processes: processes.to_vec(),
        };
        let expected = [
            contained("web", &[11, 10]),
            contained("0123456789ab", &[12]),
        ];
        assert_eq!(stub.host().orphans().unwrap(), expected);
        let runs = stub.program("systemctl", "exit 0");
        assert_eq!(runs.host().orphans().unwrap(), []);
        assert_eq!(runs.host().contained().unwrap(), expected);
    }
}
