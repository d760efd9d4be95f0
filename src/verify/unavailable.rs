//! What keeps a verification from being tried: nothing is known of the engine then.

use anyhow::Result;
use rustix::fs::Access;

use crate::docker::{GROUP, SOCKET, UNIT};
use crate::host::Group;
use crate::host::Host;

/// The command that sets up an engine.
const INSTALL: &str = "sudo dockstrap install";

/// Why nothing can be verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unavailable {
    pub(crate) reason: String,
    /// The command that helps; without one, the same verification as root.
    pub(crate) cure: Option<&'static str>,
}

/// What is in the way on this host, for the user who asks.
pub(super) fn find(host: &Host) -> Result<Option<Unavailable>> {
    if !is_installed(host)? {
        return Ok(Some(Unavailable {
            reason: "Docker Engine is not installed".to_owned(),
            cure: Some(INSTALL),
        }));
    }
    // Not by a connection, which would start an engine that is stopped.
    let refused = rustix::fs::access(host.path(SOCKET), Access::WRITE_OK);
    if refused != Err(rustix::io::Errno::ACCESS) || nix::unistd::geteuid().is_root() {
        return Ok(None);
    }
    refusal(host)
}

/// Whether there is an engine that could run, whether it does or not.
fn is_installed(host: &Host) -> Result<bool> {
    if host.runs_systemd()? {
        let unit = host.unit(UNIT)?;
        return Ok(unit
            .get("LoadState")
            .is_none_or(|state| state != "not-found"));
    }
    Ok(host.has_program("dockerd") || host.exists(SOCKET)?)
}

/// Why this user has no access to the socket; nothing when it is the socket that is wrong.
fn refusal(host: &Host) -> Result<Option<Unavailable>> {
    let id = nix::unistd::geteuid().as_raw();
    let user = host.user_by_id(id)?.unwrap_or_else(|| format!("user {id}"));
    let mut groups = nix::unistd::getgroups()?;
    groups.push(nix::unistd::getegid());
    let groups: Vec<u32> = groups.iter().map(|group| group.as_raw()).collect();
    Ok(judged(&user, &groups, host.group(GROUP)?.as_ref()))
}

/// What a user with these groups needs; `docker` is the group with access.
fn judged(user: &str, groups: &[u32], docker: Option<&Group>) -> Option<Unavailable> {
    let (why, cure) = match docker {
        Some(docker) if docker.id.is_some_and(|id| groups.contains(&id)) => return None,
        Some(docker) if docker.has(user) => {
            let why = format!("a member of group {GROUP} only since this login");
            (why, Some("newgrp docker"))
        }
        Some(_) => (format!("not a member of group {GROUP}"), None),
        None => (format!("there is no group {GROUP}"), None),
    };
    Some(Unavailable {
        reason: format!("{user} cannot use the engine: {why}"),
        cure,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    #[test]
    fn a_host_without_an_engine_is_sent_to_install() {
        let show = "printf 'LoadState=not-found\nActiveState=inactive\n'";
        let stub = StubHost::noble().program("systemctl", show);
        let unavailable = find(stub.host()).unwrap().unwrap();
        assert_eq!(unavailable.reason, "Docker Engine is not installed");
        assert_eq!(unavailable.cure, Some("sudo dockstrap install"));
    }

    #[test]
    fn an_engine_that_is_stopped_is_no_obstacle() {
        let show = "printf 'LoadState=loaded\nActiveState=inactive\n'";
        let stub = StubHost::noble().program("systemctl", show);
        assert_eq!(find(stub.host()).unwrap(), None);
    }

    #[test]
    fn a_user_without_access_is_told_why_and_what_to_run() {
        let docker = |members: &[&str]| Group {
            id: Some(998),
            members: members.iter().map(ToString::to_string).collect(),
            ..Group::default()
        };
        let said = |groups: &[u32], docker: Option<Group>| {
            judged("bob", groups, docker.as_ref()).map(|it| (it.reason, it.cure))
        };
        let with_bob = || Some(docker(&["alice", "bob"]));
        let stranger = "bob cannot use the engine: not a member of group docker";
        assert_eq!(
            said(&[1002], Some(docker(&["alice"]))),
            Some((stranger.to_owned(), None))
        );
        let (reason, cure) = said(&[1002], with_bob()).unwrap();
        assert!(reason.ends_with("a member of group docker only since this login"));
        assert_eq!(cure, Some("newgrp docker"));
        let (reason, cure) = said(&[1002], None).unwrap();
        assert!(reason.ends_with("there is no group docker"));
        assert_eq!(cure, None);
        // Then it is the socket that has the wrong rights.
        assert_eq!(said(&[1002, 998], with_bob()), None);
    }
}
