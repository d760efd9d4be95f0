//! The few failures on which the exit code depends.
//!
//! Everything else is an [`anyhow::Error`] with context and exits 1. A [`Failure`] may sit
//! anywhere in an error's chain of causes.

use thiserror::Error;

/// A failure with an exit code of its own. The texts name the cause and the cure.
#[derive(Debug, Error)]
pub enum Failure {
    /// The command line, a variable or the settings file says something that cannot be done.
    #[error("{0}")]
    Usage(String),
    /// The host is one that dockstrap does not set up, or something on it stands in the way.
    #[error("{0}")]
    Blocked(String),
    /// A certificate, a key, a signature or a hash is not one to be trusted.
    #[error("{0}")]
    Trust(String),
    /// Another process held a lock for longer than the wait.
    #[error("{0}")]
    Locked(String),
    /// The engine is installed, but a stage of the verification failed.
    #[error("{0}")]
    Unproven(String),
    /// The user said no, or pressed Ctrl-C.
    #[error("{0}")]
    Cancelled(String),
}

impl Failure {
    /// The process exit code, as documented in the manual.
    pub fn exit_code(&self) -> u8 {
        match self {
            Failure::Usage(_) => 2,
            Failure::Blocked(_) => 4,
            Failure::Trust(_) => 5,
            Failure::Locked(_) => 6,
            Failure::Unproven(_) => 7,
            Failure::Cancelled(_) => 130,
        }
    }
}

/// The exit code for any error: its first [`Failure`]'s, or 1.
pub fn exit_code(error: &anyhow::Error) -> u8 {
    error
        .chain()
        .find_map(|cause| cause.downcast_ref::<Failure>())
        .map_or(1, Failure::exit_code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn a_failure_keeps_its_exit_code_under_any_context() {
        let refused: anyhow::Result<()> = Err(Failure::Trust("another key".into()).into());
        let error = refused
            .context("checking the key")
            .context("planning")
            .unwrap_err();
        assert_eq!(exit_code(&error), 5);
    }

    #[test]
    fn any_other_error_exits_1() {
        assert_eq!(exit_code(&anyhow::anyhow!("disk on fire")), 1);
    }
}
