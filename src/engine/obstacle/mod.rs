//! What keeps an engine from starting, each with the command that removes it: found before anything is
//! changed, by `doctor`, and after a start that failed.

mod confinement;
mod containerd;
mod iptables;
mod kept_files;
mod process_file;

pub(crate) use confinement::{
    check as confinement, packaged as packaged_unit, problem as confinement_problem,
    warn as warn_of_confinement,
};
pub(crate) use containerd::{elsewhere as containerd_elsewhere, problem as containerd_problem};
pub(crate) use iptables::problem as iptables_problem;
pub(crate) use kept_files::problem as kept_files_problem;
pub(crate) use process_file::problem as process_file_problem;

/// Something that is in the way, and the command that removes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Obstacle {
    pub cause: String,
    /// What to do, ending with a command.
    pub cure: String,
}

impl Obstacle {
    pub(crate) fn new(cause: impl Into<String>, cure: impl Into<String>) -> Obstacle {
        Obstacle {
            cause: cause.into(),
            cure: cure.into(),
        }
    }
}
