//! Whether an `apt-get update` that somebody types gets Docker's repository: by what the host's own
//! configuration says, and nothing that only this run was told.

#![expect(
    clippy::disallowed_methods,
    reason = "all is written into a folder of the run"
)]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use super::apt_get::NO_HOOKS;
use super::lock::LISTS;
use super::quote::quoted;
use super::source::Source;
use crate::error::quote;
use crate::host::Host;
use crate::host::command::Query;
use crate::host::temporary;

const DEADLINE: Duration = Duration::from_secs(30);

/// What is wrong with that, for a warning.
pub(crate) fn update_fault(host: &Host) -> Option<String> {
    match try_update(host) {
        Ok(None) => None,
        Ok(Some(words)) => {
            let text = "by this host's own configuration apt cannot fetch Docker's index, so the \
                        engine would miss its upgrades. Fix what apt says here, then try again: \
                        sudo apt-get update";
            Some(quote(text, &words))
        }
        Err(error) => {
            let text = format!("whether apt can fetch Docker's index was not found out: {error:#}");
            Some(text)
        }
    }
}

/// What apt says when it cannot. The lists go into a folder of the run, so that nothing on the host
/// changes.
fn try_update(host: &Host) -> Result<Option<String>> {
    let folder = temporary::make_folder(&temporary::prefix()).context("making a folder for apt")?;
    let lists = folder.path().join("lists");
    fs::create_dir_all(lists.join("partial")).context("making a folder for apt's lists")?;
    // apt downloads as a user of its own, who must be able to come here.
    for folder in [folder.path(), &lists] {
        fs::set_permissions(folder, Permissions::from_mode(0o755))
            .context("opening a folder to apt's own user")?;
    }
    let configuration = folder.path().join("apt.conf");
    let text = configuration_of(&lists)?;
    fs::write(&configuration, text).context("writing apt's configuration for a check")?;
    let update = Query::apart_update(&configuration)
        .arg("--quiet")
        .deadline(DEADLINE);
    let printed = host.query(&update.clone().arg("--print-uris"))?;
    copy_lists(host, &printed.stdout, &lists)?;
    Ok(match host.query(&update) {
        Ok(output) if output.code == 0 => None,
        Ok(output) => Some(output.tail()),
        Err(error) => Some(format!("{error:#}")),
    })
}

/// The configuration that is read after all of the host's: Docker's source alone, and no programs
/// that would act on the host.
fn configuration_of(lists: &Path) -> Result<String> {
    Ok(format!(
        "Dir::State::Lists {};\n\
         Dir::Etc::SourceList {};\n\
         Dir::Etc::SourceParts \"/dev/null\";\n\
         Dir::Cache::pkgcache \"\";\n\
         Dir::Cache::srcpkgcache \"\";\n\
         {NO_HOOKS}",
        quoted(&format!("{}/", lists.display()))?,
        quoted(Source::PATH)?,
    ))
}

/// Copies what the host has of the lists that apt would fetch, so that apt asks the server only
/// whether they are still the newest.
fn copy_lists(host: &Host, printed: &str, to: &Path) -> Result<()> {
    // A line is 'URI' NAME SIZE HASH.
    let names = printed.lines().filter_map(|line| line.split(' ').nth(1));
    let begins: Vec<String> = names
        .filter_map(|name| name.strip_suffix("InRelease"))
        .map(str::to_owned)
        .collect();
    for name in host.list(LISTS)? {
        if begins.iter().any(|begin| name.starts_with(begin)) {
            let from = host.path(LISTS).join(&name);
            fs::copy(&from, to.join(&name))
                .with_context(|| format!("copying {}", from.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    /// Says which lists it would fetch, and writes those that it was given into a file.
    const APT: &str = r#"
case "$*" in
*--print-uris*) echo "'https://d/linux/dists/noble/InRelease' d_linux_dists_noble_InRelease 0 " ;;
*) for list in "$(dirname "$2")"/lists/*; do
    [ -d "$list" ] || echo "E: ${list##*/} $(cat "$list")" >&2
   done; exit 100 ;;
esac"#;

    #[test]
    fn apt_is_given_the_lists_that_are_there_and_no_others() {
        let stub = StubHost::new()
            .program("apt-get", APT)
            .file("/var/lib/apt/lists/d_linux_dists_noble_InRelease", "signed")
            .file("/var/lib/apt/lists/d_linux_dists_jammy_InRelease", "other");
        let told = update_fault(stub.host()).unwrap();
        let (_, words) = told.split_once('\n').unwrap();
        assert_eq!(words, "E: d_linux_dists_noble_InRelease signed");
    }

    #[test]
    fn what_apt_says_is_told_with_the_command_to_try_again() {
        let fault = |script: &str| {
            let stub = StubHost::new().program("apt-get", script);
            update_fault(stub.host())
        };
        assert_eq!(fault("exit 0"), None);
        assert!(fault("kill -9 $$").unwrap().contains("apt"));
        let told = fault("echo 'E: Could not connect' >&2; exit 100").unwrap();
        let (text, words) = told.split_once('\n').unwrap();
        assert!(text.ends_with(": sudo apt-get update"), "{text}");
        assert_eq!(words, "E: Could not connect");
    }
}
