//! The indexes that the host's own apt has fetched: whether there are any, and how old they are.

use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::Result;

use super::lock::LISTS;
use crate::host::Host;

/// Ubuntu's indexes older than this may name packages that its archive no longer has.
const STALE_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// Whether the host has indexes that tell what its sources have now.
pub(super) fn lists_are_fresh(host: &Host) -> Result<bool> {
    Ok(has_indexes(host)? && !stale(host)?)
}

/// Whether the host has indexes at all; images often come without.
pub(super) fn has_indexes(host: &Host) -> Result<bool> {
    let lists = host.list(LISTS)?;
    Ok(lists.iter().any(|name| name.contains("_Packages")))
}

/// Whether the host's indexes were fetched so long ago that they must be fetched anew. apt gives
/// a list the server's date; only the folder it downloads into tells when it last did.
pub(super) fn stale(host: &Host) -> Result<bool> {
    let partial = host.metadata(Path::new(LISTS).join("partial"))?;
    let fetched = partial.and_then(|there| there.modified().ok());
    let age = fetched.map(|time| SystemTime::now().duration_since(time).unwrap_or_default());
    Ok(age.is_none_or(|age| age > STALE_AFTER))
}
