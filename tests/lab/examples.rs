//! The examples of the README, run as they stand there. Those of the manual's pages on images, clouds
//! and Ansible are run by the tests of these.

use crate::host::LabHost;

#[path = "../cli/fences.rs"]
mod fences;

/// How the places of its examples begin; other folders have a README of their own.
const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md:");

/// Lines that no host of the lab can run, each with the reason.
const NOT_HERE: &[(&str, &str)] = &[
    (
        "scripts/",
        "they are run outside of hosts, and build or bring up what is tested here",
    ),
    ("curl -fsSL RELEASES", "the test of install.sh runs it"),
    ("wget -qO- RELEASES", "so does this"),
    ("apt update", "the test of the release installs from it"),
    ("apt install", "the test of the package installs it"),
    ("cp FILE", "the lab's own authority stands there already"),
    (
        "update-ca-certificates",
        "the lab's base has run it for that authority",
    ),
];

#[test]
#[ignore = "needs root and the lab: sudo scripts/test"]
fn the_examples_of_the_readme_do_what_they_say() {
    let host = LabHost::up("noble");
    let mut count = 0;
    let fences = fences::all()
        .into_iter()
        .filter(|it| it.language == "sh" && it.place.starts_with(README));
    for fence in fences {
        for words in fences::commands(&fence.text) {
            let line = words.join(" ");
            let line = line.strip_prefix("sudo ").unwrap_or(&line);
            if NOT_HERE.iter().any(|(start, _)| line.starts_with(start)) {
                continue;
            }
            count += 1;
            let file = if line.starts_with("dockstrap settings") {
                "/root/sample.toml"
            } else {
                "/root/dockstrap-*.tar"
            };
            let mut line = line.replace("FILE", file);
            if line.starts_with("dockstrap install") || line.starts_with("dockstrap uninstall") {
                // There is no terminal to be asked on.
                line += " --yes";
            }
            if line.starts_with("dockstrap settings check") {
                host.sh("dockstrap settings sample >/root/sample.toml");
            }
            let fingerprint = host.fingerprint();
            host.sh(&format!(
                "cd /root && DOCKSTRAP_KEY_FINGERPRINT={fingerprint} {line}"
            ));
        }
    }
    assert!(count > 10, "only {count} lines were run");
    host.run(["docker", "info"]).exits(0).says("Server Version");
}
