//! What several acts did to one thing, made into what there is to go back to: what one of them only put
//! back has no way back of its own.

use crate::change::{Act, Undo};
use crate::daemon_json;

/// Settles what the acts did to daemon.json, and to files.
pub(super) fn settle(acts: &mut [Act]) {
    let changes = acts.iter_mut().filter_map(|act| match &mut act.undo {
        Undo::RestoreDaemonJson { changes, .. } => Some(changes),
        _ => None,
    });
    daemon_json::settle(&mut changes.collect::<Vec<_>>());
    for number in 1..acts.len() {
        let (earlier, later) = acts.split_at_mut(number);
        if is_put_back(earlier, &later[0].undo) {
            later[0].undo = Undo::nothing();
        }
    }
}

/// Whether an act wrote a file as an earlier one had: somebody edited it meanwhile.
fn is_put_back(earlier: &[Act], undo: &Undo) -> bool {
    let Undo::RestoreFile {
        path,
        sha256: Some(sha256),
        ..
    } = undo
    else {
        return false;
    };
    let wrote = |act: &Act| match &act.undo {
        Undo::RemoveFile {
            path: of,
            sha256: written,
        }
        | Undo::RestoreFile {
            path: of,
            sha256: Some(written),
            ..
        } => of == path && written == sha256,
        _ => false,
    };
    earlier.iter().any(wrote)
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
}
