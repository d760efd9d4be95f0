//! apt as the host has it: its sources, a private view of them, what it would do, and doing it.

mod entry;
mod existing;
mod index;
mod lock;
mod purge;
mod run;
mod source;
mod source_file;
mod suites;
mod transaction;
mod trouble;
mod view;

pub use existing::{Existing, Migration};
pub use index::Index;
pub use lock::{LISTS, lock_lists, wait_for_locks};
pub use purge::Purge;
pub use run::{apt_get, install, run};
pub use source::Source;
pub use transaction::{Install, Transaction};
pub use view::View;
