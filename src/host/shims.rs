//! Containers as the processes that they are: with live-restore, they run on when their engine is
//! stopped or dies.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::Value;

use super::Host;
use super::engine::is_of_remap;
use crate::relative_path::FileName;

/// What containerd starts for each container, and what the engine calls its own there; with
/// userns-remap, the first identifiers follow.
///
/// Source: <https://github.com/containerd/containerd/blob/main/core/runtime/v2/README.md>; moby,
/// `RemapContainerdNamespaces` in `daemon/daemon_unix.go`.
const SHIM: &str = "containerd-shim";
const NAMESPACE: &str = "moby";

/// A container that runs, whether or not its engine does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contained {
    /// What the user calls it, or the beginning of its identifier.
    pub name: String,
    /// The folder in which its engine keeps its data.
    pub root: PathBuf,
    /// What was started in it, and the shim that has started that.
    pub processes: Vec<i32>,
}

impl Host {
    /// The containers that run of engines that keep their data in one of these folders. Those of
    /// others, as of an engine in a container or of a user's own, look alike.
    pub fn contained_of(&self, roots: &[PathBuf]) -> Result<Vec<Contained>> {
        let pids = self.pids()?;
        let mut found = Vec::new();
        for shim in &pids {
            let line = self.read_text(format!("/proc/{shim}/cmdline"));
            // One that has ended meanwhile has none.
            let Some(id) = line.ok().flatten().and_then(|line| container_of(&line)) else {
                continue;
            };
            for root in roots {
                if let Some(name) = self.container_name(root, &id)? {
                    found.push((*shim, name, root));
                    break;
                }
            }
        }
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let parents: Vec<Option<i32>> = pids.iter().map(|pid| self.parent_of(*pid)).collect();
        let contained = found.into_iter().map(|(shim, name, root)| {
            let of_all = pids.iter().zip(&parents);
            let children = of_all.filter(|(_, parent)| **parent == Some(shim));
            let mut processes: Vec<i32> = children.map(|(pid, _)| *pid).collect();
            processes.push(shim);
            Contained {
                name,
                root: root.clone(),
                processes,
            }
        });
        Ok(contained.collect())
    }

    /// The name of a container, if an engine has it there.
    fn container_name(&self, root: &Path, id: &FileName) -> Result<Option<String>> {
        let remapped = self.list(root)?.into_iter().filter(|it| is_of_remap(it));
        let mut folders = vec![root.to_owned()];
        folders.extend(remapped.map(|name| root.join(name)));
        for folder in folders {
            let folder = folder.join("containers").join(id);
            if !self.exists(&folder)? {
                continue;
            }
            let kept = self.read(folder.join("config.v2.json"))?;
            let kept: Option<Value> = kept.and_then(|kept| serde_json::from_slice(&kept).ok());
            let name = kept.as_ref().and_then(|kept| kept["Name"].as_str());
            let short = || id.as_str().chars().take(12).collect();
            let name = name.map_or_else(short, |name| name.trim_start_matches('/').to_owned());
            return Ok(Some(name));
        }
        Ok(None)
    }
}

/// The container of an engine's that a process of this command line looks after.
fn container_of(line: &str) -> Option<FileName> {
    let words: Vec<&str> = line.split('\0').collect();
    let program = words.first()?.rsplit('/').next()?;
    let after = |word: &str| Some(words.windows(2).find(|pair| pair[0] == word)?[1]);
    let behind = after("-namespace")?.strip_prefix(NAMESPACE)?;
    let is_of_engine = behind.is_empty() || behind.strip_prefix('-').is_some_and(is_of_remap);
    // Anybody may start a process with such arguments, and this one becomes a path.
    let id = FileName::parse(after("-id")?).ok()?;
    (program.starts_with(SHIM) && is_of_engine).then_some(id)
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
        let [docker, own] = ["/var/lib/docker", "/srv/docker"].map(PathBuf::from);
        let stub = StubHost::new()
            .file(
                "/srv/docker/containers/abc/config.v2.json",
                r#"{"Name": "/web"}"#,
            )
            .folder("/var/lib/docker/1000.1000/containers/0123456789abcdef")
            .folder("/srv/docker/containers/kube")
            .file("/proc/10/cmdline", shim("moby", "abc"))
            .file("/proc/11/cmdline", "sleep\0")
            .file("/proc/11/stat", "11 (a) b) S 10 1")
            .file(
                "/proc/12/cmdline",
                shim("moby-1000.1000", "0123456789abcdef"),
            )
            .file("/proc/13/cmdline", shim("k8s.io", "kube"))
            .file("/proc/14/cmdline", "vi\0containerd-shim\0-id\0abc\0")
            .file("/proc/15/cmdline", shim("moby", "of-another-engine"))
            // A process of anybody's, which would lead elsewhere.
            .file("/home/mallory/x/config.v2.json", r#"{"Name": "/web"}"#)
            .file("/proc/16/cmdline", shim("moby", "../../../home/mallory/x"))
            .file("/proc/17/cmdline", shim("moby", ".."))
            .file("/proc/self/cmdline", shim("moby", "abc"));
        let contained = |name: &str, root: &PathBuf, processes: &[i32]| Contained {
            name: name.to_owned(),
            root: root.clone(),
            processes: processes.to_vec(),
        };
        let web = contained("web", &own, &[11, 10]);
        let other = contained("0123456789ab", &docker, &[12]);
        let of = |roots: &[PathBuf]| stub.host().contained_of(roots).unwrap();
        assert_eq!(of(&[docker, own.clone()]), [web.clone(), other]);
        assert_eq!(of(&[own]), [web]);
    }
}
