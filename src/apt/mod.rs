//! apt as the host has it: its sources, a private view of them, what it would do, and doing it.

mod archive;
mod entry;
mod existing;
mod fetch;
mod index;
mod lock;
mod purge;
mod reach;
mod repair;
mod run;
mod seen;
mod source;
mod source_file;
mod space;
mod status;
mod suites;
mod transaction;
mod transfer;
mod trouble;
mod view;

pub use archive::{Archive, Archives};
pub use entry::without_password;
pub use existing::{Existing, Migration};
pub use fetch::{fetch, remove_partials, still_to_fetch};
pub use index::{Index, is_signed_anew};
pub use lock::{ARCHIVES, LISTS, lock_archives, lock_lists, wait_for_locks, wait_to_begin};
pub use purge::{Leave, Purge, asked_for, asked_for_since, refuse_held};
pub use reach::{Reach, proxies};
pub use repair::{clear_for_purge, finish};
pub use run::{apt_get, install, is_locked_out, run};
pub use seen::{Seen, is_older, newest, newest_first};
pub use source::{COMPONENT, Source};
pub use source_file::{is_source_file, source_files};
pub use space::require as require_space;
pub use transaction::{Install, Transaction};
pub use view::{Export, Lists, PartOfArchive, View};
