//! Changes to the host: each is written to the journal with the way back before it is made.
//!
//! [`Tx`] is the only one that writes to the host or runs a command that changes it;
//! [`Undo`] is the closed list of ways back, which `way_back` walks.

#![expect(
    clippy::disallowed_methods,
    reason = "this is the door through which the host changes"
)]

mod files;
mod journal;
mod last_run;
mod leftovers;
mod network;
mod ownership;
mod seal;
mod standing;
mod straight;
mod traces;
#[cfg(test)]
pub(crate) mod trial;
mod tx;
mod undo;
mod way_back;
mod yours;

pub use journal::{
    Act, FOLDER, Journal, PATH, Purpose, Run, Verified, named, remove_empty_folder,
    remove_freshness,
};
pub(crate) use ownership::Ownership;
pub use seal::is_sealed;
pub use standing::{Lost, Unit, member, user_of};
pub use tx::{POLICY, Tx};
pub(crate) use tx::{VERIFICATION, withdraw_verification};
pub(crate) use tx::{data_roots, note_data, note_data_of_host, note_folder};
pub use undo::{LINKED, Undo};
pub use way_back::{Ahead, Extent, Foreseen, Reverted, has_engine, is_unused, keeps_containers};
pub use yours::{has_engine_of_dockers, is_of_settings, restorable, yours};
