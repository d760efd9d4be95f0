//! What the pages of the manual are made from, and what tests hold against the program.

pub mod daemon_config;
pub mod settings;

pub use crate::apt::Source;
pub use crate::change::JOURNAL;
pub use crate::cli::Cli;
pub use crate::command::completions;
pub use crate::doctor::AREAS;
pub use crate::verify::STAGES;
