//! Stage `group`: a member of group docker may use the engine after a new login, others may not.

use anyhow::Result;

use super::proof::Proof;
use crate::host::command::{Command, Output};
use crate::host::engine::{GROUP, SOCKET, undistracted};
use crate::report::Outcome;

/// Who is no member on any sane host.
const STRANGER: &str = "nobody";

/// How many members are tried: a group of a directory service may have hundreds.
const MOST: usize = 10;

/// What helps when the socket has other rights than its unit gives it.
const RENEW: &str = "let systemd make it again: systemctl restart docker.socket docker.service";

pub fn prove(proof: &Proof<'_>) -> Result<Outcome> {
    let host = proof.host;
    let Some(members) = host.group_members(GROUP)? else {
        return Ok(Outcome::Failed(format!(
            "there is no group {GROUP}, so only root can use the engine; make it with: sudo \
             dockstrap install"
        )));
    };
    if !nix::unistd::geteuid().is_root() {
        let reason = "only root can try what another user may do; run it with sudo";
        return Ok(Outcome::Skipped(reason.to_owned()));
    }
    let stranger = ask_as(proof, STRANGER)?;
    if stranger.code == 0 {
        return Ok(Outcome::Failed(
            match members.iter().any(|it| it == STRANGER) {
                true => format!(
                    "{STRANGER}, as whom services run that nobody trusts, is a member of group \
                 {GROUP}, which is the same as root; end that with: gpasswd --delete {STRANGER} \
                 {GROUP}"
                ),
                false => format!(
                    "{STRANGER} is no member of group {GROUP} and may use the engine all the same, as \
                 anyone may: the rights of {SOCKET} are wrong; {RENEW}"
                ),
            },
        ));
    }
    for member in members.iter().take(MOST) {
        if !host.has_user(member)? {
            continue; // only the name was left in the group
        }
        let asked = ask_as(proof, member)?;
        if asked.code != 0 {
            return Ok(Outcome::Failed(refusal(member, &asked)));
        }
    }
    Ok(match members.as_slice() {
        [] => Outcome::Skipped(format!(
            "group {GROUP} has no members to try it with; others are refused"
        )),
        members => Outcome::Passed(format!(
            "{} may use the engine after a new login, {STRANGER} may not",
            members.join(", ")
        )),
    })
}

/// Asks the engine for its version as this user, with the groups of a new login.
fn ask_as(proof: &Proof<'_>, user: &str) -> Result<Output> {
    let ask = Command::new("runuser")
        .args(["--user", user, "--", "docker", "--host"])
        .arg(format!("unix://{SOCKET}"))
        .args(["version", "--format", "{{.Server.Version}}"])
        .env("DOCKER_CONFIG", "/nonexistent")
        .stopped_by(&proof.stopped);
    proof.host.query(&undistracted(ask))
}

fn refusal(member: &str, asked: &Output) -> String {
    let said = asked.tail();
    match said.contains("permission denied") {
        true => format!(
            "{member} is a member of group {GROUP}, but may not use the engine: the rights of \
             {SOCKET} are wrong; {RENEW}"
        ),
        false => format!(
            "{member} is a member of group {GROUP}, but cannot use the engine: {said}; try it \
             with: runuser --user {member} -- docker version"
        ),
    }
}
