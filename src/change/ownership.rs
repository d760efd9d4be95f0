//! Whose something is that dockstrap set up: what somebody changed since is theirs, and is left,
//! unless this run is told to restore it.

use anyhow::Result;

use crate::change::{self, Journal};
use crate::daemon_config::{self, Document, Edited};
use crate::docker::UNIT;
use crate::error::Failure;
use crate::host::{Host, UserName, is_forbidden};
use crate::report::Yours;
use crate::settings::Restore;

/// What is somebody's own on this host, but for keys of daemon.json.
#[derive(Default)]
pub(crate) struct Ownership {
    kept: Vec<Yours>,
    /// What was theirs, and is to be as it was set up.
    restored: Vec<Yours>,
}

impl Ownership {
    /// # Errors
    /// [`Failure::Usage`] for a name to restore that dockstrap never set.
    pub(crate) fn of(host: &Host, restore: &Restore) -> Result<Ownership> {
        let journal = match Journal::read(host) {
            // Only root may look; a plan that someone else makes takes all for what it is to be.
            Err(error) if is_forbidden(&error) => return Ok(Ownership::default()),
            journal => journal?,
        };
        let yours = change::yours(host, &journal)?;
        let known = change::restorable(&journal);
        if let Restore::Named(names) = restore
            && let Some(name) = names.iter().find(|name| !known.contains(*name))
        {
            let mut changed = changed_keys(host, &journal)?;
            changed.extend(yours.into_iter().map(|it| it.name));
            changed.retain(|name| known.contains(name));
            return Err(if change::is_of_settings(name) {
                of_settings(name)
            } else {
                never_set(name, &changed)
            });
        }
        // Who is no longer a user at all cannot be a member again.
        let is_gone = |it: &Yours| {
            let user = crate::undo::user_of(&it.name).and_then(|user| UserName::new(user).ok());
            user.is_some_and(|user| matches!(host.user(&user), Ok(None)))
        };
        let is_restored = |it: &Yours| {
            known.contains(&it.name)
                && restore.includes(&it.name)
                && !(*restore == Restore::All && is_gone(it))
        };
        let (restored, kept) = yours.into_iter().partition(is_restored);
        Ok(Ownership { kept, restored })
    }

    /// What has this name, if it is somebody's own.
    pub(crate) fn named(&self, name: &str) -> Option<&Yours> {
        self.kept.iter().find(|it| it.name == name)
    }

    /// The users who were taken out of the group.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Yours> {
        self.kept
            .iter()
            .filter(|it| crate::undo::user_of(&it.name).is_some())
    }

    /// Those of them who are to be in it again.
    pub(crate) fn restored_members(&self) -> impl Iterator<Item = UserName> {
        let names = self.restored.iter();
        names.filter_map(|it| UserName::new(crate::undo::user_of(&it.name)?).ok())
    }

    /// Packages that Docker's need or recommend, and that were removed.
    pub(crate) fn packages(&self) -> Vec<Yours> {
        let mut packages = self.kept.clone();
        packages.retain(is_package);
        packages
    }

    /// Those of them that are to be there again.
    pub(crate) fn restored_packages(&self) -> Vec<String> {
        let restored = self.restored.iter().filter(|it| is_package(it));
        restored.map(|it| it.name.clone()).collect()
    }

    /// Of what has these names.
    #[cfg(test)]
    pub(crate) fn of_names(names: &[&str]) -> Ownership {
        let yours = |name: &&str| Yours {
            name: (*name).to_owned(),
            now: "changed".to_owned(),
        };
        Ownership {
            kept: names.iter().map(yours).collect(),
            restored: Vec::new(),
        }
    }
}

fn is_package(yours: &Yours) -> bool {
    let name = yours.name.as_str();
    crate::undo::user_of(name).is_none() && name != UNIT && !name.starts_with('/')
}

/// The names of keys that were changed since.
fn changed_keys(host: &Host, journal: &Journal) -> Result<Vec<String>> {
    let bytes = host.read(daemon_config::PATH)?.unwrap_or_default();
    let document = Document::parse(&bytes).unwrap_or_default();
    let lost = daemon_config::drifted(&document, &journal.settled_configuration(&document));
    let keys = Edited::all(&document, &lost);
    Ok(keys.iter().map(Edited::name).collect())
}

fn of_settings(name: &str) -> anyhow::Error {
    Failure::Usage(format!(
        "--restore {name}: an install writes that file where its settings ask for it, and only then; \
         nothing was changed. See what settings name it: dockstrap install --help"
    ))
    .into()
}

fn never_set(name: &str, changed: &[String]) -> anyhow::Error {
    let changed = match changed {
        [] => "Nothing that it set was changed since".to_owned(),
        names => format!(
            "Changed since, and to be restored by name: {}",
            names.join(", ")
        ),
    };
    Failure::Usage(format!(
        "--restore {name}: dockstrap never set that on this host; nothing was changed. {changed}"
    ))
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apt;
    use crate::change::trial;
    use crate::error::exit_code;
    use crate::host::stub::StubHost;
    use serde_json::json;

    /// A host on which dockstrap set two keys, of which somebody has changed one.
    fn host() -> StubHost {
        let stub = StubHost::new()
            .program("dpkg-query", "echo docker-ce 1 amd64 installed ok 1")
            .program("systemctl", "");
        let text = json!({"live-restore": true, "mtu": 1400}).to_string();
        let document = Document::parse(text.as_bytes()).unwrap();
        let keys = document.root().clone();
        let merged = daemon_config::merge(Document::new(), &keys, daemon_config::Weight::Set);
        let write =
            |tx: &mut change::Tx<'_>| tx.write_daemon_json(merged.document.text(), &merged.changes);
        trial::complete(stub.host(), write).unwrap();
        stub.write(
            daemon_config::PATH,
            json!({"live-restore": false, "mtu": 1400}).to_string(),
        );
        stub
    }

    fn named(stub: &StubHost, name: &str) -> Result<Ownership> {
        Ownership::of(stub.host(), &Restore::Named(vec![name.to_owned()]))
    }

    #[test]
    fn what_was_never_set_is_refused_with_the_names_that_can_be_restored() {
        let stub = host();
        let error = named(&stub, "icc").err().unwrap();
        assert_eq!(exit_code(&error), 2);
        let text = error.to_string();
        assert!(
            text.contains("--restore icc: dockstrap never set that"),
            "{text}"
        );
        assert!(text.ends_with("by name: live-restore"), "{text}");
        named(&stub, "live-restore").unwrap();
        named(&stub, "mtu").unwrap(); // as it was set: there is nothing to do
        let error = named(&stub, apt::PROXY).err().unwrap().to_string();
        assert!(error.contains("where its settings ask for it"), "{error}");
        let error = named(&StubHost::new(), "icc").err().unwrap();
        assert!(error.to_string().ends_with("was changed since"), "{error}");
    }
}
