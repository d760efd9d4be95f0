//! Stage `group`: a member of group docker may use the engine after a new login, others may not.

use std::collections::BTreeSet;

use anyhow::Result;

use super::verifier::Verifier;
use crate::docker::{GROUP, NO_CONFIG, SOCKET};
use crate::host::UserName;
use crate::host::command::{Command, Output};
use crate::report::Outcome;

/// Who is no member on any sane host.
const STRANGER: &str = "nobody";

/// How many members are tried: a group of a directory service may have hundreds.
const MOST: usize = 10;

/// What helps when the socket has other rights than its unit gives it.
const RENEW: &str = "let systemd make it again: systemctl restart docker.socket docker.service";

pub(crate) fn verify(verifier: &Verifier<'_>) -> Result<Outcome> {
    let host = verifier.host;
    let Some(group) = host.group(GROUP)? else {
        return Ok(Outcome::Failed(format!(
            "there is no group {GROUP}, so only root can use the engine; make it with: sudo \
             dockstrap install"
        )));
    };
    if group.is_roots() {
        return Ok(Outcome::Failed(format!(
            "group {GROUP} has the GID 0, which is group root's: all of that group may use the \
             engine; give it one of its own: sudo groupdel --force {GROUP} && sudo dockstrap install"
        )));
    }
    let members: BTreeSet<&String> = group.users().collect();
    if !nix::unistd::geteuid().is_root() {
        let reason = "only root can try what another user may do; run it with sudo";
        return Ok(Outcome::Skipped(reason.to_owned()));
    }
    let stranger = ask_as(verifier, STRANGER)?;
    if stranger.code == 0 {
        return Ok(Outcome::Failed(if group.has(STRANGER) {
            format!(
                "{STRANGER}, as whom untrusted services run, is a member of group \
                 {GROUP}, which is the same as root; end that with: gpasswd --delete {STRANGER} \
                 {GROUP}"
            )
        } else {
            format!(
                "{STRANGER} is not a member of group {GROUP} and has access to the engine, as \
                 anyone has: the rights of {SOCKET} are wrong; {RENEW}"
            )
        }));
    }
    if !was_refused(&stranger) {
        let said = stranger.tail();
        return Ok(Outcome::Failed(format!(
            "it cannot be tried whether {STRANGER} may use the engine: {said}; try it with: \
             runuser --user {STRANGER} -- docker version"
        )));
    }
    let mut tried = Vec::new();
    // Of some, only the name was left in the group.
    for member in &members {
        if let Ok(user) = UserName::new(member)
            && tried.len() < MOST
            && host.has_user(&user)?
        {
            tried.push(member.as_str());
        }
    }
    for member in &tried {
        let asked = ask_as(verifier, member)?;
        if asked.code != 0 {
            return Ok(Outcome::Failed(refusal(member, &asked)));
        }
    }
    Ok(outcome(&tried, members.len()))
}

/// What comes of it when nobody could do what they should not, nor could not what they should.
fn outcome(tried: &[&str], members: usize) -> Outcome {
    let others = match members - tried.len() {
        0 => String::new(),
        others => format!(
            "; {others} further names in the group were not tried: there is no such user, or \
             {MOST} were tried before"
        ),
    };
    match tried {
        [] => Outcome::Skipped(format!(
            "group {GROUP} has no members to try it with; others are refused{others}"
        )),
        tried => Outcome::Passed(format!(
            "{} may use the engine after a new login; {STRANGER} may not{others}",
            tried.join(", ")
        )),
    }
}

/// Whether it was the engine's socket that the docker command was kept from.
fn was_refused(asked: &Output) -> bool {
    asked.tail().contains("permission denied")
}

/// Asks the engine for its version as this user, with the groups of a new login.
fn ask_as(verifier: &Verifier<'_>, user: &str) -> Result<Output> {
    let ask = Command::new("runuser")
        .args(["--user", user, "--", "docker", "--host"])
        .arg(format!("unix://{SOCKET}"))
        .args(["version", "--format", "{{.Server.Version}}"])
        .env("DOCKER_CONFIG", NO_CONFIG)
        .stopped_by(&verifier.stopped);
    verifier.run(&ask)
}

fn refusal(member: &str, asked: &Output) -> String {
    let said = asked.tail();
    if was_refused(asked) {
        format!(
            "{member} is a member of group {GROUP}, but may not use the engine: the rights of \
             {SOCKET} are wrong; {RENEW}"
        )
    } else {
        format!(
            "{member} is a member of group {GROUP}, but cannot use the engine: {said}; try it \
             with: runuser --user {member} -- docker version"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_was_tried_is_named() {
        let text = |tried: &[&str], members| match outcome(tried, members) {
            Outcome::Passed(text) | Outcome::Skipped(text) => text,
            other => panic!("{other:?}"),
        };
        assert!(text(&["alice"], 1).ends_with("nobody may not"));
        assert!(text(&["alice"], 3).contains("alice may use"));
        assert!(text(&["alice"], 3).contains("2 further names in the group were not tried"));
        assert!(matches!(outcome(&[], 1), Outcome::Skipped(_)));
    }
}
