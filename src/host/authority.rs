//! The right to change the host.

use std::ops::Deref;

use super::Host;

/// A host, with the right to change it. Without one no command that changes the host is run, and no
/// file of it is written.
///
/// Only [`Tx`](crate::change::Tx) makes one, which writes down how to undo what is done with it; and
/// a verification, for the labelled objects that it makes in the engine and removes. Others are kept
/// from it by `clippy.toml`. A plan, a status and a diagnosis have none.
#[derive(Debug, Clone)]
pub(crate) struct Authority<'h>(&'h Host);

impl<'h> Authority<'h> {
    /// The right of a transaction.
    pub(crate) const fn of_tx(host: &'h Host) -> Authority<'h> {
        Authority(host)
    }

    /// The host alone.
    pub(crate) fn host(&self) -> &'h Host {
        self.0
    }

    /// The right over a host that a test made for itself.
    #[cfg(test)]
    pub(crate) const fn of_test(host: &'h Host) -> Authority<'h> {
        Authority(host)
    }

    /// The right of a verification, to what has its label.
    pub(crate) const fn over_labelled(host: &'h Host) -> Authority<'h> {
        Authority(host)
    }
}

impl Deref for Authority<'_> {
    type Target = Host;

    fn deref(&self) -> &Host {
        self.0
    }
}
