//! What keeps the group from being made, or its members from being added, found before anything is
//! done.

use anyhow::Result;

use crate::docker::GROUP;
use crate::error::Failure;
use crate::host::Host;
use crate::host::gids::{LOGIN_DEFS, NoGid};

/// The engine's socket would be open to everyone in root's own group.
pub(super) fn of_roots() -> anyhow::Error {
    Failure::Blocked(format!(
        "group {GROUP} has the GID 0, which is group root's: all of that group would have root's \
         rights; nothing was changed. Remove it, and the install makes one with a GID of its own: \
         sudo groupdel --force {GROUP}"
    ))
    .into()
}

/// Refuses a host on which the account tools could not create the group.
///
/// # Errors
/// [`Failure::Blocked`], with the command that helps.
pub(super) fn check_new(host: &Host) -> Result<()> {
    host.refuse_stale_account_locks()?;
    let Some(NoGid { min, max, free }) = host.lack_of_system_gids()? else {
        return Ok(());
    };
    Err(Failure::Blocked(format!(
        "{LOGIN_DEFS}: no number is free for group {GROUP} from SYS_GID_MIN ({min}) to SYS_GID_MAX \
         ({max}; one below GID_MIN where it is not set); nothing was changed. Widen that range, or \
         create the group with a number outside of it and run this again: sudo groupadd --gid {free} \
         {GROUP}"
    ))
    .into())
}

/// Refuses to add these users where the account tools could not.
///
/// # Errors
/// [`Failure::Blocked`], with the command that helps.
pub(super) fn check_members(host: &Host, is_there: bool, users: &[&str]) -> Result<()> {
    host.refuse_stale_account_locks()?;
    if !is_there || host.has_local_group(GROUP)? {
        return Ok(());
    }
    let names = users.join(", ");
    Err(Failure::Blocked(format!(
        "group {GROUP} comes from a directory service and not from /etc/group, so {names} cannot be \
         added to it on this host; nothing was changed. Add {names} in the directory, or set up the \
         engine without adding anyone (users = [] in the settings file): sudo dockstrap install \
         --user ''"
    ))
    .into())
}
