//! What runs under the engines of a host: containers, and the pods of a kubelet.

use anyhow::Result;

use crate::host::Host;
use crate::host::command::{Output, Query};

/// The containers that run under these packages, for people. Who may not ask is told of the packages
/// all the same.
pub(crate) fn running_under(host: &Host, packages: &[&str]) -> Vec<String> {
    let mut running = match host.engine_is_active() {
        Ok(true) => host.running_names().unwrap_or_default(),
        _ => Vec::new(),
    };
    if packages.contains(&"containerd") {
        running.extend(tasks(host));
    }
    running
}

/// What runs under containerd itself, as `NAMESPACE/NAME`. Docker's engine has a namespace of its
/// own, of which it tells itself.
fn tasks(host: &Host) -> Vec<String> {
    let lines = |namespace| {
        let listed = host
            .query(&Query::of_containerd(namespace))
            .and_then(Output::success);
        listed.map_or_else(|_| String::new(), |output| output.stdout)
    };
    let mut running = Vec::new();
    for space in lines(None).lines() {
        if space != "moby" {
            let tasks = lines(Some(space));
            running.extend(tasks.lines().map(|task| format!("{space}/{task}")));
        }
    }
    running
}

/// Whether kubelet keeps anything here: it runs pods, or will when it is started.
pub(crate) fn kubelet_is_here(host: &Host) -> Result<bool> {
    Ok(!host.list("/var/lib/kubelet")?.is_empty())
}

/// What becomes of this many containers when the engine is restarted.
pub(crate) fn fate_of_containers(running: u64, kept: bool) -> String {
    if kept {
        format!("{running} running containers are kept running by live-restore")
    } else {
        format!("{running} running containers are restarted with it")
    }
}
