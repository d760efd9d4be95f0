//! Whether an `apt-get update` that somebody types gets Docker's repository: by what the host's own
//! configuration says, and nothing that only this run was told.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use anyhow::{Context, Result};

use super::quote::quoted;
use super::source::Source;
use crate::error::quote;
use crate::host::Host;
use crate::host::command::Command;
use crate::host::temporary;

const DEADLINE: Duration = Duration::from_secs(60);

/// What is wrong with that, for a warning. Lists are fetched into a folder of the run, so that
/// nothing on the host changes.
pub fn update_fault(host: &Host) -> Result<Option<String>> {
    let folder = temporary::make_folder(&temporary::prefix()).context("making a folder for apt")?;
    let lists = folder.path().join("lists");
    fs::create_dir_all(lists.join("partial")).context("making a folder for apt's lists")?;
    // apt downloads as a user of its own, who must be able to come here.
    for folder in [folder.path(), &lists] {
        fs::set_permissions(folder, Permissions::from_mode(0o755))
            .context("opening a folder to apt's own user")?;
    }
    let path = |end: &str| quoted(&format!("{}/{end}", folder.path().display()));
    let configuration = folder.path().join("apt.conf");
    let text = format!(
        "Dir::State::Lists {};\n\
         Dir::Etc::SourceList {};\n\
         Dir::Etc::SourceParts \"/dev/null\";\n\
         Dir::Cache::pkgcache \"\";\n\
         Dir::Cache::srcpkgcache \"\";\n\
         APT::Update::Error-Mode \"any\";\n\
         #clear APT::Update::Pre-Invoke;\n\
         #clear APT::Update::Post-Invoke;\n\
         #clear APT::Update::Post-Invoke-Success;\n",
        path("lists/")?,
        quoted(Source::PATH)?,
    );
    fs::write(&configuration, text).context("writing apt's configuration for a check")?;
    let update = Command::new("apt-get")
        .args(["--quiet", "--config-file"])
        .arg(&configuration)
        .arg("update")
        .deadline(DEADLINE);
    let words = match host.query(&update) {
        Ok(output) if output.code == 0 => return Ok(None),
        Ok(output) => output.tail(),
        Err(error) => format!("{error:#}"),
    };
    let text = "by this host's own configuration apt cannot fetch Docker's index, so the engine would \
                miss its upgrades. Fix what apt says here, then try again: sudo apt-get update";
    Ok(Some(quote(text, &words)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    #[test]
    fn what_apt_says_is_told_with_the_command_to_try_again() {
        let fault = |script: &str| {
            let stub = StubHost::new().program("apt-get", script);
            update_fault(stub.host()).unwrap()
        };
        assert_eq!(fault("exit 0"), None);
        let told = fault("echo 'E: Could not connect' >&2; exit 100").unwrap();
        let (text, words) = told.split_once('\n').unwrap();
        assert!(text.ends_with(": sudo apt-get update"), "{text}");
        assert_eq!(words, "E: Could not connect");
    }
}
