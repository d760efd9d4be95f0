//! Any daemon.json: never a panic; a merge settles at once, and can be taken back.
#![no_main]

use dockstrap::fuzzed::{Context, DesiredConfig, Document, Preset, check, revert};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(document) = Document::parse(bytes) else {
        return;
    };
    assert_eq!(document.bytes(), bytes);
    check(&document, &Context::default());
    let desired = DesiredConfig::new(Preset::Hardened.entries(&Default::default()), Default::default());
    let before = document.root().clone();
    let merged = desired.merged_into(document);
    let text = merged.document.text().to_owned();
    let settled = desired.merged_into(merged.document);
    assert!(settled.changes.is_empty(), "{text}");
    let reverted = revert(settled.document, &merged.changes);
    assert_eq!(reverted.document.root(), &before, "{text}");
});
