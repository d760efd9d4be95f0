//! Changes to the host: each is written to the journal with the way back before it is made.
//!
//! [`Tx`] is the only one that writes to the host or runs a command that changes it;
//! [`Undo`](crate::undo::Undo) is the closed list of ways back.

#![expect(
    clippy::disallowed_methods,
    reason = "this is the door through which the host changes"
)]

mod journal;
mod kept;
mod ownership;
mod stale_files;
#[cfg(test)]
pub(crate) mod trial;
mod tx;

pub use crate::undo::JOURNAL;
pub(crate) use journal::{
    Act, Journal, Purpose, Run, VerificationRecord, named, remove_empty_folder, remove_freshness,
};
pub(crate) use kept::{has_engine_of_dockers, is_of_settings, restorable, yours};
pub(crate) use ownership::Ownership;
pub(crate) use tx::{POLICY, Tx};
pub(crate) use tx::{VERIFICATION, withdraw_verification};
pub(crate) use tx::{data_roots, note_data, note_data_of_host, note_folder};
