//! The package under test, and others made out of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The package under test.
pub(crate) fn package() -> PathBuf {
    let path = std::env::var_os("DOCKSTRAP_DEB");
    PathBuf::from(path.expect("DOCKSTRAP_DEB must name the package that is to be tested"))
}

/// The same package as another version, in this folder.
pub(crate) fn repacked(package: &Path, version: &str, folder: &Path) -> PathBuf {
    repacked_with(package, version, folder, |_| {})
}

/// The same, with its content, which is laid out in a folder, changed.
pub(crate) fn repacked_with(
    package: &Path,
    version: &str,
    folder: &Path,
    change: impl FnOnce(&Path),
) -> PathBuf {
    let content = folder.join(format!("content-{version}"));
    dpkg_deb(&["--raw-extract".as_ref(), package, &content]);
    let control = content.join("DEBIAN/control");
    let text = fs::read_to_string(&control).unwrap();
    let lines = text.lines().map(|line| {
        if line.starts_with("Version: ") {
            format!("Version: {version}\n")
        } else {
            format!("{line}\n")
        }
    });
    fs::write(&control, lines.collect::<String>()).unwrap();
    change(&content);
    let packed = folder.join(format!("{version}.deb"));
    dpkg_deb(&["-Znone".as_ref(), "--build".as_ref(), &content, &packed]);
    packed
}

fn dpkg_deb(arguments: &[&Path]) {
    let output = Command::new("dpkg-deb").args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
}
