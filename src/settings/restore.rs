//! What a run is to set again although somebody changed it since. Each run is told anew: it is no
//! setting of a file.

/// What is to be restored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Restore {
    #[default]
    Nothing,
    All,
    /// What has these names: keys of daemon.json, entries of them, and others.
    Named(Vec<String>),
}

impl Restore {
    /// What a flag says that may have names.
    pub(crate) fn of(flag: Option<Vec<String>>) -> Restore {
        match flag {
            None => Restore::Nothing,
            Some(names) if names.is_empty() => Restore::All,
            Some(names) => Restore::Named(names),
        }
    }

    /// Whether what has this name is to be restored.
    pub(crate) fn includes(&self, name: &str) -> bool {
        match self {
            Restore::Nothing => false,
            Restore::All => true,
            Restore::Named(names) => names.iter().any(|it| it == name),
        }
    }
}
