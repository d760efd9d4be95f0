//! Any file as a bundle: never a panic, and no file of one leads out of its folder.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use dockstrap::fuzzed::Bundle;
use libfuzzer_sys::fuzz_target;

static FILE: LazyLock<PathBuf> =
    LazyLock::new(|| std::env::temp_dir().join(format!("dockstrap-fuzz-{}", std::process::id())));

fuzz_target!(|bytes: &[u8]| {
    std::fs::write(&*FILE, bytes).expect("writing the bundle");
    let Ok(bundle) = Bundle::open(&FILE) else {
        return;
    };
    for file in &bundle.manifest().files {
        assert!(bundle.open_file(&file.path, 0).is_some(), "{}", file.path);
        assert!(file.path.parts().all(|part| !part.is_empty() && part != ".."), "{}", file.path);
    }
});
