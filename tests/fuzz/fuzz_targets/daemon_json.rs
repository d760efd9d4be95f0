//! Any daemon.json: never a panic; a merge settles at once, and can be taken back.
#![no_main]

use dockstrap::daemon_json::{Context, Document, Wanted, check, merge, recommended, revert};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(document) = Document::parse(bytes) else {
        return;
    };
    assert_eq!(document.text().as_bytes(), bytes);
    check(&document, &Context::default());
    let wanted = recommended().values();
    let before = document.root().clone();
    let merged = merge(document, &wanted, Wanted::Default);
    let text = merged.document.text().to_owned();
    let settled = merge(merged.document, &wanted, Wanted::Default);
    assert!(settled.changes.is_empty(), "{text}");
    let reverted = revert(settled.document, &merged.changes);
    assert_eq!(reverted.document.root(), &before, "{text}");
});
