//! What several acts did to one thing, made into what there is to go back to: what one of them only put
//! back has no way back of its own.

use std::path::Path;

use crate::change::Act;
use crate::daemon_config;
use crate::undo::Undo;

/// Coalesces what the acts did to daemon.json, and to files.
pub(super) fn coalesce(acts: &mut [Act]) {
    let changes = acts.iter_mut().filter_map(|act| match &mut act.undo {
        Undo::RestoreDaemonJson { changes, .. } => Some(changes),
        _ => None,
    });
    daemon_config::coalesce(&mut changes.collect::<Vec<_>>());
    for number in 1..acts.len() {
        let (earlier, later) = acts.split_at_mut(number);
        let Some(same) = put_back(earlier, &later[0].undo) else {
            continue;
        };
        let path = later[0].undo.subject().map(Path::to_owned);
        // What came between leads to an edit, which is not to be seen again.
        for act in &mut acts[same + 1..=number] {
            if act.undo.subject().map(Path::to_owned) == path {
                act.undo = Undo::nothing();
            }
        }
    }
}

/// Which of the earlier acts wrote a file as this one did again, over an edit of somebody's. What
/// replaced a text of ours needs all of the way back.
fn put_back(earlier: &[Act], undo: &Undo) -> Option<usize> {
    let Undo::RestoreFile {
        path,
        sha256: Some(sha256),
        backup_sha256,
        ..
    } = undo
    else {
        return None;
    };
    let wrote = |act: &Act, text: &String| match &act.undo {
        Undo::RemoveFile {
            path: of,
            sha256: written,
        }
        | Undo::RestoreFile {
            path: of,
            sha256: Some(written),
            ..
        } => of == path && written == text,
        _ => false,
    };
    let replaced = backup_sha256.as_ref();
    let is_ours = replaced.is_some_and(|text| earlier.iter().any(|act| wrote(act, text)));
    if is_ours {
        None
    } else {
        earlier.iter().rposition(|act| wrote(act, sha256))
    }
}

#[cfg(test)]
mod tests {
    use crate::change::{Journal, trial};
    use crate::host::stub::StubHost;

    #[test]
    fn a_file_that_was_put_back_over_an_edit_goes_back_to_before_it_was_written() {
        let write = |stub: &StubHost, text: &str| {
            let text = text.as_bytes().to_vec();
            trial::complete(stub.host(), |tx| tx.write_file("/etc/file", &text, 0o644)).unwrap();
        };
        for before in [None, Some("theirs")] {
            let stub = StubHost::new().folder("/etc");
            before.iter().for_each(|text| stub.write("/etc/file", text));
            let found = stub.snapshot();
            write(&stub, "ours");
            stub.write("/etc/file", "edited");
            write(&stub, "ours");
            assert_eq!(trial::revert(stub.host()).unwrap(), [""; 0]);
            assert_eq!(stub.snapshot(), found);
        }
        // When only the run that put it back fails, the edit comes back.
        let stub = StubHost::new().folder("/etc");
        write(&stub, "ours");
        stub.write("/etc/file", "edited");
        let before = Journal::read(stub.host()).unwrap().last();
        write(&stub, "ours");
        trial::revert_after(stub.host(), before).unwrap();
        assert_eq!(stub.read("/etc/file"), "edited");
    }

    #[test]
    fn a_file_that_had_several_texts_of_ours_goes_whatever_their_order_was() {
        for texts in [
            vec!["a", "b", "a"],
            vec!["a", "b", "c", "a"],
            vec!["a", "b", "a", "b", "c", "b"],
            vec!["a", "b", "edited", "a"],
            vec!["a", "b", "c", "edited", "a"],
            vec!["a", "b", "edited", "b", "c", "a"],
        ] {
            for before in [None, Some("theirs")] {
                let stub = StubHost::new().folder("/etc");
                before.iter().for_each(|text| stub.write("/etc/file", text));
                let found = stub.snapshot();
                for text in &texts {
                    if *text == "edited" {
                        stub.write("/etc/file", text);
                        continue;
                    }
                    let text = text.as_bytes().to_vec();
                    let write =
                        |tx: &mut crate::change::Tx<'_>| tx.write_file("/etc/file", &text, 0o644);
                    trial::complete(stub.host(), write).unwrap();
                }
                assert_eq!(trial::revert(stub.host()).unwrap(), [""; 0], "{texts:?}");
                assert_eq!(stub.snapshot(), found, "{texts:?}");
            }
        }
    }
}
