//! What must not be on the host beside Docker's engine.
//!
//! What stands in the way may run containers, so it is removed only when that is asked for.

use anyhow::Result;

use crate::change::POLICY;
use crate::engine::workloads::{kubelet_is_here, running_under};
use crate::error::blocked;
use crate::facts::{Facts, Init};
use crate::host::Host;
use crate::invocation;
use crate::report::{Event, Listener};
use crate::settings::Settings;

/// What runs pods under its own containerd, in other folders than Docker's: it works beside the
/// engine.
const WITH_PODS_OF_THEIR_OWN: &[(&str, &str)] = &[
    ("/var/lib/rancher/k3s", "k3s"),
    ("/var/lib/rancher/rke2", "RKE2"),
    ("/var/lib/k0s", "k0s"),
    ("/var/snap/microk8s", "MicroK8s"),
];

/// Refuses a host on which the engine could not be set up or would clash with another. Packages
/// that conflict with Docker's are let through when they may be replaced.
pub(crate) fn check(host: &Host, facts: &Facts, settings: &Settings) -> Result<()> {
    if facts.init != Init::Systemd && !settings.no_start {
        return Err(blocked(
            "systemd does not run on this host, so the engine could not be started and verified",
            &format!(
                "On WSL put `[boot]` and `systemd=true` into /etc/wsl.conf, run `wsl --shutdown` in \
                 Windows, and try again. In a chroot or an image, have everything placed and \
                 nothing started: {}",
                invocation::install(&["--no-start"])
            ),
        ));
    }
    let others = facts.conflicting_packages();
    if !others.is_empty() {
        refuse_for_kubelet(host, &others)?;
    }
    if !others.is_empty() && !settings.replace {
        return Err(conflict(host, &others));
    }
    if host.exists("/snap/bin/docker")? || host.exists("/var/lib/snapd/snap/bin/docker")? {
        return Err(blocked(
            "Docker is installed as a snap; two engines on one host fight over its networks",
            "Remove it first: sudo snap remove docker",
        ));
    }
    if host.exists("/opt/docker-desktop")? {
        return Err(blocked(
            "Docker Desktop is installed, which brings its own engine",
            "Remove it first: sudo apt-get remove docker-desktop",
        ));
    }
    let policy = host.metadata(POLICY)?;
    if settings.no_start && policy.is_some_and(|it| it.is_symlink()) {
        return Err(blocked(
            &format!(
                "{POLICY} is a link, so that packages cannot be kept from starting services by a \
                 file of that name"
            ),
            &format!("Put a file there, or nothing, and run this again: sudo rm {POLICY}"),
        ));
    }
    Ok(())
}

fn conflict(host: &Host, others: &[&str]) -> anyhow::Error {
    let names = others.join(" ");
    let under_them = match running_under(host, others).as_slice() {
        [] => String::new(),
        running => format!(", and containers run under them ({})", running.join(", ")),
    };
    blocked(
        &format!("these packages conflict with Docker's: {names}{under_them}"),
        &format!(
            "To have them removed by the install, which stops their containers and keeps their \
             data: {}. To see to it yourself: sudo apt-get remove {names}",
            invocation::install(&["--replace"])
        ),
    )
}

/// kubelet would not be told that the engine under its pods goes.
fn refuse_for_kubelet(host: &Host, others: &[&str]) -> Result<()> {
    let runtime = others
        .iter()
        .find(|it| matches!(**it, "containerd" | "runc"));
    let (Some(runtime), true) = (runtime, kubelet_is_here(host)?) else {
        return Ok(());
    };
    Err(blocked(
        &format!(
            "kubelet runs pods on this host under {runtime}, which would have to make room for \
             Docker's containerd.io"
        ),
        "Take the node out of its cluster first, or set Docker up on another host: kubectl drain \
         NODE",
    ))
}

/// Warns of what the engine still works on, but not for long.
pub(crate) fn warn(host: &Host, listener: Listener<'_>) -> Result<()> {
    // Where both versions are mounted, controllers are those of version 1.
    if host.exists("/sys/fs/cgroup/memory")? && !host.exists("/sys/fs/cgroup/cgroup.controllers")? {
        let text = "this host has control groups of version 1, which systemd and the engine are \
                    giving up; take systemd.unified_cgroup_hierarchy=0 off the kernel's command \
                    line, and restart the host"
            .to_owned();
        listener(Event::Warning { text });
    }
    for (folder, name) in WITH_PODS_OF_THEIR_OWN {
        if host.exists(folder)? {
            let text = format!(
                "{name} runs pods on this host, under its own containerd: that is left alone, \
                 but the engine shares the host's network, ports and iptables with it"
            );
            listener(Event::Warning { text });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::exit_code;
    use crate::facts;
    use crate::host::stub::StubHost;
    use crate::settings::Layer;

    fn settings(layer: Layer) -> Settings {
        let none = tempfile::NamedTempFile::new().unwrap();
        Settings::resolve(layer, Some(none.path())).unwrap()
    }

    fn replacing() -> Settings {
        settings(Layer {
            replace: Some(true),
            ..Layer::default()
        })
    }

    fn starting_nothing() -> Settings {
        settings(Layer {
            no_start: Some(true),
            ..Layer::default()
        })
    }

    fn checked_with(stub: &StubHost, settings: &Settings) -> Result<()> {
        check(stub.host(), &facts::gather(stub.host()).unwrap(), settings)
    }

    fn checked(stub: &StubHost) -> Result<()> {
        checked_with(stub, &settings(Layer::default()))
    }

    fn refused(stub: &StubHost) -> String {
        let error = checked(stub).unwrap_err();
        assert_eq!(exit_code(&error), 4);
        error.to_string()
    }

    #[test]
    fn a_bare_host_is_let_through() {
        checked(&StubHost::noble()).unwrap();
    }

    #[test]
    fn fault_56_without_systemd_nothing_is_started_and_all_can_be_placed() {
        let stub = StubHost::noble().without_systemd();
        let refusal = refused(&stub);
        assert!(refusal.contains("systemd does not run"), "{refusal}");
        assert!(
            refusal.contains("dockstrap install --no-start"),
            "{refusal}"
        );
        checked_with(&stub, &starting_nothing()).unwrap();
    }

    #[test]
    fn a_policy_that_cannot_be_put_back_as_it_was_is_refused() {
        let stub = StubHost::noble().folder("/usr/sbin");
        std::os::unix::fs::symlink("/bin/true", stub.host().path(POLICY)).unwrap();
        checked(&stub).unwrap();
        let error = checked_with(&stub, &starting_nothing()).unwrap_err();
        assert_eq!(exit_code(&error), 4);
        assert!(error.to_string().ends_with("rm /usr/sbin/policy-rc.d"));
    }

    #[test]
    fn every_conflicting_package_is_named_with_the_way_out() {
        let installed = "echo dpkg 1 amd64 installed ok; \
                         echo docker.io 27.5 amd64 installed ok; echo runc 1.2 amd64 installed ok";
        let refusal = refused(&StubHost::noble().program("dpkg-query", installed));
        assert!(
            refusal.ends_with("apt-get remove docker.io runc"),
            "{refusal}"
        );
    }

    #[test]
    fn what_was_removed_does_not_conflict_nor_does_dockers_own() {
        let known = "echo dpkg 1 amd64 installed ok; \
                     echo docker.io 27.5 amd64 config-files ok; \
                     echo containerd.io 2.1 amd64 installed ok";
        checked(&StubHost::noble().program("dpkg-query", known)).unwrap();
    }

    #[test]
    fn docker_as_a_snap_is_refused() {
        for path in ["/snap/bin/docker", "/var/lib/snapd/snap/bin/docker"] {
            assert!(refused(&StubHost::noble().file(path, "")).ends_with("snap remove docker"));
        }
    }

    #[test]
    fn fault_22_conflicting_packages_are_let_through_when_they_may_be_replaced() {
        let installed = "echo dpkg 1 amd64 installed ok; echo docker.io 27.5 amd64 installed ok";
        let stub = StubHost::noble().program("dpkg-query", installed);
        assert!(refused(&stub).contains("dockstrap install --replace"));
        checked_with(&stub, &replacing()).unwrap();
    }

    #[test]
    fn fault_22_what_runs_under_a_containerd_of_its_own_is_named() {
        let installed = "echo dpkg 1 amd64 installed ok; echo containerd 1.7 amd64 installed ok";
        let stub = StubHost::noble()
            .program("dpkg-query", installed)
            .program("systemctl", "exit 3")
            .program(
                "ctr",
                "case $* in
                    namespaces*) echo default; echo moby ;;
                    *default*) echo web ;;
                    *) echo 0123 ;;
                esac",
            );
        let refusal = refused(&stub);
        assert!(
            refusal.contains("run under them (default/web);"),
            "{refusal}"
        );
    }

    #[test]
    fn fault_23_what_a_kubelet_runs_on_is_left_alone_even_so() {
        let installed = "echo dpkg 1 amd64 installed ok; echo containerd 1.7 amd64 installed ok";
        let stub = StubHost::noble()
            .program("dpkg-query", installed)
            .file("/var/lib/kubelet/config.yaml", "");
        let error = checked_with(&stub, &replacing()).unwrap_err();
        assert_eq!(exit_code(&error), 4);
        assert!(error.to_string().contains("kubelet"), "{error}");
    }

    #[test]
    fn fault_24_docker_desktop_is_refused_with_the_command_that_removes_it() {
        let stub = StubHost::noble().file("/opt/docker-desktop/bin/docker-desktop", "");
        assert!(refused(&stub).ends_with("apt-get remove docker-desktop"));
    }

    #[test]
    fn fault_23_pods_under_a_containerd_of_their_own_are_warned_of() {
        let told = std::cell::RefCell::new(Vec::new());
        let listener = |event| told.borrow_mut().push(format!("{event:?}"));
        warn(StubHost::noble().host(), &listener).unwrap();
        assert!(told.borrow().is_empty());
        let stub = StubHost::noble().folder("/var/lib/rancher/k3s");
        warn(stub.host(), &listener).unwrap();
        let told = told.borrow();
        assert!(
            told.len() == 1 && told[0].contains("k3s runs pods"),
            "{told:?}"
        );
    }
}
