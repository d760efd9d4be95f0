//! Where the engine keeps its data: written down as ways back before it keeps any there.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::change::{Journal, Tx};
use crate::daemon_config::{self, Document, with_flags};
use crate::docker::CONTAINERD_ROOT;
use crate::engine::unit;
use crate::host::Host;
use crate::host::engine::DATA_ROOT;
use crate::undo::{Undo, is_unused};

/// Where an engine with this configuration, flags included, and its containerd keep their data.
pub(crate) fn roots(host: &Host, configuration: &Document) -> Result<[PathBuf; 2]> {
    let data_root = daemon_config::data_root(configuration.get("data-root"));
    Ok([data_root.to_owned(), host.containerd_root()?])
}

/// Writes down the ways back for what an engine with this configuration is going to make.
pub(crate) fn note(tx: &mut Tx<'_>, configuration: &Document) -> Result<()> {
    let host = tx.host();
    let used_by_engine = roots(host, configuration)?;
    let (mut paths, mut used) = (Vec::new(), Vec::new());
    let defaults = [DATA_ROOT, CONTAINERD_ROOT].map(PathBuf::from);
    let others = used_by_engine
        .iter()
        .filter(|root| !defaults.contains(root));
    for root in defaults.iter().chain(others) {
        if is_noted(tx.journal(), root) {
            continue;
        }
        note_folder(tx, root)?;
        if is_unused(host, root)? {
            paths.push(root.clone());
        } else if used_by_engine.contains(root) {
            used.push(root.clone());
        }
    }
    if paths.is_empty() && used.is_empty() {
        return Ok(());
    }
    let undo = Undo::RemoveData { paths, used };
    tx.note("let the engine keep its data", undo)
}

/// The same for an engine with the configuration that is on the host.
pub(crate) fn note_for_host(tx: &mut Tx<'_>) -> Result<()> {
    let bytes = tx.host().read(daemon_config::PATH)?.unwrap_or_default();
    let document = Document::parse(&bytes).unwrap_or_default();
    let flags = unit::flags(tx.host())?;
    note(tx, &with_flags(&document, &flags))
}

/// Writes down those of a folder and the folders above it that are not there yet.
pub(crate) fn note_folder(tx: &mut Tx<'_>, folder: &Path) -> Result<()> {
    let host = tx.host();
    let mut missing = Vec::new();
    for folder in folder.ancestors() {
        if host.exists(folder)? {
            break;
        }
        missing.push(folder);
    }
    for folder in missing.into_iter().rev() {
        let undo = Undo::RemoveFolder {
            path: folder.to_owned(),
        };
        tx.note(&format!("let the engine make {}", folder.display()), undo)?;
    }
    Ok(())
}

/// Whether an earlier run has written down what was in a folder before the engine kept its data
/// there.
fn is_noted(journal: &Journal, root: &PathBuf) -> bool {
    journal.acts().iter().any(|act| match &act.undo {
        Undo::RemoveData { paths, used } => paths.contains(root) || used.contains(root),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::trial;
    use crate::host::stub::StubHost;

    fn document(text: &str) -> Document {
        Document::parse(text.as_bytes()).unwrap()
    }

    fn noted(stub: &StubHost, configuration: &str) {
        trial::run(stub.host(), |tx| note(tx, &document(configuration))).unwrap();
    }

    #[test]
    fn a_data_root_of_the_users_own_is_emptied_of_what_the_engine_made_there() {
        let stub = StubHost::new().folder("/srv");
        let before = stub.snapshot();
        noted(&stub, r#"{"data-root": "/srv/a/docker/"}"#);
        let acts = trial::acts(stub.host());
        assert!(
            acts.contains(&"let the engine make /srv/a".to_owned()),
            "{acts:?}"
        );
        stub.write("/srv/a/docker/volumes/v", "");
        stub.write("/var/lib/containerd/x", "");
        // Not for the second time, when the engine has made something.
        noted(&stub, r#"{"data-root": "/srv/a/docker"}"#);
        assert_eq!(trial::acts(stub.host()), acts);
        std::fs::create_dir_all(stub.host().path("/var/lib/docker")).unwrap();
        assert_eq!(trial::revert(stub.host()).unwrap(), [""; 0]);
        assert_eq!(stub.snapshot(), before);
    }

    #[test]
    fn a_data_root_in_which_was_something_is_left_alone() {
        let stub = StubHost::new().file("/srv/containers/podmans", "data");
        noted(&stub, r#"{"data-root": "/srv"}"#);
        stub.write("/srv/volumes/v", "");
        assert_eq!(trial::revert(stub.host()).unwrap(), [""; 0]);
        assert!(stub.has("/srv/volumes/v") && stub.has("/srv/containers/podmans"));
    }

    #[test]
    fn containerd_keeps_its_own_where_its_file_says() {
        let config = "/etc/containerd/config.toml";
        let stub = StubHost::new().file(config, "root = '/srv/containerd'\n");
        let roots = roots(stub.host(), &document("{}")).unwrap();
        assert_eq!(
            roots,
            ["/var/lib/docker", "/srv/containerd"].map(PathBuf::from)
        );
    }
}
